"""What the service asks all day goes through an index, however long the history is."""

import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from call_core import queries
from call_core.engine import reaper
from call_core.storage import migrate, outbox_rows, record_rows, request_rows
from call_core.storage.statements import DialectName, Statement
from call_core.units import handle, vouched

STATEMENTS: tuple[Statement[Any], ...] = (
    handle.RECENT_LAUNCHES,
    outbox_rows.AGE,
    outbox_rows.ATTEMPT,
    outbox_rows.CHANNELS,
    outbox_rows.DUE,
    outbox_rows.FORGET,
    outbox_rows.HANDED_OVER,
    outbox_rows.LOCKED,
    outbox_rows.NEXT_DUE,
    outbox_rows.PULL,
    outbox_rows.TAKE_BACK,
    queries.CALL_BY_ID,
    queries.CALL_BY_REF,
    reaper.ERASE_DIGITS,
    reaper.FORGET_CALLEES,
    reaper.FORGET_DAYS,
    reaper.FORGET_SECONDS,
    reaper.UNSETTLED_OF_ENDED,
    record_rows.FORGET_COUNTERS,
    record_rows.LIVE_LEGS,
    request_rows.ERASE_TEXTS,
    request_rows.FORGET_CLAIMS,
    vouched.SPENT_UNPROVEN,
)
OF_NOW = frozenset({"ix_legs_unsettled", "ix_calls_live", "ix_outbox_waiting", "ix_outbox_order"})
"""Indexes that hold only what is going on, so that reading them whole costs nothing."""
FOUND = frozenset({"SCAN channels"})
"""What a statement has found by index and reads again."""


def _plan(statement: Statement[Any]) -> list[str]:
    compiled = statement.compiled(DialectName.SQLITE)
    values = dict.fromkeys(compiled.names, 1)
    with closing(sqlite3.connect(":memory:")) as memory:
        migrate.fill_memory(memory)
        rows = memory.execute(
            f"EXPLAIN QUERY PLAN {compiled.sql}", tuple(compiled.arguments(values))
        )
        return [str(row[3]) for row in rows]


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.name)
def test_no_history_is_read_whole(statement: Statement[Any]) -> None:
    """Every table is searched by an index, or the index holds only what is going on."""
    plan = _plan(statement)
    whole = [step for step in plan if step.startswith("SCAN") and step not in FOUND]
    read = [re.search(r"INDEX (\w+)", step) for step in whole]
    assert plan
    assert {found and found[1] for found in read} <= OF_NOW, plan


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (outbox_rows.CHANNELS, "ix_outbox_waiting (channel>?)"),
        (outbox_rows.DUE, "ix_outbox_order (address=? AND call_id=? AND seq<?)"),
        (outbox_rows.DUE, "ix_outbox_waiting (channel=? AND due_wall_ms<?)"),
        (outbox_rows.NEXT_DUE, "ix_outbox_waiting (channel=? AND due_wall_ms>?)"),
        (queries.CALL_BY_REF, "ix_calls_ref (customer_id=? AND ref=?)"),
        (reaper.ERASE_DIGITS, "ix_numbers_digits"),
        (reaper.FORGET_CALLEES, "ix_counters_callees"),
        (reaper.FORGET_DAYS, "ix_counters_kind (kind=? AND bucket<?)"),
        (reaper.UNSETTLED_OF_ENDED, "ix_legs_unsettled"),
        (record_rows.LIVE_LEGS, "ix_legs_unsettled"),
        (request_rows.ERASE_TEXTS, "ix_requests_text"),
        (vouched.SPENT_UNPROVEN, "ix_calls_launched (user_id=? AND launched_call_ms>?)"),
    ],
    ids=lambda value: value.name if isinstance(value, Statement) else value.split()[0],
)
def test_the_index_that_was_made_for_it_is_used(statement: Statement[Any], index: str) -> None:
    """A partial index is used only where its condition stands word for word."""
    assert any(index in step for step in _plan(statement)), _plan(statement)
