"""The channel's own parts: its name, and the end of streams at shutdown."""

import asyncio

import httpx2
import pytest

from channels.api import channel
from channels.api.channel import ApiChannel
from channels.kit.registry import channel_classes
from tests.support.scripted_core import CALL_TOKEN, ScriptedCore, a_call
from tests.unit.channels.api.conftest import BASE, app_of


def test_the_registry_finds_it() -> None:
    """The package's name is the channel's name."""
    assert channel_classes()["api"] is channel is ApiChannel


@pytest.mark.anyio
async def test_stopping_ends_streams(core: ScriptedCore) -> None:
    """A stream that is followed does not hold the shutdown."""
    core.views["call_1"] = a_call()
    app, api = app_of(core)
    headers = {"Authorization": f"Bearer {CALL_TOKEN}"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=BASE, headers=headers
    ) as client:
        following = asyncio.ensure_future(client.get("/calls/call_1/events"))
        await core.until_taken(1)
        assert not following.done()
        await api.stop()
        stream = await asyncio.wait_for(following, 1)
    assert stream.text.count("event: call") == 1
