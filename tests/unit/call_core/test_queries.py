"""Lists look at what they show, not at everything there ever was. What they show: integration."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from call_core import queries
from call_core.engine import engine
from call_core.storage.statements import DialectName, Statement
from call_core.units import information
from gateway import books, watched
from tests.support.databases import sqlite_file

LISTS: tuple[Statement[Any], ...] = (
    *(each for scope in queries.CALLS.values() for each in scope),
    *queries.CALLERS.values(),
    *queries.CDRS.values(),
    queries.CDRS_OF_CALL,
    queries.CDRS_SINCE,
    *queries.LIVE_CALLS,
    queries.LIVE_CALLERS,
    *engine.RUNNING,
    *information.PAST_CALLS,
    watched.OLDEST_HOLDS,
    watched.OLDEST_MESSAGES,
    books.BEGUN,
    books.ASTRAY,
)
# Indexes of what is not over: they are as long as what runs now.
OF_WHAT_RUNS = ("ix_calls_due", "ix_calls_live", "ix_legs_unsettled", "ix_outbox_waiting")
TABLES_THAT_GROW = "calls|parties|legs|numbers|cdrs|transfers|outbox|users"


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    """A database with the newest schema."""
    path: Path = sqlite_file(tmp_path_factory.mktemp("plans"))
    with closing(sqlite3.connect(path)) as opened:
        yield opened


@pytest.mark.parametrize("statement", LISTS, ids=lambda each: each.name)
def test_no_list_walks_through_the_past(
    connection: sqlite3.Connection, statement: Statement[Any]
) -> None:
    """Every table that grows is entered by an index, at the place that is asked for."""
    sql = statement.compiled(DialectName.SQLITE).sql
    plan = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [0] * sql.count("?")).fetchall()
    walks = [
        step
        for *_, step in plan
        if re.match(rf"SCAN ({TABLES_THAT_GROW})\b", step)
        and not any(index in step for index in OF_WHAT_RUNS)
    ]
    assert walks == []
