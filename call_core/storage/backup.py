"""Backups: taken while the gateway runs, verified by reading them back; restored ones start frozen.

SQLite's backup is a database file, PostgreSQL's is one file in a format of our own
(`backup_postgres`). A file holds secrets and telephone numbers, so only its owner may read it.

A restored database says so in `facts`. As long as it does, the core launches nothing that was sent
before the restore and fires no schedule: calls that the lost hours already made must not be made
and billed twice.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import make_url

from call_core.storage import migrate
from call_core.storage.backup_report import BackupError, BackupReport
from call_core.storage.restored import mark_texts

OWNER_ONLY = 0o600


def backup(url: str, path: Path) -> BackupReport:
    """Copy one consistent state of the running database into a new file, and verify the file.

    Raises:
        BackupError: the file exists, or does not read back whole, or there is nothing to copy.
    """
    if path.exists():
        raise BackupError(f"{path} exists; a backup never overwrites")
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    try:
        if _is_sqlite(url):
            _copy_sqlite(_sqlite_path(url), partial)
        else:
            from call_core.storage import backup_postgres  # noqa: PLC0415  (psycopg is an extra)

            backup_postgres.write(url, partial)
        report = verify(partial)
        _sync(partial)
        partial.rename(path)
        _sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)
    return BackupReport(path, report.revision, report.rows)


def verify(path: Path) -> BackupReport:
    """Read a backup from its first byte to its last. Raises `BackupError` when it is damaged."""
    with path.open("rb") as file:
        is_sqlite = file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    if is_sqlite:
        return _verify_sqlite(path)
    from call_core.storage import backup_postgres  # noqa: PLC0415  (psycopg is an extra)

    return backup_postgres.verify(path)


def restore(path: Path, url: str, now_wall_ms: int) -> BackupReport:
    """Make an empty database out of a backup, at the newest revision and frozen.

    Raises:
        BackupError: the backup is damaged or another version's, or the database is not empty or of
            the other kind.
    """
    path = path.absolute()
    report = verify(path)
    with path.open("rb") as file:
        from_sqlite = file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    if from_sqlite != _is_sqlite(url):
        raise BackupError(f"{path} is a backup of the other kind of database")
    try:
        if from_sqlite:
            _restore_sqlite(path, _sqlite_path(url), now_wall_ms)
            return report
        from call_core.storage import backup_postgres  # noqa: PLC0415  (psycopg is an extra)

        backup_postgres.restore(path, url, report, now_wall_ms)
    except CommandError as error:
        raise BackupError(f"{path} is another version's: {error}") from error
    return report


# --- SQLite -------------------------------------------------------------------------------------

_SQLITE_MAGIC = b"SQLite format 3\0"


def _is_sqlite(url: str) -> bool:
    return url.startswith("sqlite:")


def _sqlite_path(url: str) -> Path:
    database = make_url(url).database
    if not database:
        raise BackupError(f"{url} names no file")
    return Path(database).absolute()


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy in one step: a read transaction, so that the writer goes on and the copy is whole."""
    if not source.is_file():
        raise BackupError(f"there is no database at {source}")
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as original,
            closing(sqlite3.connect(target)) as copy,
        ):
            original.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}") from error


def _verify_sqlite(path: Path) -> BackupReport:
    try:
        # Immutable: looking at a backup leaves no log beside it, even on a read-only medium.
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as copy:
            (answer,) = copy.execute("PRAGMA integrity_check").fetchone()
            if answer != "ok":
                raise BackupError(f"{path} is damaged: {answer}")
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
            names = [
                name
                for (name,) in copy.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                )
            ]
            rows = {name: _count(copy, name) for name in names}
    except sqlite3.Error as error:
        raise BackupError(f"{path} is damaged: {error}") from error
    return BackupReport(path, str(revision), rows)


def _count(copy: sqlite3.Connection, table: str) -> int:
    quoted = table.replace('"', '""')
    (count,) = copy.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()  # noqa: S608  (quoted)
    return int(count)


def _restore_sqlite(path: Path, target: Path, now_wall_ms: int) -> None:
    if target.exists():
        raise BackupError(f"{target} exists; a restore never overwrites")
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    try:
        _copy_sqlite(path, partial)
        url = f"sqlite:///{partial}"
        migrate.upgrade(url)
        with migrate.begin(url) as connection:
            for mark in mark_texts(now_wall_ms):
                connection.exec_driver_sql(mark)
        _fold_log(partial)
        _sync(partial)
        partial.rename(target)
        _sync(target.parent)
    finally:
        partial.unlink(missing_ok=True)


def _fold_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")


def _sync(path: Path) -> None:
    """Have the disk keep a file's content, or a directory's names."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
