"""Readers: a few threads with read-only connections, so that no page or export holds up a unit."""

import sqlite3
import threading
from typing import Protocol

from call_core.storage.audit_chain import AuditChain
from call_core.storage.sqlite import SqliteTx, is_temporary, unavailable
from call_core.storage.waiting import WaitingWork, Work

_IDLE_S = 0.5


class ReadingConnection(Protocol):
    """What one reader thread uses."""

    def read(self, work: Work) -> None:
        """Run the query on one consistent state of the database and set its result or error."""

    def close(self) -> None:
        """Give the connection back."""


class SqliteReadingConnection:
    """A `query_only` connection; the write-ahead log lets it read while the writer commits."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._chain = AuditChain("reader")

    def read(self, work: Work) -> None:
        """Run the query in one read transaction."""
        try:
            self._connection.execute("BEGIN")
            work.result = work.unit(SqliteTx(self._connection, self._chain), *work.arguments)
        except BaseException as error:  # noqa: BLE001  (it belongs to the caller)
            work.fail(unavailable(error) if is_temporary(error) else error)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Readers:
    """The reader threads, all fed from one queue.

    Args:
        connections: one per thread.
        waiting: where queries come from and answers go to.
    """

    def __init__(self, connections: list[ReadingConnection], waiting: WaitingWork) -> None:
        self._waiting = waiting
        self._threads = [
            threading.Thread(
                target=self._serve, args=(connection,), name="store-reader", daemon=True
            )
            for connection in connections
        ]

    def start(self) -> None:
        """Begin to take queries."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until what was queued is done. Close the queue first."""
        for thread in self._threads:
            thread.join()

    def _serve(self, connection: ReadingConnection) -> None:
        while not self._waiting.is_drained:
            work = self._waiting.take(_IDLE_S)
            if work is not None:
                connection.read(work)
                self._waiting.answer([work])
        connection.close()
