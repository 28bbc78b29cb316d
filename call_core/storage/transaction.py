"""The transaction that a unit of work gets: reads, writes, audit, and what follows a commit."""

import abc
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from call_core.storage.audit_chain import AuditChain, AuditEntry
from call_core.storage.statements import DialectName, Statement, Value

RowT = TypeVar("RowT")


class Tx(abc.ABC):
    """One unit's view of the database, valid only while that unit runs.

    A unit is a plain function `unit(tx, ...) -> result`. It may be run more than once (a lost
    transaction, a deadlock), so ids, instants and random values are its arguments and it has no
    effect but on `tx`.

    Attributes:
        dialect: which database this is, for the few places where they must differ.
        statements: how many statements the unit has sent, for budgets.
        callbacks: what `after_commit` collected, in order.
        topics: what `announce` collected.
    """

    __slots__ = ("_chain", "callbacks", "statements", "topics")
    dialect: DialectName

    def __init__(self, chain: AuditChain) -> None:
        self._chain = chain
        self.statements = 0
        self.callbacks: list[Callable[[], object]] = []
        self.topics: list[str] = []

    @abc.abstractmethod
    def all(self, statement: Statement[RowT], /, **values: Value) -> list[RowT]:
        """Return every row. Raises `TypeError` when `values` are not exactly the statement's."""

    def one(self, statement: Statement[RowT], /, **values: Value) -> RowT | None:
        """Return the first row, or None when there is none."""
        rows = self.all(statement, **values)
        return rows[0] if rows else None

    @abc.abstractmethod
    def run(self, statement: Statement[Any], /, **values: Value) -> int:
        """Write and return how many rows were touched."""

    @abc.abstractmethod
    def write(self, statement: Statement[Any], /, **values: Value) -> None:
        """Write without asking how many rows were touched.

        PostgreSQL gets it together with the next statement, which saves a round trip; an error
        in it is raised by that statement or by the commit.
        """

    @abc.abstractmethod
    def run_many(self, statement: Statement[Any], rows: Iterable[Mapping[str, Value]]) -> None:
        """Write once per row; counted as one statement. No rows: nothing is sent."""

    def after_commit(self, callback: Callable[[], object]) -> None:
        """Have `callback` called on the event loop once this unit is durable, in order.

        Never called when the unit is rolled back. It runs before the caller gets the result.
        """
        self.callbacks.append(callback)

    def announce(self, topic: str) -> None:
        """Tell `Store.changes()` of every process about this unit once it is committed.

        Args:
            topic: what changed, at most 7,999 bytes; the reader looks it up by itself.
        """
        self.topics.append(topic)

    def audit(self, entry: AuditEntry) -> None:
        """Append one row to this node's hash-chained audit."""
        self._chain.append(self, entry)


Probe = Callable[[Tx, str], bool]
"""`probe(tx, key)`: whether what `key` names (a claim, a transfer) is committed."""
