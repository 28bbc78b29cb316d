"""Statements: what they compile to, and what they refuse."""

from typing import NamedTuple

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Enum,
    MetaData,
    Numeric,
    Table,
    Text,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.sql.elements import ClauseElement

from call_core.storage.statements import (
    DialectName,
    select_statement,
    upsert_statement,
    write_statement,
)

SQLITE, POSTGRESQL = DialectName.SQLITE, DialectName.POSTGRESQL

table = Table(
    "t",
    MetaData(),
    Column("id", BigInteger, primary_key=True),
    Column("name", Text),
    Column("flag", Boolean),
    Column("at", DateTime),
    Column("price", Numeric),
    Column("kind", Enum("a", "b", name="kind")),
)
ID = table.c.id == bindparam("id")


def squeezed(text: str) -> str:
    """Return `text` with single spaces."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("construct", "sqlite", "postgresql"),
    [
        (
            select(table.c.name).where(ID),
            "SELECT t.name FROM t WHERE t.id = ?",
            "SELECT t.name FROM t WHERE t.id = $1::BIGINT",
        ),
        (
            select(table.c.name).where(ID).with_for_update(),
            "SELECT t.name FROM t WHERE t.id = ?",
            "SELECT t.name FROM t WHERE t.id = $1::BIGINT FOR UPDATE",
        ),
        (
            select(table.c.name).where(ID).with_for_update(skip_locked=True),
            "SELECT t.name FROM t WHERE t.id = ?",
            "SELECT t.name FROM t WHERE t.id = $1::BIGINT FOR UPDATE SKIP LOCKED",
        ),
        (
            insert(table).values(name=bindparam("name")),
            "INSERT INTO t (name) VALUES (?)",
            "INSERT INTO t (name) VALUES ($1::VARCHAR)",
        ),
        (
            "DELETE FROM t WHERE id = :id OR name = '50%'",
            "DELETE FROM t WHERE id = ? OR name = '50%'",
            "DELETE FROM t WHERE id = $1 OR name = '50%'",
        ),
    ],
)
def test_each_driver_gets_its_own_text(
    construct: ClauseElement | str, sqlite: str, postgresql: str
) -> None:
    """Locks are dropped on SQLite; a key that the caller did not ask for is not fetched back."""
    statement = select_statement(construct)
    assert squeezed(statement.compiled(SQLITE).sql) == sqlite
    assert squeezed(statement.compiled(POSTGRESQL).sql) == postgresql


@pytest.mark.parametrize("dialect", DialectName)
def test_a_statement_is_compiled_once(dialect: DialectName) -> None:
    """The second use finds the text of the first."""
    statement = select_statement(select(table.c.id))
    assert statement.compiled(dialect) is statement.compiled(dialect)


def test_values_stand_in_the_driver_s_order_with_constants_between_them() -> None:
    """Values given by name are mixed with those that the construct fixes; names may repeat."""
    statement = write_statement(
        update(table).where(table.c.name.in_(["x", "y"])).where(ID).values(name=bindparam("new"))
    )
    sqlite, postgresql = statement.compiled(SQLITE), statement.compiled(POSTGRESQL)
    assert list(sqlite.arguments({"id": 7, "new": "n"})) == ["n", "x", "y", 7]
    assert list(postgresql.arguments({"id": 7, "new": "n"})) == ["n", 7, "x", "y"]
    assert "IN ($3::VARCHAR, $4::VARCHAR) AND t.id = $2::BIGINT" in postgresql.sql
    twice = write_statement("SELECT :a, :b, :a")
    assert list(twice.compiled(SQLITE).arguments({"a": 1, "b": 2})) == [1, 2, 1]
    assert list(twice.compiled(POSTGRESQL).arguments({"a": 1, "b": 2})) == [1, 2]


@pytest.mark.parametrize("dialect", DialectName)
@pytest.mark.parametrize("given", [{}, {"id": 1, "name": "x"}, {"nmae": 1}])
def test_wrong_values_are_refused_by_name(dialect: DialectName, given: dict[str, int]) -> None:
    """A missing, superfluous or misspelt value is an error that names both sides."""
    compiled = select_statement(select(table.c.name).where(ID)).compiled(dialect)
    with pytest.raises(TypeError, match=r"takes \['id'\], it was given"):
        compiled.arguments(given)


def test_a_statement_without_values_takes_none() -> None:
    """An empty mapping is what such a statement wants."""
    assert list(write_statement("DELETE FROM t").compiled(SQLITE).arguments({})) == []


@pytest.mark.parametrize(
    "construct",
    [
        select(table.c.flag),
        select(table.c.at),
        select(table.c.price),
        insert(table).values(flag=bindparam("flag")),
        insert(table).values(at=bindparam("at")),
    ],
)
def test_columns_that_need_a_conversion_are_refused(construct: ClauseElement) -> None:
    """The text goes to the driver as it is, so a column of another type would come out wrong."""
    with pytest.raises(ValueError, match="needs a conversion; use int or str"):
        select_statement(construct).compiled(SQLITE)


@pytest.mark.parametrize("dialect", DialectName)
def test_a_list_of_unknown_length_is_refused(dialect: DialectName) -> None:
    """IN with a list that the caller would give has no fixed text."""
    construct = select(table.c.id).where(table.c.id.in_(bindparam("ids", expanding=True)))
    with pytest.raises(ValueError, match="unknown length"):
        select_statement(construct).compiled(dialect)


def test_sums_are_whole_numbers_and_need_no_conversion() -> None:
    """An aggregate over a BIGINT column is allowed."""
    assert "sum" in select_statement(select(func.sum(table.c.id))).compiled(SQLITE).sql


def test_rows_can_have_names() -> None:
    """`row` turns each tuple into something with attributes."""

    class Named(NamedTuple):
        id: int

    assert select_statement(select(table.c.id), row=Named._make).make_row is not None
    assert Named._make((7,)).id == 7


def test_an_upsert_is_built_with_the_dialect_s_own_insert() -> None:
    """Both texts name the conflict and what is done about it."""
    statement = upsert_statement(
        lambda into: (
            into(table)
            .values(id=bindparam("id"))
            .on_conflict_do_update(index_elements=["id"], set_={"name": "again"})
        ),
        name="keep",
    )
    assert statement.name == "keep"
    for dialect in DialectName:
        assert "ON CONFLICT (id) DO UPDATE SET name" in statement.compiled(dialect).sql
        assert "again" in statement.compiled(dialect).arguments({"id": 1})


def test_a_statement_without_a_name_is_called_by_its_text() -> None:
    """Figures and errors can tell statements apart."""
    assert repr(write_statement("DELETE  FROM t")) == "Statement('DELETE FROM t')"
