"""The operator's look into the books: every transfer replayed, and the transfers of one call."""

from collections.abc import Callable, Iterator

from sqlalchemy import bindparam, select

from call_core.ledger.accounts import Account, AccountKind
from call_core.ledger.invariants import violations
from call_core.ledger.transfers import Transfer, TransferCode, TransferKind
from call_core.storage import tables
from call_core.storage.statements import Row, select_statement
from call_core.storage.transaction import Tx

PAGE = 5_000
_A, _T = tables.accounts, tables.transfers
_COLUMNS = (
    *(_T.c.id, _T.c.debit_account, _T.c.credit_account, _T.c.amount_micros, _T.c.currency),
    *(_T.c.kind, _T.c.code, _T.c.at_call_ms, _T.c.pending_id, _T.c.call_id, _T.c.leg_id),
)
# What begins and what is done in one step; then what ends it. Whatever the order of commits was,
# a hold is replayed before its end.
_PHASES = (
    (TransferKind.PENDING, TransferKind.SINGLE),
    (TransferKind.POST, TransferKind.VOID),
)


def _transfer(row: Row) -> Transfer:
    identifier, debit, credit, micros, currency, kind, code, *rest = row
    return Transfer(
        identifier, debit, credit, micros, currency, TransferKind(kind), TransferCode(code), *rest
    )


def _account(row: Row) -> Account:
    identifier, currency, kind, *counters_and_limit = row
    return Account(identifier, currency, AccountKind(kind), *counters_and_limit)


_ACCOUNTS = select_statement(
    select(
        *(_A.c.id, _A.c.currency, _A.c.kind),
        *(_A.c.debits_pending, _A.c.debits_posted, _A.c.credits_pending, _A.c.credits_posted),
        _A.c.credit_limit_micros,
    ),
    row=_account,
    name="every_account",
)
_TRANSFERS = select_statement(
    select(*_COLUMNS)
    .where(
        _T.c.id > bindparam("after"),
        _T.c.kind.in_([bindparam("first_kind"), bindparam("second_kind")]),
    )
    .order_by(_T.c.id)
    .limit(bindparam("page")),
    row=_transfer,
    name="transfers_after",
)
_OF_CALL = select_statement(
    select(*_COLUMNS).where(_T.c.call_id == bindparam("call_id")).order_by(_T.c.id),
    row=_transfer,
    name="transfers_of_call",
)


def verify(tx: Tx, progress: Callable[[int], None]) -> tuple[int, list[str]]:
    """Replay every transfer on one consistent state of the database (a query).

    Args:
        tx: reads only.
        progress: told the number of transfers read, now and then, from the reader's thread.

    Returns:
        The number of transfers, and one sentence for everything that is wrong.
    """
    read = [0]

    def counted() -> Iterator[Transfer]:
        for transfer in _every_transfer(tx):
            read[0] += 1
            if read[0] % PAGE == 0:
                progress(read[0])
            yield transfer

    accounts = {account.id: account for account in tx.all(_ACCOUNTS)}
    wrong = violations(accounts, counted())
    progress(read[0])
    return read[0], wrong


def transfers_of_call(tx: Tx, call_id: str) -> list[Transfer]:
    """Return what a call left in the books (a query)."""
    return tx.all(_OF_CALL, call_id=call_id)


def _every_transfer(tx: Tx) -> Iterator[Transfer]:
    for first, second in _PHASES:
        after = ""
        while True:
            page = tx.all(
                _TRANSFERS,
                after=after,
                first_kind=first.value,
                second_kind=second.value,
                page=PAGE,
            )
            yield from page
            if len(page) < PAGE:
                break
            after = page[-1].id
