"""SQLite: how its connections are opened, the transaction units get, and which failures are whose.

The pragmas are the promise: write-ahead log, `synchronous=FULL` (a commit is on the disk before it
returns) and foreign keys; they are read back, because SQLite ignores what it cannot grant.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from call_core.errors import StoreUnavailable
from call_core.storage.audit_chain import AuditChain
from call_core.storage.statements import DialectName, RowT, Statement, Value
from call_core.storage.transaction import Tx

CACHED_STATEMENTS = 512
_FULL_SYNC = 2
_PRIMARY_CODE = 0xFF
_TEMPORARY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOTADB,
    }
)
"""Failures of the disk or the database as a whole, not of one unit."""

Connect = Callable[..., sqlite3.Connection]


def open_sqlite(
    path: Path, *, create: bool, busy_timeout_ms: int, connect: Connect = sqlite3.connect
) -> sqlite3.Connection:
    """Open the file for writing, with every promise checked.

    Args:
        path: the database file.
        create: make the file and its directory when they are missing.
        busy_timeout_ms: how long to wait for another process that writes.
        connect: `sqlite3.connect`, or one that fails on purpose.

    Raises:
        StoreUnavailable: the file is missing, cannot be opened or does not grant a promise.
    """
    location = path.absolute()
    if create:
        location.parent.mkdir(parents=True, exist_ok=True)
    elif not location.is_file():
        raise StoreUnavailable(f"there is no database at {location}; create it first")
    try:
        connection = _connect(location, "rwc" if create else "rw", busy_timeout_ms, connect)
        _assert_promises(connection, location)
    except sqlite3.Error as error:
        raise unavailable(error, location) from error
    return connection


def open_sqlite_reader(path: Path, *, busy_timeout_ms: int) -> sqlite3.Connection:
    """Open the file for reading only. Raises `StoreUnavailable` when that fails."""
    try:
        connection = _connect(path.absolute(), "rw", busy_timeout_ms, sqlite3.connect)
        connection.execute("PRAGMA query_only = ON")
    except sqlite3.Error as error:
        raise unavailable(error, path) from error
    return connection


def open_sqlite_memory() -> sqlite3.Connection:
    """Open an empty database in memory, for the simulated world; it lasts as long as it is open."""
    connection = sqlite3.connect(
        ":memory:",
        isolation_level=None,
        check_same_thread=False,
        cached_statements=CACHED_STATEMENTS,
    )
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")
    return connection


def _connect(path: Path, mode: str, busy_timeout_ms: int, connect: Connect) -> sqlite3.Connection:
    connection = connect(
        f"{path.as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,  # we say BEGIN ourselves; the module's own is deferred
        check_same_thread=False,  # opened by one thread, then used by exactly one other
        cached_statements=CACHED_STATEMENTS,
        timeout=busy_timeout_ms / 1000,
    )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA recursive_triggers = ON")  # INSERT OR REPLACE must fire them too
    return connection


def _assert_promises(connection: sqlite3.Connection, path: Path) -> None:
    promises = {
        "journal_mode": "wal",
        "synchronous": _FULL_SYNC,
        "foreign_keys": 1,
        "recursive_triggers": 1,
    }
    for pragma, promised in promises.items():
        (actual,) = connection.execute(f"PRAGMA {pragma}").fetchone()
        if actual != promised:
            connection.close()
            raise StoreUnavailable(f"{path}: {pragma} is {actual}, it must be {promised}")


def is_temporary(error: BaseException) -> bool:
    """Whether `error` says that the database as a whole could not work, rather than one unit."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, sqlite3.Error) and (
        code is not None and code & _PRIMARY_CODE in _TEMPORARY
    )


def unavailable(error: BaseException, where: object = "SQLite") -> StoreUnavailable:
    """Return the temporary failure that a caller sees instead of the driver's `error`."""
    name = getattr(error, "sqlite_errorname", type(error).__name__)
    return StoreUnavailable(f"{where}: {name}: {error}")


class SqliteTx(Tx):
    """A unit's transaction on SQLite."""

    __slots__ = ("_connection", "_cursor", "_execute")
    dialect = DialectName.SQLITE

    def __init__(self, connection: sqlite3.Connection, chain: AuditChain) -> None:
        super().__init__(chain)
        self._connection = connection
        self._cursor = connection.cursor()
        self._execute: Callable[..., object] = self._cursor.execute

    def all(self, statement: Statement[RowT], /, **values: Value) -> list[RowT]:
        """Return every row."""
        self._send(statement, values)
        rows = self._cursor.fetchall()
        make_row = statement.make_row
        return rows if make_row is None else [make_row(row) for row in rows]

    def run(self, statement: Statement[Any], /, **values: Value) -> int:
        """Write and return how many rows were touched."""
        self._send(statement, values)
        return self._cursor.rowcount

    def write(self, statement: Statement[Any], /, **values: Value) -> None:
        """Write; the same as `run` here, where there is no round trip to save."""
        self._send(statement, values)

    def run_many(self, statement: Statement[Any], rows: Iterable[Mapping[str, Value]]) -> None:
        """Write once per row."""
        compiled = statement.compiled(DialectName.SQLITE)
        arguments = [compiled.arguments(row) for row in rows]
        if not arguments:
            return
        self.statements += 1
        for each in arguments:
            self._guarded(compiled.sql, each)

    def _send(self, statement: Statement[Any], values: Mapping[str, Value]) -> None:
        compiled = statement.compiled(DialectName.SQLITE)
        self.statements += 1
        self._guarded(compiled.sql, compiled.arguments(values))

    def _guarded(self, sql: str, arguments: object) -> None:
        try:
            self._execute(sql, arguments)
        except sqlite3.Error:
            # A full disk ends the whole transaction. What a unit sent after that would be
            # committed at once, statement by statement, so it is refused.
            if not self._connection.in_transaction:
                self._execute = _refuse
            raise


def _refuse(_sql: str, _arguments: object) -> NoReturn:
    raise sqlite3.OperationalError("the transaction was lost by an earlier statement")
