"""The inline runner: three steps, faults by name, death between steps."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable

import pytest

from call_core.errors import CommitUnknown, StoreUnavailable
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.runner_inline import Faults, InlineBackend, InlineDatabase
from call_core.storage.statements import write_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from tests.support.databases import find, is_there, keys, put

pytestmark = pytest.mark.anyio


@pytest.fixture
async def database() -> AsyncIterator[InlineDatabase]:
    """A database in memory with the newest schema."""
    database = InlineDatabase()
    yield database
    database.close()


def once(unit_name: str = "put") -> Callable[[str], bool]:
    """Return a fault that happens to the first unit of that name."""
    left = [unit_name]

    def happens(name: str) -> bool:
        if name in left:
            left.remove(name)
            return True
        return False

    return happens


async def test_a_unit_takes_three_steps(database: InlineDatabase) -> None:
    """The scheduler is asked before execute, commit and answer; each sees what was done so far."""
    seen: list[tuple[str, int, bool]] = []

    async def step(name: str) -> None:
        rows = database.connection.execute("SELECT count(*) FROM facts").fetchone()[0]
        seen.append((name, rows, database.connection.in_transaction))

    await Store(InlineBackend(database, step=step)).run(put, "k")
    assert seen == [("execute", 0, False), ("commit", 1, True), ("answer", 1, False)]


@pytest.mark.parametrize(("step", "rows"), [("execute", []), ("commit", []), ("answer", ["k"])])
async def test_a_process_can_die_at_every_step(
    database: InlineDatabase, step: str, rows: list[str]
) -> None:
    """Before the commit nothing is there, after it everything, and the next process goes on."""

    async def die(name: str) -> None:
        if name == step:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Store(InlineBackend(database, step=die)).run(put, "k")
    survivor = Store(InlineBackend(database))
    assert await survivor.run(keys) == rows
    assert await survivor.run(put, "next") == "next"


@pytest.mark.parametrize(
    ("faults", "key", "error", "rows"),
    [
        (Faults(fail_execute=once()), "k", StoreUnavailable, []),
        (Faults(fail_commit=once()), None, CommitUnknown, []),
        (Faults(lose_answer=once()), None, CommitUnknown, ["k"]),
        (Faults(fail_commit=once()), "k", None, ["k"]),
        (Faults(lose_answer=once()), "k", None, ["k"]),
    ],
    ids=["away", "commit fails", "answer lost", "commit fails, key", "answer lost, key"],
)
async def test_faults_leave_what_a_real_database_would(
    database: InlineDatabase,
    faults: Faults,
    key: str | None,
    error: type[Exception] | None,
    rows: list[str],
) -> None:
    """Without a key the caller learns nothing; with one the store looks and tries again."""
    store = Store(InlineBackend(database, faults=faults, probe=is_there))
    if error is None:
        assert await store.run(put, "k", key=key) == "k"
    else:
        with pytest.raises(error):
            await store.run(put, "k", key=key)
    assert await store.run(keys) == rows


async def test_faults_are_asked_by_the_unit_s_name(database: InlineDatabase) -> None:
    """A fault for one unit leaves the others alone."""
    store = Store(InlineBackend(database, faults=Faults(fail_execute=once("find"))))
    assert await store.run(put, "k") == "k"
    with pytest.raises(StoreUnavailable):
        await store.run(find, "k")
    assert await store.run(find, "k") == ""


async def test_two_processes_share_the_database_one_unit_at_a_time(
    database: InlineDatabase,
) -> None:
    """Units of two stores never overlap, wherever the scheduler switches."""
    running = 0

    def overlap(tx: Tx) -> int:
        put(tx, str(len(keys(tx))))
        return running

    async def step(name: str) -> None:
        nonlocal running
        running += {"execute": 1, "commit": 0, "answer": -1}[name]
        await asyncio.sleep(0)

    stores = [Store(InlineBackend(database, node=node, step=step)) for node in ("a", "b")]
    await asyncio.gather(*(stores[number % 2].run(overlap) for number in range(10)))
    assert len(await stores[0].run(keys)) == 10


async def test_a_closed_process_leaves_the_database_to_the_next(database: InlineDatabase) -> None:
    """Closing ends the process, not the disk."""
    first = Store(InlineBackend(database))
    await first.run(put, "k")
    await first.close()
    with pytest.raises(StoreUnavailable):
        await first.run(keys)
    assert await Store(InlineBackend(database)).run(keys) == ["k"]


async def test_a_query_may_be_made_between_steps_by_rows(database: InlineDatabase) -> None:
    """The world looks at committed and uncommitted rows through the connection itself."""
    store = Store(InlineBackend(database))
    await store.run(put, "k")
    assert database.connection.execute("SELECT key FROM facts").fetchall() == [("k",)]
    assert store.statistics().commits == 1
    assert store.location == "memory"


async def test_append_only_tables_refuse_replacement_in_memory_too(
    database: InlineDatabase,
) -> None:
    """The simulated world keeps the promise that a file keeps."""
    replace = write_statement("REPLACE INTO audit SELECT * FROM audit")
    store = Store(InlineBackend(database))
    await store.run(lambda tx: tx.audit(AuditEntry(0, "op", "test", "")))
    with pytest.raises(sqlite3.IntegrityError, match="audit is append-only"):
        await store.run(lambda tx: tx.run(replace))
