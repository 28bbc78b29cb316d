"""One PostgreSQL connection that runs units: what a failure means, and when to open another."""

import psycopg

from call_core.storage.audit_chain import AuditChain
from call_core.storage.postgres import (
    CONFLICTS,
    Connection,
    PostgresTx,
    is_temporary,
    open_postgres,
    unavailable,
)
from call_core.storage.waiting import Work


class Retry(Exception):
    """The unit's transaction is gone and it may be run again; `__cause__` says why."""


class Unknown(Exception):
    """COMMIT was sent and the connection was lost; `__cause__` says how."""


class PostgresSession:
    """One connection, opened when needed and again after it was lost; used by one thread.

    Args:
        url: where the database is.
        lock_timeout_ms: how long a statement may wait for a lock.
        chain: this connection's audit chain.
        begin: the text that starts a transaction.

    Attributes:
        statements: how many statements the last unit sent.
    """

    def __init__(
        self, url: str, *, lock_timeout_ms: int, chain: AuditChain, begin: bytes = b"BEGIN"
    ) -> None:
        self._url = url
        self._lock_timeout_ms = lock_timeout_ms
        self._chain = chain
        self._begin = begin
        self._connection: Connection | None = None
        self.statements = 0

    def transact(self, work: Work) -> None:
        """Run the unit in one transaction and set its result.

        Raises:
            Retry: nothing was committed, and another try may succeed.
            Unknown: the commit may or may not have happened.
            Exception: the unit's own error, or `StoreUnavailable`; nothing was committed.
        """
        self.statements = 0
        connection = self.connected()
        tx = PostgresTx(connection, self._chain)
        sent_commit = False
        try:
            with connection.pipeline() as tx.pipeline:
                connection.execute(self._begin, prepare=False)
                work.result = work.unit(tx, *work.arguments)
                work.callbacks = tx.callbacks
                sent_commit = True
                connection.execute(b"COMMIT", prepare=False)
        except BaseException as error:
            self._chain.forget()
            self._undo(connection)
            raise self._verdict(error, sent_commit=sent_commit) from error
        finally:
            self.statements = tx.statements

    def _verdict(self, error: BaseException, *, sent_commit: bool) -> BaseException:
        is_lost = self._connection is None
        if isinstance(error, CONFLICTS):
            return Retry()
        if not is_temporary(error):
            return error
        if is_lost:
            return Unknown() if sent_commit else Retry()
        return unavailable(error)

    def _undo(self, connection: Connection) -> None:
        """Leave the connection ready for the next unit, or drop it."""
        try:
            if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE:
                connection.execute(b"ROLLBACK", prepare=False)
        except psycopg.Error:
            connection.close()
        if connection.closed:
            self._connection = None

    def connected(self) -> Connection:
        """Return the connection, opening it when there is none. Raises `StoreUnavailable`."""
        if self._connection is None:
            self._connection = open_postgres(self._url, lock_timeout_ms=self._lock_timeout_ms)
        return self._connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresReadingConnection:
    """A connection whose transactions are read-only and see one state of the database."""

    def __init__(self, url: str, *, lock_timeout_ms: int) -> None:
        self._session = PostgresSession(
            url,
            lock_timeout_ms=lock_timeout_ms,
            chain=AuditChain("reader"),
            begin=b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        )

    def read(self, work: Work) -> None:
        """Run the query; once more on a new connection when the old one was lost."""
        for _ in range(2):
            try:
                self._session.transact(work)
            except (Retry, Unknown) as lost:  # nothing was written, so both mean the same
                work.fail(unavailable(lost.__cause__ or lost))
            except BaseException as error:  # noqa: BLE001  (it belongs to the caller)
                work.fail(error)
                return
            else:
                work.error = None
                return

    def close(self) -> None:
        """Close the connection."""
        self._session.close()
