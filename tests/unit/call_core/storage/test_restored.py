"""The fact that freezes a restored database."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from call_core.storage.audit_chain import AuditChain
from call_core.storage.migrate import fill_memory
from call_core.storage.restored import mark_texts, release_restored, restored_wall_ms
from call_core.storage.sqlite import SqliteTx


@pytest.fixture
def tx() -> Iterator[SqliteTx]:
    """A transaction on an empty database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        fill_memory(connection)
        yield SqliteTx(connection, AuditChain("a"))


def mark(tx: SqliteTx, now_wall_ms: int) -> None:
    """Freeze the database as a restore does."""
    for text in mark_texts(now_wall_ms):
        tx._connection.execute(text)  # noqa: SLF001  (a restore has no unit to run in)


def test_a_database_is_frozen_from_its_last_restore_until_released(tx: SqliteTx) -> None:
    """A second restore replaces the instant; a release is counted once."""
    assert restored_wall_ms(tx) is None
    mark(tx, 1000)
    mark(tx, 2000)
    assert restored_wall_ms(tx) == 2000
    assert (release_restored(tx), release_restored(tx)) == (True, False)
    assert restored_wall_ms(tx) is None
