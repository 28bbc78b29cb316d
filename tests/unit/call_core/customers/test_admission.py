from dataclasses import replace

import pytest

from call_core.customers.admission import AdmissionFacts, CalleeCount, admit, admit_live
from call_core.customers.limits import Limits
from call_core.customers.model import Customer, OwnPhone, User, Verification
from call_core.customers.refusals import RefusalCode
from call_core.outcomes import Money, Phone

Code = RefusalCode
CUSTOMER = Customer("c1", "Acme", "USD", limits=Limits(daily_spend_micros=20_000_000))
USER = User("u1", "c1", "Ann")
CELL = OwnPhone("p1", "u1", "cell", "+16169779933", verification=Verification.KEY_PRESS)
GOOD = AdmissionFacts(CUSTOMER, USER, CELL)


def _callee(callee_calls: int, block_calls: int) -> tuple[CalleeCount, ...]:
    quiet = CalleeCount("+442079460019", 0, 0)
    return quiet, CalleeCount("+442079460018", callee_calls, block_calls)


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(GOOD, service_frozen=True), Code.SERVICE_FROZEN),
        (replace(GOOD, customer=replace(CUSTOMER, active=False)), Code.CUSTOMER_INACTIVE),
        (replace(GOOD, customer=replace(CUSTOMER, frozen=True)), Code.CUSTOMER_FROZEN),
        (replace(GOOD, user=replace(USER, active=False)), Code.USER_INACTIVE),
        (replace(GOOD, user=replace(USER, frozen=True)), Code.USER_FROZEN),
        (replace(GOOD, origin=None), Code.NO_PHONE),
        (replace(GOOD, origin=None, origin_label="hotel"), Code.PHONE_NOT_YOURS),
        (replace(GOOD, origin=replace(CELL, user_id="u2")), Code.PHONE_NOT_YOURS),
        (
            replace(GOOD, origin=replace(CELL, verification=Verification.NONE)),
            Code.PHONE_NOT_VERIFIED,
        ),
        (
            replace(GOOD, customer=replace(CUSTOMER, billing_code_required=True)),
            Code.BILLING_CODE_REQUIRED,
        ),
        (
            replace(GOOD, billing_code="ACME-99", billing_code_known=False),
            Code.BILLING_CODE_UNKNOWN,
        ),
        (replace(GOOD, parties=65), Code.TOO_MANY_PARTIES),
        (replace(GOOD, scheduled=True, pending_schedules=20), Code.TOO_MANY_SCHEDULED),
        (replace(GOOD, live_calls=2), Code.TOO_MANY_CALLS),
        (replace(GOOD, launches_last_second=5), Code.TOO_FAST),
        (
            replace(GOOD, spent_today_micros=19_000_000, hold_micros=1_000_001),
            Code.DAILY_SPEND,
        ),
        (replace(GOOD, callees=_callee(0, 20)), Code.DESTINATION_VELOCITY),
        (replace(GOOD, callees=_callee(10, 19)), Code.CALLEE_VELOCITY),
        (replace(GOOD, ports_free=False), Code.ALL_LINES_BUSY),
    ],
)
def test_each_reason_has_its_code(facts: AdmissionFacts, code: RefusalCode) -> None:
    """One past every limit, the launch is refused under that limit's name."""
    refusal = admit(facts)
    assert refusal is not None
    assert refusal.code is code


@pytest.mark.parametrize(
    "facts",
    [
        GOOD,
        replace(GOOD, parties=64),
        replace(GOOD, scheduled=True, pending_schedules=19),
        replace(GOOD, pending_schedules=20),
        replace(GOOD, live_calls=1),
        replace(GOOD, launches_last_second=4),
        replace(GOOD, spent_today_micros=19_000_000, hold_micros=1_000_000),
        replace(GOOD, callees=_callee(9, 19)),
        replace(GOOD, billing_code="ACME-12"),
        replace(GOOD, billing_code="", billing_code_known=False),
        replace(
            GOOD, customer=replace(CUSTOMER, billing_code_required=True), billing_code="ACME-12"
        ),
        replace(GOOD, origin=replace(CELL, verification=Verification.OPERATOR)),
    ],
)
def test_at_the_limit_the_launch_is_admitted(facts: AdmissionFacts) -> None:
    """What just fits is not refused."""
    assert admit(facts) is None


def test_the_calendar_waits_with_counts_and_money() -> None:
    """A call for later is not refused for what holds now; full admission comes at its time."""
    facts = replace(
        GOOD,
        scheduled=True,
        live_calls=9,
        launches_last_second=9,
        spent_today_micros=99_000_000,
        callees=_callee(99, 99),
        ports_free=False,
    )
    assert admit(facts) is None


def test_the_daily_spend_tells_the_arithmetic_and_who_can_change_it() -> None:
    """The sentence can name the limit, what is spent, what is needed, and whom to ask."""
    refusal = admit(replace(GOOD, spent_today_micros=20_000_000, hold_micros=500_000))
    assert refusal is not None
    assert refusal.fields == {
        "limit": Money(20_000_000, "USD"),
        "spent": Money(20_000_000, "USD"),
        "needed": Money(500_000, "USD"),
        "change": "operator",
    }


def test_velocity_names_the_number() -> None:
    """The callee that was called too often is named."""
    refusal = admit(replace(GOOD, callees=_callee(10, 0)))
    assert refusal is not None
    assert refusal.fields == {"limit": 10, "number": Phone("+442079460018"), "change": "operator"}


@pytest.mark.parametrize(
    ("facts", "code"),
    [
        (replace(GOOD, live_calls=2, launches_last_second=5, redials=2), None),
        (replace(GOOD, redials=3), Code.TOO_MANY_REDIALS),
        (replace(GOOD, parties=65), Code.TOO_MANY_PARTIES),
        (replace(GOOD, user=replace(USER, frozen=True)), Code.USER_FROZEN),
        (replace(GOOD, hold_micros=20_000_001), Code.DAILY_SPEND),
        (replace(GOOD, ports_free=False), Code.ALL_LINES_BUSY),
    ],
)
def test_one_more_leg_in_a_running_call(facts: AdmissionFacts, code: RefusalCode | None) -> None:
    """A running call counts already, so only what the new leg itself adds is asked about."""
    refusal = admit_live(facts)
    assert (refusal.code if refusal else None) is code
