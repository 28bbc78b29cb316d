"""What every transaction does alike: first rows, callbacks, topics, audit."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from call_core.storage.audit_chain import AuditChain, AuditEntry
from call_core.storage.migrate import fill_memory
from call_core.storage.sqlite import SqliteTx
from call_core.storage.statements import select_statement
from tests.support.databases import FIND, put


@pytest.fixture
def tx() -> Iterator[SqliteTx]:
    """A transaction on an empty database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        fill_memory(connection)
        yield SqliteTx(connection, AuditChain("a"))


def test_one_is_the_first_row_or_none(tx: SqliteTx) -> None:
    """Rows behind the first are not an error; no row is not one either."""
    assert tx.one(FIND, key="k") is None
    put(tx, "a", "1")
    put(tx, "b", "2")
    assert tx.one(select_statement("SELECT value FROM facts ORDER BY key")) == ("1",)


def test_what_follows_the_commit_is_only_collected(tx: SqliteTx) -> None:
    """Neither callbacks nor topics act before the runner says so."""
    heard: list[int] = []
    tx.after_commit(lambda: heard.append(1))
    tx.announce("call_1")
    assert (heard, tx.topics, len(tx.callbacks)) == ([], ["call_1"], 1)


def test_every_statement_is_counted(tx: SqliteTx) -> None:
    """Reads, writes, and the two of the first audit row."""
    tx.one(FIND, key="k")
    put(tx, "k")
    tx.audit(AuditEntry(0, "op", "test", ""))
    assert tx.statements == 4
