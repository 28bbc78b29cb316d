"""Texts per second from a telephone to committed requests, beside what Kannel alone delivers.

    python tests/bench/bench_kannel.py [--messages 4000] [--rounds 3]

Kannel is real: fakesmsc, bearerbox, smsbox, as shipped. In each round they deliver the same
messages twice: to a listener that reads a request and says 200, which is Kannel's own speed on this
machine, and to a whole gateway on SQLite, where a message counts when it is committed: done, or
kept in the inbox. All run on the same processors. `ratio` is the median of the rounds' ratios;
`done` is how many a second are done, from the first one to the last.
"""

import argparse
import asyncio
import contextlib
import json
import logging
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import structlog
import uvloop
from sqlalchemy import func, select

from call_core.storage import inbox_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from gateway.clocks import WallClock
from gateway.demo.run import make_settings
from gateway.demo.set_up import set_up
from gateway.demo.world import Person
from gateway.mailbox import Mailbox
from gateway.server import Options, running
from gateway.settings_file import load_settings
from tests.support import kannel

PHONES = [f"+1212555{4000 + each}" for each in range(20)]
TEXT = "time tokyo"  # a request with an outcome and an outbox row, and no call to drive
LOOK_S = 0.02
GIVE_UP_S = 120.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
DONE = select_statement(
    select(func.count()).where(tables.requests.c.channel == "kannel_sms"), name="bench_requests"
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=4000, help="in each run")
    parser.add_argument("--rounds", type=int, default=3, help="of both runs, one after the other")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rounds = []
    for _ in range(options.rounds):
        floor, _ = uvloop.run(measured(alone, options.messages))
        rate, done = uvloop.run(measured(gateway, options.messages))
        ratio = round(rate / floor, 3)
        rounds.append({"kannel_alone": floor, "committed": rate, "ratio": ratio, "done": done})
    figures = {
        "messages": options.messages,
        "rounds": rounds,
        "ratio": statistics.median(each["ratio"] for each in rounds),
    }
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


Count = Callable[[], "asyncio.Future[tuple[int, int]]"]
"""Returns how many messages are committed, and how many of them are done."""


@contextlib.asynccontextmanager
async def alone(folder: Path, port: int, sendsms_url: str) -> AsyncIterator[Count]:
    """Serve a listener that does nothing; yield how many requests it has had."""
    del folder, sendsms_url
    had = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal had
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                had += 1
                writer.write(_ANSWER)
        writer.close()

    async def count() -> tuple[int, int]:
        return had, had

    server = await asyncio.start_server(answer, "127.0.0.1", port)
    yield lambda: asyncio.ensure_future(count())
    server.close()


@contextlib.asynccontextmanager
async def gateway(folder: Path, port: int, sendsms_url: str) -> AsyncIterator[Count]:
    """Serve a whole gateway; yield how many requests it has committed."""
    mailbox = Mailbox(WallClock())
    make_settings(folder / "gateway", await mailbox.start())
    environ = {
        "CALLGATE_HTTP__PORT": str(port),
        "CALLGATE_KANNEL_SMS__SECRET": kannel.SECRET,
        "CALLGATE_KANNEL_SMS__SENDSMS_URL": sendsms_url,
        "CALLGATE_KANNEL_SMS__PASSWORD": kannel.PASSWORD,
        "CALLGATE_KANNEL_SMS__FROM_NUMBER": "+12025550143",
    }
    settings = load_settings(folder / "gateway" / "callgate.toml", environ)
    try:
        async with running(settings, asyncio.Event(), Options(create=True)) as service:
            await set_up(service.core, [_person(phone) for phone in PHONES])

            async def count() -> tuple[int, int]:
                found: tuple[int, int] = await service.core.store.read(_count)
                return found

            yield lambda: asyncio.ensure_future(count())
    finally:
        await mailbox.stop()


def _person(phone: str) -> Person:
    name, mail = f"Caller {phone}", f"{phone[1:]}@demo.example"
    senders = [("kannel_sms", phone), ("smtp", mail)]
    return Person(f"House of {phone}", name, mail, senders, [("office", phone)])


def _count(tx: Tx) -> tuple[int, int]:
    (done,) = tx.one(DONE) or (0,)
    waiting, _ = tx.one(inbox_rows.WAITING) or (0, 0)
    return int(done) + int(waiting), int(done)


async def measured(
    target: Callable[[Path, int, str], contextlib.AbstractAsyncContextManager[Count]], messages: int
) -> tuple[float, float]:
    """Return messages per second from the first one counted to the last: committed, and done."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, port = Path(name), kannel.free_port()
        boxes = stack.enter_context(kannel.running(folder, port))
        async with target(folder, port, boxes.sendsms_url) as count:
            lines = [f"{phone} 12345 text {TEXT}" for phone in PHONES]
            with boxes.telephone(*lines, count=messages, pause_s=0, quiet=True):
                first = await _until(count, 0, 1)
                already, _ = await count()
                committed = await _until(count, 0, messages)
                done = await _until(count, 1, messages)
    new = messages - already
    return round(new / (committed - first), 1), round(new / (done - first), 1)


async def _until(count: Count, which: int, messages: int) -> float:
    """Return when so many have been counted."""
    async with asyncio.timeout(GIVE_UP_S):
        while (await count())[which] < messages:  # noqa: ASYNC110  (other processes do the work)
            await asyncio.sleep(LOOK_S)
    return time.perf_counter()


if __name__ == "__main__":
    main()
