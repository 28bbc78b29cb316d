"""May this user launch now? Everything but the numbers themselves (`callability`) and the money.

Pure: the facts were read in the same transaction that will insert the call, so two requests
cannot both take the last place.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from call_core.customers.model import Customer, OwnPhone, User
from call_core.customers.refusals import Refusal, RefusalCode, WhoCanChange
from call_core.outcomes import Fields, Money, Phone


@dataclass(frozen=True, slots=True)
class CalleeCount:
    """How often a number, and its block of numbers, was called in the last hour."""

    number: str
    callee_calls: int
    block_calls: int


@dataclass(frozen=True, slots=True)
class AdmissionFacts:
    """What the decision needs. Counts do not include the request itself.

    Attributes:
        service_frozen: the operator stopped every launch.
        origin: the phone to ring first; None when the user has none or named another's.
        origin_label: what the user wrote for it, "" for the default phone.
        billing_code: as written, None when not given; `billing_code_known` whether it is on file.
        parties: people in the call, the caller among them.
        scheduled: the call is for later: counts of live calls and of money wait until then.
        pending_schedules: calls on the user's calendar.
        redials: the most attempts that any party to be rung has had beyond its first.
        live_calls: the customer's calls that are not ended.
        launches_last_second: the customer's launches within the last second.
        spent_today_micros: posted and held since the customer's midnight.
        hold_micros: what the launch would hold.
        callees: one for each number to be rung besides the origin.
        ports_free: every leg has a port on the chosen route.
    """

    customer: Customer
    user: User
    origin: OwnPhone | None
    origin_label: str = ""
    service_frozen: bool = False
    billing_code: str | None = None
    billing_code_known: bool = True
    parties: int = 2
    scheduled: bool = False
    pending_schedules: int = 0
    redials: int = 0
    live_calls: int = 0
    launches_last_second: int = 0
    spent_today_micros: int = 0
    hold_micros: int = 0
    callees: tuple[CalleeCount, ...] = ()
    ports_free: bool = True


_BY_OPERATOR: Final[Fields] = {"change": WhoCanChange.OPERATOR.value}
_BY_ADMINISTRATOR: Final[Fields] = {"change": WhoCanChange.ADMINISTRATOR.value}


def admit(facts: AdmissionFacts) -> Refusal | None:
    """Decides whether a launch (or, with `scheduled`, an entry on the calendar) is admitted.

    Returns:
        None when it is; otherwise the first reason against it, in the order of `CHECKS`.
    """
    return next((no for check in CHECKS if (no := check(facts)) is not None), None)


def admit_live(facts: AdmissionFacts) -> Refusal | None:
    """Decides whether a running call may get one more leg (add, redial, move).

    The call itself counts already, so the limits on the number of calls are left out.
    """
    return next((no for check in _LIVE_CHECKS if (no := check(facts)) is not None), None)


def _standing(facts: AdmissionFacts) -> Refusal | None:
    customer, user = facts.customer, facts.user
    if facts.service_frozen:
        return Refusal(RefusalCode.SERVICE_FROZEN)
    if not customer.active:
        return Refusal(RefusalCode.CUSTOMER_INACTIVE, _BY_OPERATOR)
    if customer.frozen:
        return Refusal(RefusalCode.CUSTOMER_FROZEN, _BY_OPERATOR)
    if not user.active:
        return Refusal(RefusalCode.USER_INACTIVE, _BY_ADMINISTRATOR)
    if user.frozen:
        return Refusal(RefusalCode.USER_FROZEN, _BY_OPERATOR)
    return None


def _origin(facts: AdmissionFacts) -> Refusal | None:
    phone = facts.origin
    if phone is None and not facts.origin_label:
        return Refusal(RefusalCode.NO_PHONE, _BY_ADMINISTRATOR)
    if phone is None or phone.user_id != facts.user.id:
        return Refusal(RefusalCode.PHONE_NOT_YOURS, {"label": facts.origin_label})
    if not phone.verified:
        return Refusal(RefusalCode.PHONE_NOT_VERIFIED, {"label": phone.label})
    return None


def _billing_code(facts: AdmissionFacts) -> Refusal | None:
    if facts.billing_code and not facts.billing_code_known:
        return Refusal(RefusalCode.BILLING_CODE_UNKNOWN, {"billing_code": facts.billing_code})
    if facts.customer.billing_code_required and not facts.billing_code:
        return Refusal(RefusalCode.BILLING_CODE_REQUIRED)
    return None


def _parties(facts: AdmissionFacts) -> Refusal | None:
    limit = facts.customer.limits.parties
    if facts.parties <= limit:
        return None
    fields: Fields = {"limit": limit, "asked": facts.parties}
    return Refusal(RefusalCode.TOO_MANY_PARTIES, {**fields, **_BY_OPERATOR})


def _redials(facts: AdmissionFacts) -> Refusal | None:
    limit = facts.customer.limits.redials_per_party
    if facts.redials < limit:
        return None
    return Refusal(RefusalCode.TOO_MANY_REDIALS, {"limit": limit})


def _calendar(facts: AdmissionFacts) -> Refusal | None:
    limit = facts.customer.limits.pending_schedules
    if not facts.scheduled or facts.pending_schedules < limit:
        return None
    return Refusal(RefusalCode.TOO_MANY_SCHEDULED, {"limit": limit, **_BY_OPERATOR})


def _concurrent(facts: AdmissionFacts) -> Refusal | None:
    limit = facts.customer.limits.concurrent_calls
    if facts.scheduled or facts.live_calls < limit:
        return None
    return Refusal(RefusalCode.TOO_MANY_CALLS, {"limit": limit, **_BY_OPERATOR})


def _speed(facts: AdmissionFacts) -> Refusal | None:
    limit = facts.customer.limits.calls_per_second
    if facts.scheduled or facts.launches_last_second < limit:
        return None
    return Refusal(RefusalCode.TOO_FAST, {"limit": limit})


def _spend(facts: AdmissionFacts) -> Refusal | None:
    limit_micros = facts.customer.limits.daily_spend_micros
    if facts.scheduled or facts.spent_today_micros + facts.hold_micros <= limit_micros:
        return None
    currency = facts.customer.currency
    fields: Fields = {
        "limit": Money(limit_micros, currency),
        "spent": Money(facts.spent_today_micros, currency),
        "needed": Money(facts.hold_micros, currency),
    }
    return Refusal(RefusalCode.DAILY_SPEND, {**fields, **_BY_OPERATOR})


def _velocity(facts: AdmissionFacts) -> Refusal | None:
    if facts.scheduled:
        return None
    limits = facts.customer.limits
    block_limit, callee_limit = limits.destination_block_per_hour, limits.callee_per_hour
    for callee in facts.callees:
        number = Phone(callee.number)
        if callee.block_calls >= block_limit:
            return _too_often(RefusalCode.DESTINATION_VELOCITY, block_limit, number)
        if callee.callee_calls >= callee_limit:
            return _too_often(RefusalCode.CALLEE_VELOCITY, callee_limit, number)
    return None


def _too_often(code: RefusalCode, limit: int, number: Phone) -> Refusal:
    return Refusal(code, {"limit": limit, "number": number, **_BY_OPERATOR})


def _ports(facts: AdmissionFacts) -> Refusal | None:
    if facts.scheduled or facts.ports_free:
        return None
    return Refusal(RefusalCode.ALL_LINES_BUSY)


Check = Callable[[AdmissionFacts], Refusal | None]

CHECKS: Final[tuple[Check, ...]] = (
    _standing,
    _origin,
    _billing_code,
    _parties,
    _calendar,
    _concurrent,
    _speed,
    _spend,
    _velocity,
    _ports,
)
"""In this order: the first that refuses is told."""

_LIVE_CHECKS: Final[tuple[Check, ...]] = (
    _standing,
    _parties,
    _redials,
    _spend,
    _velocity,
    _ports,
)
