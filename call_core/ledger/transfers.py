"""Transfers between two accounts, in one step or in two phases.

A *pending* transfer holds money; a *post* takes all or part of it and releases the rest; a *void*
releases all. A *single* transfer takes at once. Ids are made by the caller from what the transfer
is for, so asking again is harmless: the same id with the same content changes nothing, with other
content it is an error. Nothing is ever changed or removed: a hold that must grow is voided and a
larger one with the next id made, in one unit of work.

`apply` decides and computes; it stores nothing. Its refusals come in a fixed order, that of
`Result`, so that the same wrong transfer always gets the same answer.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from call_core.ledger.accounts import Account, AccountFlag, AccountKind, available

MAX_TRANSFER_MICROS: Final = 1_000_000_000_000_000
"""A thousand million units; sums of many of them still fit a 64-bit column."""


class TransferKind(StrEnum):
    """Which phase a transfer is."""

    PENDING = "pending"
    POST = "post"
    VOID = "void"
    SINGLE = "single"


class TransferCode(StrEnum):
    """What a transfer is for, in the ledger's own words."""

    CALL = "call"
    """Hold and charge of a leg."""
    FREE_LEG = "free_leg"
    OVERRUN = "overrun"
    TOP_UP = "top_up"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True, slots=True)
class Transfer:
    """One immutable line of the ledger.

    Attributes:
        id: made by the caller; unique for ever.
        debit_account: id of the account that money is taken from.
        credit_account: id of the account that it goes to.
        amount_micros: pending: what is held, may be 0; post: what is taken, 0 to the amount
            held; void: the amount held; single: above 0.
        currency: ISO 4217 code, both accounts' own.
        kind: the phase.
        code: what it is for.
        at_call_ms: when, by the switch's clock.
        pending_id: post and void: the transfer that they end; else "".
        call_id: the call it is for, "" when none.
        leg_id: the leg it is for, "" when none.
    """

    id: str
    debit_account: str
    credit_account: str
    amount_micros: int
    currency: str
    kind: TransferKind
    code: TransferCode
    at_call_ms: int
    pending_id: str = ""
    call_id: str = ""
    leg_id: str = ""


class Result(StrEnum):
    """What became of a transfer; the first that fits, in this order, is given."""

    OK = "the transfer was applied"
    EXISTS = "the same transfer was applied before"
    EXISTS_WITH_DIFFERENT_CONTENT = "another transfer with this id was applied before"
    DEBIT_ACCOUNT_NOT_FOUND = "the debit account does not exist"
    CREDIT_ACCOUNT_NOT_FOUND = "the credit account does not exist"
    ACCOUNTS_ARE_THE_SAME = "debit and credit account are the same"
    ACCOUNT_CURRENCY_DIFFERS = "an account has another currency than the transfer"
    AMOUNT_NOT_POSITIVE = "the amount is below zero, or is zero where nothing would be moved"
    AMOUNT_TOO_LARGE = "the amount is larger than any transfer may be"
    PENDING_NOT_FOUND = "the transfer to be ended does not exist or was never pending"
    PENDING_HAS_OTHER_ACCOUNTS = "the transfer to be ended is between other accounts"
    PENDING_ALREADY_POSTED = "the transfer to be ended was posted before"
    PENDING_ALREADY_VOIDED = "the transfer to be ended was voided before"
    POST_EXCEEDS_PENDING = "more would be posted than is held"
    VOID_AMOUNT_DIFFERS = "a void releases exactly what is held"
    FROZEN = "the debit account is frozen"
    EXCEEDS_CREDITS = "debits would exceed the credits of the debit account"
    EXCEEDS_CREDIT_LIMIT = "debits would exceed the credit limit of the debit account"


@dataclass(frozen=True, slots=True)
class Applied:
    """Both accounts as they are after the transfer; the caller stores them and the transfer."""

    debit: Account
    credit: Account


ENDS: Final = frozenset({TransferKind.POST, TransferKind.VOID})


def post_of(pending: Transfer, transfer_id: str, amount_micros: int, at_call_ms: int) -> Transfer:
    """Makes the transfer that takes `amount_micros` of what is held and releases the rest."""
    return _end_of(pending, transfer_id, TransferKind.POST, amount_micros, at_call_ms)


def void_of(pending: Transfer, transfer_id: str, at_call_ms: int) -> Transfer:
    """Makes the transfer that releases all that is held."""
    kind = TransferKind.VOID
    return _end_of(pending, transfer_id, kind, pending.amount_micros, at_call_ms)


def _end_of(
    pending: Transfer, transfer_id: str, kind: TransferKind, amount_micros: int, at_call_ms: int
) -> Transfer:
    return Transfer(
        id=transfer_id,
        debit_account=pending.debit_account,
        credit_account=pending.credit_account,
        amount_micros=amount_micros,
        currency=pending.currency,
        kind=kind,
        code=pending.code,
        at_call_ms=at_call_ms,
        pending_id=pending.id,
        call_id=pending.call_id,
        leg_id=pending.leg_id,
    )


def apply(
    debit: Account | None,
    credit: Account | None,
    transfer: Transfer,
    pending: Transfer | None = None,
    existing: Transfer | None = None,
    ended_by: Transfer | None = None,
) -> Applied | Result:
    """Applies a transfer to its two accounts, or says why not.

    A hold of zero is a hold: a leg to a free destination has one and its end like every other
    leg, so that "one open hold per live leg" needs no exception. A single transfer of zero would
    only be a line that says nothing, and is refused.

    Args:
        debit: the stored debit account, None when there is none.
        credit: the stored credit account, None when there is none.
        transfer: what is asked.
        pending: the stored transfer whose id is `transfer.pending_id`, if any.
        existing: the stored transfer with the same id, if any.
        ended_by: the stored post or void of `pending`, if any.

    Returns:
        The new accounts; or the reason, `Result.EXISTS` being the harmless one.
    """
    if existing is not None:
        return _compare(existing, transfer)
    if debit is None:
        return Result.DEBIT_ACCOUNT_NOT_FOUND
    if credit is None:
        return Result.CREDIT_ACCOUNT_NOT_FOUND
    assert (debit.id, credit.id) == (transfer.debit_account, transfer.credit_account), transfer
    refusal = _malformed(debit, credit, transfer)
    if refusal is not None:
        return refusal
    if transfer.kind in ENDS:
        return _end(debit, credit, transfer, pending, ended_by)
    refusal = _unaffordable(debit, transfer.amount_micros)
    return refusal or _begin(debit, credit, transfer)


def _compare(existing: Transfer, transfer: Transfer) -> Result:
    """Compares all but the time: a repeat comes later by nature."""
    same = _content(existing) == _content(transfer)
    return Result.EXISTS if same else Result.EXISTS_WITH_DIFFERENT_CONTENT


def _content(transfer: Transfer) -> tuple[str | int, ...]:
    return (
        transfer.id,
        transfer.debit_account,
        transfer.credit_account,
        transfer.amount_micros,
        transfer.currency,
        transfer.kind,
        transfer.code,
        transfer.pending_id,
        transfer.call_id,
        transfer.leg_id,
    )


def _malformed(debit: Account, credit: Account, transfer: Transfer) -> Result | None:
    if debit.id == credit.id:
        return Result.ACCOUNTS_ARE_THE_SAME
    if not debit.currency == credit.currency == transfer.currency:
        return Result.ACCOUNT_CURRENCY_DIFFERS
    least = 1 if transfer.kind is TransferKind.SINGLE else 0
    if transfer.amount_micros < least:
        return Result.AMOUNT_NOT_POSITIVE
    if transfer.amount_micros > MAX_TRANSFER_MICROS:
        return Result.AMOUNT_TOO_LARGE
    return None


def _unaffordable(debit: Account, amount_micros: int) -> Result | None:
    if AccountFlag.FROZEN in debit.flags:
        return Result.FROZEN
    # Nothing is always affordable, also to an account whose credit limit was lowered.
    if amount_micros == 0 or amount_micros <= available(debit):
        return None
    if debit.kind is AccountKind.CUSTOMER_PREPAID:
        return Result.EXCEEDS_CREDITS
    if debit.kind is AccountKind.CUSTOMER_POSTPAID:
        return Result.EXCEEDS_CREDIT_LIMIT
    return None


def _begin(debit: Account, credit: Account, transfer: Transfer) -> Applied:
    amount_micros = transfer.amount_micros
    if transfer.kind is TransferKind.PENDING:
        return Applied(_debited(debit, amount_micros, 0), _credited(credit, amount_micros, 0))
    return Applied(_debited(debit, 0, amount_micros), _credited(credit, 0, amount_micros))


def _end(
    debit: Account,
    credit: Account,
    transfer: Transfer,
    pending: Transfer | None,
    ended_by: Transfer | None,
) -> Applied | Result:
    """Ends a hold. Neither limits nor freezing are asked: the money was promised before."""
    if pending is None or pending.kind is not TransferKind.PENDING:
        return Result.PENDING_NOT_FOUND
    assert pending.id == transfer.pending_id, transfer
    held_micros = pending.amount_micros
    refusal = _cannot_end(transfer, pending, ended_by)
    if refusal is not None:
        return refusal
    taken_micros = transfer.amount_micros if transfer.kind is TransferKind.POST else 0
    return Applied(
        _debited(debit, -held_micros, taken_micros), _credited(credit, -held_micros, taken_micros)
    )


def _cannot_end(transfer: Transfer, pending: Transfer, ended_by: Transfer | None) -> Result | None:
    accounts = (transfer.debit_account, transfer.credit_account)
    if accounts != (pending.debit_account, pending.credit_account):
        return Result.PENDING_HAS_OTHER_ACCOUNTS
    if ended_by is not None:
        posted = ended_by.kind is TransferKind.POST
        return Result.PENDING_ALREADY_POSTED if posted else Result.PENDING_ALREADY_VOIDED
    if transfer.kind is TransferKind.POST and transfer.amount_micros > pending.amount_micros:
        return Result.POST_EXCEEDS_PENDING
    if transfer.kind is TransferKind.VOID and transfer.amount_micros != pending.amount_micros:
        return Result.VOID_AMOUNT_DIFFERS
    return None


def _debited(account: Account, pending_micros: int, posted_micros: int) -> Account:
    return Account(
        account.id,
        account.currency,
        account.kind,
        account.debits_pending + pending_micros,
        account.debits_posted + posted_micros,
        account.credits_pending,
        account.credits_posted,
        account.credit_limit_micros,
        account.flags,
    )


def _credited(account: Account, pending_micros: int, posted_micros: int) -> Account:
    return Account(
        account.id,
        account.currency,
        account.kind,
        account.debits_pending,
        account.debits_posted,
        account.credits_pending + pending_micros,
        account.credits_posted + posted_micros,
        account.credit_limit_micros,
        account.flags,
    )
