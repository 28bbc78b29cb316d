"""Killing the writing process: whatever was acknowledged is there, and nothing is half there."""

import asyncio
import multiprocessing
import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from call_core.storage.audit_chain import AuditEntry, broken_links
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from tests.support.databases import put, rows_of, sqlite_file

KILLS = 20
WRITERS_AT_ONCE = 16
SEED = 20


def put_pair(tx: Tx, key: str) -> None:
    """Write two rows that must be there together, and an audit row."""
    put(tx, f"{key} a")
    tx.audit(AuditEntry(0, "test", "pair.put", key))
    put(tx, f"{key} b")


def write_until_killed(path: str, lifetime: int, acknowledge: int) -> None:
    """Run units side by side and write each one's key to a pipe once it is acknowledged."""
    asyncio.run(_write(path, lifetime, acknowledge))


async def _write(path: str, lifetime: int, acknowledge: int) -> None:
    store = await Store.open(f"sqlite:///{path}", node="killed")

    async def write_on(writer: int) -> None:
        for number in range(1_000_000):
            key = f"{lifetime} {writer} {number}"
            await store.run(put_pair, key)
            os.write(acknowledge, f"{key}\n".encode())

    await asyncio.gather(*(write_on(writer) for writer in range(WRITERS_AT_ONCE)))


def killed_after(path: Path, lifetime: int, units: int) -> set[str]:
    """Kill a writer after at least `units` acknowledgements; return all that it had given."""
    reading, writing = os.pipe()
    context = multiprocessing.get_context("fork")
    process = context.Process(target=write_until_killed, args=(str(path), lifetime, writing))
    process.start()
    os.close(writing)
    with open(reading, encoding="ascii") as pipe:  # noqa: PTH123  (a descriptor, not a path)
        acknowledged = {pipe.readline() for _ in range(units)}
        process.kill()
        acknowledged |= set(pipe)
    process.join()
    process.close()
    return {line.strip() for line in acknowledged if line.endswith("\n")}


@pytest.mark.timeout(120)
def test_every_acknowledged_unit_survives_kill_9(tmp_path: Path) -> None:
    """Twenty writers are killed in the middle of their stream; nothing acknowledged is missing."""
    path = sqlite_file(tmp_path)
    moments = random.Random(SEED)  # noqa: S311  (repeatable, guards nothing)
    acknowledged: set[str] = set()
    for lifetime in range(KILLS):
        acknowledged |= killed_after(path, lifetime, moments.randint(1, 120))
        rows = set(rows_of(path))
        missing = {key for key in acknowledged if not {f"{key} a", f"{key} b"} <= rows}
        assert missing == set()
        halves = {
            row[:-2] for row in rows if (f"{row[:-2]} a" in rows) != (f"{row[:-2]} b" in rows)
        }
        assert halves == set()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(acknowledged) >= KILLS
    assert asyncio.run(_broken(path)) == []


async def _broken(path: Path) -> list[tuple[str, int]]:
    store = await Store.open(f"sqlite:///{path}")
    try:
        return await store.read(broken_links)
    finally:
        await store.close()
