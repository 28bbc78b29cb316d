"""Goodput at ten times what the gateway can do, by the API: how much of its peak is left.

    python -m tests.bench.bench_overload [--seconds 8] [--rounds 3]

First the peak: the best of closed loops of several sizes, each a call that is committed. Then
requests come at least ten times as fast as that, whatever becomes of them, over connections that
stay open: from `wrk` where it is installed, else from this process, which may not reach it.
What was accepted must be finished, what was not must have been told when to come back, and memory
must stay where it was. The floor is the same server answering `/healthz`. Server and load run on
different processors.
"""

import argparse
import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gateway import logs
from gateway.settings_sections import LogSettings
from gateway.wiring import open_core
from tests.bench.crowd import WRK, Answers, crowd
from tests.soak import serving
from tests.soak.books import CALLS, calls_alive, compare
from tests.soak.clients import Acknowledged
from tests.soak.kills import answering
from tests.soak.site import Site, make_site
from tests.support.world_parts import every_row

LOOPS = (8, 16, 32)
TIMES_CAPACITY = 10
CONNECTIONS = 400
SETTLED_S = 3  # from the beginning of an overload to where it is counted
SETTLE_S = 300
_SETTINGS = """
[simulator.phones."+12125550990"]
result = "busy"
ring_s = 1
"""


class Line:
    """One connection that stays open, and one request on it at a time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, key: str, body: bytes) -> tuple[int, bool, bytes]:
        """Return status, whether it says when to come back, and the body."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {self._site.token}\r\nIdempotency-Key: {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        if self._writer is None:
            where = "127.0.0.1", self._site.ports["http"]
            self._reader, self._writer = await asyncio.open_connection(*where)
        assert self._reader is not None
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answer.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        return int(answer.split()[1]), b"\r\nretry-after: " in answer, content

    def close(self) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


class Load:
    """Requests, and what became of them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.acknowledged: dict[str, Acknowledged] = {}
        self.statuses: Counter[str] = Counter()
        self._serials = iter(range(10_000_000))

    async def health(self, line: Line) -> None:
        """Ask whether it lives."""
        status, _, _ = await line.ask("GET", "/healthz", "", b"")
        self.statuses[str(status)] += 1

    async def call(self, line: Line) -> None:
        """Launch one call; note the answer."""
        serial = next(self._serials)
        key, number = f"api-{serial}", f"+44207{serial:07}"
        body = json.dumps({"to": number}).encode()
        try:
            status, later, content = await line.ask("POST", "/api/v1/calls", key, body)
        except (OSError, EOFError):
            self.statuses["gone"] += 1
            line.close()
            return
        if status == 202:
            reply = json.loads(content)["call_id"]
            self.acknowledged[key] = Acknowledged("api", number, reply)
        self.statuses[f"{status}{' retry-after' if later else ''}"] += 1

    async def closed_loop(
        self, size: int, seconds: float, one: Callable[[Line], Awaitable[None]]
    ) -> float:
        """Let so many clients each ask again when they are answered; return good ones a second."""
        self.statuses.clear()
        until = time.monotonic() + seconds

        async def client() -> None:
            line = Line(self.site)
            while time.monotonic() < until:
                await one(line)
            line.close()

        await asyncio.gather(*(client() for _ in range(size)))
        return (self.statuses["202"] + self.statuses["200"]) / seconds

    async def open_loop(self, rate: float, seconds: float) -> tuple[float, float]:
        """Ask at this rate whatever becomes of it; return good ones and asked ones a second."""
        self.statuses.clear()
        lines: asyncio.Queue[Line] = asyncio.Queue()
        for _ in range(CONNECTIONS):
            lines.put_nowait(Line(self.site))
        began, asked, good = time.monotonic(), 0, -1
        running: set[asyncio.Task[None]] = set()

        async def one(line: Line) -> None:
            await self.call(line)
            lines.put_nowait(line)

        while (now := time.monotonic()) < began + seconds:
            while asked < (now - began) * rate and not lines.empty():
                asked += 1
                task = asyncio.create_task(one(lines.get_nowait()))
                running.add(task)
                task.add_done_callback(running.discard)
            if good < 0 and now > began + SETTLED_S:
                good = len(self.acknowledged)
            await asyncio.sleep(0.001)
        good = len(self.acknowledged) - good
        await asyncio.gather(*running)
        while not lines.empty():
            lines.get_nowait().close()
        return good / (seconds - SETTLED_S), asked / seconds


def memory_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"process {pid} has no memory")


async def measure(folder: Path, seconds: float, rounds: int) -> dict[str, Any]:
    """Run peak and overload in turn; return the figures."""
    site = await make_site(folder, f"sqlite:///{folder / 'callgate.db'}", 9, _SETTINGS)
    process = serving.start(site.config, "exec")
    _share_processors(process.pid)
    await answering(site, process)
    load = Load(site)
    floor = await load.closed_loop(LOOPS[-1], 2, load.health)
    goods: list[float] = []
    peaks, offers, statuses, memory = [], [], Counter[str](), []
    taken: list[str] = []
    for _ in range(rounds):
        tried = [await load.closed_loop(size, seconds / 2, load.call) for size in LOOPS]
        peaks.append(max(tried))
        memory.append(memory_mb(process.pid))
        told = await _overloaded(load, TIMES_CAPACITY * peaks[-1], seconds, len(goods))
        memory.append(memory_mb(process.pid))
        goods.append(told.good_per_s)
        offers.append(told.offered_per_s)
        statuses += told.statuses
        taken += told.call_ids
    settings = site.settings()
    async with asyncio.timeout(SETTLE_S), open_core(settings, drive=False) as core:
        while await calls_alive(core):  # noqa: ASYNC110  (another process ends them)
            await asyncio.sleep(0.2)
    await asyncio.to_thread(process.stop)
    async with open_core(settings) as core:
        compared = await compare(core, load.acknowledged)
        stored = {row[1] for row in await core.store.read(every_row, CALLS)}
    peak, good = statistics.median(peaks), statistics.median(goods)
    return {
        "floor_healthz_per_s": round(floor),
        "peak_calls_per_s": round(peak),
        "crowd": "wrk" if WRK else "python",
        "offered_per_s": round(statistics.median(offers)),
        "goodput_per_s": round(good),
        "share_of_peak_kept": round(good / peak, 2),
        "answers_in_overload": dict(statuses),
        "memory_mb_before_and_after_each_overload": [round(each) for each in memory],
        "accepted_and_lost": compared.lost + len(set(taken) - stored),
        "doubled": compared.doubled,
        "wrong": compared.wrong[:5],
    }


async def _overloaded(load: Load, rate: float, seconds: float, run: int) -> Answers:
    """Ask for more than can be done."""
    if WRK is not None:
        return await crowd(
            load.site,
            run,
            rate=rate,
            connections=CONNECTIONS,
            seconds=round(seconds),
            settled_s=SETTLED_S,
        )
    good, offered = await load.open_loop(rate, seconds)
    return Answers(good, offered, Counter(load.statuses))


def _share_processors(server: int) -> None:
    """Give the server one processor and this process another, where there are two."""
    processors = sorted(os.sched_getaffinity(0))
    if len(processors) > 1:
        with contextlib.suppress(OSError):
            os.sched_setaffinity(server, {processors[0]})
            os.sched_setaffinity(0, set(processors[1:]))


def main() -> int:
    """Print the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    logs.configure(LogSettings(level="warning"))
    with tempfile.TemporaryDirectory(prefix="callgate-overload-") as name:
        figures = asyncio.run(measure(Path(name) / "site", asked.seconds, asked.rounds))
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
