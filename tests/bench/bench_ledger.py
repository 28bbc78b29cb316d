"""Balanced two-phase postings per second through the store, beside raw group-committed inserts.

A posting is a hold and what ends it: two units, each a locked pair of accounts and one transfer.
`hot` is one customer; `spread` is a hundred. The floor is the same database file on the same disk,
a hundred rows of a transfer's width in each commit.
"""

import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import uvloop

from call_core.ledger.accounts import AccountKind, customer_account, house_account
from call_core.ledger.transfers import Transfer, TransferCode, TransferKind, post_of
from call_core.storage import ledger_rows, migrate
from call_core.storage.ledger_rows import Entry
from call_core.storage.store import Store
from call_core.storage.transaction import Tx

REPEATS = 5
POSTINGS = 1_000
AT_ONCE = 100
MICROS = 1_000
_ROW = "x" * 200
_HOUSE = house_account(AccountKind.OPERATOR_REVENUE, "USD", "bench")


def main() -> None:
    """Print the figures as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [_once(Path(folder), n) for n in range(REPEATS)]
    figures = {name: _spread([run[name] for run in runs]) for name in runs[0]}
    sys.stdout.write(json.dumps(figures) + "\n")


def _spread(values: list[int]) -> dict[str, float]:
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def _once(folder: Path, n: int) -> dict[str, int]:
    return {
        "raw_rows_per_s": _raw(folder / f"raw{n}.db"),
        "postings_per_s_hot": uvloop.run(_postings(folder / f"hot{n}.db", 1)),
        "postings_per_s_spread": uvloop.run(_postings(folder / f"spread{n}.db", 100)),
    }


def _raw(path: Path) -> int:
    rows = 2 * POSTINGS
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT)")
        began = time.perf_counter()
        for _ in range(rows // AT_ONCE):
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(AT_ONCE):
                connection.execute("INSERT INTO row (text) VALUES (?)", (_ROW,))
            connection.execute("COMMIT")
        return round(rows / (time.perf_counter() - began))


async def _postings(path: Path, customers: int) -> int:
    url = f"sqlite:///{path}"
    migrate.upgrade(url)
    store = await Store.open(url)
    await store.run(_open, customers)
    places = asyncio.Semaphore(AT_ONCE)
    began = time.perf_counter()
    await asyncio.gather(*(_posting(store, places, n, customers) for n in range(POSTINGS)))
    took_s = time.perf_counter() - began
    await store.close()
    return round(POSTINGS / took_s)


def _open(tx: Tx, customers: int) -> None:
    ledger_rows.open_account(tx, _HOUSE, "USD", AccountKind.OPERATOR_REVENUE, None)
    for n in range(customers):
        account = customer_account(f"c{n}")
        ledger_rows.open_account(tx, account, "USD", AccountKind.CUSTOMER_PREPAID, None)
        paid_in = ledger_rows.top_up(f"c{n}", MICROS * POSTINGS, "USD", f"top{n}", 0)
        ledger_rows.post_entries(tx, [Entry(paid_in)], 0)


async def _posting(store: Store, places: asyncio.Semaphore, n: int, customers: int) -> None:
    hold = Transfer(
        id=f"t{n}:hold",
        debit_account=customer_account(f"c{n % customers}"),
        credit_account=_HOUSE,
        amount_micros=MICROS,
        currency="USD",
        kind=TransferKind.PENDING,
        code=TransferCode.CALL,
        at_call_ms=n,
        call_id=f"t{n}",
        leg_id=f"t{n}",
    )
    async with places:
        await store.run(ledger_rows.post_entries, [Entry(hold)], n)
        post = post_of(hold, f"t{n}:post", MICROS // 2, n)
        await store.run(ledger_rows.post_entries, [Entry(post, hold)], n)


if __name__ == "__main__":
    main()
