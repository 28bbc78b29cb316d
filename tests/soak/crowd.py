"""Thousands of calls up at once, for long: `python -m tests.soak.crowd`.

--calls 5000 --minutes 30 --per-second 60 [--speed 1] [--database URL]

Every call has two legs on the simulator, is extended while it talks, and is ended by its user.
While all are up, memory, file handles and tasks are read now and then; at the end the books are
verified and every bill must be there. Prints one JSON object.
"""

import argparse
import asyncio
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvloop
from sqlalchemy import func, select

from call_core.commands import Call, HangUp, Number
from call_core.errors import CallCoreError
from call_core.outcomes import Launched, Outcome
from call_core.requests import Request
from call_core.storage import tables
from call_core.storage.statements import Statement, select_statement
from call_core.storage.transaction import Tx
from gateway import books, logs
from gateway.drill import checks
from gateway.settings_file import load_settings
from gateway.settings_sections import LogSettings
from gateway.wiring import Core, open_core
from tests.bench.bench_calls import add_user, request_of

CUSTOMERS = 20
AT_ONCE = 64
LEGS = 2
LOOKS = 60
UP_WITHIN_S = 600
MOST_GROWTH = 1.05
"""What is flat may grow so much from the first third of the looks to the last."""
UNDER_WAY = 32
"""So many tasks and handles more may be there for what happens to be done at the moment."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MILLION = 1_000_000
_AGAIN_S = 0.5
Figure = TypeVar("Figure", int, float)
BILLED = select_statement(
    select(tables.cdrs.c.hangup_cause, func.count()).group_by(tables.cdrs.c.hangup_cause),
    name="crowd_bills",
)
REASONS = select_statement(
    select(tables.calls.c.reason, func.count()).group_by(tables.calls.c.reason),
    name="crowd_reasons",
)
_SETTINGS = """\
[database]
url = "{database}"
[simulator]
file = "orders.json"
speed = {speed}
ports = {ports}
[simulator.default]
ring_s = 2
talk_s = 0
[limits]
concurrent_calls = 1000000
calls_per_second = 1000000
callee_per_hour = 1000000
destination_block_per_hour = 1000000
first_calls = 0
"""


@dataclass(frozen=True, slots=True)
class Look:
    """What the process takes at one moment."""

    up: int
    legs: int
    memory_mb: float
    files: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it; times are the world's."""

    calls: int
    most_up: int
    ports: int
    held_s: float
    launched_per_s: float
    failed: int
    reasons: dict[str, int]
    bills: int
    cpu_share: float
    memory_mb: tuple[float, float]
    files: tuple[int, int]
    tasks: tuple[int, int]
    units: int
    wrong: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether every call was up at once and billed, nothing is wrong, and all is flat."""
        whole = self.most_up == self.calls and self.bills == LEGS * self.calls
        flat = self.memory_mb[1] <= self.memory_mb[0] * MOST_GROWTH
        counts = (self.files, self.tasks)
        flat = flat and all(last <= first * MOST_GROWTH + UNDER_WAY for first, last in counts)
        return whole and flat and not self.failed and not self.wrong


def main() -> int:
    """Hold it; exit status 1 when something is wrong or grew."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=5_000)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--per-second", type=float, default=60)
    parser.add_argument("--speed", type=int, default=1)
    parser.add_argument("--database", default="sqlite:///crowd.db")
    options = parser.parse_args()
    logs.configure(LogSettings(level="error"))
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        report = runner.run(
            hold(
                Path(folder),
                options.calls,
                options.minutes * 60,
                per_second=options.per_second,
                speed=options.speed,
                database=options.database,
            )
        )
    sys.stdout.write(json.dumps(asdict(report) | {"good": report.good}) + "\n")
    return 0 if report.good else 1


async def hold(
    folder: Path,
    calls: int,
    hold_s: float,
    *,
    per_second: float,
    speed: int = 1,
    database: str = "sqlite:///crowd.db",
) -> Report:
    """Launch so many calls, keep all of them up for so long, and let them end.

    Args:
        folder: for settings and files.
        calls: how many.
        hold_s: how long all of them are up, in the world's seconds.
        per_second: launches per second of the world, if the machine can.
        speed: simulated seconds per second.
        database: an empty one.
    """
    file = folder / "callgate.toml"
    text = _SETTINGS.format(database=database, speed=speed, ports=LEGS * calls)
    file.write_text(text, encoding="utf-8")
    async with open_core(load_settings(file, {}), create=True) as core:
        await core.start()
        try:
            return await _held(core, calls, hold_s, per_second)
        finally:
            await core.stop()


async def _held(core: Core, calls: int, hold_s: float, per_second: float) -> Report:
    users = [
        await add_user(core, core.store, f"Crowd{n}", f"+1212555{1000 + n}")
        for n in range(CUSTOMERS)
    ]
    began = time.monotonic()
    refs = await _launch(core, users, calls, per_second)
    launched_s = time.monotonic() - began
    await _until_up(core, calls)
    gc.collect()
    full, cpu = time.monotonic(), time.process_time()
    looks = []
    for _ in range(LOOKS):
        await asyncio.sleep(hold_s / LOOKS)
        looks.append(_look(core))
    held_s = time.monotonic() - full
    cpu = time.process_time() - cpu
    for ref, user_id in refs:
        await _answered(core, request_of(HangUp(ref), f"end-{ref}", user_id))
    while await core.store.read(checks.live):  # noqa: ASYNC110  (the store)
        await asyncio.sleep(1)
    _, wrong = await core.store.read(books.verify, _quiet)
    causes = await core.store.read(_counted, BILLED)
    return Report(
        calls=calls,
        most_up=min(look.up for look in looks),
        ports=max(look.legs for look in looks),
        held_s=round(held_s, 1),
        launched_per_s=round(calls / launched_s, 1),
        failed=calls - len(refs),
        reasons=await core.store.read(_counted, REASONS),
        bills=sum(causes.values()),
        cpu_share=round(cpu / held_s, 3),
        memory_mb=_ends([look.memory_mb for look in looks]),
        files=_ends([look.files for look in looks]),
        tasks=_ends([look.tasks for look in looks]),
        units=core.store.statistics().units,
        wrong=tuple(wrong)[:20],
    )


async def _launch(
    core: Core, users: Sequence[str], calls: int, per_second: float
) -> list[tuple[str, str]]:
    """Launch at a steady rate, or as the machine can; return what was, with whose it is."""
    places, launched = asyncio.Semaphore(AT_ONCE), list[tuple[str, str]]()

    async def one(n: int) -> None:
        call, user_id = Call(Number(f"+4420{70_000_000 + n}")), users[n % CUSTOMERS]
        outcome = await _answered(core, request_of(call, f"crowd{n}", user_id))
        if isinstance(outcome, Launched):
            launched.append((outcome.ref, user_id))
        places.release()

    async with asyncio.TaskGroup() as group:
        for n in range(calls):
            await places.acquire()
            group.create_task(one(n))
            await asyncio.sleep(1 / per_second)
    return launched


async def _answered(core: Core, request: Request) -> Outcome:
    """Ask until somebody answers; what is put off is asked again, as every channel's peer does."""
    while True:
        try:
            return await core.handle(request)
        except CallCoreError:
            await asyncio.sleep(_AGAIN_S)


def _up(core: Core) -> int:
    """Return how many calls talk."""
    return sum(
        sum(leg.bridged_call_ms is not None for leg in live.call.legs()) == LEGS
        for live in core.engine.driver.live.values()
    )


async def _until_up(core: Core, calls: int) -> None:
    async with asyncio.timeout(UP_WITHIN_S):
        while _up(core) < calls:  # noqa: ASYNC110  (thousands of phones)
            await asyncio.sleep(0.5)


def _look(core: Core) -> Look:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    files = len(list(Path("/proc/self/fd").iterdir()))
    legs = sum(len(list(live.call.legs())) for live in core.engine.driver.live.values())
    return Look(
        _up(core), legs, round(pages * _PAGE / _MILLION, 1), files, len(asyncio.all_tasks())
    )


def _ends(values: Sequence[Figure]) -> tuple[Figure, Figure]:
    """Return the highest of the first third and of the last."""
    third = max(1, len(values) // 3)
    return max(values[:third]), max(values[-third:])


def _counted(tx: Tx, statement: Statement[Any]) -> dict[str, int]:
    return {str(row[0]): int(row[1]) for row in tx.all(statement)}


def _quiet(_read: int, _all: int) -> None:
    """Show no progress."""


if __name__ == "__main__":
    sys.exit(main())
