"""What becomes of units when the disk is full or a commit gets no answer."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from call_core.errors import CommitUnknown, StoreUnavailable
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.storage.waiting import StoreLimits
from tests.support.databases import (
    Gate,
    held,
    is_there,
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


# --- another process that writes -----------------------------------------------------------------


async def test_another_process_that_writes_is_waited_for(path: Path) -> None:
    """Its transaction ends, ours begins; of what ends too late the caller is told."""
    other = sqlite3.connect(path, isolation_level=None)
    async with opened_sqlite(path, limits=StoreLimits(max_wait_ms=300)) as store:
        other.execute("BEGIN IMMEDIATE")
        waiting = asyncio.create_task(store.run(put, "a"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        other.execute("COMMIT")
        assert await waiting == "a"
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="SQLITE_BUSY"):
            await store.run(put, "b")
        other.execute("COMMIT")
    other.close()
    assert rows_of(path) == ["a"]


# --- a transaction that is lost -----------------------------------------------------------------

BIG = "x" * 400_000


def put_big(tx: Tx, key: str) -> str:
    """Write more than the nearly full disk of these tests has left."""
    return put(tx, key, BIG)


def limit_disk(tx: Tx) -> None:
    """Let the database grow by a few pages only: a disk that is nearly full."""
    pages = tx.all(select_statement("PRAGMA page_count"))[0][0]
    tx.all(select_statement(f"PRAGMA max_page_count = {pages + 20}"))


async def test_a_full_disk_fails_one_unit_and_keeps_its_neighbours(path: Path) -> None:
    """The disk ends the whole transaction; every unit runs again alone, and one fails for good."""
    async with opened_sqlite(path) as store:
        await store.run(limit_disk)
        gate = Gate()
        holding = await held(store, gate)
        units = [
            asyncio.create_task(store.run(unit, key))
            for unit, key in [(put, "before"), (put_big, "big"), (put, "after")]
        ]
        await asyncio.sleep(0.02)
        gate.open()
        await holding
        results = await asyncio.gather(*units, return_exceptions=True)
        assert results[::2] == ["before", "after"]
        assert isinstance(results[1], StoreUnavailable)
        assert "SQLITE_FULL" in str(results[1])
        assert store.statistics().repeated >= 2
        assert await store.run(put, "later") == "later"
    assert rows_of(path) == ["after", "before", "gate", "later"]


async def test_a_unit_that_hides_a_lost_transaction_commits_nothing(path: Path) -> None:
    """After the disk was full, a unit that goes on is refused statement by statement."""

    def hide(tx: Tx) -> None:
        try:
            put_big(tx, "big")
        except sqlite3.Error:
            put(tx, "after the loss")

    async with opened_sqlite(path) as store:
        await store.run(limit_disk)
        with pytest.raises(sqlite3.OperationalError, match="lost by an earlier statement"):
            await store.run(hide)
        assert await store.run(keys) == []


# --- a commit whose fate is unknown -------------------------------------------------------------


class FaultyConnection(sqlite3.Connection):
    """A connection that fails its next COMMIT, before or after it was done."""

    failing: "list[str]" = []  # noqa: RUF012  (shared with the test on purpose)

    def execute(self, sql: str, *arguments: object) -> sqlite3.Cursor:
        """Run `sql`, or lose it."""
        if sql != "COMMIT" or not self.failing:
            return super().execute(sql, *arguments)  # type: ignore[arg-type]
        super().execute("COMMIT" if self.failing.pop() == "after" else "ROLLBACK")
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        raise error


@pytest.fixture
def failing() -> Iterator[list[str]]:
    """The ways in which the next commits fail."""
    FaultyConnection.failing = []
    yield FaultyConnection.failing
    FaultyConnection.failing = []


def faulty(*arguments: object, **options: object) -> sqlite3.Connection:
    """Connect like sqlite3, with faults."""
    return sqlite3.connect(*arguments, factory=FaultyConnection, **options)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize(
    ("fails", "key", "told", "runs", "rows"),
    [
        (["after"], "k", "done", 1, ["k"]),
        (["before"], "k", "done", 2, ["k"]),
        (["before", "after"], "k", "done", 2, ["k"]),
        (["before", "before"], "k", "unknown", 2, []),
        (["after"], None, "unknown", 1, ["k"]),
        (["before"], None, "unknown", 1, []),
    ],
)
async def test_an_unknown_commit_is_looked_up_by_its_key(
    path: Path,
    failing: list[str],
    fails: list[str],
    key: str | None,
    told: str,
    runs: int,
    rows: list[str],
) -> None:
    """Found: done. Not found: run once more. No key, or not found again: the caller is told."""
    count = 0

    def put_counted(tx: Tx) -> str:
        nonlocal count
        count += 1
        return put(tx, "k")

    async with opened_sqlite(path, connect=faulty, probe=is_there) as store:
        failing.extend(reversed(fails))
        if told == "done":
            assert await store.run(put_counted, key=key) == "k"
        else:
            with pytest.raises(CommitUnknown):
                await store.run(put_counted, key=key)
    assert (count, rows_of(path)) == (runs, rows)


async def test_without_a_probe_nothing_can_be_looked_up(path: Path, failing: list[str]) -> None:
    """A key alone is not enough."""
    async with opened_sqlite(path, connect=faulty) as store:
        failing.append("after")
        with pytest.raises(CommitUnknown):
            await store.run(put, "k", key="k")


async def test_a_failed_unit_is_never_unknown(path: Path, failing: list[str]) -> None:
    """A unit that raised wrote nothing, so it runs again and its own error comes back."""

    def fail(_tx: Tx) -> None:
        raise LookupError("own")

    async with opened_sqlite(path, connect=faulty) as store:
        gate = Gate()
        holding = await held(store, gate)
        tasks = [asyncio.create_task(store.run(unit)) for unit in (fail, keys)]
        await asyncio.sleep(0.02)
        gate.open()
        await holding
        failing.append("before")
        results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], LookupError)


async def test_callbacks_of_an_unknown_commit_run_only_if_it_is_found(
    path: Path, failing: list[str]
) -> None:
    """What follows a commit follows it exactly once, or not at all."""
    heard: list[str] = []

    def put_and_call(tx: Tx, key: str) -> None:
        put(tx, key)
        tx.after_commit(lambda: heard.append(key))

    async with opened_sqlite(path, connect=faulty, probe=is_there) as store:
        for way, key in [("after", "found"), ("before", "again")]:
            failing.append(way)
            await store.run(put_and_call, key, key=key)
        failing.append("after")
        with pytest.raises(CommitUnknown):
            await store.run(put_and_call, "unknown")
    assert heard == ["found", "again"]
