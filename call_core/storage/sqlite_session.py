"""One writing SQLite connection: runs units, knows what became of a commit, runs units again."""

import enum
import functools
import sqlite3
import time
from collections.abc import Callable

from call_core.errors import CommitUnknown, StoreUnavailable
from call_core.storage.audit_chain import AuditChain
from call_core.storage.figures import Figures
from call_core.storage.sqlite import SqliteTx, is_temporary, unavailable
from call_core.storage.transaction import Probe
from call_core.storage.waiting import Work

TURN_S = 0.000_3
"""How often it is looked whether another process has ended its transaction."""
_PRIMARY_CODE = 0xFF


class Ending(enum.Enum):
    """What is known about a transaction after COMMIT was sent."""

    COMMITTED = enum.auto()
    LOST = enum.auto()
    UNKNOWN = enum.auto()


class SqliteSession:
    """One writing connection: runs units inside its transaction, and again when that was lost.

    Args:
        connection: from `open_sqlite`; used by one thread at a time.
        chain: this connection's audit chain.
        figures: where runs are counted.
        probe: `probe(tx, key)` tells whether what `key` names was committed.
        on_announce: called on the event loop with each topic that a committed unit announced.
        patience_ms: how long to wait for another process that writes.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        chain: AuditChain,
        figures: Figures,
        probe: Probe | None,
        on_announce: Callable[[str], object],
        patience_ms: int = 0,
    ) -> None:
        connection.execute("PRAGMA busy_timeout = 0")  # `begin` waits
        self._patience_s = patience_ms / 1000
        self.connection = connection
        self.chain = chain
        self._figures = figures
        self._probe = probe
        self._on_announce = on_announce
        self._changes_at_begin = 0

    def begin(self) -> None:
        """Start a transaction that may write; another process may have to end its own first.

        SQLite would wait in steps of up to 100 ms, while a commit takes a few.

        Raises:
            sqlite3.Error: such as busy, for too long.
        """
        self._changes_at_begin = self.connection.total_changes
        until_s = time.monotonic() + self._patience_s
        while True:
            try:
                self.connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until_s:
                    raise
                time.sleep(TURN_S)
            else:
                return

    def execute(self, work: Work) -> bool:
        """Run one unit under its own savepoint; False when the whole transaction is gone."""
        work.error = None
        tx = SqliteTx(self.connection, self.chain)
        try:
            self.connection.execute("SAVEPOINT unit")
            work.result = work.unit(tx, *work.arguments)
            work.callbacks = tx.callbacks
            for topic in tx.topics:
                work.callbacks.append(functools.partial(self._on_announce, topic))
            self.connection.execute("RELEASE unit")
        except BaseException as error:  # noqa: BLE001  (whatever it is, it belongs to its caller)
            work.fail(unavailable(error) if is_temporary(error) else error)
            self.chain.forget()
            return self._undo_unit()
        finally:
            self._figures.ran(work.name, tx.statements, failed=work.error is not None)
        return self.connection.in_transaction

    def _undo_unit(self) -> bool:
        if not self.connection.in_transaction:
            return False
        try:
            self.connection.execute("ROLLBACK TO unit")
            self.connection.execute("RELEASE unit")
        except sqlite3.Error:
            return False
        return True

    def commit(self, units: int) -> tuple[Ending, sqlite3.Error | None]:
        """Make the transaction durable, and tell what is known when that failed."""
        wrote = self.connection.total_changes != self._changes_at_begin
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            # Still open, or a disk that was full before the commit mark could be written: gone
            # for certain. Anything else may or may not be found again after a crash.
            code = getattr(error, "sqlite_errorcode", None)
            certain = self.connection.in_transaction or code == sqlite3.SQLITE_FULL
            self.rollback()
            return (Ending.LOST if certain else Ending.UNKNOWN), error
        self._figures.committed(units, wrote=wrote)
        return Ending.COMMITTED, None

    def rollback(self) -> None:
        """Undo whatever is open; never raises."""
        self.chain.forget()
        try:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        except sqlite3.Error:
            return

    def again(self, work: Work) -> None:
        """Run a unit alone in a transaction of its own; what fails now is a temporary failure."""
        self._figures.repeating()
        try:
            self.begin()
        except sqlite3.Error as error:
            work.fail(unavailable(error))
            return
        if not self.execute(work):
            self.rollback()
            work.fail(work.error or StoreUnavailable("SQLite: the transaction was lost again"))
            return
        ending, failure = self.commit(1)
        if ending is Ending.LOST:
            assert failure is not None
            work.fail(unavailable(failure))
        elif ending is Ending.UNKNOWN:
            self._fail_unless_found(work, failure)

    def settle_unknown(self, work: Work, failure: sqlite3.Error | None) -> None:
        """After a commit whose fate is unknown: look for the unit's key before it runs again."""
        if work.error is not None:  # it was rolled back by itself, so nothing of it can be there
            self.again(work)
            return
        found = self._find(work)
        if found is None:
            work.fail(_unknown(failure))
        elif not found:
            self.again(work)

    def _fail_unless_found(self, work: Work, failure: sqlite3.Error | None) -> None:
        if work.error is None and not self._find(work):
            work.fail(_unknown(failure))

    def _find(self, work: Work) -> bool | None:
        """Whether the unit's key is in the database; None when that cannot be told."""
        if self._probe is None or work.key is None:
            return None
        try:
            self.connection.execute("BEGIN")
            return self._probe(SqliteTx(self.connection, self.chain), work.key)
        except sqlite3.Error:
            return None
        finally:
            self.rollback()


def _unknown(failure: sqlite3.Error | None) -> CommitUnknown:
    unknown = CommitUnknown(f"SQLite: {failure}")
    unknown.__cause__ = failure
    return unknown
