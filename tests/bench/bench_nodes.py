"""Calls launched, bridged, ended and billed per second by 1, 2 and 3 nodes on one PostgreSQL.

Each node is a process with a simulator of its own kind, so that nothing but our work and the
database bounds the figure; customers are per node, as different customers' calls are. Beside it the
machine's floor: what raw single-row commits reach with as many connections, in the same run. And
why it stops: the processor's time that one call takes in the nodes and in the server; where both
together are all that the machine has (`cores_used`), more nodes add nothing.

    python -m tests.bench.bench_nodes [--calls 300]
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import sys
import threading
import time
from dataclasses import dataclass
from fractions import Fraction
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import psycopg
import structlog

from call_core.door import Core
from call_core.engine.engine import Engine, EngineSettings
from call_core.engine.tenancy import Figures
from call_core.storage import migrate
from call_core.storage.rate_rows import Decks
from call_core.storage.store import Store, StoreLimits
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_phone import PhoneScript
from call_core.units.house import House
from gateway.clocks import CallClock, WallClock
from gateway.wiring import rules_of
from tests.bench import bench_calls
from tests.bench.limits import OPEN_LIMITS

AT_ONCE = 40
CUSTOMERS = 20  # of each node: calls of one customer wait for each other at its account
SPEED = 10  # faster, and a phone's ring time would pass before a busy machine has rung it
NODES = (1, 2, 3)
_FLOOR_S = 2.0
_LOOK_S = 0.1
_PATIENCE_MS = 60_000  # a machine that is busy with other things puts nobody off here


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=300, help="by each node")
    options = parser.parse_args()
    os.environ.setdefault("CALLGATE_TEST_REQUIRE", "postgres")
    from tests.support import postgres  # noqa: PLC0415  (after the variable that it reads)

    figures: dict[str, Any] = {}
    with postgres.running_server() as server:
        for nodes in NODES:
            name = f"bench{nodes}"
            postgres.create_database(server, name)
            url = postgres.database_url(server, name)
            migrate.upgrade(url)
            figures[f"{nodes}_nodes"] = {
                "raw_commits_per_s": raw_commits_per_s(url, AT_ONCE // 5 * nodes),
                **calls_per_s(url, nodes, options.calls),
            }
    figures["cores"] = os.cpu_count()
    sys.stdout.write(json.dumps(figures) + "\n")


def raw_commits_per_s(url: str, connections: int) -> int:
    """Return how many single-row transactions per second so many connections reach."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS floor (id SERIAL PRIMARY KEY, text TEXT)")
    until = time.perf_counter() + _FLOOR_S
    done = [0] * connections

    def commit(place: int) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while time.perf_counter() < until:
                connection.execute("INSERT INTO floor (text) VALUES ('x')")
                done[place] += 1

    threads = [threading.Thread(target=commit, args=(place,)) for place in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(done) / _FLOOR_S)


def calls_per_s(url: str, nodes: int, calls: int) -> dict[str, float]:
    """Return what so many nodes reach together; each begins when all have their shards."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(nodes)
    took: multiprocessing.Queue[Span] = context.Queue()
    processes = [
        context.Process(target=_node, args=(url, n, calls, barrier, took)) for n in range(nodes)
    ]
    for process in processes:
        process.start()
    spans = [took.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    took_s = max(span.ended_s for span in spans) - min(span.began_s for span in spans)
    made = nodes * calls
    nodes_s = sum(span.cpu_s for span in spans)
    server_s = max(span.server_cpu_s for span in spans)
    return {
        "calls_per_s": round(made / took_s, 1),
        "node_cpu_ms_per_call": round(nodes_s / made * 1000, 2),
        "server_cpu_ms_per_call": round(server_s / made * 1000, 2),
        "cores_used": round((nodes_s + server_s) / took_s, 2),
    }


@dataclass(frozen=True, slots=True)
class Span:
    """When a node began and ended, by the wall, and what it and the whole server took meanwhile."""

    began_s: float
    ended_s: float
    cpu_s: float
    server_cpu_s: float


def server_cpu_s(url: str) -> float:
    """Return the processor's time that a server on this machine has taken with all its children."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
    assert row is not None
    pid = int(Path(row[0], "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    taken = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(fields[1]) == pid:  # a backend
                taken += int(fields[11]) + int(fields[12])
            elif stat.parent.name == str(pid):  # itself, and the backends that have ended
                taken += sum(map(int, fields[11:15]))
    return taken / os.sysconf("SC_CLK_TCK")


def _node(url: str, n: int, calls: int, barrier: Barrier, took: Any) -> None:  # noqa: ANN401  (a queue)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    took.put(asyncio.run(_drive(url, n, calls, barrier)))


async def _drive(url: str, n: int, calls: int, barrier: Barrier) -> Span:
    """Launch and bill this node's calls."""
    wall = WallClock()
    clock = CallClock(wall.now_ms(), Fraction(SPEED))
    store = await Store.open(url, node=f"n{n}", limits=StoreLimits(max_wait_ms=_PATIENCE_MS))
    switch = Simulator(
        name="simulator",
        clock=clock,
        phones={},
        default=PhoneScript(ring_ms=200, press_after_ms=200, talk_ms=1_000),
        orders_path=None,
        ports=100_000,
        rng=random.Random(1),  # noqa: S311  (no secret)
    )
    house = House(
        node=f"n{n}",
        switch="simulator",
        trunk="main",
        ports=100_000,
        service_number="+12025550143",
        decks=Decks(),
        limits=OPEN_LIMITS,
        rules=rules_of(OPEN_LIMITS, 0),
    )
    rng = random.SystemRandom()
    engine = Engine(store, switch, house, wall, clock, rng, {}, EngineSettings(many=Figures()))
    core = Core(store, engine, wall, clock, rng)
    await core.start()
    users = [
        await bench_calls.add_user(core, store, f"Bench{n}-{k}", f"+1212555{1000 + n * 100 + k}")
        for k in range(CUSTOMERS)
    ]
    await asyncio.to_thread(barrier.wait)
    while not _has_its_share(engine, barrier.parties):  # noqa: ASYNC110  (a beat, not an event)
        await asyncio.sleep(_LOOK_S)
    await asyncio.to_thread(barrier.wait)
    server, cpu = server_cpu_s(url), time.process_time()
    began, places = wall.now_ms(), asyncio.Semaphore(AT_ONCE)
    numbers = range(n * calls, (n + 1) * calls)
    launching = (
        bench_calls.one_call(core, users[each % CUSTOMERS], each, places) for each in numbers
    )
    await asyncio.gather(*launching)
    ended, cpu = wall.now_ms(), time.process_time() - cpu
    server = server_cpu_s(url) - server
    await asyncio.to_thread(barrier.wait)
    switch.close()
    await core.stop()
    return Span(began / 1000, ended / 1000, cpu, server)


def _has_its_share(engine: Engine, nodes: int) -> bool:
    """Whether a node has as many shards as it will have, no more and no fewer."""
    tenure = engine.house.tenure
    least, most = tenure.shards // nodes, -(-tenure.shards // nodes)
    least = min(least, tenure.shards - most * (nodes - 1))
    return least <= len(tenure.epochs) <= most


if __name__ == "__main__":
    main()
