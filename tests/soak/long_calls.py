"""`python -m tests.soak.long_calls --calls N`: calls that are up for an hour of simulated time.

One process, the simulator, a clock that jumps: what such a gateway keeps in memory for a running
call must be the same after five minutes and after an hour, its holds extended fifteen times. The
database is a file, so that what it holds is not counted as memory; nothing is synced.
"""

import argparse
import asyncio
import gc
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from structlog.testing import capture_logs

from call_core.commands import Command
from call_core.storage.migrate import fill_memory
from call_core.storage.runner_inline import InlineBackend, InlineDatabase
from call_core.storage.sqlite import open_sqlite
from parsers.grammar import parse
from tests.bench.limits import OPEN_LIMITS
from tests.sim.loop import SimulatedClock, SimulatedLoop
from tests.support.world import CALL_START_MS, CELL, OFFICE, World
from tests.support.world_parts import WALL_AHEAD_MS, CountedStore

MINUTES = (5, 20, 40, 60)
LAUNCHES_PER_S = 50
MOST_BLOCKS_PER_LEG = 6
"""What a leg may take more after forty minutes; a list with an item per extension takes sixty."""
_FORTUNE_MICROS = 10**13
_NO_LIMIT = 10**15


class _Clock(SimulatedClock):
    """The loop's time; what a test's world moves by hand moves by itself here."""

    def jump(self, by_ms: int) -> None:
        """Do nothing."""


class _FileDatabase(InlineDatabase):
    def __init__(self, path: Path) -> None:
        self.connection = open_sqlite(path, create=True, busy_timeout_ms=0)
        self.connection.execute("PRAGMA synchronous = OFF")
        fill_memory(self.connection)
        self.turn = asyncio.Lock()


class _LongWorld(World):
    def __init__(self, loop: SimulatedLoop, database: InlineDatabase, calls: int) -> None:
        async def open_store() -> CountedStore:
            return CountedStore(InlineBackend(database, node="test"))

        ports = 2 * calls + 2
        super().__init__(open_store, limits=OPEN_LIMITS, ports=ports)
        self.call = _Clock(loop, CALL_START_MS)  # type: ignore[assignment]  # as much of it as is used
        self.wall = _Clock(loop, CALL_START_MS + WALL_AHEAD_MS)  # type: ignore[assignment]  # as above
        self.sim = self._switch("simulator", ports)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process has at one moment.

    Attributes:
        minute: since all calls are up.
        blocks: of memory that Python's objects take.
    """

    minute: int
    calls: int
    legs: int
    blocks: int
    rss_mb: float
    tasks: int
    files: int


def measure(calls: int, folder: Path) -> list[Sample]:
    """Let so many calls be up for an hour; return what was seen at some minutes of it."""
    loop = SimulatedLoop(random.Random(1))  # noqa: S311  (a world that replays)
    asyncio.set_event_loop(loop)
    database = _FileDatabase(folder / "calls.db")
    try:
        return loop.run_until_complete(_hour(loop, database, calls))
    finally:
        asyncio.set_event_loop(None)
        database.close()
        loop.close()


async def _hour(loop: SimulatedLoop, database: InlineDatabase, calls: int) -> list[Sample]:
    world = _LongWorld(loop, database, calls)
    samples = []
    with capture_logs() as logs:
        await world.start()
        try:
            await _launch(world, calls, logs)
            began_s = loop.now_s
            for minute in MINUTES:
                while loop.now_s < began_s + 60 * minute:
                    await asyncio.sleep(10)
                    assert not [each for each in logs if each["log_level"] == "error"]
                    logs.clear()
                samples.append(await _look(world, minute))
            await world.check()
        finally:
            await world.stop()
            world.sim.close()
    return samples


async def _launch(world: World, calls: int, logs: list[Any]) -> None:
    await world.deck()
    rich = await world.customer(
        micros=_FORTUNE_MICROS, daily_spend_micros=_NO_LIMIT, concurrent_calls=_NO_LIMIT
    )
    ada = await world.user(rich)
    for phone in (OFFICE, CELL):
        world.script(phone, ring_s=1, talk_s=0)
    for n in range(calls):
        number = f"+44208{n:07}"
        world.script(number, ring_s=1, talk_s=0)
        command = parse(f"call {number}")
        assert isinstance(command, Command)
        outcome = await world.ask(ada, command)
        assert outcome.code == "call_launched", outcome
        if n % LAUNCHES_PER_S == 0:
            logs.clear()
            await asyncio.sleep(1)


async def _look(world: World, minute: int) -> Sample:
    await world.settle()
    gc.collect()
    return Sample(
        minute=minute,
        calls=len(world.engine.driver.live),
        legs=len(await world.sim.live_legs()),
        blocks=sys.getallocatedblocks(),
        rss_mb=_rss_mb(),
        tasks=len(asyncio.all_tasks()),
        files=_files(),
    )


def _rss_mb() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return round(int(status.partition("VmRSS:")[2].split()[0]) / 1024, 1)


def _files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def growth(samples: Sequence[Sample]) -> str:
    """Return what grew between the second sample and the last, "" when nothing did."""
    first, last = samples[1], samples[-1]
    if last.blocks > first.blocks + MOST_BLOCKS_PER_LEG * last.legs:
        return f"Python's objects grew from {first.blocks} to {last.blocks} blocks"
    if last.tasks > first.tasks or last.files > first.files:
        return f"{first} became {last}"
    return ""


def main() -> int:
    """Print what was seen as JSON; the exit status is 1 when something grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=5_000)
    with tempfile.TemporaryDirectory(prefix="callgate-long-") as name:
        samples = measure(parser.parse_args().calls, Path(name))
    found = growth(samples)
    print(json.dumps({"samples": [asdict(each) for each in samples], "grew": found}))  # noqa: T201  (a program prints)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
