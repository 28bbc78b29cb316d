"""Migrations: an empty database becomes exactly what the tables say, on both databases."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from call_core.storage import append_only, migrate
from call_core.storage.tables import metadata
from tests.support.databases import sqlite_file
from tests.support.everything import contents, fill

_CATALOGUE = {
    "sqlite": "SELECT type, tbl_name, name, sql FROM sqlite_master ORDER BY type, tbl_name, name",
    "postgresql": """
        SELECT 'column', table_name, column_name,
               concat_ws(' ', ordinal_position, data_type, is_nullable, column_default)
        FROM information_schema.columns WHERE table_schema = 'public'
        UNION ALL SELECT 'index', tablename, indexname, indexdef
        FROM pg_indexes WHERE schemaname = 'public'
        UNION ALL SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid)
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace
        UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
        FROM pg_trigger WHERE NOT tgisinternal
        ORDER BY 1, 2, 3, 4
    """,
}


def catalogue(connection: Connection) -> list[tuple[object, ...]]:
    """Return what the database says about itself, spelling and our revision table aside."""
    rows = connection.execute(text(_CATALOGUE[connection.dialect.name])).all()
    return [
        (*row[:3], re.sub(r'[\s"]+', " ", str(row[3])).replace("( ", "(").replace(" )", ")"))
        for row in rows
        if "alembic" not in str(row[1])
    ]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_urls(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str]:
    """Two databases without a schema."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/migrated.db", f"sqlite:///{tmp_path}/created.db"
    return (
        str(request.getfixturevalue("empty_postgres_url")),
        str(request.getfixturevalue("second_empty_postgres_url")),
    )


def test_migrating_gives_what_the_tables_say(empty_urls: tuple[str, str]) -> None:
    """Tables, columns, defaults, indexes, constraints and triggers are those of the metadata."""
    migrated, created = empty_urls
    assert migrate.current(migrated) is None
    assert migrate.upgrade(migrated) == migrate.head() == migrate.current(migrated)
    with migrate.begin(created) as connection:
        metadata.create_all(connection)
        append_only.install(connection)
        wanted = catalogue(connection)
    with migrate.begin(migrated) as connection:
        assert catalogue(connection) == wanted
    assert len(wanted) > 80


def test_migrating_twice_changes_nothing(empty_urls: tuple[str, str]) -> None:
    """A database at the newest revision stays as it is, rows included."""
    url = empty_urls[0]
    migrate.upgrade(url)
    with migrate.begin(url) as connection:
        fill(connection)
        before = contents(connection)
    migrate.upgrade(url)
    with migrate.begin(url) as connection:
        assert contents(connection) == before


def test_a_migration_that_fails_leaves_nothing(empty_urls: tuple[str, str]) -> None:
    """A table that is in the way stops the run; none of the others is left behind."""
    url = empty_urls[0]
    with migrate.begin(url) as connection:
        connection.execute(text("CREATE TABLE transfers (x TEXT)"))
        before = catalogue(connection)
    with pytest.raises(Exception, match="transfers"):
        migrate.upgrade(url)
    with migrate.begin(url) as connection:
        assert catalogue(connection) == before
    assert migrate.current(url) is None


def test_the_schema_in_memory_is_the_migrated_one(tmp_path: Path) -> None:
    """The simulated world runs on the same tables, indexes and triggers as a file."""
    query = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    with (
        closing(sqlite3.connect(sqlite_file(tmp_path))) as file,
        closing(sqlite3.connect(":memory:")) as memory,
    ):
        migrate.fill_memory(memory)
        assert memory.execute(query).fetchall() == file.execute(query).fetchall()


def test_looking_at_a_missing_file_does_not_make_it(tmp_path: Path) -> None:
    """`current` says None; `upgrade` makes the file and its directory."""
    path = tmp_path / "var" / "callgate.db"
    assert migrate.current(f"sqlite:///{path}") is None
    assert not path.parent.exists()
    migrate.upgrade(f"sqlite:///{path}")
    assert path.is_file()
