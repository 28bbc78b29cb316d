"""The embedded HTTP server."""

import asyncio

import httpx2
import pytest
from fastapi import FastAPI

from gateway.http_listener import HttpListener, ListenError

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]


async def test_it_serves_on_a_free_port_until_it_is_stopped() -> None:
    """Port 0 takes a free one, known before the start; after the stop nobody answers."""
    app = FastAPI()

    @app.get("/")
    async def index() -> str:
        return "here"

    listener = HttpListener("127.0.0.1", 0)
    assert listener.port > 0
    url = f"http://127.0.0.1:{listener.port}/"
    await listener.start(app)
    async with httpx2.AsyncClient() as asking:
        answer = await asking.get(url)
        assert answer.json() == "here"
        assert "server" not in answer.headers
        await listener.stop()
        with pytest.raises(httpx2.ConnectError):
            await asking.get(url)
    await listener.stop()


async def test_who_comes_before_the_start_is_answered_after_it() -> None:
    """Once it is open nobody finds a closed door."""
    app = FastAPI()

    @app.get("/")
    async def index() -> str:
        return "here"

    listener = HttpListener("127.0.0.1", 0)
    listener.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    await listener.start(app)
    assert (await reader.read()).endswith(b'"here"')
    writer.close()
    await listener.stop()


async def test_who_listens_first_has_the_address() -> None:
    """Two may bind before one of them listens; the second is told in one sentence."""
    first = HttpListener("127.0.0.1", 0)
    second = HttpListener("127.0.0.1", first.port)
    first.open()
    with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{first.port} .*set another http\.port"):
        second.open()
    await second.stop()
    await first.stop()


async def test_a_port_in_use_is_one_sentence() -> None:
    """The operator reads which address, why, and what to set."""
    first = HttpListener("127.0.0.1", 0)
    await first.start(FastAPI())
    with pytest.raises(ListenError, match=rf"127\.0\.0\.1:{first.port} .*set another http\.port"):
        HttpListener("127.0.0.1", first.port)
    await first.stop()


async def test_a_listener_that_was_never_started_lets_go_of_its_socket() -> None:
    """Binding and stopping leaves the address free."""
    first = HttpListener("127.0.0.1", 0)
    await first.stop()
    second = HttpListener("127.0.0.1", first.port)
    assert second.port == first.port
    await second.stop()
