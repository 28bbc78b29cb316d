"""No statement of the call core reads a whole table that grows with history."""

import importlib
import pkgutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import call_core
from call_core.storage.statements import DialectName, Statement

SMALL = frozenset({"channels", "facts", "freezes", "inbox", "ports", "shards", "tariffs"})
"""Tables that the operator fills by hand, those with a row per node, shard, trunk or channel, and
what waits to be done, of which there is a limit."""
LIVE = frozenset({"ix_calls_due", "ix_legs_unsettled", "ix_outbox_waiting"})
"""Partial indexes that hold only what lives now; what has ended is not in them."""
RARE = {
    "lock_customers": "a freeze of a prefix or of everybody with --live; a row per customer",
    "users_of_name": "one administrator's command; as many rows as users",
    "callers_by_name": "the same",
    "callers_of_everybody": "the operator's `calls live`; from a covering index",
    "revoke_sessions_of_user": "sessions are forgotten when they expire",
    "forget_sessions": "the reaper, once an hour",
    "forget_sign_in_codes": "the reaper; a code lives minutes",
    "audit_chains": "the audit's own verification, which reads all of it",
}
"""Statements that are in no call's way, and why each may look at a whole table."""


def _statements() -> dict[str, Statement[object]]:
    for module in pkgutil.walk_packages(call_core.__path__, "call_core."):
        if ".migrations" not in module.name:
            importlib.import_module(module.name)
    modules = [module for name, module in sys.modules.items() if name.startswith("call_core")]
    named = [
        (f"{module.__name__}.{name}", value)
        for module in modules
        for name, value in vars(module).items()
    ]
    families = [
        (f"{name}[{key}]", value)
        for name, family in named
        if isinstance(family, dict)
        for key, value in family.items()
    ]
    return {value.name: value for _, value in named if isinstance(value, Statement)} | {
        name: value for name, value in families if isinstance(value, Statement)
    }


def _scans(connection: sqlite3.Connection, statement: Statement[object]) -> Iterator[str]:
    sql = statement.compiled(DialectName.SQLITE).sql
    values = [1] * sql.count("?")
    for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values):
        if step.startswith("SCAN ") and step != "SCAN CONSTANT ROW":
            yield step


def _is_bounded(step: str) -> bool:
    words = step.split()
    return words[1] in SMALL or words[-1] in LIVE


@pytest.fixture(scope="module")
def connection(sqlite_template: Path) -> Iterator[sqlite3.Connection]:
    """A database with the newest schema."""
    with closing(sqlite3.connect(sqlite_template)) as opened:
        yield opened


def test_no_statement_scans_a_table_that_grows(connection: sqlite3.Connection) -> None:
    """Only small tables, partial indexes of what lives now, and what is listed here with a why."""
    scanned = {
        name: [step for step in _scans(connection, statement) if not _is_bounded(step)]
        for name, statement in _statements().items()
    }
    assert {name: steps for name, steps in scanned.items() if steps and name not in RARE} == {}


def test_the_list_of_exceptions_is_no_longer_than_it_must_be(
    connection: sqlite3.Connection,
) -> None:
    """A name that scans nothing any more is taken off the list."""
    statements = _statements()
    assert [name for name in RARE if not any(_scans(connection, statements[name]))] == []


def test_a_partial_index_of_what_lives_leaves_out_what_ended(
    connection: sqlite3.Connection,
) -> None:
    """Each of them has a condition."""
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'"))
    assert all(" WHERE " in " ".join(found[name].split()) for name in LIVE)


@pytest.mark.parametrize("name", ["standing_and_counts", "running_calls_of_user", "upcoming"])
def test_what_lives_now_is_found_without_the_calls_of_the_past(
    connection: sqlite3.Connection, name: str
) -> None:
    """A customer's or user's running calls cost the same after a million calls as after one."""
    sql = _statements()[name].compiled(DialectName.SQLITE).sql
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [1] * sql.count("?")).fetchall()
    steps = [step for *_, step in plan if step.startswith(("SCAN", "SEARCH"))]
    of_calls = [step for step in steps if step.split()[1] == "calls"]
    assert ["ix_calls_live" in step for step in of_calls] == [True]
