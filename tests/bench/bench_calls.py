"""Two-leg calls launched, bridged, ended and billed per second on simulator and SQLite FULL.

Beside it the machine's floor: raw commits of one row per second on the same disk, in the same run.
The calls are short, on a clock that runs fast, so that nothing but our own work bounds the figure;
not so fast that a machine under load takes a ring for unanswered. Median and spread of `REPEATS`.
"""

import asyncio
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import structlog
import uvloop

from call_core.administration import (
    ActivateDeck,
    AddCustomer,
    AddPhone,
    AddUser,
    Administration,
    TopUp,
)
from call_core.commands import Call, Command, Number
from call_core.door import Core
from call_core.engine.engine import Engine, EngineSettings
from call_core.outcomes import Done, Launched
from call_core.rating.deck import RateRow
from call_core.requests import Evidence, Request
from call_core.storage import migrate, rate_rows
from call_core.storage.rate_rows import Decks
from call_core.storage.store import Store, StoreLimits
from call_core.storage.transaction import Tx
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_phone import PhoneScript
from call_core.units.house import House
from gateway.clocks import CallClock, WallClock
from gateway.wiring import rules_of
from tests.bench.limits import OPEN_LIMITS

CALLS = 400
AT_ONCE = 50
SPEED = 10
REPEATS = 5
PATIENT = StoreLimits(max_wait_ms=60_000)  # a loaded machine shows in the figure, not as a refusal
_FLOOR_S = 2.0


def main() -> None:
    """Print the figures as JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        runs = [_once(Path(folder), n) for n in range(REPEATS)]
    figures = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    figures |= {
        f"{name}_{end.__name__}": end(run[name] for run in runs)
        for name in ("raw_commits_per_s", "calls_per_s", "cpu_ms_per_call")
        for end in (min, max)
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _once(folder: Path, n: int) -> dict[str, float]:
    floor = raw_commits_per_s(folder / f"floor{n}.db")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as `serve` runs
        found = runner.run(measure(folder / f"calls{n}.db", n * CALLS))
    return {"raw_commits_per_s": floor} | found


def raw_commits_per_s(path: Path) -> int:
    """Return how many single-row transactions per second the disk takes with synchronous=FULL."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT)")
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < _FLOOR_S:
        connection.execute("INSERT INTO row (text) VALUES ('x')")
        done += 1
    connection.close()
    return round(done / (time.perf_counter() - began))


@asynccontextmanager
async def opened(
    url: str,
    speed: int,
    script: PhoneScript,
    *,
    kind: type[Store] = Store,
    name: str = "Bench",
    phone: str = "+12125550101",
) -> AsyncIterator[tuple[Core, str]]:
    """A core on the simulator and a database, and a new user with much money.

    Args:
        url: the database.
        speed: how fast the call clock runs.
        script: what every phone does.
        kind: of store.
        name: of the user.
        phone: theirs.
    """
    migrate.upgrade(url)
    wall = WallClock()
    clock = CallClock(wall.now_ms(), Fraction(speed))
    store = await kind.open(url, limits=PATIENT)
    switch = Simulator(
        name="simulator",
        clock=clock,
        phones={},
        default=script,
        orders_path=None,
        ports=100_000,
        rng=random.Random(1),  # noqa: S311  (no secret)
    )
    house = House(
        node="bench",
        switch="simulator",
        trunk="main",
        ports=100_000,
        service_number="+12025550143",
        decks=Decks(),
        limits=OPEN_LIMITS,
        rules=rules_of(OPEN_LIMITS, 0),
    )
    rng = random.SystemRandom()
    engine = Engine(store, switch, house, wall, clock, rng, {}, EngineSettings())
    core = Core(store, engine, wall, clock, rng)
    await core.start()
    try:
        yield core, await add_user(core, store, name, phone)
    finally:
        switch.close()
        await core.stop()


async def measure(path: Path, first: int = 0) -> dict[str, float]:
    """Return calls per second, and what one call costs in statements, units and CPU.

    Args:
        path: of the new database.
        first: number of the first call: none rings a number that was rung before.
    """
    script = PhoneScript(ring_ms=200, press_after_ms=200, talk_ms=1_000)
    async with opened(f"sqlite:///{path}", SPEED, script) as (core, user_id):
        before, cpu = core.store.statistics(), time.process_time()
        began = time.perf_counter()
        places = asyncio.Semaphore(AT_ONCE)
        numbers = range(first, first + CALLS)
        await asyncio.gather(*(one_call(core, user_id, n, places) for n in numbers))
        took_s = time.perf_counter() - began
        after = core.store.statistics()
        cpu = time.process_time() - cpu
    return {
        "calls_per_s": round(CALLS / took_s),
        "statements_per_call": round((after.statements - before.statements) / CALLS, 1),
        "units_per_call": round((after.units - before.units) / CALLS, 1),
        "commits_per_call": round((after.commits - before.commits) / CALLS, 2),
        "cpu_ms_per_call": round(cpu / CALLS * 1000, 2),
    }


async def one_call(core: Core, user_id: str, n: int, places: asyncio.Semaphore) -> Launched:
    """Launch one call and wait until it is billed; return the answer to the launch."""
    async with places:
        number = f"+44207{n:07}"
        outcome = await core.handle(request_of(Call(Number(number)), f"call{n}", user_id))
        assert isinstance(outcome, Launched), outcome
        changed = core.engine.driver.watch.subscribe(outcome.call_id)
        while outcome.call_id in core.engine.driver.live:
            changed.clear()
            await changed.wait()
        core.engine.driver.watch.unsubscribe(outcome.call_id, changed)
    return outcome


def request_of(command: Command | Administration, external_id: str, user_id: str | None) -> Request:
    """Return a request by the API of a user, or of the operator when there is none."""
    return Request(
        channel="cli" if user_id is None else "api",
        id_space="cli" if user_id is None else "api",
        external_id=external_id,
        sender="",
        evidence=Evidence.PROVEN,
        received_wall_ms=0,
        command=command,
        user_id=user_id,
        scopes=("read", "call", "admin"),
        in_session=True,
    )


async def add_user(
    core: Core, store: Store, name: str = "Bench", phone: str = "+12125550101"
) -> str:
    """Return a user with a phone and much money, whose customer is not anybody else's."""

    def deck(tx: Tx) -> int:
        tx.write(
            rate_rows.INSERT_TARIFF,
            name="bench",
            currency="USD",
            timezone="UTC",
            quantum_micros=100,
            active_version=0,
            loaded_version=0,
        )
        row = tx.one(rate_rows.RESERVE_VERSION, key_name="bench")
        assert row is not None
        rows = [(1, RateRow("", "1", "US", 10_000)), (2, RateRow("", "44", "UK", 20_000))]
        rate_rows.insert_rates(tx, "bench", row[0], rows)
        return int(row[0])

    version = await store.run(deck)
    asked: list[Administration] = [
        ActivateDeck("bench", version),
        AddCustomer(
            name,
            "USD",
            "prepaid",
            regions=("US", "GB"),
            daily_spend_micros=10**15,
            concurrent_calls=10**6,
        ),
        TopUp(name, 10**13),
        AddUser(name, name),
        AddPhone(name, "office", phone, trusted=True),
    ]
    outcomes = [
        await core.handle(request_of(each, f"{name}{n}", None)) for n, each in enumerate(asked)
    ]
    made = outcomes[3]
    assert isinstance(made, Done), made
    return str(made.fields["user_id"])


if __name__ == "__main__":
    main()
