"""Schema migrations: which revision a database is at, and how it gets to the newest.

Migrations only go forward: append-only tables cannot be taken apart, a backup is the way back. One
run is one transaction on both databases, so a database is at the old revision or at the new one.
"""

import functools
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.pool import NullPool

OWNER_ONLY = 0o600
MIGRATIONS = Path(__file__).parent / "migrations"
_ONE_AT_A_TIME = 7_277_461
"""Key of PostgreSQL's advisory lock: two nodes that start together migrate one after the other."""


def upgrade(url: str, revision: str = "head") -> str:
    """Bring the database to a revision and return it; SQLite's file is made if missing.

    Args:
        url: where the database is.
        revision: the newest, or the one that a backup was made at.

    Raises:
        sqlalchemy.exc.DBAPIError: the database cannot be reached or refuses; it is unchanged.
    """
    config = _config()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    path = _sqlite_path(url)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It will hold telephone numbers and hashes of secrets: its owner's only, from the start.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))
    with begin(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        reached = MigrationContext.configure(connection).get_current_revision()
    assert reached is not None
    return reached


def fill_memory(connection: sqlite3.Connection) -> None:
    """Give an empty SQLite database in memory the newest schema, for the simulated world."""
    connection.executescript(_newest_sqlite_schema())


@functools.cache
def _newest_sqlite_schema() -> str:
    config = _config()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with begin("sqlite://") as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        texts = connection.execute(
            text("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
        )
        return ";\n".join(str(statement) for (statement,) in texts)


def current(url: str) -> str | None:
    """Return the revision that the database is at; None when it, or its schema, is not there."""
    path = _sqlite_path(url)
    if path is not None and not path.exists():
        return None  # looking must not make a database
    with begin(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head() -> str:
    """Return the newest revision that this program knows."""
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None
    return newest


@contextmanager
def begin(url: str) -> Iterator[Connection]:
    """Open a SQLAlchemy transaction on a connection of its own; commits unless it raises."""
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def _sqlite_path(url: str) -> Path | None:
    database = make_url(url).database if url.startswith("sqlite:") else None
    return Path(database).absolute() if database else None


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite:"):
        # psycopg is an extra: who keeps everything in SQLite need not install it
        from call_core.storage.postgres import connect_for_migration  # noqa: PLC0415  (an extra)

        return create_engine(
            "postgresql+psycopg://",
            creator=functools.partial(connect_for_migration, url),
            poolclass=NullPool,
        )
    parsed = make_url(url)
    engine = create_engine(parsed.set(drivername="sqlite"), poolclass=NullPool)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_immediate)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  (SQLAlchemy's hook)
    connection.isolation_level = None  # the module's own BEGIN would leave DDL outside
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
