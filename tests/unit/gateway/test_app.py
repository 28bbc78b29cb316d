"""What every HTTP answer has in common."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from call_core.errors import Overloaded
from gateway.app import create_app

LIMIT = 1024
pytestmark = pytest.mark.anyio


def routes() -> APIRouter:
    """Return routes that behave and misbehave."""
    router = APIRouter()

    @router.post("/echo")
    async def echo(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    @router.get("/own")
    async def own() -> PlainTextResponse:
        return PlainTextResponse("x", headers={"cache-control": "max-age=60"})

    @router.get("/busy")
    async def busy() -> None:
        raise Overloaded

    @router.get("/defect")
    async def defect() -> None:
        raise RuntimeError("the password is hunter2")

    @router.get("/events")
    async def events() -> StreamingResponse:
        async def forever() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            await asyncio.Event().wait()

        return StreamingResponse(forever(), media_type="text/event-stream")

    return router


def client(stop: asyncio.Event | None = None) -> httpx2.AsyncClient:
    """Return a client of the application."""
    app = create_app([routes()], max_body_bytes=LIMIT, stop=stop or asyncio.Event(), version="1")
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://t")


async def test_answers_carry_the_security_headers() -> None:
    """A route that says nothing gets the conservative ones, and no name of a server."""
    async with client() as asking:
        headers = (await asking.post("/echo", content=b"abc")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "server" not in headers


async def test_a_route_may_say_otherwise() -> None:
    """A header that the route set is not replaced."""
    async with client() as asking:
        assert (await asking.get("/own")).headers["cache-control"] == "max-age=60"


async def test_the_body_has_a_limit() -> None:
    """At the limit it is taken, one byte past it it is refused with 413."""
    async with client() as asking:
        assert (await asking.post("/echo", content=b"x" * LIMIT)).text == str(LIMIT)
        refused = await asking.post("/echo", content=b"x" * (LIMIT + 1))
    assert refused.status_code == 413


async def test_a_failure_of_ours_is_temporary_and_a_problem() -> None:
    """The core's failures say so, when to come back, and under which id it is logged."""
    async with client() as asking:
        answer = await asking.get("/busy")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    problem = answer.json()
    assert problem["code"] == "overloaded"
    assert re.fullmatch(r"http_[0-9a-f]{16}", problem["id"])


async def test_a_defect_tells_nothing_but_an_id() -> None:
    """What went wrong inside is in the log under the id that the answer has."""
    with capture_logs(processors=[merge_contextvars]) as logged:
        async with client() as asking:
            answer = await asking.get("/defect")
    assert logged[0]["request_id"] == answer.json()["id"]
    assert isinstance(logged[0]["exc_info"], RuntimeError)
    assert answer.status_code == 503
    assert answer.json()["code"] == "internal"
    assert answer.json()["id"]
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [("application/json", "application/problem+json"), ("text/html,*/*", "text/plain")],
)
async def test_what_is_not_there_is_told_in_the_callers_form(
    accept: str, content_type: str
) -> None:
    """A program gets a problem, a browser a word."""
    async with client() as asking:
        answer = await asking.get("/nothing", headers={"accept": accept})
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith(content_type)


async def test_draining_ends_event_streams() -> None:
    """An open stream is closed as soon as the process stops taking work."""
    stop = asyncio.Event()

    async def asked() -> httpx2.Response:
        async with client(stop) as asking:
            return await asking.get("/events")

    task = asyncio.create_task(asked())
    await asyncio.sleep(0.05)
    assert not task.done()
    stop.set()
    async with asyncio.timeout(2):
        answer = await task
    assert answer.text == "data: 1\n\n"


async def test_draining_lets_an_ordinary_answer_finish() -> None:
    """Only streams are cut; a request that came in time is answered."""
    stop = asyncio.Event()
    stop.set()
    async with client(stop) as asking:
        assert (await asking.post("/echo", content=b"abc")).text == "3"
