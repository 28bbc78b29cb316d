"""The operator's look into the books."""

import pytest
from sqlalchemy import text

from call_core.ledger.accounts import AccountKind, customer_account, house_account
from call_core.ledger.transfers import Transfer, TransferCode, TransferKind, post_of, void_of
from call_core.storage import ledger_rows, tables
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.ledger_rows import Entry
from call_core.storage.statements import write_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from gateway import books

pytestmark = pytest.mark.anyio
DROP_TRIGGER = write_statement(text("DROP TRIGGER audit_refuse_update"))
TAMPER = write_statement(
    tables.audit.update().where(tables.audit.c.seq == 2).values(subject="somebody else")
)


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
    told: list[tuple[int, int]] = []
    count, wrong = await store.read(books.verify, lambda *each: told.append(each))
    assert (count, wrong) == (5, [])
    assert told == [(2, 5), (4, 5), (5, 5)]


async def test_a_balance_that_no_transfer_made_is_found(store: Store) -> None:
    """The sentence names the account, what it has and what its transfers give."""
    await store.run(money_in, 1)
    await store.run(falsify)
    _, wrong = await store.read(books.verify, lambda *_: None)
    assert any("customer:cust_1" in each and "credits_posted 7" in each for each in wrong)


def hold(name: str) -> Transfer:
    """Return money held."""
    revenue = house_account(AccountKind.OPERATOR_REVENUE, "USD", "s0")
    return Transfer(
        *(f"{name}:hold:1", customer_account("cust_1"), revenue, 1_000, "USD"),
        *(TransferKind.PENDING, TransferCode.CALL, 1),
    )


def holds_that_end(tx: Tx, count: int) -> None:
    """Hold money and end each hold, the first one by taking it, the last one not at all."""
    money_in(tx, 1)
    for number in range(count):
        held = hold(f"leg_{number:03}")
        ledger_rows.post_entries(tx, [Entry(held)], 1)
        if number == 0:
            ledger_rows.post_entries(tx, [Entry(post_of(held, "a_post", 400, 2), held)], 2)
        elif number < count - 1:
            ledger_rows.post_entries(tx, [Entry(void_of(held, "b" + held.id, 2), held)], 2)


async def test_holds_are_replayed_each_with_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever their ids sort like, and across pages: memory does not grow with the past."""
    monkeypatch.setattr(books, "PAGE", 2)
    await store.run(holds_that_end, 7)
    assert await store.read(books.verify, lambda *_: None) == (14, [])

    def open_at_once(tx: Tx) -> int:
        opened, most = set[str](), 0
        for each in books._every_transfer(tx):  # noqa: SLF001  (its order is the point)
            if each.kind is TransferKind.PENDING:
                opened.add(each.id)
            opened.discard(each.pending_id)
            most = max(most, len(opened))
        return most

    assert await store.read(open_at_once) == 1


def end_nothing(tx: Tx) -> None:
    """Write the end of a hold that never was, behind the ledger's back."""
    money_in(tx, 1)
    row = ledger_rows._transfer_row(void_of(hold("leg_x"), "x:void", 2), 2)  # noqa: SLF001  (forged)
    tx.write(ledger_rows.INSERT_TRANSFER, **row)


async def test_an_end_of_nothing_is_found(store: Store) -> None:
    """It is named with what it claims to end."""
    await store.run(end_nothing)
    count, wrong = await store.read(books.verify, lambda *_: None)
    assert count == 2
    assert any("x:void ends leg_x:hold:1, which is not open" in each for each in wrong)


async def test_a_tampered_audit_row_is_named(store: Store) -> None:
    """The sentence has the chain and the number."""
    for number in range(3):
        await store.run(lambda tx, n: tx.audit(AuditEntry(n, "op", "test", "it")), number)
    assert await store.read(books.verify_audit) == []

    def tamper(tx: Tx) -> None:
        tx.write(DROP_TRIGGER)
        tx.write(TAMPER)

    await store.run(tamper)
    [sentence] = await store.read(books.verify_audit)
    assert sentence.startswith("audit row 2 of main was changed")


async def test_an_empty_ledger_agrees(store: Store) -> None:
    """Nothing was transferred and nothing is wrong."""
    assert await store.read(books.verify, lambda *_: None) == (0, [])


async def test_a_calls_transfers_are_its_own(store: Store) -> None:
    """Money that is not about the call is not among them."""
    await store.run(money_in, 1)
    assert await store.read(books.transfers_of_call, "call_1") == []
