"""What the operator and a customer's administrator can ask for: the closed union `Administration`.

These go through the same door as a caller's commands: claimed, audited, committed, answered with
an outcome. Ids are made by whoever asks, so that a repeat is harmless.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AddCustomer:
    """Create a customer; money in micros, None leaves the default limit of the settings."""

    name: str
    currency: str
    plan: str  # "prepaid" or "postpaid"
    credit_limit_micros: int = 0
    tariff: str = ""
    regions: tuple[str, ...] = ()
    daily_spend_micros: int | None = None
    concurrent_calls: int | None = None
    billing_code_required: bool = False


@dataclass(frozen=True, slots=True)
class AddUser:
    """Create a user of a customer (by name or id)."""

    customer: str
    name: str
    role: str = "member"  # or "administrator"
    timezone: str = "UTC"
    country: str = "US"


@dataclass(frozen=True, slots=True)
class DisableUser:
    """Block a user: live calls end after a notice, schedules are held."""

    user: str


@dataclass(frozen=True, slots=True)
class AddPhone:
    """Put a phone on a user's file; `trusted` means verified by the operator."""

    user: str
    label: str
    number: str
    trusted: bool = False


@dataclass(frozen=True, slots=True)
class AddSender:
    """Put an address on a user's file: requests from it are the user's.

    Attributes:
        secret_hash: of what a pager logs in with, kept as a token of its name; "" for addresses
            that have none.
    """

    user: str
    channel: str
    address: str
    secret_hash: str = ""


@dataclass(frozen=True, slots=True)
class AddBillingCode:
    """Allow a billing code for a customer."""

    customer: str
    code: str


@dataclass(frozen=True, slots=True)
class SaveEntry:
    """Write an entry of a customer's own directory, which all of its users see."""

    customer: str
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class ForgetEntry:
    """Remove an entry of a customer's own directory."""

    customer: str
    name: str


@dataclass(frozen=True, slots=True)
class TopUp:
    """Credit a customer with money received."""

    customer: str
    amount_micros: int


@dataclass(frozen=True, slots=True)
class ActivateDeck:
    """Make a loaded version of a tariff the one in force."""

    tariff: str
    version: int


@dataclass(frozen=True, slots=True)
class Freeze:
    """Let nothing launch for a customer, user, prefix or everybody; `live` also ends calls."""

    kind: str  # "customer", "user", "prefix", "all"
    target: str
    live: bool = False


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Undo `Freeze`."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class SetPassword:
    """Store a password hash (argon2, made by the caller off the writer)."""

    user: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class AddToken:
    """Store an API token's hash; the secret itself is shown once by whoever asked."""

    user: str
    token_hash: str
    label: str
    scopes: tuple[str, ...] = ("read", "call")
    expires_wall_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RevokeToken:
    """End a token by its id."""

    token_id: str


@dataclass(frozen=True, slots=True)
class HangUpCall:
    """End any call by its id or ref, as the operator."""

    call: str


Administration = (
    AddCustomer
    | AddUser
    | DisableUser
    | AddPhone
    | AddSender
    | AddBillingCode
    | SaveEntry
    | ForgetEntry
    | TopUp
    | ActivateDeck
    | Freeze
    | Unfreeze
    | SetPassword
    | AddToken
    | RevokeToken
    | HangUpCall
)
