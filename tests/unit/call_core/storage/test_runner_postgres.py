"""The pool on a real PostgreSQL: conflicts, lost connections, unknown commits, promises."""

import asyncio
import random
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from sqlalchemy import bindparam, update

from call_core.errors import CommitUnknown, StoreUnavailable
from call_core.storage.statements import select_statement, write_statement
from call_core.storage.store import Store
from call_core.storage.tables import facts
from call_core.storage.transaction import Probe, Tx
from call_core.storage.waiting import StoreLimits
from tests.support.databases import find, is_there, keys, put

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]

LIMITS = StoreLimits(writer_threads=4, max_wait_ms=5000, poll_s=30)
CHANGE = write_statement(
    update(facts).where(facts.c.key == bindparam("which")).values(value=facts.c.value + "x")
)
MY_PID = select_statement("SELECT pg_backend_pid()")


@asynccontextmanager
async def opened(
    url: str, *, probe: Probe | None = None, limits: StoreLimits = LIMITS
) -> AsyncIterator[Store]:
    """A store on `url`, closed at the end."""
    jitter = random.Random(1)  # noqa: S311  (repeatable, guards nothing)
    store = await Store.open(url, node="test", probe=probe, limits=limits, jitter=jitter)
    yield store
    await store.close()


def kill_backend(url: str, pid: int) -> None:
    """End the server's side of a connection, as a crash or an operator would, and wait for it."""
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


async def test_deadlocks_are_tried_again(postgres_url: str) -> None:
    """Two units that lock two rows in opposite order both succeed."""
    meet = threading.Barrier(2, timeout=10)
    first_time = threading.local()

    def change_both(tx: Tx, first: str, second: str) -> None:
        tx.run(CHANGE, which=first)
        if not getattr(first_time, "over", False):
            first_time.over = True
            meet.wait()
        tx.run(CHANGE, which=second)

    limits = StoreLimits(writer_threads=2, max_wait_ms=20_000)
    async with opened(postgres_url, limits=limits) as store:
        await store.run(put, "a")
        await store.run(put, "b")
        await asyncio.gather(store.run(change_both, "a", "b"), store.run(change_both, "b", "a"))
        assert [await store.run(find, key) for key in "ab"] == ["xx", "xx"]
        assert store.statistics().repeated == 1


async def test_a_connection_lost_before_the_commit_costs_the_caller_nothing(
    postgres_url: str,
) -> None:
    """The unit runs once more on a new connection."""
    runs = 0

    def put_on_killed_connection(tx: Tx) -> str:
        nonlocal runs
        runs += 1
        if runs == 1:
            pid = tx.all(MY_PID)[0][0]
            kill_backend(postgres_url, pid)
        return put(tx, f"run {runs}")

    async with opened(postgres_url, probe=is_there) as store:
        assert await store.run(put_on_killed_connection, key="run 1") == "run 2"
        assert await store.run(keys) == ["run 2"]
    assert runs == 2


async def test_an_idle_connection_that_died_costs_nobody_anything(postgres_url: str) -> None:
    """After the server dropped every connection, units and queries go on."""
    async with opened(postgres_url) as store:
        await store.run(put, "before")
        assert await store.read(keys) == ["before"]
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE application_name = 'callgate'"
            )
        await asyncio.gather(*(store.run(put, str(number)) for number in range(8)))
        assert len(await store.read(keys)) == 9


def drop_at_commit(when: str) -> str:
    """Return SQL that loses the connection inside the COMMIT of whoever writes `facts`."""
    return f"""
    CREATE FUNCTION drop_me() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN {when} RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER drop_me AFTER INSERT ON facts DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION drop_me()
    """


@pytest.mark.parametrize(("key", "told"), [("k", "done"), (None, "unknown")])
async def test_a_connection_lost_inside_the_commit_is_looked_up(
    postgres_url: str, key: str | None, told: str
) -> None:
    """COMMIT was sent and no answer came: with a key the store looks, without one it says so."""
    with psycopg.connect(postgres_url, autocommit=True) as other:
        # The first INSERT with value '' dies inside COMMIT, in a deferred trigger.
        other.execute("CREATE SEQUENCE tries")
        other.execute(
            drop_at_commit(
                "IF nextval('tries') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); "
                "PERFORM pg_sleep(1); END IF;"
            )
        )
    async with opened(postgres_url, probe=is_there) as store:
        if told == "done":
            assert await store.run(put, "k", key=key) == "k"
            assert await store.run(keys) == ["k"]
        else:
            with pytest.raises(CommitUnknown):
                await store.run(put, "k", key=key)
            assert await store.run(keys) == []


async def test_a_server_that_is_away_is_a_temporary_failure() -> None:
    """Nobody listens: opening says so."""
    with pytest.raises(StoreUnavailable, match="OperationalError"):
        await Store.open("postgresql://postgres@/x?host=/nonexistent")


async def test_a_lock_that_is_not_given_back_is_a_temporary_failure(postgres_url: str) -> None:
    """After `max_wait_ms` the unit is given back instead of holding its thread for ever."""
    async with opened(postgres_url, limits=StoreLimits(max_wait_ms=200)) as store:
        await store.run(put, "k")
        with psycopg.connect(postgres_url) as other:
            other.execute("UPDATE facts SET value = 'held'")
            with pytest.raises(StoreUnavailable, match="LockNotAvailable"):
                await store.run(lambda tx: tx.run(CHANGE, which="k"))
            other.rollback()
        assert await store.run(lambda tx: tx.run(CHANGE, which="k")) == 1


async def test_announcements_cross_processes(postgres_url: str) -> None:
    """What one store announces, another hears; an undone unit announces nothing."""

    def announce(tx: Tx, topic: str) -> None:
        tx.announce(topic)
        if topic == "undone":
            raise ValueError(topic)

    async with opened(postgres_url) as ours, opened(postgres_url) as theirs:
        changes = theirs.changes()
        async with asyncio.timeout(5):
            assert await anext(changes) == ""
            with pytest.raises(ValueError, match="undone"):
                await ours.run(announce, "undone")
            await ours.run(announce, "call_1")
            assert await anext(changes) == "call_1"
        await changes.aclose()


async def test_the_location_hides_the_password(postgres_url: str) -> None:
    """What is printed at the start can be shown to anybody."""
    async with opened(postgres_url.replace("postgres@", "postgres:secret@")) as store:
        assert "secret" not in store.location
        assert store.location.startswith("postgresql://")


async def test_a_sum_of_micros_comes_back_as_an_int(postgres_url: str) -> None:
    """PostgreSQL adds BIGINT up as NUMERIC; money never turns into Decimal."""
    total = select_statement("SELECT sum(x) FROM (VALUES (1::BIGINT), (2::BIGINT)) AS t (x)")
    async with opened(postgres_url) as store:
        row = await store.read(lambda tx: tx.one(total))
    assert row == (3,)
    assert isinstance(row[0], int)
