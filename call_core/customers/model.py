"""Customers, users and their phones, as far as decisions need to know them."""

from dataclasses import dataclass, field
from enum import StrEnum

from call_core.customers.limits import DEFAULT_LIMITS, Limits
from call_core.numbering import NumberKind


class UserRole(StrEnum):
    """What a user is within the customer; the operator is a role of the deployment."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"


class Verification(StrEnum):
    """How it is known that a phone is the user's."""

    NONE = "none"
    KEY_PRESS = "key_press"  # a call asked for four digits shown elsewhere
    OPERATOR = "operator"  # put on file as trusted


@dataclass(frozen=True, slots=True)
class Customer:
    """Who pays.

    Attributes:
        regions: libphonenumber regions that may be rung; "001" for codes of no country.
        opted_in: dear kinds of number that this customer wants to reach all the same.
        prepaid: pays before; otherwise up to a credit limit.
        completed_calls: connected calls so far, counted up to the first-calls limit.
    """

    id: str
    name: str
    currency: str
    active: bool = True
    frozen: bool = False
    prepaid: bool = True
    regions: frozenset[str] = frozenset()
    opted_in: frozenset[NumberKind] = frozenset()
    billing_code_required: bool = False
    completed_calls: int = 0
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True, slots=True)
class User:
    """Who may launch; `timezone` is an IANA zone, `country` an ISO 3166 code."""

    id: str
    customer_id: str
    name: str
    role: UserRole = UserRole.MEMBER
    active: bool = True
    frozen: bool = False
    timezone: str = "UTC"
    country: str = "US"
    area_code: str = ""


@dataclass(frozen=True, slots=True)
class OwnPhone:
    """A phone on a user's file.

    Attributes:
        number: E.164 with `+`; extension: tones after the answer.
        accept_key: whether the user must press a key before the other party is rung; switching
            it off counts only for PROVEN requests.
    """

    id: str
    user_id: str
    label: str
    number: str
    extension: str = ""
    verification: Verification = Verification.NONE
    accept_key: bool = True
    default: bool = False
    changed_wall_ms: int = field(default=0, compare=False)

    @property
    def verified(self) -> bool:
        """Whether it may be rung as the caller's own."""
        return self.verification is not Verification.NONE

    @property
    def may_be_shown(self) -> bool:
        """Whether the other party may see it as the caller: only after a key press on it."""
        return self.verification is Verification.KEY_PRESS
