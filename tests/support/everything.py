"""A database with at least one row in every table, for migrations and backups."""

from collections.abc import Mapping

from sqlalchemy import Column, Connection, Integer, Table, insert
from sqlalchemy.types import BigInteger

from call_core.storage.tables import metadata

AWKWARD = "tab\there, line\nbreak, back\\slash, \\N, naïve ☎, 'quote', \"double\", 50%"
"""Text that a careless format would break on."""


def row_for(table: Table) -> Mapping[str, int | str]:
    """Return a row with a large number or awkward text in every column."""
    return {column.name: _value(column) for column in table.columns}


def _value(column: Column[object]) -> int | str:
    if isinstance(column.type, BigInteger | Integer):
        return 1 if column.primary_key else 2**53 + 1
    return AWKWARD


def fill(connection: Connection) -> None:
    """Write one row into every table."""
    for table in metadata.sorted_tables:
        connection.execute(insert(table).values(**row_for(table)))


def contents(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    return {
        table.name: [tuple(row) for row in connection.execute(table.select())]
        for table in metadata.sorted_tables
    }
