"""Texts per second from a telephone to committed requests, beside what Kannel alone delivers.

    python tests/bench/bench_kannel.py [--messages 4000] [--rounds 3]

Kannel is real: fakesmsc, bearerbox, smsbox, as shipped. In each round they deliver the same
messages twice: to a listener that reads a request and says 200, which is Kannel's own speed on this
machine, and to a whole gateway on SQLite, where a message counts when its request is committed. All
run on the same processors. The figure is the median of the rounds' ratios.
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

from call_core.storage import tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from gateway.clocks import WallClock
from gateway.demo.run import make_settings
from gateway.demo.set_up import set_up
from gateway.demo.world import people
from gateway.mailbox import Mailbox
from gateway.server import Options, running
from gateway.settings_file import load_settings
from tests.support import kannel

PHONE = "+12125550990"
TEXT = "time tokyo"  # a request with an outcome and an outbox row, and no call to drive
LOOK_S = 0.02
GIVE_UP_S = 120.0
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n"
REQUESTS = select_statement(
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
        floor = uvloop.run(measured(alone, options.messages))
        rate = uvloop.run(measured(gateway, options.messages))
        rounds.append({"kannel_alone": floor, "committed": rate, "ratio": round(rate / floor, 3)})
    figures = {
        "messages": options.messages,
        "rounds": rounds,
        "ratio": statistics.median(each["ratio"] for each in rounds),
    }
    json.dump(figures, sys.stdout, indent=2)
    sys.stdout.write("\n")


Count = Callable[[], "asyncio.Future[int]"]


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

    async def count() -> int:
        return had

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
            await set_up(service.core, people({"kannel_sms": "sms"})[:1])

            async def count() -> int:
                found: int = await service.core.store.read(_count)
                return found

            yield lambda: asyncio.ensure_future(count())
    finally:
        await mailbox.stop()


def _count(tx: Tx) -> int:
    row = tx.one(REQUESTS)
    return 0 if row is None else int(row[0])


async def measured(
    target: Callable[[Path, int, str], contextlib.AbstractAsyncContextManager[Count]], messages: int
) -> float:
    """Return messages per second from the first one counted to the last."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, port = Path(name), kannel.free_port()
        boxes = stack.enter_context(kannel.running(folder, port))
        async with target(folder, port, boxes.sendsms_url) as count:
            line = f"{PHONE} 12345 text {TEXT}"
            with boxes.telephone(line, count=messages, pause_s=0, quiet=True):
                first = await _until(count, 1)
                already = await count()
                last = await _until(count, messages)
    return round((messages - already) / (last - first), 1)


async def _until(count: Count, messages: int) -> float:
    """Return when so many have been counted."""
    async with asyncio.timeout(GIVE_UP_S):
        while await count() < messages:  # noqa: ASYNC110  (other processes do the work)
            await asyncio.sleep(LOOK_S)
    return time.perf_counter()


if __name__ == "__main__":
    main()
