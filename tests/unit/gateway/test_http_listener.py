"""The embedded HTTP server."""

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
