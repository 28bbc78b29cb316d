"""Triggers that refuse UPDATE and DELETE on what is never changed: money, records, the audit.

Alembic's batch mode copies a table and silently drops its triggers, so these tables change by ADD
COLUMN only; `installed` lets a test compare what is there with what must be.
"""

from sqlalchemy import Connection, text

from call_core.storage.tables import APPEND_ONLY

_SQLITE = """\
CREATE TRIGGER {table}_refuse_{event} BEFORE {event} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"""

_POSTGRES_FUNCTION = """\
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END
$$"""

_POSTGRES = """\
CREATE TRIGGER {table}_refuse_{event} BEFORE {event} ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"""

_EVENTS = {"sqlite": ("update", "delete"), "postgresql": ("update", "delete", "truncate")}

_INSTALLED = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'",
}


def install(connection: Connection, tables: tuple[str, ...] = APPEND_ONLY) -> None:
    """Create the triggers, and on PostgreSQL the function that they call."""
    dialect = connection.dialect.name
    template = _SQLITE
    if dialect == "postgresql":
        template = _POSTGRES
        connection.exec_driver_sql(_POSTGRES_FUNCTION.replace("%", "%%"))
    for table in tables:
        for event in _EVENTS[dialect]:
            connection.exec_driver_sql(template.format(table=table, event=event))


def expected(dialect: str, tables: tuple[str, ...] = APPEND_ONLY) -> frozenset[str]:
    """Return the names of the triggers that must be there."""
    return frozenset(f"{table}_refuse_{event}" for table in tables for event in _EVENTS[dialect])


def installed(connection: Connection) -> frozenset[str]:
    """Return the names of the triggers that are there and switched on."""
    rows = connection.execute(text(_INSTALLED[connection.dialect.name]))
    return frozenset(str(name) for (name,) in rows)
