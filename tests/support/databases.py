"""Units and database files that the tests of the store share."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

from sqlalchemy import bindparam, insert, select

from call_core.storage import migrate
from call_core.storage.runner_sqlite import SqliteBackend
from call_core.storage.sqlite import Connect
from call_core.storage.statements import select_statement, write_statement
from call_core.storage.store import Store
from call_core.storage.tables import facts
from call_core.storage.transaction import Probe, Tx
from call_core.storage.waiting import StoreLimits

PUT = write_statement(insert(facts), name="put fact")
FIND = select_statement(select(facts.c.value).where(facts.c.key == bindparam("key")))
KEYS = select_statement(select(facts.c.key).order_by(facts.c.key))


def put(tx: Tx, key: str, value: str = "") -> str:
    """Write one fact and return its key."""
    tx.write(PUT, key=key, value=value)
    return key


def find(tx: Tx, key: str) -> str | None:
    """Return a fact's value."""
    row = tx.one(FIND, key=key)
    return None if row is None else str(row[0])


def is_there(tx: Tx, key: str) -> bool:
    """Whether the fact `key` is there: the probe of the tests."""
    return tx.one(FIND, key=key) is not None


def keys(tx: Tx) -> list[str]:
    """Return every fact's key."""
    return [str(key) for (key,) in tx.all(KEYS)]


def sqlite_file(directory: Path) -> Path:
    """Return a new database file with the newest schema."""
    path = directory / "store.db"
    migrate.upgrade(f"sqlite:///{path}")
    return path


def rows_of(path: Path, query: str = "SELECT key FROM facts ORDER BY key") -> Sequence[str]:
    """Return the first column of `query`, read by a connection of its own."""
    with closing(sqlite3.connect(path)) as connection:
        return [str(row[0]) for row in connection.execute(query)]


@asynccontextmanager
async def opened_sqlite(
    path: Path,
    *,
    connect: Connect | None = None,
    probe: Probe | None = None,
    limits: StoreLimits | None = None,
) -> AsyncIterator[Store]:
    """A store on `path`, closed at the end."""
    backend = SqliteBackend(
        path,
        node="test",
        create=False,
        limits=limits or StoreLimits(),
        probe=probe,
        connect=connect,
    )
    store = Store(backend)
    yield store
    await store.close()


class Gate:
    """A unit that holds the writer until told, so that others must wait."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._opened = threading.Event()

    def unit(self, tx: Tx) -> None:
        """Write, then wait for `open`."""
        put(tx, "gate")
        self.entered.set()
        assert self._opened.wait(10)

    def open(self) -> None:
        """Let the writer go on."""
        self._opened.set()


async def held(store: Store, gate: Gate) -> "asyncio.Task[None]":
    """Start the gate's unit and return when the writer is inside it."""
    task = asyncio.create_task(store.run(gate.unit))
    await asyncio.to_thread(gate.entered.wait, 5)
    return task
