"""The store's figures: the machine's own floor, then units per second. Prints one JSON object.

    python tests/bench/bench_store.py [--postgres URL] [--seconds 2] [--directory DIR]

The floor is what the same database does on the same disk without us: single rows, committed one by
one and a hundred at a time. A unit here has eleven statements, as a launch has.
"""

import argparse
import asyncio
import itertools
import json
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import bindparam, insert, select, update

from call_core.storage import migrate
from call_core.storage.sqlite import open_sqlite
from call_core.storage.statements import select_statement, write_statement
from call_core.storage.store import Store
from call_core.storage.tables import facts
from call_core.storage.transaction import Tx

CONCURRENCY = (1, 16, 128)
ROWS_PER_COMMIT = (1, 100)
STATEMENTS_PER_UNIT = 11

PUT = write_statement(insert(facts))
FIND = select_statement(select(facts.c.value).where(facts.c.key == bindparam("key")))
CHANGE = write_statement(
    update(facts).where(facts.c.key == bindparam("which")).values(value=bindparam("new"))
)


def eleven(tx: Tx, number: int) -> None:
    """Three times look, write, look; then change one row and look at it."""
    for part in range(3):
        key = f"{number}/{part}"
        tx.one(FIND, key=key)
        tx.write(PUT, key=key, value="forty characters, about what a row holds")
        tx.one(FIND, key=key)
    tx.run(CHANGE, which=f"{number}/0", new="changed")
    tx.one(FIND, key=f"{number}/0")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", help="URL of an empty database to measure too")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each figure takes")
    parser.add_argument("--directory", help="where SQLite's file goes; the disk matters")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        path = Path(directory) / "bench.db"
        figures = {"sqlite": sqlite_figures(path, options.seconds)}
    if options.postgres:
        figures["postgresql"] = store_figures(options.postgres, options.seconds)
    print(json.dumps(figures, indent=2))  # noqa: T201  (a bench prints)


def sqlite_figures(path: Path, seconds: float) -> dict[str, float]:
    """Measure the floor, then the store, on one file."""
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    floor = {}
    with closing(open_sqlite(path, create=False, busy_timeout_ms=1000)) as connection:
        for rows in ROWS_PER_COMMIT:
            floor[f"floor_rows_per_s_{rows}_per_commit"] = raw_inserts(connection, rows, seconds)
    return floor | store_figures(url, seconds)


def raw_inserts(connection: sqlite3.Connection, rows: int, seconds: float) -> float:
    """Return how many rows per second SQLite itself makes durable, `rows` in each commit."""
    numbers = itertools.count()

    def commit() -> None:
        connection.execute("BEGIN IMMEDIATE")
        for _ in range(rows):
            key = f"floor {rows} {next(numbers)}"
            connection.execute("INSERT INTO facts (key, value) VALUES (?, ?)", (key, "x" * 40))
        connection.execute("COMMIT")

    return round(rows * per_second(commit, seconds))


def per_second(action: Callable[[], None], seconds: float) -> float:
    """Return how often `action` runs in a second."""
    begun = time.perf_counter()
    count = 0
    while time.perf_counter() - begun < seconds:
        action()
        count += 1
    return count / (time.perf_counter() - begun)


def store_figures(url: str, seconds: float) -> dict[str, float]:
    """Return units per second and their cost, for several numbers of callers at once."""
    migrate.upgrade(url)
    return asyncio.run(_store_figures(url, seconds))


async def _store_figures(url: str, seconds: float) -> dict[str, float]:
    store = await Store.open(url, node="bench")
    numbers = itertools.count()
    figures: dict[str, float] = {}
    for callers in CONCURRENCY:
        figures |= await _measure(store, numbers, callers, seconds)
    await store.close()
    return figures


async def _measure(
    store: Store, numbers: "itertools.count[int]", callers: int, seconds: float
) -> dict[str, float]:
    waits_ms: list[float] = []
    before = store.statistics()
    begun, cpu_begun = time.perf_counter(), time.process_time()

    async def call() -> None:
        while time.perf_counter() - begun < seconds:
            asked = time.perf_counter()
            await store.run(eleven, next(numbers))
            waits_ms.append((time.perf_counter() - asked) * 1000)

    await asyncio.gather(*(call() for _ in range(callers)))
    took_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu_begun
    after = store.statistics()
    units = after.units - before.units
    waits_ms.sort()
    assert after.by_unit["eleven"].most_statements == STATEMENTS_PER_UNIT
    return {
        f"units_per_s_{callers}_callers": round(units / took_s),
        f"cpu_us_per_unit_{callers}_callers": round(cpu_s / units * 1_000_000),
        f"units_per_commit_{callers}_callers": round(units / (after.commits - before.commits), 1),
        f"wait_p50_ms_{callers}_callers": round(waits_ms[len(waits_ms) // 2], 2),
        f"wait_p99_ms_{callers}_callers": round(waits_ms[len(waits_ms) * 99 // 100], 2),
    }


if __name__ == "__main__":
    main()
