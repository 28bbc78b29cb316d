r"""PostgreSQL's backup: one consistent snapshot of every table in one gzip file.

The file is text. A header line, then each table as a line of JSON followed by its rows in
PostgreSQL's COPY text format and a line `\.`, then a last line with the number of rows and the
SHA-256 of everything before it:

    {"format": "callgate-backup-1", "revision": "0001"}
    {"table": "facts", "columns": ["key", "value"]}
    region<TAB>GB
    \.
    {"rows": {"facts": 1}, "sha256": "…"}
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from psycopg import sql

from call_core.storage import migrate
from call_core.storage.backup_report import BackupError, BackupReport
from call_core.storage.postgres import Connection, open_postgres
from call_core.storage.restored import mark_texts

FORMAT = "callgate-backup-1"
_END = b"\\.\n"
_LOCK_TIMEOUT_MS = 60_000
_REVISIONS = "alembic_version"
_REVISION = b"SELECT version_num FROM alembic_version"
_COLUMNS = """
SELECT table_name, array_agg(column_name::text ORDER BY ordinal_position)
FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'
GROUP BY table_name ORDER BY table_name
"""
_SEQUENCES = """
SELECT table_name, column_name, pg_get_serial_sequence(quote_ident(table_name), column_name)
FROM information_schema.columns
WHERE table_schema = current_schema() AND column_default LIKE 'nextval(%'
"""


@dataclass(slots=True)
class _Output:
    """The file that is being written, and the digest of what is in it."""

    file: "gzip.GzipFile | IO[bytes]"
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def write(self, data: bytes) -> None:
        self.digest.update(data)
        self.file.write(data)

    def write_json(self, value: object) -> None:
        self.write(_line(value))


def write(url: str, path: Path) -> None:
    """Write a snapshot of the database into `path`."""
    with open_postgres(url, lock_timeout_ms=_LOCK_TIMEOUT_MS) as connection:
        connection.execute(b"SET idle_in_transaction_session_timeout = 0")  # files are slow
        connection.execute(b"BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        tables = _tables(connection)
        if _REVISIONS not in tables:
            raise BackupError("the database has no schema of ours")
        revision = connection.execute(_REVISION).fetchone()
        assert revision is not None
        del tables[_REVISIONS]  # a restore migrates to the header's revision by itself
        with gzip.open(path, "wb", compresslevel=6) as file:
            output = _Output(file)
            output.write_json({"format": FORMAT, "revision": revision[0]})
            rows = {
                table: _write_table(connection, output, table, columns)
                for table, columns in tables.items()
            }
            file.write(_line({"rows": rows, "sha256": output.digest.hexdigest()}))
        connection.execute(b"COMMIT")


def _write_table(connection: Connection, output: _Output, table: str, columns: list[str]) -> int:
    output.write_json({"table": table, "columns": columns})
    copy = sql.SQL("COPY {} ({}) TO STDOUT").format(_name(table), _names(columns))
    rows = 0
    with connection.cursor().copy(copy) as data:
        for chunk in data:
            block = bytes(chunk)
            rows += block.count(b"\n")  # a newline inside a value is written as \n
            output.write(block)
    output.write(_END)
    return rows


def verify(path: Path) -> BackupReport:
    """Read the whole file. Raises `BackupError` when anything in it is missing or changed."""
    try:
        return _verify(path)
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{path} is damaged: {error}") from error


def _verify(path: Path) -> BackupReport:
    digest, rows, table, last = hashlib.sha256(), dict[str, int](), "", b""
    with gzip.open(path, "rb") as file:
        header = file.readline()
        revision = _header(header)
        digest.update(header)
        for line in file:
            if table:
                if line == _END:
                    table = ""
                else:
                    rows[table] += 1
            elif line.startswith(b'{"table"'):
                table = str(json.loads(line)["table"])
                rows[table] = 0
            else:
                last = line
                break
            digest.update(line)
        rest = file.read(1)
    trailer = json.loads(last)
    if rest or trailer != {"rows": rows, "sha256": digest.hexdigest()}:
        raise BackupError(f"{path} is damaged: it does not add up")
    return BackupReport(path, revision, rows)


def _header(line: bytes) -> str:
    header = json.loads(line)
    if header.get("format") != FORMAT:
        raise BackupError("this is not a backup of ours")
    return str(header["revision"])


def restore(path: Path, url: str, report: BackupReport, now_wall_ms: int) -> None:
    """Fill an empty database from a verified file, migrate it to the newest revision, freeze it."""
    with open_postgres(url, lock_timeout_ms=_LOCK_TIMEOUT_MS) as connection:
        if _tables(connection):
            raise BackupError("the database is not empty; a restore never overwrites")
        migrate.upgrade(url, report.revision)
        connection.execute(b"SET idle_in_transaction_session_timeout = 0")
        connection.execute(b"BEGIN")
        for table, columns, rows in _stored_tables(path):
            copy = sql.SQL("COPY {} ({}) FROM STDIN").format(_name(table), _names(columns))
            with connection.cursor().copy(copy) as data:
                for row in rows:
                    data.write(row)
        _set_sequences(connection)
        for mark in mark_texts(now_wall_ms):
            connection.execute(mark.encode())
        connection.execute(b"COMMIT")  # filled and frozen, or still empty
    migrate.upgrade(url)


def _stored_tables(path: Path) -> Iterator[tuple[str, list[str], Iterator[bytes]]]:
    """Yield table, columns, rows; each table's rows must be read before the next table."""
    with gzip.open(path, "rb") as file:
        file.readline()
        while (header := json.loads(file.readline())).get("table"):
            yield header["table"], header["columns"], iter(file.readline, _END)


def _set_sequences(connection: Connection) -> None:
    for table, column, sequence in connection.execute(_SEQUENCES.encode()).fetchall():
        connection.execute(
            sql.SQL(
                "SELECT setval({}, coalesce(max({column}), 1), max({column}) IS NOT NULL) FROM {}"
            ).format(sql.Literal(sequence), _name(table), column=_name(column))
        )


def _tables(connection: Connection) -> dict[str, list[str]]:
    return {table: list(columns) for table, columns in connection.execute(_COLUMNS.encode())}


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _names(names: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(_name(name) for name in names)


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(", ", ": ")).encode() + b"\n"
