"""Opening SQLite: what is promised, what is refused."""

import sqlite3
from pathlib import Path

import pytest

from call_core.errors import StoreUnavailable
from call_core.storage.sqlite import is_temporary
from call_core.storage.statements import select_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from tests.support.databases import opened_sqlite, sqlite_file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database file with the newest schema."""
    return sqlite_file(tmp_path)


@pytest.mark.anyio
async def test_a_missing_file_is_never_made_unasked(tmp_path: Path) -> None:
    """Opening says where it looked; `create` makes the file and its directory."""
    missing = tmp_path / "var" / "callgate.db"
    with pytest.raises(StoreUnavailable, match=str(missing)):
        await Store.open(f"sqlite:///{missing}")
    assert not missing.parent.exists()
    store = await Store.open(f"sqlite:///{missing}", create=True)
    assert store.location == str(missing)
    assert not store.has_standby
    await store.close()
    assert missing.is_file()


@pytest.mark.anyio
async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """Opening anything else is a temporary failure, with the driver's words."""
    (tmp_path / "x.db").write_text("not a database at all, but long enough to be read as one" * 20)
    with pytest.raises(StoreUnavailable, match="NOTADB"):
        await Store.open(f"sqlite:///{tmp_path}/x.db")


@pytest.mark.anyio
async def test_every_commit_is_full_sync_in_the_write_ahead_log(path: Path) -> None:
    """The writer runs with the pragmas that the promise rests on."""

    def pragmas(tx: Tx) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        return [tx.all(select_statement(f"PRAGMA {name}"))[0][0] for name in names]

    async with opened_sqlite(path) as store:
        assert await store.run(pragmas) == ["wal", 2, 1, 1]


@pytest.mark.parametrize(
    ("code", "is_ours"),
    [
        (sqlite3.SQLITE_FULL, True),
        (sqlite3.SQLITE_IOERR_FSYNC, True),
        (sqlite3.SQLITE_BUSY_SNAPSHOT, True),
        (sqlite3.SQLITE_CONSTRAINT_UNIQUE, False),
        (sqlite3.SQLITE_ERROR, False),
    ],
)
def test_failures_of_the_disk_are_told_from_those_of_a_unit(code: int, is_ours: bool) -> None:  # noqa: FBT001  (a table's column)
    """Extended codes count as their family; anything but the driver's error is the unit's."""
    error = sqlite3.OperationalError("said the driver")
    error.sqlite_errorcode = code
    assert is_temporary(error) is is_ours
    assert not is_temporary(ValueError("ours"))
