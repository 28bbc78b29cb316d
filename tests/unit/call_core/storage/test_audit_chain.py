"""The audit chain: what it notices."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from call_core.storage.audit_chain import (
    FIRST_HASH,
    AuditChain,
    AuditEntry,
    AuditRow,
    broken_links,
    hash_of,
)
from call_core.storage.sqlite import SqliteTx
from tests.support.databases import sqlite_file


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database with the newest schema, whose triggers an intruder has removed."""
    with closing(sqlite3.connect(sqlite_file(tmp_path), isolation_level=None)) as connection:
        for event in ("update", "delete"):
            connection.execute(f"DROP TRIGGER audit_refuse_{event}")
        yield connection


def tx(connection: sqlite3.Connection, node: str = "a") -> SqliteTx:
    """Return a transaction that appends to the chain `node`."""
    return SqliteTx(connection, AuditChain(node))


def append(connection: sqlite3.Connection, node: str = "a", rows: int = 5) -> None:
    """Append `rows` rows."""
    for number in range(rows):
        tx(connection, node).audit(AuditEntry(number, "op", "test", f"subject {number}"))


def test_rows_are_numbered_and_linked(connection: sqlite3.Connection) -> None:
    """Each row names the hash of the one before; the first names none."""
    append(connection, rows=3)
    rows = connection.execute("SELECT seq, previous_hash, hash FROM audit ORDER BY seq").fetchall()
    assert [seq for seq, _, _ in rows] == [1, 2, 3]
    assert [previous for _, previous, _ in rows] == [FIRST_HASH, rows[0][2], rows[1][2]]
    assert broken_links(tx(connection)) == []


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        ("UPDATE audit SET detail = '{\"x\": 1}' WHERE node = 'a' AND seq = 3", [("a", 3)]),
        ("UPDATE audit SET at_wall_ms = 0 WHERE node = 'a' AND seq = 3", [("a", 3)]),
        ("UPDATE audit SET actor = 'x', hash = 'y' WHERE node = 'a' AND seq = 2", [("a", 2)]),
        ("DELETE FROM audit WHERE node = 'a' AND seq = 3", [("a", 4)]),
        ("DELETE FROM audit WHERE node = 'a' AND seq = 1", [("a", 2)]),
        ("UPDATE audit SET node = 'c' WHERE node = 'b'", [("c", 1)]),
        ("SELECT 1", []),
    ],
)
def test_tampering_is_found_where_it_happened(
    connection: sqlite3.Connection, tampering: str, broken: list[tuple[str, int]]
) -> None:
    """The first row that does not follow is named, for each chain."""
    append(connection, "a")
    append(connection, "b")
    connection.execute(tampering)
    assert broken_links(tx(connection)) == broken


def test_a_changed_row_with_a_right_hash_breaks_the_next(connection: sqlite3.Connection) -> None:
    """Recomputing one hash is not enough: the row behind it names the old one."""
    append(connection)
    row = AuditRow._make(
        connection.execute(
            "SELECT node, seq, at_wall_ms, actor, action, subject, detail, previous_hash, hash "
            "FROM audit WHERE seq = 2"
        ).fetchone()
    )._replace(actor="somebody else")
    connection.execute(
        "UPDATE audit SET actor = ?, hash = ? WHERE seq = 2", (row.actor, hash_of(row))
    )
    assert broken_links(tx(connection)) == [("a", 3)]


def test_long_chains_are_read_page_by_page(connection: sqlite3.Connection) -> None:
    """A chain longer than one page is followed to its end."""
    append(connection, rows=1100)
    assert broken_links(tx(connection)) == []
    connection.execute("UPDATE audit SET subject = '' WHERE seq = 1100")
    assert broken_links(tx(connection)) == [("a", 1100)]


def test_the_end_is_looked_up_only_when_in_doubt(connection: sqlite3.Connection) -> None:
    """Rows after the first cost one statement each; after `forget`, two."""
    chain = AuditChain("a")
    costs = []
    for number in range(4):
        unit = SqliteTx(connection, chain)
        unit.audit(AuditEntry(number, "op", "test", ""))
        costs.append(unit.statements)
        if number == 1:
            chain.forget()
    assert costs == [2, 1, 2, 1]
    assert broken_links(tx(connection)) == []
