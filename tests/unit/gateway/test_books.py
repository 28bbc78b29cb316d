"""The operator's look into the books."""

import pytest

from call_core.ledger.accounts import AccountKind, customer_account
from call_core.storage import ledger_rows, tables
from call_core.storage.ledger_rows import Entry
from call_core.storage.statements import write_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from gateway import books

pytestmark = pytest.mark.anyio


def money_in(tx: Tx, count: int) -> None:
    """Open an account and top it up a number of times."""
    account = customer_account("cust_1")
    ledger_rows.open_account(tx, account, "USD", AccountKind.CUSTOMER_PREPAID, None)
    for number in range(count):
        transfer = ledger_rows.top_up("cust_1", 1_000_000, "USD", f"topup_{number:06}", 1)
        ledger_rows.post_entries(tx, [Entry(transfer)], 1)


def falsify(tx: Tx) -> None:
    """Change a balance behind the ledger's back."""
    statement = write_statement(
        tables.accounts.update()
        .where(tables.accounts.c.id == customer_account("cust_1"))
        .values(credits_posted=7)
    )
    tx.write(statement)


async def test_books_that_agree_are_told_so_with_progress(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every transfer is read once, whatever the size of a page."""
    monkeypatch.setattr(books, "PAGE", 2)
    await store.run(money_in, 5)
    told: list[int] = []
    count, wrong = await store.read(books.verify, told.append)
    assert (count, wrong) == (5, [])
    assert told == [2, 4, 5]


async def test_a_balance_that_no_transfer_made_is_found(store: Store) -> None:
    """The sentence names the account, what it has and what its transfers give."""
    await store.run(money_in, 1)
    await store.run(falsify)
    _, wrong = await store.read(books.verify, lambda _: None)
    assert any("customer:cust_1" in each and "credits_posted 7" in each for each in wrong)


async def test_an_empty_ledger_agrees(store: Store) -> None:
    """Nothing was transferred and nothing is wrong."""
    assert await store.read(books.verify, lambda _: None) == (0, [])


async def test_a_calls_transfers_are_its_own(store: Store) -> None:
    """Money that is not about the call is not among them."""
    await store.run(money_in, 1)
    assert await store.read(books.transfers_of_call, "call_1") == []
