"""What must always be true of the ledger, checked by doing all of it again.

The replay shares no code with `transfers.apply`: two ways to the same balances that agree are
worth more than one way run twice. It streams: memory is one small record per account and per
open hold, whatever the number of transfers.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Final

from call_core.ledger.accounts import Account, AccountKind, available, kind_of_id
from call_core.ledger.transfers import Transfer, TransferKind

MAX_VIOLATIONS: Final = 100
"""A broken ledger is broken in millions of lines; the first of them are enough to look at."""

_COUNTERS: Final = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")


@dataclass(slots=True)
class _Tally:
    """The counters of one account while transfers are replayed."""

    currency: str
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0


class _Replay:
    """Counts transfers into tallies; says what is wrong with one instead of stopping."""

    __slots__ = ("open", "tallies")

    def __init__(self) -> None:
        self.tallies: dict[str, _Tally] = {}
        self.open: dict[str, tuple[str, str, int]] = {}

    def take(self, transfer: Transfer) -> str | None:
        """Replays one transfer; returns what is wrong with it, if it cannot be counted."""
        debit = self._tally(transfer.debit_account, transfer.currency)
        credit = self._tally(transfer.credit_account, transfer.currency)
        amount_micros = transfer.amount_micros
        if not debit.currency == credit.currency == transfer.currency:
            return f"transfer {transfer.id} crosses currencies"
        if amount_micros < 0:
            return f"transfer {transfer.id} has a negative amount"
        if transfer.kind is TransferKind.PENDING:
            return self._hold(transfer, debit, credit)
        if transfer.kind is not TransferKind.SINGLE:
            return self._release(transfer, debit, credit)
        debit.debits_posted += amount_micros
        credit.credits_posted += amount_micros
        return None

    def _tally(self, account_id: str, currency: str) -> _Tally:
        tally = self.tallies.get(account_id)
        if tally is None:
            tally = self.tallies[account_id] = _Tally(currency)
        return tally

    def _hold(self, transfer: Transfer, debit: _Tally, credit: _Tally) -> str | None:
        if transfer.id in self.open:
            return f"transfer {transfer.id} is in the ledger twice"
        parties = (transfer.debit_account, transfer.credit_account)
        self.open[transfer.id] = (*parties, transfer.amount_micros)
        debit.debits_pending += transfer.amount_micros
        credit.credits_pending += transfer.amount_micros
        return None

    def _release(self, transfer: Transfer, debit: _Tally, credit: _Tally) -> str | None:
        held = self.open.get(transfer.pending_id)
        if held is None:
            return f"transfer {transfer.id} ends {transfer.pending_id}, which is not open"
        *parties, held_micros = held
        if parties != [transfer.debit_account, transfer.credit_account]:
            return f"transfer {transfer.id} ends a hold between other accounts"
        if transfer.amount_micros > held_micros:
            return f"transfer {transfer.id} takes more than was held"
        del self.open[transfer.pending_id]
        taken_micros = transfer.amount_micros if transfer.kind is TransferKind.POST else 0
        debit.debits_pending -= held_micros
        debit.debits_posted += taken_micros
        credit.credits_pending -= held_micros
        credit.credits_posted += taken_micros
        return None


def replay(transfers: Iterable[Transfer], accounts: Iterable[Account] = ()) -> dict[str, Account]:
    """Computes all balances again from the log.

    Args:
        transfers: every transfer, in the order in which they were applied.
        accounts: what is known of the accounts besides counters: kind, limit, flags. An account
            that is not among them gets the kind that its id tells.

    Returns:
        Account id -> account, also for accounts given that no transfer touched.

    Raises:
        ValueError: a transfer cannot have been applied; use `violations` to see them all.
    """
    state = _Replay()
    for transfer in transfers:
        wrong = state.take(transfer)
        if wrong is not None:
            raise ValueError(f"The ledger is broken: {wrong}.")
    known = {account.id: account for account in accounts}
    replayed = {
        account_id: _account(account_id, tally, known.get(account_id))
        for account_id, tally in state.tallies.items()
    }
    for account in known.values():
        replayed.setdefault(account.id, _account(account.id, _Tally(account.currency), account))
    return replayed


def _account(account_id: str, tally: _Tally, known: Account | None) -> Account:
    counters = {name: getattr(tally, name) for name in _COUNTERS}
    if known is None:
        return Account(account_id, tally.currency, kind_of_id(account_id), **counters)
    kept = {
        field.name: getattr(known, field.name)
        for field in fields(Account)
        if field.name not in _COUNTERS
    }
    return Account(**kept | counters)


def violations(accounts: Mapping[str, Account], transfers: Iterable[Transfer]) -> list[str]:
    """Checks the stored accounts against the log of transfers.

    Checked: debits equal credits in every currency, posted and pending; no prepaid account is
    below zero; every counter, the pending ones too, is what replaying gives; every hold ends at
    most once, between its own accounts, for no more than was held; no transfer crosses
    currencies or touches an account that is not there.

    Args:
        accounts: account id -> account as stored.
        transfers: every transfer, in the order in which they were applied.

    Returns:
        One sentence for each thing that is wrong, the first `MAX_VIOLATIONS`; empty: all is well.
    """
    found: list[str] = []
    for violation in _all_violations(accounts, transfers):
        if len(found) == MAX_VIOLATIONS:
            found.append("there is more that is wrong, not shown")
            break
        found.append(violation)
    return found


def _all_violations(
    accounts: Mapping[str, Account], transfers: Iterable[Transfer]
) -> Iterator[str]:
    state = _Replay()
    for transfer in transfers:
        wrong = state.take(transfer)
        if wrong is not None:
            yield wrong
    for account_id, account in accounts.items():
        tally = state.tallies.pop(account_id, None) or _Tally(account.currency)
        yield from _differences(account, tally)
    for account_id in state.tallies:
        yield f"account {account_id} has transfers and does not exist"
    yield from _imbalances(accounts.values())


def _differences(account: Account, tally: _Tally) -> Iterator[str]:
    if account.currency != tally.currency:
        yield f"account {account.id} has transfers of another currency than its own"
    if account.kind is AccountKind.CUSTOMER_PREPAID and available(account) < 0:
        yield f"prepaid account {account.id} is below zero by {-available(account)}"
    for name in _COUNTERS:
        stored, replayed = getattr(account, name), getattr(tally, name)
        if stored != replayed:
            yield f"account {account.id} has {name} {stored}, its transfers give {replayed}"


def _imbalances(accounts: Iterable[Account]) -> Iterator[str]:
    sums: Counter[tuple[str, str]] = Counter()
    for account in accounts:
        sums[account.currency, "posted"] += account.debits_posted - account.credits_posted
        sums[account.currency, "pending"] += account.debits_pending - account.credits_pending
    for (currency, phase), difference in sums.items():
        if difference:
            yield f"{phase} debits and credits in {currency} differ by {difference}"
