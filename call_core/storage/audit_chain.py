"""The audit: append-only rows, each bound to the one before it by a hash.

Every writing connection of every node has a chain of its own, so no row is hot for the whole
system. Whoever changes or removes a row breaks the chain behind it, and `broken_links` finds the
place. Rows taken off the *end* show only against a copy of the last hash kept elsewhere.
"""

import hashlib
import json
from typing import NamedTuple, Protocol

from sqlalchemy import bindparam, insert, select

from call_core.storage.statements import (
    Row,
    RowT,
    Statement,
    Value,
    select_statement,
    write_statement,
)
from call_core.storage.tables import audit

FIRST_HASH = ""
"""What the first row of a chain names as the hash before it."""
_PAGE_ROWS = 1000


class AuditTx(Protocol):
    """What the audit needs of a transaction."""

    def one(self, statement: Statement[RowT], /, **values: Value) -> RowT | None:
        """Return the first row."""

    def all(self, statement: Statement[RowT], /, **values: Value) -> list[RowT]:
        """Return every row."""

    def write(self, statement: Statement[Row], /, **values: Value) -> None:
        """Write."""


class AuditEntry(NamedTuple):
    """Who did what to whom.

    Attributes:
        at_wall_ms: when, by our clock.
        actor: user id, or the part of the system that acted.
        action: stable code of what was done, such as `customer.frozen`.
        subject: id of what it was done to.
        detail: JSON text; no secrets and no full telephone numbers.
    """

    at_wall_ms: int
    actor: str
    action: str
    subject: str
    detail: str = "{}"


class AuditRow(NamedTuple):
    """One row as it is stored, in the order in which it is hashed. `node` names the chain."""

    node: str
    seq: int
    at_wall_ms: int
    actor: str
    action: str
    subject: str
    detail: str
    previous_hash: str
    hash: str


_APPEND = write_statement(insert(audit), name="append_audit")
_LAST = select_statement(
    select(audit.c.seq, audit.c.hash)
    .where(audit.c.node == bindparam("node"))
    .order_by(audit.c.seq.desc())
    .limit(1),
    name="last_audit",
)
_PAGE = select_statement(
    select(*(audit.c[name] for name in AuditRow._fields))
    .where(audit.c.node == bindparam("node"), audit.c.seq > bindparam("after"))
    .order_by(audit.c.seq)
    .limit(_PAGE_ROWS),
    row=AuditRow._make,
    name="page_of_audit",
)
_CHAINS = select_statement(
    select(audit.c.node).distinct().order_by(audit.c.node), name="audit_chains"
)


class AuditChain:
    """The end of one connection's chain; remembered between units, looked up when in doubt.

    Args:
        name: the chain, used by this one connection only (`node/lane`).
    """

    __slots__ = ("_last", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._last: tuple[int, str] | None = None

    def append(self, tx: AuditTx, entry: AuditEntry) -> None:
        """Write `entry` as the chain's next row."""
        seq, previous_hash = self._last or tx.one(_LAST, node=self.name) or (0, FIRST_HASH)
        row = AuditRow(self.name, seq + 1, *entry, previous_hash, "")
        digest = hash_of(row)
        tx.write(_APPEND, **row._replace(hash=digest)._asdict())
        self._last = (row.seq, digest)

    def forget(self) -> None:
        """Look the end up again: the rows that were appended last may have been rolled back."""
        self._last = None


def hash_of(row: AuditRow) -> str:
    """Return the SHA-256 that `row` must carry: over every other column, as one JSON list."""
    text = json.dumps(row[:-1], ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def broken_links(tx: AuditTx) -> list[tuple[str, int]]:
    """Return the first `(node, seq)` of every chain that does not follow from the row before.

    Empty when the audit is whole.
    """
    found = (_first_broken(tx, node) for (node,) in tx.all(_CHAINS))
    return [broken for broken in found if broken is not None]


def _first_broken(tx: AuditTx, node: str) -> tuple[str, int] | None:
    seq, previous_hash = 0, FIRST_HASH
    while rows := tx.all(_PAGE, node=node, after=seq):
        for row in rows:
            follows = row.seq == seq + 1 and row.previous_hash == previous_hash
            if not follows or row.hash != hash_of(row):
                return node, row.seq
            seq, previous_hash = row.seq, row.hash
    return None
