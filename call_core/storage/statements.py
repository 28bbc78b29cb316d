"""Statements: SQL that is built once, compiled once per dialect and then run as plain text.

Building and compiling SQLAlchemy constructs costs far more than running them, so a unit of work
uses module constants:

    FIND_CLAIM = select_statement(
        select(tables.claims.c.request_id).where(tables.claims.c.space == bindparam("space"))
    )
    row = tx.one(FIND_CLAIM, space="mail")

The text goes to the driver's cursor directly. SQLAlchemy's conversion of values is therefore not
run, and a statement whose columns would need one is refused when it is compiled: hot columns hold
only int and str.
"""

import enum
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar, cast, overload

from sqlalchemy import Dialect, Insert, Table, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

Value = int | str | None
Row = tuple[Any, ...]
Arguments = Sequence[Value]
RowT = TypeVar("RowT")
InsertInto = Callable[[Table], postgresql.Insert]
_LABEL_LENGTH = 60


class DialectName(enum.IntEnum):
    """The databases that the store speaks to; the number is a place in a statement's cache."""

    SQLITE = 0
    POSTGRESQL = 1


_DIALECTS: tuple[Dialect, Dialect] = (
    sqlite.dialect(paramstyle="qmark"),
    PGDialect_psycopg(paramstyle="numeric_dollar"),  # type: ignore[no-untyped-call]
)
_INSERTS: tuple[InsertInto, InsertInto] = (cast("InsertInto", sqlite.insert), postgresql.insert)


class Compiled:
    """One statement's text for one driver, and the order in which the driver wants its values.

    Attributes:
        sql: the text, with `?` (SQLite) or `$1` (PostgreSQL) for values.
        query: the same as bytes, as psycopg takes text that is not written in the source.
        names: every value that the caller gives by name.
    """

    __slots__ = ("_constants", "_count", "_pick", "_single", "names", "query", "sql")

    def __init__(self, sql: str, positions: Sequence[str], constants: Mapping[str, Value]) -> None:
        self.sql = sql
        self.query = sql.encode()
        self.names = frozenset(positions) - constants.keys()
        self._count = len(self.names)
        self._constants = dict(constants)
        self._single = positions[0] if len(positions) == 1 else None
        self._pick = itemgetter(*positions) if len(positions) > 1 else None

    def arguments(self, given: Mapping[str, Value]) -> Arguments:
        """Return the values in the driver's order.

        Raises:
            TypeError: a value is missing or is not one of the statement's.
        """
        if len(given) != self._count:
            raise self._mismatch(given)
        values = {**self._constants, **given} if self._constants else given
        try:
            if self._pick is not None:
                return cast("Arguments", self._pick(values))
            return () if self._single is None else (values[self._single],)
        except KeyError:
            raise self._mismatch(given) from None

    def _mismatch(self, given: Mapping[str, Value]) -> TypeError:
        return TypeError(
            f"the statement takes {sorted(self.names)}, it was given {sorted(given)}: {self.sql}"
        )


class Statement(Generic[RowT]):
    """One SQL statement for every dialect; compiled at its first use on each.

    Args:
        name: what figures and errors call it.
        build: makes the construct; it gets the dialect's `insert`, for upserts.
        make_row: what a fetched tuple is turned into (`SomeNamedTuple._make`); None keeps tuples.
    """

    __slots__ = ("_build", "_compiled", "make_row", "name")

    def __init__(
        self,
        name: str,
        build: Callable[[InsertInto], ClauseElement],
        make_row: Callable[[Row], RowT] | None = None,
    ) -> None:
        self.name = name
        self._build = build
        self.make_row = make_row
        self._compiled: list[Compiled | None] = [None, None]

    def compiled(self, dialect: DialectName) -> Compiled:
        """Return the text for `dialect`.

        Raises:
            ValueError: the statement has a column or value that needs SQLAlchemy's conversion,
                or a list of unknown length.
        """
        found = self._compiled[dialect]
        if found is None:
            found = self._compiled[dialect] = _compile(self._build(_INSERTS[dialect]), dialect)
        return found

    def __repr__(self) -> str:
        return f"Statement({self.name!r})"


@overload
def select_statement(
    construct: ClauseElement | str, *, row: None = None, name: str = ""
) -> Statement[Row]: ...


@overload
def select_statement(
    construct: ClauseElement | str, *, row: Callable[[Row], RowT], name: str = ""
) -> Statement[RowT]: ...


def select_statement(
    construct: ClauseElement | str, *, row: Callable[[Row], Any] | None = None, name: str = ""
) -> Statement[Any]:
    """Return a statement that gives rows: SELECT, or a write with RETURNING.

    Args:
        construct: SQLAlchemy construct, or SQL text with `:name` for values.
        row: what each tuple is turned into, such as `LegRow._make`; left out, rows are tuples.
        name: left out, the beginning of the text.
    """
    return Statement(name or _label(construct), lambda _: _clause(construct), row)


def write_statement(construct: ClauseElement | str, *, name: str = "") -> Statement[Row]:
    """Return a statement that writes and gives no rows; `construct` as in `select_statement`."""
    return Statement(name or _label(construct), lambda _: _clause(construct))


def upsert_statement(
    build: Callable[[InsertInto], ClauseElement], *, name: str = "upsert"
) -> Statement[Row]:
    """Return an insert that says what happens when the row is already there.

    `build` gets the dialect's own `insert`:

        CLAIM = upsert_statement(
            lambda insert: insert(tables.claims).on_conflict_do_nothing(index_elements=["key"])
        )
    """
    return Statement(name, build)


def _clause(construct: ClauseElement | str) -> ClauseElement:
    return text(construct) if isinstance(construct, str) else construct


def _label(construct: ClauseElement | str) -> str:
    return " ".join(str(construct).split())[:_LABEL_LENGTH]


def _compile(construct: ClauseElement, name: DialectName) -> Compiled:
    dialect = _DIALECTS[name]
    if isinstance(construct, Insert):
        construct = construct.inline()  # keys come from the caller, nothing is fetched back
    compiled = construct.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)
    _refuse_conversions(compiled, dialect)
    given = {key for key, bind in compiled.binds.items() if bind.required}
    expanded = compiled.construct_expanded_state(dict.fromkeys(given))
    constants = {key: value for key, value in expanded.parameters.items() if key not in given}
    return Compiled(expanded.statement, expanded.positiontup or [], constants)


def _refuse_conversions(compiled: SQLCompiler, dialect: Dialect) -> None:
    for bind in compiled.binds.values():
        if bind.expanding and bind.required:
            raise ValueError(f"a list of unknown length has no fixed text: {bind.key}")
        if bind.type.dialect_impl(dialect).bind_processor(dialect) is not None:
            raise ValueError(f"{bind.key}: {bind.type!r} needs a conversion; use int or str")
    for entry in compiled._result_columns:  # noqa: SLF001  (the only record of what comes back)
        if entry.type.dialect_impl(dialect).result_processor(dialect, None) is not None:
            raise ValueError(f"{entry.name}: {entry.type!r} needs a conversion; use int or str")
