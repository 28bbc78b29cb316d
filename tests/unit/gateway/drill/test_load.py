"""Callers who ask again until they are answered."""

import asyncio

import pytest

from gateway.drill.load import Load
from tests.support.clocks import settle

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
ANSWERS = (
    b"HTTP/1.1 503 Busy\r\n\r\n{}",
    b"nonsense",
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b'{"code": "call_launched"}',
)


async def test_a_caller_repeats_one_key_until_somebody_answers() -> None:
    """A temporary failure, a broken answer, then the launch: three tries, one answer."""
    seen: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split()[0])
        await reader.readexactly(length)
        seen.append(head)
        writer.write(ANSWERS[min(len(seen), len(ANSWERS)) - 1])
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        load = Load(["token"], lambda: [port], per_second=1_000, prefix="k")
        load.stop()
        load.launch("call +442079460018")
        await load.run()
    await settle()
    assert load.answers == {"k-0": "call_launched"}
    assert load.repeats == 2
    assert all(b"Idempotency-Key: k-0\r\n" in each for each in seen)
    assert load.longest_gap_s() == 0
