"""PostgreSQL's backup file: every row, one state, and nothing that can be changed unnoticed."""

import gzip
import json
from pathlib import Path

import pytest
from sqlalchemy import insert

from call_core.storage import append_only, backup, migrate
from call_core.storage.backup_report import BackupError
from call_core.storage.tables import metadata, outbox
from tests.support.everything import contents, fill, row_for

pytestmark = pytest.mark.postgres
NOW_WALL_MS = 1_700_000_000_000


@pytest.fixture
def url(postgres_url: str) -> str:
    """A filled database."""
    with migrate.begin(postgres_url) as connection:
        fill(connection)
    return postgres_url


def test_a_restored_backup_holds_every_row_and_is_frozen(
    url: str, empty_postgres_url: str, tmp_path: Path
) -> None:
    """Every table, awkward text included, comes back; triggers and sequences work."""
    path = tmp_path / "b.backup"
    report = backup.backup(url, path)
    assert report.rows == dict.fromkeys(metadata.tables, 1)
    assert report.revision == migrate.head()
    backup.restore(path, empty_postgres_url, NOW_WALL_MS)
    with migrate.begin(url) as connection:
        wanted = contents(connection)
    with migrate.begin(empty_postgres_url) as connection:
        found = contents(connection)
        assert append_only.installed(connection) == append_only.expected("postgresql")
        next_row = {**row_for(outbox), "id": "next"}
        del next_row["seq"]
        row = connection.execute(insert(outbox).values(**next_row).returning(outbox.c.seq))
        assert row.scalar_one() == 2
    assert found.pop("facts") == [*wanted.pop("facts"), ("restored_wall_ms", str(NOW_WALL_MS))]
    assert found == wanted


def test_a_restore_needs_an_empty_database(url: str, tmp_path: Path) -> None:
    """Nothing is ever overwritten."""
    backup.backup(url, tmp_path / "b.backup")
    with pytest.raises(BackupError, match="not empty"):
        backup.restore(tmp_path / "b.backup", url, NOW_WALL_MS)


def test_a_database_without_our_schema_is_no_backup(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    """An empty database is refused, and leaves no file."""
    with pytest.raises(BackupError, match="no schema of ours"):
        backup.backup(empty_postgres_url, tmp_path / "b.backup")
    assert list(tmp_path.iterdir()) == []


def lines_of(path: Path) -> list[bytes]:
    """Return the lines inside the file."""
    return gzip.decompress(path.read_bytes()).splitlines(keepends=True)


def harmed(lines: list[bytes], harm: str) -> list[bytes]:
    """Return the lines with one thing wrong."""
    row = next(number for number, line in enumerate(lines) if line.startswith(b'{"table"')) + 1
    trailer = json.loads(lines[-1])
    return {
        "a row is missing": lines[:row] + lines[row + 1 :],
        "a row is doubled": [*lines[: row + 1], *lines[row:]],
        "a digit changed": [*lines[:row], lines[row].replace(b"1", b"2"), *lines[row + 1 :]],
        "the end is missing": lines[:-1],
        "more after the end": [*lines, b"more\n"],
        "another format": [lines[0].replace(b"callgate-backup-1", b"other"), *lines[1:]],
        "no header": lines[1:],
        "a wrong count": [
            *lines[:-1],
            json.dumps({**trailer, "rows": {**trailer["rows"], "facts": 2}}).encode() + b"\n",
        ],
    }[harm]


@pytest.mark.parametrize(
    "harm",
    [
        "a row is missing",
        "a row is doubled",
        "a digit changed",
        "the end is missing",
        "more after the end",
        "another format",
        "no header",
        "a wrong count",
    ],
)
def test_a_changed_backup_is_refused(url: str, tmp_path: Path, harm: str) -> None:
    """The file adds up, or it is not restored."""
    path = tmp_path / "b.backup"
    backup.backup(url, path)
    path.write_bytes(gzip.compress(b"".join(harmed(lines_of(path), harm))))
    with pytest.raises(BackupError):
        backup.verify(path)


def test_a_cut_file_is_refused(url: str, tmp_path: Path) -> None:
    """A copy that stopped half-way does not verify."""
    path = tmp_path / "b.backup"
    backup.backup(url, path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(BackupError, match="damaged"):
        backup.verify(path)
