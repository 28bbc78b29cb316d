"""Why the core says no: the closed list of codes, and the value that carries one.

Each code is a key of the catalogue, which holds the sentence in every language. The order in
which reasons are tried is the order of the list: the first that holds is the one told.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from call_core.outcomes import Fields


class RefusalCode(StrEnum):
    """Stable names of refusals. Fields in brackets."""

    # Whether a number may be rung at all (`callability`).
    NUMBER_NOT_VALID = "number_not_valid"  # [number]
    EMERGENCY = "emergency"  # [digits]: says to dial it on a phone, now
    OWN_NUMBER = "own_number"  # [number]: a number of this service; it would ring itself
    PREMIUM_NUMBER = "premium_number"  # [number, change]
    SATELLITE_NUMBER = "satellite_number"  # [number, change]
    SHARED_COST_NUMBER = "shared_cost_number"  # [number, change]
    PERSONAL_NUMBER = "personal_number"  # [number, change]
    SPECIAL_NUMBER = "special_number"  # [number, change]: global networks, universal numbers
    COUNTRY_NOT_ALLOWED = "country_not_allowed"  # [number, country, change]
    CALLBACK_FORBIDDEN = "callback_forbidden"  # [country]: law there forbids being called back
    NO_RATE = "no_rate"  # [number, country]: no price, so it is not sold
    SAME_NUMBER = "same_number"  # [number]: both ends of the call are one phone
    # Whether this user may launch now (`admission`).
    SERVICE_FROZEN = "service_frozen"  # []: the operator stopped all launches
    CUSTOMER_INACTIVE = "customer_inactive"  # [change]
    CUSTOMER_FROZEN = "customer_frozen"  # [change]
    USER_INACTIVE = "user_inactive"  # [change]
    USER_FROZEN = "user_frozen"  # [change]
    NO_PHONE = "no_phone"  # [change]: there is no own phone to ring
    PHONE_NOT_YOURS = "phone_not_yours"  # [label]
    PHONE_NOT_VERIFIED = "phone_not_verified"  # [label]
    BILLING_CODE_REQUIRED = "billing_code_required"  # []
    BILLING_CODE_UNKNOWN = "billing_code_unknown"  # [billing_code]
    TOO_MANY_PARTIES = "too_many_parties"  # [limit, asked, change]
    TOO_MANY_SCHEDULED = "too_many_scheduled"  # [limit, change]
    TOO_MANY_REDIALS = "too_many_redials"  # [limit]
    TOO_MANY_CALLS = "too_many_calls"  # [limit, change]: at once
    TOO_FAST = "too_fast"  # [limit]: per second
    DAILY_SPEND = "daily_spend"  # [limit, spent, needed, change]
    DESTINATION_VELOCITY = "destination_velocity"  # [limit, number, change]
    CALLEE_VELOCITY = "callee_velocity"  # [limit, number, change]
    ALL_LINES_BUSY = "all_lines_busy"  # []: no port; nothing is charged
    # Whether the sender is known well enough (`trust`).
    FORGED = "forged"  # []: same words as for an unknown sender
    UNPROVEN = "unproven"  # []: this needs a signed message or a signed-in page
    NOT_ADMINISTRATOR = "not_administrator"  # []
    NOT_OPERATOR = "not_operator"  # []
    SCOPE_MISSING = "scope_missing"  # [scope]: the token may not do this
    CHALLENGE_TOO_SOON = "challenge_too_soon"  # [minutes]
    CHALLENGE_TOO_MANY = "challenge_too_many"  # [limit]
    CHALLENGE_AT_NIGHT = "challenge_at_night"  # []


class WhoCanChange(StrEnum):
    """Who can lift a limit; a value of the field `change`."""

    ADMINISTRATOR = "administrator"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no: its code and what the sentence needs."""

    code: RefusalCode
    fields: Fields = field(default_factory=dict)
