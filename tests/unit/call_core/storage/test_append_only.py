"""Triggers of append-only tables: which, and what even a clever statement cannot do."""

from pathlib import Path

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from call_core.storage import append_only, migrate
from call_core.storage.tables import APPEND_ONLY, metadata
from tests.support.databases import sqlite_file
from tests.support.everything import row_for


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database with the newest schema."""
    if request.param == "sqlite":
        return f"sqlite:///{sqlite_file(tmp_path)}"
    return str(request.getfixturevalue("postgres_url"))


def test_every_trigger_is_installed(url: str) -> None:
    """What is there is exactly what must be there."""
    with migrate.begin(url) as connection:
        names = append_only.installed(connection)
        assert names == append_only.expected(connection.dialect.name)
    assert {name.partition("_refuse_")[0] for name in names} == set(APPEND_ONLY)


def clever_changes(dialect: str, table: str) -> list[str]:
    """Return statements that change or remove the row without plainly saying so."""
    same = f"{table} SET {first(table)} = {first(table)}"
    if dialect == "postgresql":
        return [f"TRUNCATE {table}", f"UPDATE {same}"]
    copied = f"INTO {table} SELECT * FROM {table}"  # noqa: S608  (our own tables)
    return [f"INSERT OR REPLACE {copied}", f"REPLACE {copied}", f"UPDATE OR REPLACE {same}"]


def first(table: str) -> str:
    """Return the name of a table's first column."""
    return next(iter(metadata.tables[table].columns)).name


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_detour_changes_a_row(url: str, table: str) -> None:
    """REPLACE, TRUNCATE and an UPDATE without effect are refused too."""
    with migrate.begin(url) as connection:
        connection.execute(insert(metadata.tables[table]).values(**row_for(metadata.tables[table])))
        changes = clever_changes(connection.dialect.name, table)
    for change in changes:
        with pytest.raises(IntegrityError, match=f"{table} is append-only"):
            execute(url, change)


def execute(url: str, change: str) -> None:
    """Run one statement in a transaction of its own, with the pragma that every store sets."""
    with migrate.begin(url) as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA recursive_triggers = ON")
        connection.exec_driver_sql(change)


def test_a_missing_trigger_shows(url: str) -> None:
    """The comparison notices a table whose trigger was dropped."""
    with migrate.begin(url) as connection:
        on = " ON audit" if connection.dialect.name == "postgresql" else ""
        connection.exec_driver_sql(f"DROP TRIGGER audit_refuse_update{on}")
        missing = append_only.expected(connection.dialect.name) - append_only.installed(connection)
    assert missing == {"audit_refuse_update"}
