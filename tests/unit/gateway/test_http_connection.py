"""Slow, long and too many HTTP connections, on a real socket."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse

from gateway.admission import Gate
from gateway.app import create_app
from gateway.http_connection import (
    MAX_HEAD_BYTES,
    MAX_UNREAD_BYTES,
    MAX_WAITING,
    RETRY_AFTER_S,
    ConnectionLimits,
)
from gateway.http_listener import HttpListener

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
WAIT_S = 30
LARGE_BYTES = 20_000_000
"""More than the kernel keeps for a peer."""
ENDLESS: list[str] = []
"""What became of the stream without end."""
MANY = 100_000
Listen = Callable[[ConnectionLimits], "asyncio.Future[int]"]


def application() -> FastAPI:
    """An application that reads bodies, one that does not, streams and pages."""
    app = create_app([], max_body_bytes=10_000_000, stop=asyncio.Event(), version="1")

    @app.post("/read")
    async def read(request: Request) -> int:
        return len(await request.body())

    @app.post("/deaf")
    async def deaf() -> str:
        return "no"

    @app.get("/events")
    async def events() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"data: 1\n\n"
            await asyncio.sleep(WAIT_S)

        return StreamingResponse(pieces(), media_type="text/event-stream")

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(4):
                yield b"x"
                await asyncio.sleep(0.3)

        return StreamingResponse(pieces())

    _add_pages(app)
    return app


def _add_pages(app: FastAPI) -> None:
    @app.get("/healthz/slow")
    async def slow() -> str:
        await asyncio.sleep(0.1)
        return "well"

    @app.get("/large")
    async def large() -> Response:
        return Response(b"x" * LARGE_BYTES)

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> AsyncIterator[bytes]:
            ENDLESS[:] = ["begun"]
            try:
                yield b"data: 1\n\n"
                await asyncio.Event().wait()
            finally:
                ENDLESS.append("ended")

        return StreamingResponse(pieces(), media_type="text/plain")


@pytest.fixture
async def listen() -> AsyncIterator[Callable[[ConnectionLimits], object]]:
    """Serve with these limits; return the port."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(limits: ConnectionLimits) -> int:
            listener = HttpListener("127.0.0.1", 0, limits)
            stack.push_async_callback(listener.stop)
            await listener.start(application())
            return listener.port

        yield start


async def answer(port: int, sent: bytes) -> bytes:
    """Send this and nothing more; return what comes until the peer closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(WAIT_S):
        got = await reader.read()
    writer.close()
    return got


HEAD = b"POST /read HTTP/1.1\r\nhost: x\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"G",
        b"GET / HTTP/1.1\r\nhost: x\r\nx-slow: ",
        HEAD + b"content-length: 10\r\n\r\n",
        HEAD + b"content-length: 10\r\n\r\nhalf ",
        HEAD + b"transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ],
)
async def test_a_request_that_does_not_come_is_408(listen: Listen, sent: bytes) -> None:
    """Head or body, declared or chunked: the peer reads why, and the connection is closed."""
    port = await listen(ConnectionLimits(request_timeout_s=0.3))
    head, _, body = (await answer(port, sent)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 Request Timeout")
    assert b"connection: close" in head
    assert json.loads(body)["code"] == "request_timeout"


@pytest.mark.parametrize("sent", [b"", b"\r\n"])
async def test_a_connection_that_says_nothing_is_closed(listen: Listen, sent: bytes) -> None:
    """There is no request to be late with, and still no place is taken for ever."""
    port = await listen(ConnectionLimits(request_timeout_s=0.3))
    got = await answer(port, sent)
    assert got == b"" or b" 408 " in got


async def test_a_byte_now_and_then_does_not_help(listen: Listen) -> None:
    """The deadline is of the whole request, not of the pause between two bytes."""
    port = await listen(ConnectionLimits(request_timeout_s=0.5))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"content-length: 1000\r\n\r\n")

    async def drip() -> None:
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(WAIT_S):
        got = await reader.readline()
    dripping.cancel()
    writer.close()
    assert b" 408 " in got


async def test_a_body_that_nobody_reads_keeps_no_connection_open(listen: Listen) -> None:
    """The answer is there at once; the connection ends with the deadline."""
    port = await listen(ConnectionLimits(request_timeout_s=0.3))
    sent = b"POST /deaf HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"
    got = await answer(port, sent)
    assert b" 200 " in got
    assert b" 408 " not in got


async def test_slow_ones_change_nothing_for_the_others(listen: Listen) -> None:
    """A hundred that hang in head or body; everybody else is answered, streams included."""
    port = await listen(ConnectionLimits(request_timeout_s=WAIT_S))
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(100)]
    for n, (_, writer) in enumerate(slow):
        writer.write(HEAD + (b"content-length: 9\r\n\r\nx" if n % 2 else b"x-slow: "))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S) as client:
        for _ in range(20):
            assert (await client.post("/read", content=b"12345")).json() == 5
    for _, writer in slow:
        writer.close()


async def test_an_answer_may_take_longer_than_a_request(listen: Listen) -> None:
    """A stream goes on behind the deadline, and a connection is used again after it."""
    port = await listen(ConnectionLimits(request_timeout_s=0.5))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S) as client:
        assert (await client.get("/stream")).text == "xxxx"
        assert (await client.post("/read", content=b"123")).json() == 3


async def test_a_head_has_a_limit(listen: Listen) -> None:
    """At the limit it is read, behind it 431; a long body is no head."""
    port = await listen(ConnectionLimits())
    start = b"GET /stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-long: "
    fits = start + b"x" * (MAX_HEAD_BYTES - len(start) - 4) + b"\r\n\r\n"
    assert len(fits) == MAX_HEAD_BYTES
    assert b" 200 " in await answer(port, fits)
    assert b" 431 " in await answer(port, start + b"x" * (MAX_HEAD_BYTES - len(start) + 1))
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=WAIT_S) as client:
        assert (await client.post("/read", content=b"x" * 1_000_000)).json() == 1_000_000


async def test_one_connection_too_many_is_503(listen: Listen) -> None:
    """It is told when to come again; when another has gone there is room."""
    port = await listen(ConnectionLimits(max_connections=2))
    held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    got = await answer(port, b"")
    assert b" 503 " in got
    assert f"retry-after: {RETRY_AFTER_S}".encode() in got
    held[0][1].close()
    await held[0][1].wait_closed()
    async with asyncio.timeout(WAIT_S):
        while b" 503 " in await answer(  # noqa: ASYNC110  (until the server has noticed)
            port, b"GET /stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
        ):
            await asyncio.sleep(0.05)
    held[1][1].close()


POST = HEAD + b"content-length: 3\r\n\r\nabc"
HELD = b"GET /stream HTTP/1.1\r\nhost: x\r\n\r\n"
ENDLESSLY = b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n"
ALWAYS_LET_IN = b"GET /healthz/slow HTTP/1.1\r\nhost: x\r\n\r\n"


async def head_of(reader: asyncio.StreamReader) -> bytes:
    """Return the head of the next answer, its body read too when it says how long it is."""
    async with asyncio.timeout(WAIT_S):
        head = await reader.readuntil(b"\r\n\r\n")
        _, declared, rest = head.partition(b"content-length: ")
        if declared:
            await reader.readexactly(int(rest.partition(b"\r\n")[0]))
    return head


async def emptied(gate: Gate) -> None:
    """Wait until nobody is inside."""
    async with asyncio.timeout(WAIT_S):
        while gate.inside:  # noqa: ASYNC110  (a count tells nobody)
            await asyncio.sleep(0.01)


async def filled(port: int, gate: Gate, sent: bytes = HELD) -> asyncio.StreamWriter:
    """Take a place that is kept for a while."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    async with asyncio.timeout(WAIT_S):
        while not gate.inside:  # noqa: ASYNC110  (until the server has read it)
            await asyncio.sleep(0.005)
    return writer


async def test_who_finds_the_gate_full_is_told_so_and_keeps_the_connection(listen: Listen) -> None:
    """503 and when to come back; the same connection is answered when there is room again."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    held = await filled(port, gate)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST)
    head = await head_of(reader)
    assert head.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 5" in head
    async with asyncio.timeout(WAIT_S):
        while b" 503 " in head:
            writer.write(POST)
            head = await head_of(reader)
    assert b" 200 " in head
    assert gate.sent_away > 0
    for each in (held, writer):
        each.close()


async def test_a_second_request_on_a_connection_does_not_overtake(listen: Listen) -> None:
    """What was sent behind one that is being answered waits for it, also when the gate is full."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HELD + POST)
    assert b" 200 " in await head_of(reader)
    async with asyncio.timeout(WAIT_S):
        rest = await reader.readuntil(b"HTTP/1.1 200")
    assert b"503" not in rest
    writer.close()


async def test_who_is_sent_away_cannot_make_us_read_a_long_body(listen: Listen) -> None:
    """The answer comes before the end of the body, and the connection is closed."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    held = await filled(port, gate)
    declared = HEAD + b"content-length: %d\r\n\r\n" % (10 * MAX_UNREAD_BYTES)
    sent = declared + b"x" * (MAX_UNREAD_BYTES + 1)
    got = await answer(port, sent)
    assert got.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close" in got
    assert got.count(b"HTTP/1.1") == 1
    held.close()


async def test_who_closes_after_one_answer_is_closed(listen: Listen) -> None:
    """`Connection: close` and HTTP/1.0 hold for what is sent away too."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    held = await filled(port, gate)
    got = await answer(port, b"GET /stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 503 ")
    held.close()


@pytest.mark.parametrize("sent", [b"", HEAD + b"content-length: 9\r\n\r\nx"])
async def test_who_sends_slowly_takes_no_place(listen: Listen, sent: bytes) -> None:
    """A request counts when it is here whole."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    for _, writer in slow:
        writer.write(sent)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST)
    assert b" 200 " in await head_of(reader)
    for _, each in (*slow, (reader, writer)):
        each.close()


async def test_a_stream_of_events_takes_no_place(listen: Listen) -> None:
    """It may be open for an hour; it stops counting when it begins."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    reader, events = await asyncio.open_connection("127.0.0.1", port)
    events.write(b"GET /events HTTP/1.1\r\nhost: x\r\n\r\n")
    async with asyncio.timeout(WAIT_S):
        await reader.readuntil(b"data: 1")
    assert gate.inside == 0
    other, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(POST)
    assert b" 200 " in await head_of(other)
    for each in (events, writer):
        each.close()


async def test_who_waits_for_100_continue_is_let_in(listen: Listen) -> None:
    """Its body would never come, and a refusal that waits for it neither."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    held = await filled(port, gate)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"expect: 100-continue\r\ncontent-length: 3\r\n\r\n")
    assert b" 100 " in await head_of(reader)
    writer.write(b"abc")
    assert b" 200 " in await head_of(reader)
    for each in (held, writer):
        each.close()


async def test_a_request_behind_another_takes_no_place_until_its_turn(listen: Listen) -> None:
    """Nobody fills the gate by sending many requests at once, nor by hanging up on them."""
    gate = Gate(100)
    port = await listen(ConnectionLimits(gate=gate))
    for _ in range(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HELD * 10)
        await reader.readuntil(b"\r\n\r\n")
        assert gate.inside == 1
        writer.close()
        await emptied(gate)


async def test_a_request_that_waited_is_asked_at_the_gate(listen: Listen) -> None:
    """It is sent away in its turn when the gate is full by then, and the connection goes on."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    held = await filled(port, gate)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ALWAYS_LET_IN + POST + POST + ALWAYS_LET_IN)
    heads = [await head_of(reader) for _ in range(4)]
    assert [head.split()[1] for head in heads] == [b"200", b"503", b"503", b"200"]
    for each in (held, writer):
        each.close()


@pytest.mark.parametrize("too_many", [False, True])
async def test_few_requests_wait_behind_another(listen: Listen, too_many: bool) -> None:  # noqa: FBT001  (a row)
    """At the limit all are answered; the one past it is told 503 behind them, and that is all."""
    port = await listen(ConnectionLimits())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HELD + POST * (MAX_WAITING + 5 if too_many else MAX_WAITING))
    async with asyncio.timeout(WAIT_S):
        if not too_many:
            await reader.readuntil(b"0\r\n\r\n")
            writer.write(POST.replace(b"host", b"connection: close\r\nhost"))
        got = await reader.read()
    statuses = [answer.split()[0] for answer in got.split(b"HTTP/1.1 ")[1:]]
    if too_many:
        assert statuses == [b"200"] * (1 + MAX_WAITING) + [b"503"]
    else:
        assert statuses == [b"200"] * (MAX_WAITING + 1)
    writer.close()


@pytest.mark.parametrize(
    ("behind", "status"),
    [
        (b"GET / HT", b"408"),
        (HEAD + b"content-length: 9\r\n\r\nhalf", b"408"),
        (POST + HEAD + b"content-length: 9\r\n\r\nhalf", b"408"),
        (b"GET /" + b"x" * MAX_HEAD_BYTES, b"431"),
        (b"\0 is no request\r\n\r\n", b"400"),
        (b"GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n", b"400"),
    ],
)
async def test_what_is_refused_behind_another_does_not_cut_its_answer(
    listen: Listen, behind: bytes, status: bytes
) -> None:
    """A late, long or broken request is refused when what came before it is answered."""
    port = await listen(ConnectionLimits(request_timeout_s=0.3))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HELD)
    assert b" 200 " in await head_of(reader)
    writer.write(behind)
    async with asyncio.timeout(WAIT_S):
        rest = await reader.read()
    writer.close()
    stream, *answers = rest.split(b"HTTP/1.1 ")
    assert stream.count(b"x") == 4
    assert answers[-1].startswith(status)


async def test_who_hangs_up_on_a_stream_with_a_request_behind_it_is_noticed(listen: Listen) -> None:
    """The application is told, whose answer would go on for ever."""
    port = await listen(ConnectionLimits())
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(ENDLESSLY + POST)
    await reader.readuntil(b"data: 1")
    assert ENDLESS == ["begun"]
    writer.close()
    async with asyncio.timeout(WAIT_S):
        while ENDLESS != ["begun", "ended"]:  # noqa: ASYNC110  (a list tells nobody)
            await asyncio.sleep(0.01)


async def test_the_next_is_begun_when_the_peer_has_taken_the_answer_before(listen: Listen) -> None:
    """Who asks much and reads nothing takes no place; once it reads, it is answered."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(gate=gate))
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /large HTTP/1.1\r\nhost: x\r\n\r\n" * 3)
    await reader.readexactly(1)
    await emptied(gate)
    assert await answer(port, POST.replace(b"host", b"connection: close\r\nhost"))
    for _ in range(3):
        await head_of(reader)
    writer.close()


async def test_who_takes_none_of_many_refusals_is_closed(listen: Listen) -> None:
    """Refusals are longer than what they refuse; they must not fill our memory."""
    gate = Gate(1)
    port = await listen(ConnectionLimits(write_timeout_s=0.3, gate=gate))
    held = await filled(port, gate, ENDLESSLY)
    with socket.socket() as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.connect(("127.0.0.1", port))
        reader, writer = await asyncio.open_connection(sock=peer, limit=1)
        writer.write(b"GET / HTTP/1.1\r\n\r\n" * MANY)
        async with asyncio.timeout(WAIT_S):
            with contextlib.suppress(ConnectionError):
                await writer.drain()
                await reader.read()
        writer.close()
    assert gate.sent_away < MANY
    held.close()
