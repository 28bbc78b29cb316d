"""The ledger in its tables: accounts read and written back, transfers appended.

The pure rules are `call_core.ledger`; here the difference between two versions of a call becomes
transfers. Every transfer's id says what it is for (`<leg>:hold:2`, `<leg>:post`), so that doing it
twice is refused by the primary key, and ending a hold twice by the index on `pending_id`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, insert, select

from call_core.calls.model import Call, Leg
from call_core.ledger.accounts import (
    Account,
    AccountKind,
    available,
    customer_account,
    house_account,
    is_customer_account,
    kind_of_id,
)
from call_core.ledger.transfers import (
    Applied,
    Result,
    Transfer,
    TransferCode,
    TransferKind,
    apply,
    post_of,
    void_of,
)
from call_core.rating.settlement import Settlement
from call_core.storage import tables
from call_core.storage.statements import Row, select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx

_COUNTERS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")


def _account(row: Row) -> Account:
    identifier, currency, kind, limit, debits_pending, debits_posted, pending, posted = row
    return Account(
        identifier,
        currency,
        AccountKind(kind),
        debits_pending,
        debits_posted,
        pending,
        posted,
        limit,
    )


FIND_ACCOUNT = select_statement(
    select(tables.accounts).where(tables.accounts.c.id == bindparam("id")).with_for_update(),
    row=_account,
    name="find_account",
)
LOCK_CUSTOMERS = select_statement(
    select(tables.accounts.c.id)
    .where(
        tables.accounts.c.kind.in_(
            [AccountKind.CUSTOMER_PREPAID.value, AccountKind.CUSTOMER_POSTPAID.value]
        )
    )
    .order_by(tables.accounts.c.id)
    .with_for_update(),
    name="lock_customers",
)
READ_ACCOUNT = select_statement(
    select(tables.accounts).where(tables.accounts.c.id == bindparam("id")),
    row=_account,
    name="read_account",
)
OPEN_ACCOUNT = upsert_statement(
    lambda insert_into: insert_into(tables.accounts).on_conflict_do_nothing(index_elements=["id"]),
    name="open_account",
)
_A = tables.accounts
ADD_TO_ACCOUNT = upsert_statement(
    lambda insert_into: (made := insert_into(_A)).on_conflict_do_update(
        index_elements=["id"],
        set_={name: _A.c[name] + made.excluded[name] for name in _COUNTERS},
    ),
    name="add_to_account",
)
"""Adds to the counters. A house account is made when it is first needed, a customer's with them."""
INSERT_TRANSFER = write_statement(insert(tables.transfers), name="insert_transfer")


@dataclass(frozen=True, slots=True)
class Entry:
    """A transfer to apply, and the hold that it ends, if any."""

    transfer: Transfer
    pending: Transfer | None = None


class LedgerRefusal(Exception):
    """The ledger said no; `result` is the sentence, `available_micros` what there is."""

    def __init__(self, result: Result, available_micros: int) -> None:
        super().__init__(str(result))
        self.result = result
        self.available_micros = available_micros


def open_account(
    tx: Tx, account_id: str, currency: str, kind: AccountKind, credit_limit_micros: int | None
) -> None:
    """Make an account; one that is there stays as it is."""
    account = Account(account_id, currency, kind, credit_limit_micros=credit_limit_micros)
    tx.write(OPEN_ACCOUNT, **_row(account))


def _row(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "currency": account.currency,
        "kind": account.kind.value,
        "credit_limit_micros": account.credit_limit_micros,
        "debits_pending": account.debits_pending,
        "debits_posted": account.debits_posted,
        "credits_pending": account.credits_pending,
        "credits_posted": account.credits_posted,
    }


def read_account(tx: Tx, customer_id: str) -> Account | None:
    """Return a customer's account without locking it."""
    return tx.one(READ_ACCOUNT, id=customer_account(customer_id))


def lock_account(tx: Tx, customer_id: str) -> Account | None:
    """Return a customer's account, locked until the transaction ends."""
    return tx.one(FIND_ACCOUNT, id=customer_account(customer_id))


def lock_customers(tx: Tx) -> None:
    """Lock every customer's account, for what is to stop everybody."""
    tx.all(LOCK_CUSTOMERS)


def post_entries(
    tx: Tx, entries: Sequence[Entry], now_wall_ms: int, known: Iterable[Account] = ()
) -> dict[str, Account]:
    """Apply transfers in order, all or none.

    Only customers' accounts are read: the house's have no limit, so what a transfer moves there
    is added to whatever they hold.

    Args:
        tx: the transaction.
        entries: what to apply.
        now_wall_ms: now.
        known: customers' accounts that were locked in this transaction, and not written since.

    Returns:
        The customers' accounts that were written, as they are now, by id.

    Raises:
        LedgerRefusal: a limit forbids one of them. The unit must let this roll it back.
    """
    accounts = {account.id: account for account in known}
    touched = _in_lock_order(entries)
    for account_id in touched:
        if is_customer_account(account_id) and account_id not in accounts:
            accounts[account_id] = _locked(tx, account_id)
    rows: dict[str, dict[str, Any]] = {}
    for entry in entries:
        transfer = entry.transfer
        debit = accounts.get(transfer.debit_account) or _house(transfer.debit_account, entry)
        credit = accounts.get(transfer.credit_account) or _house(transfer.credit_account, entry)
        applied = apply(debit, credit, transfer, entry.pending)
        if not isinstance(applied, Applied):
            raise LedgerRefusal(applied, available(debit))
        for before, after in ((debit, applied.debit), (credit, applied.credit)):
            _add(rows, before, after)
            if after.id in accounts:
                accounts[after.id] = after
    tx.run_many(ADD_TO_ACCOUNT, [rows[account_id] for account_id in touched])
    tx.run_many(INSERT_TRANSFER, [_transfer_row(each.transfer, now_wall_ms) for each in entries])
    return {account_id: accounts[account_id] for account_id in touched if account_id in accounts}


def _in_lock_order(entries: Sequence[Entry]) -> list[str]:
    """Return the accounts of all entries: the customers', then the house's, by id."""
    named = {
        account_id
        for each in entries
        for account_id in (each.transfer.debit_account, each.transfer.credit_account)
    }
    return sorted(named)  # "customer:…" comes before "operator:…"


def _locked(tx: Tx, account_id: str) -> Account:
    found = tx.one(FIND_ACCOUNT, id=account_id)
    assert found is not None, account_id
    return found


def _house(account_id: str, entry: Entry) -> Account:
    """Return a house account as far as one transfer can tell: it holds what that would end."""
    held = 0 if entry.pending is None else entry.pending.amount_micros
    return Account(
        account_id,
        entry.transfer.currency,
        kind_of_id(account_id),
        debits_pending=held,
        credits_pending=held,
    )


def _add(rows: dict[str, dict[str, Any]], before: Account, after: Account) -> None:
    """Add what a transfer changed to the row that `ADD_TO_ACCOUNT` gets for this account."""
    row = rows.get(after.id)
    if row is None:
        row = rows[after.id] = _row(after) | dict.fromkeys(_COUNTERS, 0)
    row["debits_pending"] += after.debits_pending - before.debits_pending
    row["debits_posted"] += after.debits_posted - before.debits_posted
    row["credits_pending"] += after.credits_pending - before.credits_pending
    row["credits_posted"] += after.credits_posted - before.credits_posted


def _transfer_row(transfer: Transfer, now_wall_ms: int) -> dict[str, str | int | None]:
    return {
        "id": transfer.id,
        "debit_account": transfer.debit_account,
        "credit_account": transfer.credit_account,
        "amount_micros": transfer.amount_micros,
        "currency": transfer.currency,
        "kind": str(transfer.kind),
        "pending_id": transfer.pending_id,
        "code": str(transfer.code),
        "call_id": transfer.call_id,
        "leg_id": transfer.leg_id,
        "at_call_ms": transfer.at_call_ms,
        "at_wall_ms": now_wall_ms,
    }


def stripe(shard: int) -> str:
    """Return which of the operator's accounts a shard's calls use.

    By shard, not by node: a hold must be ended against the account it was made with, whichever
    node owns the shard then.
    """
    return f"s{shard}"


def hold_of(call: Call, leg: Leg, at_call_ms: int) -> Transfer:
    """Return the pending transfer that is a leg's hold in force."""
    return Transfer(
        id=f"{leg.id}:hold:{leg.holds}",
        debit_account=customer_account(call.customer_id),
        credit_account=house_account(
            AccountKind.OPERATOR_REVENUE, call.currency, stripe(call.shard)
        ),
        amount_micros=leg.held_micros,
        currency=call.currency,
        kind=TransferKind.PENDING,
        code=TransferCode.CALL,
        at_call_ms=at_call_ms,
        call_id=call.id,
        leg_id=leg.id,
    )


def hold_entries(old: Call | None, new: Call, at_call_ms: int) -> list[Entry]:
    """Return what turns the holds of `old` into those of `new`: a larger one for the smaller."""
    before = {} if old is None else {leg.id: leg for leg in old.legs()}
    entries: list[Entry] = []
    for leg in new.legs():
        was = before.get(leg.id)
        if was is not None and was.holds == leg.holds:
            continue
        if was is not None and was.holds:
            held = hold_of(new, was, at_call_ms)
            entries.append(Entry(void_of(held, f"{held.id}:void", at_call_ms), held))
        if leg.holds:
            entries.append(Entry(hold_of(new, leg, at_call_ms)))
    return entries


def settlement_entries(
    call: Call, leg: Leg, settlement: Settlement, at_call_ms: int
) -> Iterable[Entry]:
    """Return what ends a leg's hold: the customer's part posted, the operator's made visible."""
    held = hold_of(call, leg, at_call_ms)
    if settlement.total_micros:
        post = post_of(held, f"{leg.id}:post", settlement.total_micros, at_call_ms)
        yield Entry(post, held)
    else:
        yield Entry(void_of(held, f"{held.id}:void", at_call_ms), held)
    operators = (
        (settlement.free_micros, AccountKind.OPERATOR_FREE_LEGS, TransferCode.FREE_LEG),
        (settlement.overrun_micros, AccountKind.OPERATOR_OVERRUN, TransferCode.OVERRUN),
    )
    for amount, purpose, code in operators:
        if amount:
            yield Entry(_single(call, leg, amount, purpose, code, at_call_ms))


def _single(
    call: Call,
    leg: Leg,
    amount: int,
    purpose: AccountKind,
    code: TransferCode,
    at_call_ms: int,
) -> Transfer:
    return Transfer(
        id=f"{leg.id}:{code}",
        debit_account=house_account(purpose, call.currency, stripe(call.shard)),
        credit_account=house_account(
            AccountKind.OPERATOR_REVENUE, call.currency, stripe(call.shard)
        ),
        amount_micros=amount,
        currency=call.currency,
        kind=TransferKind.SINGLE,
        code=code,
        at_call_ms=at_call_ms,
        call_id=call.id,
        leg_id=leg.id,
    )


def top_up(
    customer_id: str,
    amount_micros: int,
    currency: str,
    transfer_id: str,
    at_call_ms: int,
) -> Transfer:
    """Return the transfer of money that a customer paid in."""
    return Transfer(
        id=transfer_id,
        debit_account=house_account(AccountKind.OPERATOR_CASH, currency, stripe(0)),
        credit_account=customer_account(customer_id),
        amount_micros=amount_micros,
        currency=currency,
        kind=TransferKind.SINGLE,
        code=TransferCode.TOP_UP,
        at_call_ms=at_call_ms,
    )


def adjustment(
    call: Call, leg: Leg, charge_micros: int, transfer_id: str, at_call_ms: int
) -> Transfer:
    """Return the correction of a settled bill; below zero the customer gets money back."""
    customer = customer_account(call.customer_id)
    house = house_account(AccountKind.OPERATOR_ADJUSTMENTS, call.currency, stripe(call.shard))
    pays = charge_micros > 0
    return Transfer(
        id=transfer_id,
        debit_account=customer if pays else house,
        credit_account=house if pays else customer,
        amount_micros=abs(charge_micros),
        currency=call.currency,
        kind=TransferKind.SINGLE,
        code=TransferCode.ADJUSTMENT,
        at_call_ms=at_call_ms,
        call_id=call.id,
        leg_id=leg.id,
    )
