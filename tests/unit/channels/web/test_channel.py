"""The channel's own parts: static files, and the end of live pages at shutdown."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from channels.kit.contract import Environment
from channels.kit.registry import channel_classes
from channels.web import channel
from channels.web.channel import WebChannel
from tests.support.clocks import FakeClock
from tests.support.scripted_core import ANNA, ScriptedCore, a_call
from tests.unit.channels.web.conftest import URL, Visitor


def test_the_registry_finds_it() -> None:
    """The package's name is the channel's name."""
    assert channel_classes()["web"] is channel is WebChannel


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("callgate.css", "text/css; charset=utf-8"),
        ("callgate.js", "text/javascript; charset=utf-8"),
        ("callgate.svg", "image/svg+xml"),
    ],
)
async def test_static_files_last_by_their_content(
    visitor: Visitor, name: str, media_type: str
) -> None:
    """With its own hash a file is kept for ever, without one it is asked for again."""
    plain = await visitor.get(f"/static/{name}")
    assert plain.headers["content-type"] == media_type
    assert plain.headers["cache-control"] == "no-cache"
    tag = plain.headers["etag"]
    lasting = await visitor.get(f"/static/{name}?{tag.strip(chr(34))}")
    assert "immutable" in lasting.headers["cache-control"]
    again = await visitor.client.get(f"/static/{name}", headers={"if-none-match": tag})
    assert again.status_code == 304


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["none.css", "..%2Fsite.py"])
async def test_nothing_else_is_static(visitor: Visitor, name: str) -> None:
    """Only the files that were there at the start are served."""
    assert (await visitor.get(f"/static/{name}")).status_code == 404


@pytest.mark.anyio
async def test_stopping_ends_live_pages() -> None:
    """A page that follows a call does not hold the shutdown."""
    core = ScriptedCore(views={"call_1": a_call()}, sessions={"session": ANNA})
    clock = FakeClock()
    web = channel(channel.Settings(), Environment(core, clock, clock, URL, None))
    app = FastAPI()
    for router in web.routers():
        app.include_router(router)
    cookies = {"callgate_session": "session"}
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url=URL, cookies=cookies
    ) as client:
        following = asyncio.ensure_future(client.get("/calls/call_1/events"))
        await core.until_taken(1)
        assert not following.done()
        await web.stop()
        stream = await asyncio.wait_for(following, 1)
    assert stream.text.count("event: call") == 1
