"""A browser before the pages, with a scripted core behind them; no sockets."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import httpx2
import pytest
from fastapi import FastAPI

from call_core.contracts import PhoneView
from channels.kit.contract import Environment
from channels.web import channel
from channels.web.browser import read_page
from tests.support.clocks import FakeClock
from tests.support.scripted_core import ANNA, NOW_MS, PASSWORD, ScriptedCore

URL = "http://callgate.test"


@dataclass
class Visitor:
    """A browser that remembers the page it shows."""

    client: httpx2.AsyncClient
    page: httpx2.Response = field(default_factory=lambda: httpx2.Response(200))

    async def get(self, path: str) -> httpx2.Response:
        """Go to a page."""
        self.page = await self.client.get(path)
        return self.page

    def token(self, action: str) -> str:
        """Return the one-time token of the first form of this page that goes to `action`."""
        forms = read_page(self.page.text)[0]
        fitting = (form.fields for form in forms if form.action == action)
        return next(fields["form"] for fields in fitting if "form" in fields)

    async def fill(
        self, action: str, fields: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Send the first form of this page that goes to `action`."""
        data = {"form": self.token(action), **fields}
        return await self.client.post(action, data=data, headers=dict(headers or {}))

    async def sign_in(self) -> None:
        """Sign in as Anna; the home page is shown."""
        await self.get("/sign-in")
        self.page = await self.fill("/sign-in", {"address": ANNA.address})
        fields = {"address": ANNA.address, "secret": PASSWORD}
        self.page = await self.fill("/sign-in/code", fields)

    @property
    def answer(self) -> str:
        """The words of the answer that this page shows."""
        return read_page(self.page.text)[1]


@pytest.fixture
def core() -> ScriptedCore:
    """Return a core that knows Anna's two phones."""
    phones = [
        PhoneView("cell", "+442079460999", verified=True, default=True),
        PhoneView("office", "+442079460998", verified=True, default=False),
    ]
    return ScriptedCore(own_phones=phones)


@pytest.fixture
def wall() -> FakeClock:
    """Return the clock that form tokens go by."""
    return FakeClock(NOW_MS)


@pytest.fixture
def extras() -> dict[str, object]:
    """Return what the demo would put behind the pages; nothing unless a module says so."""
    return {}


@pytest.fixture
async def visitor(
    core: ScriptedCore, wall: FakeClock, extras: Mapping[str, object]
) -> AsyncIterator[Visitor]:
    """Return a browser that has not signed in."""
    environment = Environment(core, wall, wall, URL, None, extras=extras)
    web = channel(channel.Settings(), environment)
    app = FastAPI(openapi_url=None)
    for router in web.routers():
        app.include_router(router)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url=URL, follow_redirects=True
    ) as client:
        yield Visitor(client)


@pytest.fixture
async def anna(visitor: Visitor) -> Visitor:
    """Return a browser that has signed in as Anna and shows the home page."""
    await visitor.sign_in()
    return visitor
