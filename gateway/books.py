"""The operator's look into the books: every transfer replayed, and the transfers of one call."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import and_, bindparam, func, literal_column, select

from call_core.ledger.accounts import Account, AccountKind
from call_core.ledger.invariants import violations
from call_core.ledger.transfers import Transfer, TransferCode, TransferKind
from call_core.storage import tables
from call_core.storage.audit_chain import broken_links
from call_core.storage.statements import Row, select_statement
from call_core.storage.transaction import Tx

PAGE = 5_000
_A, _T = tables.accounts, tables.transfers
_E = _T.alias("ending")


def _columns_of(table: Any) -> tuple[Any, ...]:  # noqa: ANN401  (a Table or an Alias)
    return (
        *(table.c.id, table.c.debit_account, table.c.credit_account, table.c.amount_micros),
        *(table.c.currency, table.c.kind, table.c.code, table.c.at_call_ms, table.c.pending_id),
        *(table.c.call_id, table.c.leg_id),
    )


_COLUMNS = _columns_of(_T)
_ENDINGS = (TransferKind.POST.value, TransferKind.VOID.value)


def _transfer(row: Row) -> Transfer:
    identifier, debit, credit, micros, currency, kind, code, *rest = row
    return Transfer(
        identifier, debit, credit, micros, currency, TransferKind(kind), TransferCode(code), *rest
    )


def _with_ending(row: Row) -> tuple[Transfer, Transfer | None]:
    middle = len(_COLUMNS)
    return _transfer(row[:middle]), None if row[middle] is None else _transfer(row[middle:])


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
_ENDS = and_(_E.c.pending_id == _T.c.id, _E.c.pending_id != literal_column("''"))
BEGUN = select_statement(
    select(*_COLUMNS, *_columns_of(_E))
    .select_from(_T.outerjoin(_E, _ENDS))
    .where(_T.c.id > bindparam("after"), _T.c.kind.notin_(_ENDINGS))
    .order_by(_T.c.id)
    .limit(bindparam("page")),
    row=_with_ending,
    name="transfers_begun_after",
)
"""Each hold with what ends it, so that no more than one is open while they are replayed."""
_H = _T.alias("held")
ASTRAY = select_statement(
    select(*_COLUMNS)
    .where(
        _T.c.id > bindparam("after"),
        _T.c.kind.in_(_ENDINGS),
        ~select(_H.c.id).where(_H.c.id == _T.c.pending_id, _H.c.kind.notin_(_ENDINGS)).exists(),
    )
    .order_by(_T.c.id)
    .limit(bindparam("page")),
    row=_transfer,
    name="endings_of_nothing_after",
)
_COUNT = select_statement(select(func.count()).select_from(_T), name="count_transfers")
_OF_CALL = select_statement(
    select(*_COLUMNS).where(_T.c.call_id == bindparam("call_id")).order_by(_T.c.id),
    row=_transfer,
    name="transfers_of_call",
)


def verify(tx: Tx, progress: Callable[[int, int], None]) -> tuple[int, list[str]]:
    """Replay every transfer on one consistent state of the database (a query).

    Memory is a page of transfers, the accounts and the open holds, however long the history.

    Args:
        tx: reads only.
        progress: told the number of transfers read, and of all, now and then, from the reader's
            thread.

    Returns:
        The number of transfers, and one sentence for everything that is wrong.
    """
    [(total,)] = tx.all(_COUNT)
    read = [0]

    def counted() -> Iterator[Transfer]:
        for transfer in _every_transfer(tx):
            read[0] += 1
            if read[0] % PAGE == 0:
                progress(read[0], total)
            yield transfer

    accounts = {account.id: account for account in tx.all(_ACCOUNTS)}
    wrong = violations(accounts, counted())
    progress(read[0], total)
    return read[0], wrong


def verify_audit(tx: Tx) -> list[str]:
    """Return one sentence for each chain of the audit that was tampered with (a query)."""
    return [
        f"audit row {seq} of {node} was changed, or one before it was removed"
        for node, seq in broken_links(tx)
    ]


def transfers_of_call(tx: Tx, call_id: str) -> list[Transfer]:
    """Return what a call left in the books (a query)."""
    return tx.all(_OF_CALL, call_id=call_id)


def _every_transfer(tx: Tx) -> Iterator[Transfer]:
    """Yield each hold, then what ends it; and last the endings that end nothing."""
    after = ""
    while begun := tx.all(BEGUN, after=after, page=PAGE):
        for transfer, ending in begun:
            yield transfer
            if ending is not None:
                yield ending
        after = begun[-1][0].id
    after = ""
    while astray := tx.all(ASTRAY, after=after, page=PAGE):
        yield from astray
        after = astray[-1].id
