"""Reader threads: one state, read-only, errors to their caller, and a clean end."""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from call_core.errors import StoreUnavailable
from call_core.storage.readers import Readers, SqliteReadingConnection
from call_core.storage.sqlite import open_sqlite_reader
from call_core.storage.transaction import Tx
from call_core.storage.waiting import Priority, StoreLimits, WaitingWork, Work
from tests.support.databases import keys, put, sqlite_file


def work(query: Callable[[Tx], Any]) -> Work:
    """Return a query that waits for its answer."""
    return Work(query, (), Priority.NEW, None, asyncio.get_running_loop().create_future())


def fail(_tx: Tx) -> None:
    """Raise an error of the query's own."""
    raise LookupError("own")


def lose_disk(_tx: Tx) -> None:
    """Raise what the driver says when the disk is gone."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_READ
    raise error


@pytest.mark.anyio
async def test_every_query_is_answered_and_the_threads_end(tmp_path: Path) -> None:
    """Results and errors go to their callers; what is queued at closing is still answered."""
    path = sqlite_file(tmp_path)
    waiting = WaitingWork(asyncio.get_running_loop(), StoreLimits())
    connections = [
        SqliteReadingConnection(open_sqlite_reader(path, busy_timeout_ms=100)) for _ in range(2)
    ]
    readers = Readers([*connections], waiting)
    queries = [work(keys), work(fail), work(lose_disk), work(lambda tx: put(tx, "k")), work(keys)]
    for query in queries:
        waiting.put(query)
    waiting.close()
    readers.start()
    await asyncio.to_thread(readers.join)
    answers = await asyncio.gather(*(query.future for query in queries), return_exceptions=True)
    assert answers[0] == answers[4] == []
    assert isinstance(answers[1], LookupError)
    assert isinstance(answers[2], StoreUnavailable)
    assert isinstance(answers[3], StoreUnavailable)
    assert "READONLY" in str(answers[3])


def test_a_reader_needs_a_database(tmp_path: Path) -> None:
    """A file that is not there is a temporary failure, and is not made."""
    with pytest.raises(StoreUnavailable, match="CANTOPEN"):
        open_sqlite_reader(tmp_path / "missing.db", busy_timeout_ms=100)
    assert list(tmp_path.iterdir()) == []
