"""PostgreSQL: how its connections are opened, the transaction units get, whose failures are whose.

Statements ride psycopg's pipeline: BEGIN and writes whose row count nobody asks for are sent with
the next statement that needs an answer, so a unit costs about one round trip per read.
"""

import re
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import psycopg
from psycopg import errors
from psycopg.adapt import Buffer, Loader
from psycopg.types.numeric import Int8Dumper

from call_core.errors import StoreUnavailable
from call_core.storage.audit_chain import AuditChain
from call_core.storage.postgres_hosts import primary_of
from call_core.storage.statements import DialectName, Row, RowT, Statement, Value
from call_core.storage.transaction import Tx

NOTIFY_CHANNEL = "callgate"
PREPARED_STATEMENTS = 500
CONNECT_TIMEOUT_S = 5
LOST_PEER_MS = 10_000
"""A server that acknowledges nothing for so long is gone (TCP only)."""
SILENT_UNIT_MS = 5_000
"""A unit that says nothing for so long is rolled back: its process was stopped or cut off, and
another node waits for what it has locked."""
_NOTIFY = f"SELECT pg_notify('{NOTIFY_CHANNEL}', $1)"
_PASSWORD = re.compile(r"(://[^:/@]*):.*@")
_DURABLE_COMMITS = ("on", "remote_apply")

Connection = psycopg.Connection[Row]
CONFLICTS = (errors.SerializationFailure, errors.DeadlockDetected)
"""Failures that another try can cure: two units stood in each other's way."""
_TEMPORARY = (
    psycopg.OperationalError,  # connection lost, server shutting down, disk full, too many clients
    errors.ReadOnlySqlTransaction,  # we reached a standby
    errors.IdleInTransactionSessionTimeout,  # we were stopped for so long
    psycopg.InterfaceError,  # the connection is closed
)


class _WholeNumber(Loader):
    """`sum()` of BIGINT comes back as NUMERIC; we hold whole numbers only."""

    def load(self, data: Buffer) -> int:
        return int(bytes(data))


def open_postgres(url: str, *, lock_timeout_ms: int) -> Connection:
    """Open one connection, to the primary where the URL names several servers.

    Args:
        url: `postgresql://…` or `postgresql+psycopg://…`.
        lock_timeout_ms: how long a statement may wait for another transaction's lock.

    Raises:
        StoreUnavailable: the server cannot be reached or lets nobody in.
    """
    try:
        connection: Connection = primary_of(driver_url(url)).connect(
            partial(
                psycopg.Connection.connect,
                autocommit=True,  # we say BEGIN ourselves
                cursor_factory=psycopg.RawCursor,
                connect_timeout=CONNECT_TIMEOUT_S,
                application_name="callgate",
                options=(
                    f"-c lock_timeout={lock_timeout_ms} "
                    f"-c idle_in_transaction_session_timeout={SILENT_UNIT_MS}"
                ),
                tcp_user_timeout=LOST_PEER_MS,
            )
        )
    except psycopg.Error as error:
        raise unavailable(error) from error
    # One type for every int: by default it depends on the value, and each combination of types
    # would be prepared as a statement of its own.
    connection.adapters.register_dumper(int, Int8Dumper)
    connection.adapters.register_loader("numeric", _WholeNumber)
    connection.prepare_threshold = 0
    connection.prepared_max = PREPARED_STATEMENTS
    return connection


def connect_for_migration(url: str) -> "psycopg.Connection[Any]":
    """Open a connection to the primary as SQLAlchemy wants it.

    Raises:
        psycopg.Error: the server cannot be reached or lets nobody in.
        StoreUnavailable: only an old primary answers.
    """
    return primary_of(driver_url(url)).connect(
        partial(psycopg.Connection.connect, connect_timeout=CONNECT_TIMEOUT_S)
    )


def shown_url(url: str) -> str:
    """Return the URL without its password, for people."""
    return _PASSWORD.sub(r"\1:***@", url)


def driver_url(url: str) -> str:
    """Return the URL as the driver wants it, without SQLAlchemy's `+psycopg`."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def assert_promises(connection: Connection) -> bool:
    """Check that a commit is on the disk before it returns; True when a standby has it too.

    Raises:
        StoreUnavailable: the server may lose what it has committed.
    """
    promises: dict[str, tuple[str, ...]] = {
        "fsync": ("on",),
        "synchronous_commit": _DURABLE_COMMITS,
    }
    for name, promised in promises.items():
        actual = _show(connection, name)
        if actual not in promised:
            raise StoreUnavailable(f"PostgreSQL: {name} is {actual}, it must be {promised[0]}")
    standbys = connection.execute(
        "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'"
    ).fetchone()
    is_synchronous = has_standby(connection)
    if standbys is not None and standbys[0] and not is_synchronous:
        raise StoreUnavailable(
            "PostgreSQL: a standby is connected but synchronous_standby_names is empty, "
            "so what was acknowledged could be missing after a fail-over"
        )
    return is_synchronous


def has_standby(connection: Connection) -> bool:
    """Whether a commit waits until a standby has it."""
    return _show(connection, "synchronous_standby_names") != ""


def _show(connection: Connection, name: str) -> str:
    row = connection.execute("SELECT current_setting($1)", (name,)).fetchone()
    assert row is not None
    return str(row[0])


def is_temporary(error: BaseException) -> bool:
    """Whether `error` says that the database as a whole could not work, rather than one unit."""
    return isinstance(error, _TEMPORARY) and not isinstance(error, CONFLICTS)


def unavailable(error: BaseException) -> StoreUnavailable:
    """Return the temporary failure that a caller sees instead of the driver's `error`."""
    return StoreUnavailable(f"PostgreSQL: {type(error).__name__}: {str(error).strip()}")


class PostgresTx(Tx):
    """A unit's transaction on PostgreSQL.

    Attributes:
        pipeline: the connection's pipeline, set while the unit runs.
    """

    __slots__ = ("_connection", "pipeline")
    dialect = DialectName.POSTGRESQL
    pipeline: psycopg.Pipeline

    def __init__(self, connection: Connection, chain: AuditChain) -> None:
        super().__init__(chain)
        self._connection = connection

    def all(self, statement: Statement[RowT], /, **values: Value) -> list[RowT]:
        """Return every row."""
        rows: list[Any] = self._send(statement, values).fetchall()
        make_row = statement.make_row
        return rows if make_row is None else [make_row(row) for row in rows]

    def run(self, statement: Statement[Any], /, **values: Value) -> int:
        """Write and return how many rows were touched."""
        cursor = self._send(statement, values)
        self.pipeline.sync()
        return cursor.rowcount

    def write(self, statement: Statement[Any], /, **values: Value) -> None:
        """Write; sent with the next statement that needs an answer."""
        self._send(statement, values)

    def run_many(self, statement: Statement[Any], rows: Iterable[Mapping[str, Value]]) -> None:
        """Write once per row; sent with the next statement that needs an answer."""
        compiled = statement.compiled(DialectName.POSTGRESQL)
        arguments = [compiled.arguments(row) for row in rows]
        if not arguments:
            return
        self.statements += 1
        for each in arguments:
            self._connection.execute(compiled.query, each)

    def announce(self, topic: str) -> None:
        """Queue a NOTIFY; the server sends it when this transaction commits."""
        self.statements += 1
        self._connection.execute(_NOTIFY, (topic,))

    def _send(
        self, statement: Statement[Any], values: Mapping[str, Value]
    ) -> "psycopg.Cursor[Row]":
        compiled = statement.compiled(DialectName.POSTGRESQL)
        self.statements += 1
        return self._connection.execute(compiled.query, compiled.arguments(values))
