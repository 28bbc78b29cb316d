from dataclasses import replace

import pytest

from call_core.customers.callability import (
    CHECKS,
    DEAR_KINDS,
    CallableContext,
    PartyRole,
    callable_number,
)
from call_core.customers.refusals import RefusalCode
from call_core.numbering import E164, Home, NumberKind, normalise
from call_core.outcomes import Phone

Code, Kind = RefusalCode, NumberKind
ALL = frozenset({"US", "GB", "CU", "001"})
OPEN = CallableContext(regions=ALL, has_rate=True)
EVERYTHING = replace(OPEN, opted_in=frozenset(DEAR_KINDS))


def _number(text: str) -> E164:
    number = normalise(text, Home("US"))
    assert isinstance(number, E164), number
    return number


def _bare(digits: str) -> E164:
    return E164(digits, "", 1, "US", Kind.UNKNOWN)


LONDON, FLINT = _number("+442079460018"), _number("+16169779933")


@pytest.mark.parametrize("role", PartyRole)
def test_an_ordinary_number_may_be_rung(role: PartyRole) -> None:
    """A valid number in an allowed country with a price is callable in every role."""
    assert callable_number(LONDON, role, replace(OPEN, origin=FLINT)) is None


@pytest.mark.parametrize(
    ("number", "context", "code"),
    [
        (_bare("+123456"), OPEN, Code.NUMBER_NOT_VALID),
        (_bare("+1234567890123456"), OPEN, Code.NUMBER_NOT_VALID),
        (_bare("16169779933"), OPEN, Code.NUMBER_NOT_VALID),
        (_bare("911"), OPEN, Code.EMERGENCY),
        (_bare("+1911"), OPEN, Code.EMERGENCY),
        (_bare("15"), replace(OPEN, emergency_countries=frozenset({"FR"})), Code.EMERGENCY),
        (_bare("15"), OPEN, Code.NUMBER_NOT_VALID),
        (FLINT, replace(OPEN, own_numbers=frozenset({"+16169779933"})), Code.OWN_NUMBER),
        (_number("+19005551234"), OPEN, Code.PREMIUM_NUMBER),
        (_number("+979123456789"), OPEN, Code.PREMIUM_NUMBER),
        (_number("+870773111632"), OPEN, Code.SATELLITE_NUMBER),
        (_number("+871773111632"), OPEN, Code.SATELLITE_NUMBER),
        (_number("+80812345678"), OPEN, Code.SHARED_COST_NUMBER),
        (_number("+447012345678"), OPEN, Code.PERSONAL_NUMBER),
        (_number("+878101234567890"), OPEN, Code.SPECIAL_NUMBER),
        (_number("+88216212345678"), OPEN, Code.SPECIAL_NUMBER),
        (_number("+18765551234"), OPEN, Code.COUNTRY_NOT_ALLOWED),
        (_number("+33140205050"), OPEN, Code.COUNTRY_NOT_ALLOWED),
        (_number("+80012345678"), replace(OPEN, regions=frozenset({"US"})), "country_not_allowed"),
        (LONDON, replace(OPEN, has_rate=False), Code.NO_RATE),
        (LONDON, replace(OPEN, origin=LONDON), Code.SAME_NUMBER),
    ],
)
def test_each_reason_has_its_code(
    number: E164, context: CallableContext, code: RefusalCode
) -> None:
    """Whatever speaks against a number is told under its own name."""
    refusal = callable_number(number, PartyRole.B, context)
    assert refusal is not None
    assert refusal.code == code


@pytest.mark.parametrize(
    "text",
    ["+19005551234", "+870773111632", "+80812345678", "+447012345678", "+88216212345678"],
)
def test_who_opted_in_may_ring_dear_numbers(text: str) -> None:
    """An opt-in opens its kind, and for satellites the place without a country."""
    context = replace(EVERYTHING, regions=frozenset({"US", "GB"}))
    assert callable_number(_number(text), PartyRole.B, context) is None


def test_plus_one_is_not_one_country() -> None:
    """A customer for the United States may not ring Jamaica although both begin with +1."""
    context = replace(OPEN, regions=frozenset({"US"}))
    refusal = callable_number(_number("+18765551234"), PartyRole.B, context)
    assert refusal is not None
    assert refusal.fields == {
        "number": Phone("+18765551234"),
        "country": "Jamaica",
        "change": "operator",
    }


@pytest.mark.parametrize(
    ("number", "role", "origin", "forbidden"),
    [
        (LONDON, PartyRole.A, None, True),
        (LONDON, PartyRole.VERIFICATION, None, True),
        (LONDON, PartyRole.B, FLINT, False),
        (LONDON, PartyRole.B, None, False),
        (FLINT, PartyRole.B, LONDON, True),
        (FLINT, PartyRole.PARTICIPANT, LONDON, True),
        (FLINT, PartyRole.A, None, False),
    ],
)
def test_callback_is_forbidden_by_the_country_of_the_caller(
    number: E164,
    role: PartyRole,
    origin: E164 | None,
    forbidden: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """The law that counts is that of the phone called back, not that of the one called."""
    context = replace(OPEN, callback_forbidden=frozenset({"GB"}), origin=origin)
    refusal = callable_number(number, role, context)
    assert (refusal is not None) is forbidden
    assert refusal is None or refusal.code is Code.CALLBACK_FORBIDDEN


def test_the_first_reason_in_the_order_is_told() -> None:
    """With everything wrong at once, lifting one obstacle after the other shows the order."""
    number = _number("+19005551234")
    closed = CallableContext(
        regions=frozenset(),
        has_rate=False,
        own_numbers=frozenset({number.digits}),
        callback_forbidden=frozenset({"US"}),
        origin=number,
    )
    steps = [
        closed,
        closed := replace(closed, own_numbers=frozenset()),
        closed := replace(closed, opted_in=frozenset({Kind.PREMIUM})),
        closed := replace(closed, regions=frozenset({"US"})),
        closed := replace(closed, callback_forbidden=frozenset()),
        closed := replace(closed, has_rate=True),
    ]
    codes = [no.code for c in steps if (no := callable_number(number, PartyRole.B, c))]
    assert codes == [
        Code.OWN_NUMBER,
        Code.PREMIUM_NUMBER,
        Code.COUNTRY_NOT_ALLOWED,
        Code.CALLBACK_FORBIDDEN,
        Code.NO_RATE,
        Code.SAME_NUMBER,
    ]
    assert len(CHECKS) == len(codes) + 2  # valid and emergency come before
