"""What every database behind the store must do: the same tests on SQLite, inline and PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Table, Text, bindparam, insert, select, update

from call_core.errors import StoreUnavailable
from call_core.storage import migrate
from call_core.storage.audit_chain import AuditEntry, broken_links
from call_core.storage.restored import release_restored, restored_wall_ms
from call_core.storage.runner_inline import InlineBackend, InlineDatabase
from call_core.storage.statements import (
    Row,
    Statement,
    select_statement,
    upsert_statement,
    write_statement,
)
from call_core.storage.store import Priority, Store
from call_core.storage.tables import APPEND_ONLY, accounts, audit, facts, metadata
from call_core.storage.transaction import Tx
from call_core.storage.waiting import StoreLimits
from tests.support.databases import FIND, PUT, find, keys, put

pytestmark = pytest.mark.anyio

APPEND_ONLY_TABLES = [metadata.tables[name] for name in APPEND_ONLY]
LIMITS = StoreLimits(writer_threads=4, poll_s=0.2)

FIND_LOCKED = select_statement(
    select(facts.c.value).where(facts.c.key == bindparam("key")).with_for_update(skip_locked=True)
)
CHANGE = write_statement(
    update(facts).where(facts.c.key == bindparam("which")).values(value=bindparam("new"))
)
PUT_ONCE = upsert_statement(lambda into: into(facts).on_conflict_do_nothing(index_elements=["key"]))
PUT_OR_CHANGE = upsert_statement(
    lambda into: (row := into(facts)).on_conflict_do_update(
        index_elements=["key"], set_={"value": row.excluded.value}
    )
)
PUT_RETURNING = select_statement(insert(facts).returning(facts.c.key))
OPEN_ACCOUNT = write_statement(
    insert(accounts).values(id=bindparam("id"), currency="USD", kind="prepaid")
)
ADD_DEBIT = write_statement(
    update(accounts)
    .where(accounts.c.id == bindparam("account"))
    .values(debits_posted=bindparam("posted"))
)
BALANCE = select(accounts.c.debits_posted).where(accounts.c.id == bindparam("id"))
FIND_BALANCE = select_statement(BALANCE)
LOCK_BALANCE = select_statement(BALANCE.with_for_update())


@pytest.fixture(params=["sqlite", "inline", pytest.param("postgres", marks=pytest.mark.postgres)])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """A store with the newest schema and no rows."""
    database = InlineDatabase()
    if request.param == "inline":
        store = Store(InlineBackend(database, limits=LIMITS))
    else:
        url = f"sqlite:///{tmp_path}/store.db"
        if request.param == "postgres":
            url = request.getfixturevalue("postgres_url")
        else:
            migrate.upgrade(url)
        store = await Store.open(url, node="test", limits=LIMITS)
    yield store
    await store.close()
    database.close()


async def test_a_unit_s_result_comes_back_and_its_rows_are_there(store: Store) -> None:
    """What `run` returned is what the unit returned, and another unit and a reader see the rows."""
    assert await store.run(put, "region", "GB") == "region"
    assert await store.run(find, "region") == "GB"
    assert await store.read(find, "region") == "GB"


async def test_a_unit_that_raises_leaves_nothing(store: Store) -> None:
    """The unit's own exception reaches its caller, and its writes are gone."""

    def put_and_fail(tx: Tx) -> None:
        put(tx, "half")
        raise LookupError("half-way")

    with pytest.raises(LookupError, match="half-way"):
        await store.run(put_and_fail)
    assert await store.run(keys) == []


async def test_a_failing_unit_does_not_harm_its_neighbours(store: Store) -> None:
    """Of many units at once, exactly those that raise are undone."""

    def put_unless_odd(tx: Tx, number: int) -> None:
        put(tx, f"{number:02}")
        if number % 2:
            raise ValueError(number)

    results = await asyncio.gather(
        *(store.run(put_unless_odd, number) for number in range(20)), return_exceptions=True
    )
    assert [isinstance(result, ValueError) for result in results] == [False, True] * 10
    assert await store.run(keys) == [f"{number:02}" for number in range(0, 20, 2)]


async def test_a_unit_reads_its_own_writes(store: Store) -> None:
    """A read after a write in the same unit sees the write."""

    def put_and_find(tx: Tx) -> str | None:
        put(tx, "a", "1")
        return find(tx, "a")

    assert await store.run(put_and_find) == "1"


async def test_a_broken_promise_of_a_row_is_an_error_and_undoes_the_unit(store: Store) -> None:
    """A second row with the same key fails the unit, whichever statement notices it."""

    def put_twice(tx: Tx) -> None:
        put(tx, "first")
        put(tx, "first")

    with pytest.raises(Exception, match=r"(?i)unique|duplicate") as failure:
        await store.run(put_twice)
    assert type(failure.value).__name__ in {"IntegrityError", "UniqueViolation"}
    assert await store.run(keys) == []
    assert await store.run(put, "first") == "first"


async def test_no_debit_is_lost_among_units_that_read_then_write(store: Store) -> None:
    """One hundred concurrent read-then-write debits add up exactly."""

    def open_account(tx: Tx) -> None:
        tx.write(OPEN_ACCOUNT, id="a")

    def debit(tx: Tx) -> None:
        row = tx.one(LOCK_BALANCE, id="a")
        assert row is not None
        tx.write(ADD_DEBIT, account="a", posted=row[0] + 9)

    await store.run(open_account)
    await asyncio.gather(*(store.run(debit) for _ in range(100)))
    assert await store.read(lambda tx: tx.one(FIND_BALANCE, id="a")) == (900,)


@pytest.mark.parametrize(
    ("statement", "touched", "value"),
    [
        (PUT_ONCE, 0, "old"),
        (PUT_OR_CHANGE, 1, "new"),
    ],
    ids=["do nothing", "do update"],
)
async def test_upserts_mean_the_same_everywhere(
    store: Store, statement: Statement[Row], touched: int, value: str
) -> None:
    """ON CONFLICT tells by its row count whether anything was written."""
    await store.run(put, "k", "old")

    def upsert(tx: Tx) -> tuple[int, int]:
        return tx.run(statement, key="fresh", value="x"), tx.run(statement, key="k", value="new")

    assert await store.run(upsert) == (1, touched)
    assert await store.run(find, "k") == value


async def test_run_counts_the_rows_it_touched(store: Store) -> None:
    """An UPDATE that finds its row says one, one that does not says none."""
    await store.run(put, "k", "old")

    def change(tx: Tx) -> list[int]:
        return [tx.run(CHANGE, which="k", new="1"), tx.run(CHANGE, which="none", new="1")]

    assert await store.run(change) == [1, 0]


async def test_values_and_constants_reach_their_places(store: Store) -> None:
    """A statement with a list of constants and values of its own touches exactly what it names."""
    change = write_statement(
        update(facts)
        .where(facts.c.key.in_(["a", "b"]), facts.c.value == bindparam("old"))
        .values(value=bindparam("new"))
    )

    def change_two(tx: Tx) -> int:
        rows = [("a", "1"), ("b", "2"), ("c", "1")]
        tx.run_many(PUT, [{"key": key, "value": value} for key, value in rows])
        return tx.run(change, old="1", new="9")

    assert await store.run(change_two) == 1
    assert [await store.run(find, key) for key in "abc"] == ["9", "2", "1"]


async def test_returning_gives_the_written_row(store: Store) -> None:
    """INSERT … RETURNING comes back as a row."""

    def put_returning(tx: Tx) -> Row | None:
        return tx.one(PUT_RETURNING, key="k", value="v")

    assert await store.run(put_returning) == ("k",)


async def test_many_rows_are_written_by_one_call(store: Store) -> None:
    """`run_many` writes every row, counts as one statement, and takes an empty list."""

    def put_many(tx: Tx) -> int:
        tx.run_many(PUT, [])
        tx.run_many(PUT, [{"key": f"{number:03}", "value": ""} for number in range(64)])
        return tx.statements

    assert await store.run(put_many) == 1
    assert len(await store.run(keys)) == 64


async def test_locking_clauses_are_understood_or_dropped(store: Store) -> None:
    """FOR UPDATE SKIP LOCKED runs on both databases."""
    await store.run(put, "k", "v")

    def find_locked(tx: Tx) -> Row | None:
        return tx.one(FIND_LOCKED, key="k")

    assert await store.run(find_locked) == ("v",)


@pytest.mark.parametrize("values", [{}, {"keys": "k"}, {"key": "k", "more": "x"}])
async def test_wrong_values_are_refused_before_they_reach_the_database(
    store: Store, values: dict[str, str]
) -> None:
    """A missing, misnamed or superfluous value is a TypeError that names the statement."""
    with pytest.raises(TypeError, match="the statement takes"):
        await store.run(lambda tx: tx.one(FIND, **values))
    assert await store.run(keys) == []


async def test_callbacks_run_in_order_after_the_commit_and_before_the_answer(store: Store) -> None:
    """`after_commit` keeps its order, sees the loop, and is dropped with a unit that fails."""
    heard: list[str] = []

    def put_and_call(tx: Tx, key: str) -> None:
        tx.after_commit(lambda: heard.append(f"{key} 1 {asyncio.get_running_loop().is_running()}"))
        put(tx, key)
        tx.after_commit(lambda: heard.append(f"{key} 2"))
        if key == "bad":
            raise ValueError(key)

    await store.run(put_and_call, "good")
    assert heard == ["good 1 True", "good 2"]
    with pytest.raises(ValueError, match="bad"):
        await store.run(put_and_call, "bad")
    assert len(heard) == 2


async def test_a_reader_cannot_write(store: Store) -> None:
    """A query that writes fails and writes nothing."""
    with pytest.raises(Exception, match=r"(?i)read.?only|cannot execute"):
        await store.read(put, "k")
    assert await store.run(keys) == []


async def test_the_audit_is_one_unbroken_chain_through_failures(store: Store) -> None:
    """Rows of units that were undone leave no gap, and the chains verify."""

    def act(tx: Tx, number: int) -> None:
        tx.audit(AuditEntry(number, "op", "test.acted", f"subject {number}"))
        if number % 3 == 0:
            raise ValueError(number)

    await asyncio.gather(*(store.run(act, number) for number in range(30)), return_exceptions=True)
    assert await store.read(broken_links) == []
    count = await store.read(lambda tx: len(tx.all(select_statement(select(audit.c.seq)))))
    assert count == 20


def _fill_append_only(tx: Tx) -> None:
    """Put one row into each append-only table, every text empty and every number 0."""
    for table in APPEND_ONLY_TABLES:
        texts = {c.name: "" if isinstance(c.type, Text) else 0 for c in table.c}
        tx.write(write_statement(insert(table)), **texts)


@pytest.mark.parametrize("table", APPEND_ONLY_TABLES, ids=lambda table: str(table.name))
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
async def test_what_is_never_changed_refuses_change(store: Store, table: Table, verb: str) -> None:
    """UPDATE and DELETE of append-only rows fail by trigger, and the row stays."""
    await store.run(_fill_append_only)
    column = list(table.c)[-1].name
    change = write_statement(verb.format(table.name, column, column))
    with pytest.raises(Exception, match=f"{table.name} is append-only"):
        await store.run(lambda tx: tx.run(change))
    rows = await store.read(lambda tx: tx.all(select_statement(select(table.c[0]))))
    assert len(rows) == 1


async def test_an_announcement_reaches_whoever_listens(store: Store) -> None:
    """`changes()` yields the topic of a committed unit."""
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def listen() -> None:
        async for topic in store.changes():
            heard.put_nowait(topic)

    def announce(tx: Tx) -> None:
        put(tx, "k")
        tx.announce("call_1")

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.1)
    await store.run(announce)
    async with asyncio.timeout(5):
        while await heard.get() != "call_1":
            pass
    listening.cancel()


async def test_without_news_a_listener_is_told_to_look_anyway(store: Store) -> None:
    """`changes()` yields "" once per poll interval."""
    changes = store.changes()
    async with asyncio.timeout(5):
        assert [await anext(changes), await anext(changes)] == ["", ""]


async def test_statistics_count_units_and_statements(store: Store) -> None:
    """Figures by unit say what one run costs, for budgets."""
    await store.run(put, "a")
    await store.run(put, "b", priority=Priority.NEW)
    await store.run(keys)
    statistics = store.statistics()
    assert (statistics.units, statistics.failed, statistics.statements) == (3, 0, 3)
    assert (statistics.by_unit["put"].runs, statistics.by_unit["put"].most_statements) == (2, 1)
    assert statistics.commits >= 3
    assert (statistics.waiting_running, statistics.waiting_new) == (0, 0)


async def test_a_closed_store_refuses_work(store: Store) -> None:
    """After `close` every unit is a temporary failure."""
    await store.close()
    with pytest.raises(StoreUnavailable):
        await store.run(put, "late")


async def test_a_restored_database_stays_frozen_until_released(store: Store) -> None:
    """The fact that a restore leaves is read and taken away by units."""
    assert await store.read(restored_wall_ms) is None
    assert await store.run(release_restored) is False
    await store.run(put, "restored_wall_ms", "1700000000000")
    assert await store.read(restored_wall_ms) == 1_700_000_000_000
    assert await store.run(release_restored) is True
    assert await store.read(restored_wall_ms) is None
