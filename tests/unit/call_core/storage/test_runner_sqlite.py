"""The writer thread: group commit, order, limits, other processes, closing."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from call_core.errors import Overloaded, StoreUnavailable
from call_core.storage.store import Priority
from call_core.storage.transaction import Tx
from call_core.storage.waiting import StoreLimits
from tests.support.databases import (
    Gate,
    find,
    held,
    keys,
    opened_sqlite,
    put,
    rows_of,
    sqlite_file,
)

pytestmark = pytest.mark.anyio


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database file with the newest schema."""
    return sqlite_file(tmp_path)


# --- group commit -------------------------------------------------------------------------------


async def test_units_that_wait_share_one_commit(path: Path) -> None:
    """Fifty units behind one that takes its time are made durable by two commits."""
    async with opened_sqlite(path) as store:
        gate = Gate()
        holding = await held(store, gate)
        waiting = [asyncio.create_task(store.run(put, f"{number:02}")) for number in range(50)]
        await asyncio.sleep(0.02)
        gate.open()
        await asyncio.gather(holding, *waiting)
        assert store.statistics().commits == 2
        assert store.statistics().largest_batch == 50
    assert len(rows_of(path)) == 51


async def test_a_lone_unit_waits_for_nobody(path: Path) -> None:
    """Units that come one after the other each have their own commit."""
    async with opened_sqlite(path) as store:
        for number in range(5):
            await store.run(put, str(number))
        assert (store.statistics().commits, store.statistics().largest_batch) == (5, 1)


async def test_a_batch_ends_when_its_time_is_up(path: Path) -> None:
    """With no time for company every unit has its own commit, even under load."""
    async with opened_sqlite(path, limits=StoreLimits(batch_ms=0)) as store:
        await asyncio.gather(*(store.run(put, str(number)) for number in range(20)))
        assert store.statistics().commits == 20


async def test_running_calls_are_served_first(path: Path) -> None:
    """Of what waited while the writer was busy, running calls go before new requests."""
    order: list[str] = []

    def note(_tx: Tx, name: str) -> None:
        order.append(name)

    async with opened_sqlite(path) as store:
        gate = Gate()
        holding = await held(store, gate)
        tasks = [
            asyncio.create_task(store.run(note, f"{priority.name} {number}", priority=priority))
            for number in range(2)
            for priority in (Priority.NEW, Priority.RUNNING)
        ]
        await asyncio.sleep(0.02)
        gate.open()
        await asyncio.gather(holding, *tasks)
    assert order == ["RUNNING 0", "RUNNING 1", "NEW 0", "NEW 1"]


async def test_a_full_queue_refuses_at_once_and_recovers(path: Path) -> None:
    """The unit past the limit is refused, those within are done."""
    async with opened_sqlite(path, limits=StoreLimits(max_waiting_units=3)) as store:
        gate = Gate()
        holding = await held(store, gate)
        waiting = [asyncio.create_task(store.run(put, str(number))) for number in range(3)]
        await asyncio.sleep(0.02)
        with pytest.raises(Overloaded):
            await store.run(put, "one more")
        assert store.statistics().waiting_running == 3
        gate.open()
        await asyncio.gather(holding, *waiting)
        assert store.statistics().refused == 1
    assert rows_of(path) == ["0", "1", "2", "gate"]


async def test_closing_finishes_what_waits_and_folds_the_log(path: Path) -> None:
    """Every queued unit is durable after `close`, and the file alone holds all of it."""
    async with opened_sqlite(path) as store:
        gate = Gate()
        holding = await held(store, gate)
        waiting = [asyncio.create_task(store.run(put, str(number))) for number in range(5)]
        await asyncio.sleep(0.02)
        gate.open()
        await store.close()
        await asyncio.gather(holding, *waiting)
    assert len(rows_of(path)) == 6
    log = path.with_name(path.name + "-wal")
    assert not log.exists() or log.stat().st_size == 0


# --- other processes ----------------------------------------------------------------------------


async def test_what_another_process_commits_is_noticed(path: Path) -> None:
    """`changes()` rings after a foreign commit and stays silent after our own."""
    async with opened_sqlite(path, limits=StoreLimits(poll_s=5)) as store:
        changes = store.changes()
        next_change = asyncio.ensure_future(anext(changes))
        await store.run(put, "ours")
        await asyncio.sleep(0.5)
        assert not next_change.done()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("INSERT INTO facts (key, value) VALUES ('theirs', '')")
        async with asyncio.timeout(2):
            assert await next_change == ""
        assert await store.run(find, "theirs") == ""
        await changes.aclose()


async def test_a_foreign_writer_that_holds_on_is_a_temporary_failure(path: Path) -> None:
    """After `max_wait_ms` the unit is given back, and the next one works."""
    async with opened_sqlite(path, limits=StoreLimits(max_wait_ms=100)) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
                await store.run(put, "k")
        assert await store.run(put, "k") == "k"


async def test_a_reader_sees_one_state_while_the_writer_goes_on(path: Path) -> None:
    """A long query is not disturbed by commits, and does not hold them up."""
    begun, finish = threading.Event(), threading.Event()

    def look_twice(tx: Tx) -> tuple[int, int]:
        first = len(keys(tx))
        begun.set()
        assert finish.wait(10)
        return first, len(keys(tx))

    async with opened_sqlite(path) as store:
        looking = asyncio.create_task(store.read(look_twice))
        await asyncio.to_thread(begun.wait, 5)
        await store.run(put, "meanwhile")
        finish.set()
        assert await looking == (0, 0)
        assert await store.read(keys) == ["meanwhile"]
