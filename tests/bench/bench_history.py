"""History figures: pages, exports and the ledger's check over a million records.

A SQLite database is filled by bulk insert (the two-leg calls of a few users over a year), then read
the way pages, the API and the command line do. Run it as a script; it prints one line of JSON.
"""

import argparse
import asyncio
import json
import resource
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from call_core import queries
from call_core.calls.rules import Rules
from call_core.contracts import Page, Principal
from call_core.ledger.accounts import AccountKind, customer_account, house_account
from call_core.rating.rater import RateTerms
from call_core.storage import migrate, tables
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from channels.web import export
from gateway import books
from gateway.operator_reads import every_cdr

RECORDS = 1_000_000
REPEATS = 5
PAGE_ROWS = 25
EXPORT_PAGE = 200
USERS = 4
START_MS = 1_767_225_600_000
STEP_MS = 60_000
TERMS = RateTerms("1:1", "1", "United States", 10_000, 0, 6, 6, 0, 100, "USD", "std", 1).to_json()
CHARGE_MICROS = 10_000
_BATCH = 20_000
_KB = 1024
_DEFAULTS = {"INTEGER": 0, "BIGINT": 0}
Rows = Iterator[dict[str, object]]


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=RECORDS)
    records = parser.parse_args().records
    with tempfile.TemporaryDirectory(prefix="callgate-bench-") as folder:
        path = Path(folder) / "history.db"
        migrate.upgrade(f"sqlite:///{path}")
        began = perf_counter()
        fill(path, records // 2)
        filled_s = perf_counter() - began
        figures = asyncio.run(measure(path))
    figures = {"records": records, "fill_s": round(filled_s, 1), **figures}
    sys.stdout.write(json.dumps(figures) + "\n")


# --- the database -------------------------------------------------------------------------------


def fill(path: Path, calls: int) -> None:
    """Write so many ended calls of two legs, with their records and transfers."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA cache_size=-200000")
        _insert(connection, tables.users, _users())
        _insert(connection, tables.accounts, _accounts(calls))
        for first in range(0, calls, _BATCH):
            chosen = range(first, min(first + _BATCH, calls))
            _insert(connection, tables.calls, map(_call, chosen))
            for table, make in (
                (tables.parties, _party),
                (tables.numbers, _number),
                (tables.legs, _leg),
                (tables.cdrs, _cdr),
            ):
                _insert(connection, table, (make(n, leg) for n in chosen for leg in (0, 1)))
            for ending in (False, True):
                rows = (_transfer(n, leg, ending=ending) for n in chosen for leg in (0, 1))
                _insert(connection, tables.transfers, rows)
            connection.commit()
        connection.execute("ANALYZE")
        connection.commit()


def _insert(connection: sqlite3.Connection, table: object, rows: Rows) -> None:
    columns = {column.name: column for column in table.c}  # type: ignore[attr-defined]  # a Table
    empty = {
        name: None if column.nullable else _DEFAULTS.get(str(column.type), "")
        for name, column in columns.items()
    }
    marks = ", ".join("?" * len(columns))
    names = ", ".join(f'"{name}"' for name in columns)
    # Names of tables and columns are our own.
    connection.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  (our own names)
        ([{**empty, **row}[name] for name in columns] for row in rows),
    )


def _users() -> Rows:
    for n in range(USERS):
        yield {
            "id": f"user_{n}",
            "customer_id": "cust_1",
            "name": f"User {n}",
            "role": "member",
            "timezone": "UTC",
            "country": "US",
            "state": "active",
        }


def _accounts(calls: int) -> Rows:
    legs = calls * 2
    customer = {"id": customer_account("cust_1"), "kind": str(AccountKind.CUSTOMER_POSTPAID)}
    revenue = {
        "id": house_account(AccountKind.OPERATOR_REVENUE, "USD", "s0"),
        "kind": str(AccountKind.OPERATOR_REVENUE),
    }
    owed = legs * CHARGE_MICROS
    yield {**customer, "currency": "USD", "debits_posted": owed, "credit_limit_micros": owed}
    yield {**revenue, "currency": "USD", "credits_posted": owed}


def _id(n: int) -> str:
    return f"call_{n:026}"


def _call(n: int) -> dict[str, object]:
    at_ms = START_MS + n * STEP_MS
    return {
        "id": _id(n),
        "ref": "4F7",
        "kind": "call",
        "user_id": f"user_{n % USERS}",
        "customer_id": "cust_1",
        "channel": "web",
        "state": "ENDED",
        "reason": "completed",
        "currency": "USD",
        "timezone": "UTC",
        "created_wall_ms": at_ms,
        "launched_call_ms": at_ms,
        "talk_call_ms": at_ms + 9_000,
        "ended_call_ms": at_ms + 69_000,
        "ended_wall_ms": at_ms + 69_000,
    }


def _party(n: int, leg: int) -> dict[str, object]:
    return {
        "call_id": _id(n),
        "n": leg,
        "role": "AB"[leg],
        "label": "office",
        "number_id": f"{_id(n)}.{leg}.1",
    }


def _number(n: int, leg: int) -> dict[str, object]:
    return {
        "id": f"{_id(n)}.{leg}.1",
        "call_id": _id(n),
        "digits": f"+1212555{leg}{n % 1000:03}",
        "region": "US",
        "created_wall_ms": START_MS + n * STEP_MS,
    }


def _leg(n: int, leg: int) -> dict[str, object]:
    at_ms = START_MS + n * STEP_MS
    return {
        "id": f"{_id(n)}.{leg}.1",
        "call_id": _id(n),
        "n": leg,
        "attempt": 1,
        "number_id": f"{_id(n)}.{leg}.1",
        "state": "ENDED",
        "trunk": "main",
        "terms": TERMS,
        "originated_call_ms": at_ms,
        "answered_call_ms": at_ms + 9_000,
        "accepted_call_ms": at_ms + 9_000,
        "ended_call_ms": at_ms + 69_000,
        "cause": 16,
        "hangup_by": "party",
        "holds": 1,
        "held_micros": CHARGE_MICROS,
        "paid_seconds": 60,
        "charge_micros": CHARGE_MICROS,
        "settled": 1,
    }


def _cdr(n: int, leg: int) -> dict[str, object]:
    at_ms = START_MS + n * STEP_MS
    return {
        "id": f"cdr_{n:026}.{leg}",
        "call_id": _id(n),
        "ref": "4F7",
        "customer_id": "cust_1",
        "user_id": f"user_{n % USERS}",
        "party": leg,
        "attempt": 1,
        "leg": "AB"[leg],
        "channel": "web",
        "user": f"User {n % USERS}",
        "to_number_id": f"{_id(n)}.{leg}.1",
        "destination": "United States",
        "prefix": "1",
        "rate_id": "1:1",
        "setup_call_ms": at_ms,
        "answer_call_ms": at_ms + 9_000,
        "end_call_ms": at_ms + 69_000,
        "duration_s": 60,
        "billable_s": 60,
        "price_micros_per_minute": 10_000,
        "charge_micros": CHARGE_MICROS,
        "total_micros": CHARGE_MICROS,
        "currency": "USD",
        "hangup_cause": "NORMAL_CLEARING",
        "hangup_by": "party",
        "switch": "simulator",
        "trunk": "main",
        "explanation": "60 s at 0.01 a minute, 6/6\n= 0.01",
        "created_wall_ms": at_ms + 69_000,
    }


def _transfer(n: int, leg: int, *, ending: bool) -> dict[str, object]:
    leg_id = f"{_id(n)}.{leg}.1"
    return {
        "id": f"{leg_id}:post" if ending else f"{leg_id}:hold:1",
        "debit_account": customer_account("cust_1"),
        "credit_account": house_account(AccountKind.OPERATOR_REVENUE, "USD", "s0"),
        "amount_micros": CHARGE_MICROS,
        "currency": "USD",
        "kind": "post" if ending else "pending",
        "pending_id": f"{leg_id}:hold:1" if ending else "",
        "code": "call",
        "call_id": _id(n),
        "leg_id": leg_id,
    }


# --- reading ------------------------------------------------------------------------------------


async def measure(path: Path) -> dict[str, object]:
    """Return milliseconds of pages at both ends of the history, and rows a second of the rest."""
    store = await Store.open(f"sqlite:///{path}")
    try:
        figures: dict[str, object] = {}
        for role in ("member", "administrator"):
            who = _who(role)
            for place in ("newest", "oldest"):
                cursor = "" if place == "newest" else f"{START_MS + 1000 * STEP_MS}.x"
                figures[f"calls_page_{role}_{place}_ms"] = await _timed(
                    store, queries.call_page, who, PAGE_ROWS, cursor, 0, Rules()
                )
                figures[f"cdrs_page_{role}_{place}_ms"] = await _timed(
                    store, queries.cdr_page, who, PAGE_ROWS, cursor, ""
                )
        before_kb = _peak_kb()
        figures["export"] = await _rate(store, _exported)
        figures["page_export"] = await _page_export(store)
        figures["ledger_verify"] = await _rate(store, _verified)
        figures["memory_grown_mib"] = round((_peak_kb() - before_kb) / _KB, 1)
        return figures
    finally:
        await store.close()


def _who(role: str) -> Principal:
    return Principal(
        *("user_1", "User 1", "cust_1", "Bench", role, "UTC", "US", "USD", ("read",), "")
    )


async def _timed(store: Store, query: Callable[..., Page[Any]], *arguments: object) -> float:
    spent = []
    for _ in range(REPEATS):
        began = perf_counter()
        page = await store.read(lambda tx: query(tx, *arguments))
        spent.append((perf_counter() - began) * 1000)
        assert len(page.items) == PAGE_ROWS
    return round(median(spent), 2)


async def _rate(store: Store, query: Callable[[Tx], tuple[int, float]]) -> dict[str, object]:
    began = perf_counter()
    count, first_s = await store.read(query)
    took_s = perf_counter() - began
    return {
        "rows": count,
        "s": round(took_s, 1),
        "rows_per_s": round(count / took_s),
        "first_row_ms": round(first_s * 1000, 1),
    }


def _exported(tx: Tx) -> tuple[int, float]:
    """Make every record a line, as `callgate cdrs export` does."""
    began, first_s, count = perf_counter(), 0.0, 0
    for count, record in enumerate(every_cdr(tx, 0), 1):  # noqa: B007  (counted)
        export.line(record)
        first_s = first_s or perf_counter() - began
    return count, first_s


def _verified(tx: Tx) -> tuple[int, float]:
    began = perf_counter()
    told: list[float] = []
    count, wrong = books.verify(tx, lambda *_: told.append(perf_counter() - began))
    assert wrong == [], wrong[:3]
    return count, told[0]


async def _page_export(store: Store) -> dict[str, object]:
    """Read one user's records as the page's download does, page after page."""
    cursor, count, longest_ms, began = "", 0, 0.0, perf_counter()
    while True:
        asked = perf_counter()
        page = await store.read(queries.cdr_page, _who("member"), EXPORT_PAGE, cursor, "")
        longest_ms = max(longest_ms, (perf_counter() - asked) * 1000)
        count += len(page.items)
        cursor = page.next
        if not cursor:
            break
    took_s = perf_counter() - began
    return {
        "rows": count,
        "s": round(took_s, 1),
        "rows_per_s": round(count / took_s),
        "longest_page_ms": round(longest_ms, 1),
    }


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
