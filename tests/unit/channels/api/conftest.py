"""A client of the API, with a scripted core behind it; no sockets."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI

from channels.api import channel
from channels.kit.contract import Environment
from tests.support.clocks import FakeClock
from tests.support.scripted_core import CALL_TOKEN, NOW_MS, ScriptedCore

URL = "http://callgate.test"
BASE = f"{URL}/api/v1"


def app_of(core: ScriptedCore) -> tuple[FastAPI, channel]:
    """Return the API as a gateway would serve it, and the channel itself."""
    clock = FakeClock(NOW_MS)
    api = channel(channel.Settings(), Environment(core, clock, clock, URL, None))
    app = FastAPI(openapi_url=None)
    for router in api.routers():
        app.include_router(router)
    return app, api


@pytest.fixture
def core() -> ScriptedCore:
    """Return a core that knows nothing yet."""
    return ScriptedCore()


@pytest.fixture
async def client(core: ScriptedCore) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client whose token may read and call; addresses begin after `/api/v1`."""
    app, _ = app_of(core)
    headers = {"Authorization": f"Bearer {CALL_TOKEN}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=BASE, headers=headers
    ) as made:
        yield made
