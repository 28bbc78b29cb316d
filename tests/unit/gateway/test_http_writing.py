"""Peers that take little or nothing of what is sent to them, on a real socket."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse

from gateway.admission import Gate
from gateway.app import create_app
from gateway.http_connection import ConnectionLimits
from gateway.http_listener import HttpListener

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
WAIT_S = 30
PIECE = b"x" * 100_000
PIECES = 100
"""More than the kernel keeps for a peer."""


def application() -> FastAPI:
    """A long answer in one piece, one in many, and a stream in which little happens."""
    app = create_app([], max_body_bytes=10_000, stop=asyncio.Event(), version="1")

    @app.get("/page")
    async def page() -> Response:
        return Response(PIECE * PIECES)

    @app.get("/export")
    async def export() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(PIECES):
                yield PIECE

        return StreamingResponse(pieces(), headers={"content-length": str(len(PIECE) * PIECES)})

    @app.get("/events")
    async def events() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for number in range(3):
                yield b"data: %d\n\n" % number
                await asyncio.sleep(0.7)

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return app


@contextlib.asynccontextmanager
async def asked(
    page: str, limits: ConnectionLimits
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Ask for a page over a connection that keeps little of what was not read yet."""
    listener = HttpListener("127.0.0.1", 0, limits)
    await listener.start(application())
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(("127.0.0.1", listener.port))
        reader, writer = await asyncio.open_connection(sock=peer, limit=4096)
        writer.write(f"GET {page} HTTP/1.1\r\nhost: x\r\n\r\n".encode())
        yield reader, writer
        writer.close()
    await listener.stop()


@pytest.mark.parametrize("page", ["/page", "/export"])
async def test_a_peer_that_takes_nothing_is_cut_off(page: str) -> None:
    """Its place is free again, and so is its connection."""
    gate = Gate(1)
    limits = ConnectionLimits(write_timeout_s=0.3, gate=gate)
    async with asked(page, limits) as (reader, _), asyncio.timeout(WAIT_S):
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(1.5)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while more := await reader.read(len(PIECE)):
                got += more
        assert len(got) < len(PIECE) * PIECES
        assert gate.inside == 0


@pytest.mark.parametrize("page", ["/page", "/export"])
async def test_a_peer_that_takes_little_at_a_time_gets_everything(page: str) -> None:
    """It takes longer than the deadline, and longer than that to empty a third of the kernel's."""
    async with asked(page, ConnectionLimits(write_timeout_s=1)) as (reader, _):
        await reader.readuntil(b"\r\n\r\n")
        rest = len(PIECE) * PIECES
        async with asyncio.timeout(WAIT_S):
            for _ in range(150):
                rest -= len(await reader.read(2000))
                await asyncio.sleep(0.02)
            last = await reader.readexactly(rest)
        assert last == b"x" * rest


async def test_a_stream_in_which_nothing_happens_goes_on() -> None:
    """Nothing waits for the peer; that is no stall."""
    limits = ConnectionLimits(write_timeout_s=0.3)
    async with asked("/events", limits) as (reader, _), asyncio.timeout(WAIT_S):
        for number in range(3):
            await reader.readuntil(b"data: %d" % number)


async def test_a_peer_that_is_told_goodbye_and_takes_nothing_is_cut_off() -> None:
    """Closing waits for what was written; no peer may make that take for ever."""
    listener = HttpListener("127.0.0.1", 0, ConnectionLimits(write_timeout_s=0.3))
    await listener.start(application())
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(("127.0.0.1", listener.port))
        reader, writer = await asyncio.open_connection(sock=peer, limit=4096)
        writer.write(b"GET /page HTTP/1.0\r\n\r\n")
        async with asyncio.timeout(WAIT_S):
            await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(1.5)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while more := await reader.read(len(PIECE)):
                    got += more
        assert len(got) < len(PIECE) * PIECES
        writer.close()
    await listener.stop()
