"""Backups of SQLite: whole, verified, private; a restored database is frozen."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from call_core.storage import backup, migrate
from call_core.storage.backup_report import BackupError
from call_core.storage.restored import release_restored, restored_wall_ms
from call_core.storage.store import Store
from call_core.storage.tables import metadata
from tests.support.databases import keys, put, sqlite_file
from tests.support.everything import contents, fill

NOW_WALL_MS = 1_700_000_000_000


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A filled database."""
    url = f"sqlite:///{sqlite_file(tmp_path)}"
    with migrate.begin(url) as connection:
        fill(connection)
    return url


def test_a_restored_backup_holds_every_row_and_is_frozen(url: str, tmp_path: Path) -> None:
    """Every table comes back as it was, and `facts` says when the restore happened."""
    report = backup.backup(url, tmp_path / "b.backup")
    assert report.path == tmp_path / "b.backup"
    assert report.revision == migrate.head()
    assert {name: report.rows[name] for name in metadata.tables} == dict.fromkeys(
        metadata.tables, 1
    )
    restored = f"sqlite:///{tmp_path}/restored.db"
    assert backup.restore(tmp_path / "b.backup", restored, NOW_WALL_MS).rows == report.rows
    with migrate.begin(url) as connection:
        wanted = contents(connection)
    with migrate.begin(restored) as connection:
        found = contents(connection)
    assert found.pop("facts") == [*wanted.pop("facts"), ("restored_wall_ms", str(NOW_WALL_MS))]
    assert found == wanted


@pytest.mark.anyio
async def test_a_frozen_database_is_released_by_a_unit(url: str, tmp_path: Path) -> None:
    """The core reads the fact, and an operator takes it away."""
    backup.backup(url, tmp_path / "b.backup")
    restored = f"sqlite:///{tmp_path}/restored.db"
    backup.restore(tmp_path / "b.backup", restored, NOW_WALL_MS)
    store = await Store.open(restored)
    assert await store.read(restored_wall_ms) == NOW_WALL_MS
    assert await store.run(release_restored)
    assert await store.read(restored_wall_ms) is None
    await store.close()


@pytest.mark.anyio
async def test_a_backup_of_a_busy_database_is_one_state_of_it(tmp_path: Path) -> None:
    """While units commit pairs of rows, no backup holds half a pair, and no unit fails."""
    path = sqlite_file(tmp_path)
    store = await Store.open(f"sqlite:///{path}")
    running = True

    async def write_pairs() -> int:
        number = 0
        while running:
            await store.run(
                lambda tx, key: (put(tx, f"{key} a"), put(tx, f"{key} b")), f"{number:05}"
            )
            number += 1
        return number

    writing = asyncio.create_task(write_pairs())
    counts = []
    for number in range(5):
        await asyncio.sleep(0.02)
        copy = tmp_path / f"{number}.backup"
        counts.append((await asyncio.to_thread(backup.backup, store_url(path), copy)).rows["facts"])
    running = False
    pairs = await writing
    assert len(await store.run(keys)) == 2 * pairs
    await store.close()
    assert all(count % 2 == 0 for count in counts)
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def store_url(path: Path) -> str:
    """Return the URL of a SQLite file."""
    return f"sqlite:///{path}"


def test_a_backup_is_readable_by_its_owner_only(url: str, tmp_path: Path) -> None:
    """It holds secrets and telephone numbers; nothing else is left beside it."""
    path = tmp_path / "b.backup"
    backup.backup(url, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.glob("b.*")) == [path]
    backup.restore(path, f"sqlite:///{tmp_path}/restored.db", NOW_WALL_MS)
    assert stat.S_IMODE((tmp_path / "restored.db").stat().st_mode) == 0o600


def test_nothing_is_ever_overwritten(url: str, tmp_path: Path) -> None:
    """A backup needs a new name, a restore a new database."""
    path = tmp_path / "b.backup"
    backup.backup(url, path)
    with pytest.raises(BackupError, match="never overwrites"):
        backup.backup(url, path)
    with pytest.raises(BackupError, match="never overwrites"):
        backup.restore(path, url, NOW_WALL_MS)


@pytest.mark.parametrize("harm", ["cut", "scribble", "empty", "foreign"])
def test_a_damaged_backup_is_refused(url: str, tmp_path: Path, harm: str) -> None:
    """A file that was cut, overwritten or is something else does not verify or restore."""
    path = tmp_path / "b.backup"
    backup.backup(url, path)
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(
        {
            "cut": whole[: len(whole) // 2],
            "scribble": whole[:4096] + b"\xff" * 4096 + whole[8192:],
            "empty": b"",
            "foreign": b"PK\x03\x04 something else entirely",
        }[harm]
    )
    with pytest.raises(BackupError):
        backup.verify(path)
    with pytest.raises(BackupError):
        backup.restore(path, f"sqlite:///{tmp_path}/restored.db", NOW_WALL_MS)
    assert not (tmp_path / "restored.db").exists()


def test_a_database_without_our_schema_is_no_backup(tmp_path: Path) -> None:
    """An empty SQLite file is refused, and leaves nothing."""
    path = tmp_path / "empty.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE other (x)")
    with pytest.raises(BackupError):
        backup.backup(f"sqlite:///{path}", tmp_path / "b.backup")
    with pytest.raises(BackupError, match="there is no database"):
        backup.backup(f"sqlite:///{tmp_path}/missing.db", tmp_path / "b.backup")
    assert [path.name for path in tmp_path.iterdir()] == ["empty.db"]


def test_a_backup_cannot_become_the_other_kind_of_database(url: str, tmp_path: Path) -> None:
    """SQLite's file does not restore into PostgreSQL."""
    backup.backup(url, tmp_path / "b.backup")
    with pytest.raises(BackupError, match="other kind"):
        backup.restore(tmp_path / "b.backup", "postgresql://postgres@/x", NOW_WALL_MS)


def test_what_is_no_database_is_not_copied(tmp_path: Path) -> None:
    """It is refused as such, and leaves nothing."""
    path = tmp_path / "words.db"
    path.write_text("words " * 1000)
    with pytest.raises(BackupError, match="cannot be copied: file is not a database"):
        backup.backup(f"sqlite:///{path}", tmp_path / "b.backup")
    assert [path.name for path in tmp_path.iterdir()] == ["words.db"]


def test_a_backup_of_another_version_is_refused(tmp_path: Path) -> None:
    """Its revision is not known here; no database is made of it."""
    path = tmp_path / "newer.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE alembic_version AS SELECT '9999' AS version_num")
        connection.commit()
    with pytest.raises(BackupError, match="another version's"):
        backup.restore(path, f"sqlite:///{tmp_path}/restored.db", NOW_WALL_MS)
    assert [path.name for path in tmp_path.iterdir()] == ["newer.db"]
