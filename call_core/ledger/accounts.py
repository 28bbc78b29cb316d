"""The chart of accounts, and what an account is.

An account carries four counters in micros of its one currency, after the model of databases
made for financial accounting: debits and credits, pending (held) and posted (final). They only
ever grow by transfers and shrink by a pending one's end; a balance is never a sum over history.

A customer's account is money that we owe: top-ups credit it, calls debit it. The operator's
accounts take the other side, so debits equal credits in every currency, always.
"""

from dataclasses import dataclass
from enum import IntFlag, StrEnum
from typing import Final

_CUSTOMER: Final = "customer"
_OPERATOR: Final = "operator"


class AccountKind(StrEnum):
    """What an account is for; decides which limit holds."""

    CUSTOMER_PREPAID = "customer_prepaid"
    """A customer's; debits, holds included, may not exceed credits."""
    CUSTOMER_POSTPAID = "customer_postpaid"
    """A customer's; debits may exceed credits by the credit limit."""
    OPERATOR_REVENUE = "revenue"
    """Takes what calls cost."""
    OPERATOR_CASH = "cash"
    """Gives what customers pay in."""
    OPERATOR_FREE_LEGS = "free_legs"
    """Pays for the caller's own leg when nobody else answered."""
    OPERATOR_OVERRUN = "overrun"
    """Pays for what a leg cost beyond the money held for it."""
    OPERATOR_ADJUSTMENTS = "adjustments"
    """Gives and takes corrections of bills that were already settled."""


HOUSE_PURPOSES: Final = frozenset(AccountKind) - {
    AccountKind.CUSTOMER_PREPAID,
    AccountKind.CUSTOMER_POSTPAID,
}
"""The kinds of the operator's own accounts; none of them has a limit."""


class AccountFlag(IntFlag):
    """What is switched on for an account."""

    NONE = 0
    FROZEN = 1
    """No new debit is accepted. Credits are, and holds that are open still end, since live legs
    must settle."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account; amounts in micros, never negative.

    Attributes:
        id: see `customer_account` and `house_account`.
        currency: ISO 4217 code; transfers never cross currencies.
        kind: decides the limit.
        debits_pending: held for transfers that have not ended, to be taken from here.
        debits_posted: taken.
        credits_pending: held for transfers that have not ended, to be given to here.
        credits_posted: given.
        credit_limit_micros: how far posted and pending debits may exceed posted credits; set for
            postpaid customers and for nobody else.
        flags: see `AccountFlag`.
    """

    id: str
    currency: str
    kind: AccountKind
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0
    credit_limit_micros: int | None = None
    flags: AccountFlag = AccountFlag.NONE

    def __post_init__(self) -> None:
        assert self.debits_pending >= 0, self
        assert self.debits_posted >= 0, self
        assert self.credits_pending >= 0, self
        assert self.credits_posted >= 0, self
        is_postpaid = self.kind is AccountKind.CUSTOMER_POSTPAID
        assert is_postpaid == (self.credit_limit_micros is not None), self


def customer_account(customer_id: str) -> str:
    """Names the account of a customer; each has exactly one, in the customer's currency."""
    assert customer_id, "a customer has an id"
    return f"{_CUSTOMER}:{customer_id}"


def is_customer_account(account_id: str) -> bool:
    """Whether an account is a customer's: those have limits, the operator's have none."""
    return account_id.startswith(f"{_CUSTOMER}:")


def house_account(purpose: AccountKind, currency: str, node: str) -> str:
    """Names one of the operator's accounts: "operator:revenue:USD:ny1".

    Every node has its own, so that no row is written by all calls of the whole system.
    """
    assert purpose in HOUSE_PURPOSES, purpose
    return f"{_OPERATOR}:{purpose.value}:{currency}:{node}"


def kind_of_id(account_id: str) -> AccountKind:
    """Tells an account's kind by its id; customers count as prepaid, the stricter kind.

    Raises:
        ValueError: the id names no account of this chart.
    """
    owner, _, rest = account_id.partition(":")
    if owner == _CUSTOMER and rest:
        return AccountKind.CUSTOMER_PREPAID
    purpose = rest.partition(":")[0]
    if owner == _OPERATOR and purpose in HOUSE_PURPOSES:
        return AccountKind(purpose)
    raise ValueError(f"{account_id} is not an account of the chart.")


def available(account: Account) -> int:
    """Gives what may still be held or taken, in micros; below zero after a limit was lowered.

    For the operator's accounts, which have no limit, it is just the posted balance less holds.
    """
    limit = account.credit_limit_micros or 0
    return account.credits_posted + limit - account.debits_posted - account.debits_pending
