"""One PostgreSQL connection: what its failures mean to the unit and to the next one."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from call_core.errors import StoreUnavailable
from call_core.storage.audit_chain import AuditChain, AuditEntry, broken_links
from call_core.storage.postgres_session import (
    PostgresReadingConnection,
    PostgresSession,
    Retry,
)
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.storage.waiting import Priority, Work
from tests.support.databases import keys, put

pytestmark = pytest.mark.postgres


@pytest.fixture
def session(postgres_url: str) -> Iterator[PostgresSession]:
    """A session on a database with the newest schema."""
    session = PostgresSession(postgres_url, lock_timeout_ms=1000, chain=AuditChain("a"))
    yield session
    session.close()


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that makes futures nobody awaits."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


def work(loop: asyncio.AbstractEventLoop, unit: Callable[[Tx], Any]) -> Work:
    """Return a unit to run directly."""
    return Work(unit, (), Priority.RUNNING, None, loop.create_future())


def test_an_error_in_a_write_that_was_not_waited_for_comes_out_at_the_commit(
    session: PostgresSession, loop: asyncio.AbstractEventLoop
) -> None:
    """The unit has returned, and still nothing of it is there; the connection goes on."""

    def put_twice(tx: Tx) -> str:
        put(tx, "k")
        put(tx, "k")
        return "looks fine"

    with pytest.raises(psycopg.errors.UniqueViolation):
        session.transact(work(loop, put_twice))
    look = work(loop, keys)
    session.transact(look)
    assert look.result == []


def test_statements_of_a_failed_unit_are_counted(
    session: PostgresSession, loop: asyncio.AbstractEventLoop
) -> None:
    """Budgets see what a unit sent, however it ended."""

    def put_and_fail(tx: Tx) -> None:
        put(tx, "k")
        keys(tx)
        raise LookupError("own")

    with pytest.raises(LookupError):
        session.transact(work(loop, put_and_fail))
    assert session.statements == 2


def test_the_audit_goes_on_after_an_undone_unit(
    session: PostgresSession, loop: asyncio.AbstractEventLoop
) -> None:
    """The chain's end is looked up again, so no row is skipped or doubled."""

    def act(tx: Tx) -> None:
        tx.audit(AuditEntry(0, "op", "test", ""))

    def act_and_fail(tx: Tx) -> None:
        act(tx)
        raise LookupError("own")

    session.transact(work(loop, act))
    with pytest.raises(LookupError):
        session.transact(work(loop, act_and_fail))
    session.transact(work(loop, act))
    look = work(loop, broken_links)
    session.transact(look)
    assert look.result == []


def test_a_lost_connection_is_worth_another_try(
    session: PostgresSession, loop: asyncio.AbstractEventLoop
) -> None:
    """The next unit gets a new connection."""
    session.connected().close()
    with pytest.raises(Retry):
        session.transact(work(loop, keys))
    look = work(loop, keys)
    session.transact(look)
    assert look.result == []


def test_an_error_of_the_statement_is_the_unit_s_own(
    session: PostgresSession, loop: asyncio.AbstractEventLoop
) -> None:
    """A table that is not there is our bug, not the database's weakness."""
    wrong = select_statement("SELECT 1 FROM no_such_table")
    with pytest.raises(psycopg.errors.UndefinedTable):
        session.transact(work(loop, lambda tx: tx.all(wrong)))


def test_a_reading_connection_survives_a_restart_of_the_server(
    postgres_url: str, loop: asyncio.AbstractEventLoop
) -> None:
    """A query on a connection that died is asked once more; a write is refused."""
    reading = PostgresReadingConnection(postgres_url, lock_timeout_ms=1000)
    first, second, writing = work(loop, keys), work(loop, keys), work(loop, lambda tx: put(tx, "k"))
    reading.read(first)
    with psycopg.connect(postgres_url, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE application_name = 'callgate'"
        )
    reading.read(second)
    assert (second.result, second.error) == ([], None)
    reading.read(writing)
    assert isinstance(writing.error, StoreUnavailable)
    assert "ReadOnly" in str(writing.error)
    reading.close()


def test_a_server_that_is_away_fails_the_query(loop: asyncio.AbstractEventLoop) -> None:
    """Nobody listens: the caller is told at once."""
    reading = PostgresReadingConnection("postgresql://x@/x?host=/nonexistent", lock_timeout_ms=1)
    query = work(loop, keys)
    reading.read(query)
    assert isinstance(query.error, StoreUnavailable)
    reading.close()
