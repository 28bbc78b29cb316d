"""Seconds to money, and money to seconds."""

import json
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.rating.deck import RateDeck, RateRow
from call_core.rating.rater import (
    LONGEST_COVER_S,
    ExtendedLeg,
    LegCover,
    RateTerms,
    TaxLine,
    charge,
    charge_with_tax,
    extension,
    free_leg_charge,
    legs_that_fit,
    longest_common_seconds,
    no_tax,
    rate_duration,
    seconds_affordable,
    terms_of,
    total,
)

TERMS = RateTerms("7:44", "44", "United Kingdom", 12_000, 0, 60, 60, 0, 100, "USD", "retail", 3)


def terms(
    price: int, fee: int = 0, steps: str = "60/60", minimum: int = 0, quantum: int = 100
) -> RateTerms:
    """Makes terms from what matters to a charge."""
    first_s, next_s = map(int, steps.split("/"))
    return replace(
        TERMS,
        price_micros_per_minute=price,
        connect_fee_micros=fee,
        first_increment_s=first_s,
        next_increment_s=next_s,
        minimum_s=minimum,
        quantum_micros=quantum,
    )


def vat(charge_micros: int, _terms: RateTerms, country: str) -> tuple[TaxLine, ...]:
    """A fifth of the charge in Great Britain, rounded up to a micro."""
    return (TaxLine("VAT 20%", -(-charge_micros // 5)),) if country == "GB" else ()


ANY_TERMS = st.builds(
    terms,
    price=st.integers(0, 5_000_000),
    fee=st.integers(0, 1_000_000),
    steps=st.sampled_from(["60/60", "30/6", "6/6", "1/1", "60/1"]),
    minimum=st.sampled_from([0, 0, 20, 90]),
    quantum=st.sampled_from([1, 100, 10_000]),
)

# price fee steps minimum quantum | duration_ms billed_s charge_micros
GOLDEN = """
    12000  0     60/60 0  100   | 0      60  12000
    12000  0     60/60 0  100   | 60001  120 24000
    12000  0     30/6  0  100   | 1000   30  6000
    12000  0     30/6  0  100   | 30001  36  7200
    12000  0     1/1   0  100   | 1      1   200
    12345  0     1/1   0  100   | 7000   7   1500
    12345  0     1/1   0  1     | 7000   7   1441
    12345  0     60/1  0  100   | 61000  61  12600
    12000  50000 30/6  0  100   | 61250  66  63200
    12000  0     6/6   20 100   | 1000   24  4800
    10000  0     1/1   30 10000 | 1000   30  10000
    0      0     60/60 0  100   | 90000  120 0
    0      70000 60/60 0  100   | 0      60  70000
    1      0     1/1   0  100   | 1000   1   100
"""


@pytest.mark.parametrize("case", GOLDEN.strip().splitlines())
def test_golden_charges(case: str) -> None:
    """Known durations cost exactly the known money."""
    price, fee, steps, minimum, quantum, _, duration_ms, billed_s, micros = case.split()
    priced = terms(int(price), int(fee), steps, int(minimum), int(quantum))
    assert rate_duration(priced, int(duration_ms)) == (int(billed_s), int(micros))


def test_a_leg_that_was_never_answered_costs_nothing() -> None:
    """No billed seconds, no connect fee."""
    assert charge(terms(12_000, fee=50_000), 0) == 0


@given(ANY_TERMS, st.integers(1, 90_000))
def test_a_charge_is_the_least_multiple_of_the_quantum_that_is_enough(
    priced: RateTerms, billable_s: int
) -> None:
    """Rounding is up, once, and by less than one quantum."""
    exact = priced.connect_fee_micros + Fraction(billable_s * priced.price_micros_per_minute, 60)
    micros = charge(priced, billable_s)
    assert micros % priced.quantum_micros == 0
    assert exact <= micros < exact + priced.quantum_micros


@given(ANY_TERMS, st.integers(0, 9_000_000), st.integers(0, 9_000_000))
def test_longer_never_costs_less(priced: RateTerms, one_ms: int, other_ms: int) -> None:
    """Charges do not fall with time."""
    shorter, longer = sorted((one_ms, other_ms))
    assert (
        rate_duration(priced, shorter).charge_micros <= rate_duration(priced, longer).charge_micros
    )


def test_terms_are_a_copy_of_row_and_deck() -> None:
    """Every field of the terms comes from the row or its deck."""
    row = RateRow("7:44", "44", "United Kingdom", 12_000)
    deck = RateDeck("retail", 3, "USD", "UTC", 100, [row])
    assert terms_of(row, deck) == TERMS


def test_a_blocked_row_has_no_terms() -> None:
    """Nothing can be charged by a row that forbids the call."""
    row = RateRow("7:44", "44", "United Kingdom", 12_000, blocked=True)
    with pytest.raises(AssertionError, match="blocked"):
        terms_of(row, RateDeck("retail", 3, "USD", "UTC", 100, [row]))


def test_terms_survive_json() -> None:
    """Stored terms are compact, and read back the same."""
    text = TERMS.to_json()
    assert " " not in text.replace("United Kingdom", "")
    assert RateTerms.from_json(text) == TERMS


@pytest.mark.parametrize(
    "change",
    [{"version": "3"}, {"price_micros_per_minute": 0.5}, {"minimum_s": True}, {"colour": 1}],
)
def test_json_that_is_not_terms_is_refused(change: dict[str, object]) -> None:
    """Wrong fields and wrong types do not become a price."""
    with pytest.raises(ValueError, match="Stored rate terms"):
        RateTerms.from_json(json.dumps(json.loads(TERMS.to_json()) | change))


@pytest.mark.parametrize("text", ["[]", "{}", "null", "{"])
def test_json_that_is_not_an_object_of_terms_is_refused(text: str) -> None:
    """Other JSON, and text that is none, do not become a price."""
    with pytest.raises(ValueError, match=r"Stored rate terms|Expecting"):
        RateTerms.from_json(text)


def test_tax_is_a_hook_and_by_default_nothing() -> None:
    """Without a hook there is no tax; with one its lines are added."""
    assert no_tax(1, TERMS, "GB") == ()
    assert charge_with_tax(TERMS, 60) == 12_000
    assert charge_with_tax(TERMS, 60, vat, "GB") == 14_400
    assert charge_with_tax(TERMS, 60, vat, "US") == 12_000
    assert total(5, (TaxLine("a", 1), TaxLine("b", 2))) == 8


# price fee steps | duration_ms free_s | customer operator
FREE_LEGS = """
    12000 0     60/60 | 0     60 | 0     12000
    12000 0     60/60 | 60000 60 | 0     12000
    12000 0     60/60 | 60001 60 | 12000 12000
    12000 50000 1/1   | 30000 60 | 0     56000
    12000 50000 1/1   | 90000 60 | 6000  62000
    12000 50000 1/1   | 90000 0  | 68000 0
"""


@pytest.mark.parametrize("case", FREE_LEGS.strip().splitlines())
def test_the_operator_pays_for_the_free_seconds(case: str) -> None:
    """Up to the free seconds the operator pays all; beyond, the customer pays the rest."""
    price, fee, steps, _, duration_ms, free_s, _, customer, operator = case.split()
    shared = free_leg_charge(terms(int(price), int(fee), steps), int(duration_ms), int(free_s))
    assert shared == (int(customer), int(operator))


# price fee steps minimum | budget | seconds
AFFORDABLE = f"""
    12000 0     60/60 0  | -1     | 0
    12000 0     60/60 0  | 0      | 0
    12000 0     60/60 0  | 11999  | 0
    12000 0     60/60 0  | 12000  | 60
    12000 0     60/60 0  | 23999  | 60
    12000 0     60/60 0  | 24000  | 120
    12000 50000 30/6  0  | 56000  | 30
    12000 50000 30/6  0  | 57199  | 30
    12000 50000 30/6  0  | 57200  | 36
    12000 0     1/1   30 | 5999   | 0
    12000 0     1/1   30 | 6000   | 30
    0     0     60/60 0  | 0      | {LONGEST_COVER_S}
    0     0     7/7   0  | 0      | {LONGEST_COVER_S // 7 * 7}
    0     50000 60/60 0  | 49999  | 0
    0     50000 60/60 0  | 50000  | {LONGEST_COVER_S}
"""


@pytest.mark.parametrize("case", AFFORDABLE.strip().splitlines())
def test_golden_affordable_seconds(case: str) -> None:
    """Known budgets buy exactly the known seconds."""
    price, fee, steps, minimum, _, budget, _, seconds = case.split()
    priced = terms(int(price), int(fee), steps, int(minimum))
    assert seconds_affordable(priced, int(budget)) == int(seconds)


@given(ANY_TERMS, st.integers(0, 50_000_000), st.sampled_from(["GB", "US"]))
def test_affordable_seconds_are_the_most_that_fit(
    priced: RateTerms, budget: int, country: str
) -> None:
    """The cover fits the budget, tax included, and one more step would not."""
    seconds = seconds_affordable(priced, budget, vat, country)
    assert charge_with_tax(priced, seconds, vat, country) <= budget
    one_more = rate_duration(priced, (seconds + 1) * 1000).billable_s
    if one_more <= LONGEST_COVER_S:
        assert charge_with_tax(priced, one_more, vat, country) > budget


# A launch: two legs, 30/6 at 0.012 and 60/60 at 0.06 with a fee of 0.05; 120 s wanted.
LAUNCH = (LegCover(terms(12_000, steps="30/6")), LegCover(terms(60_000, fee=50_000)))


@pytest.mark.parametrize(
    ("budget", "seconds", "covers", "added"),
    [
        (1_000_000, 120, [(120, 24_000), (120, 170_000)], 194_000),
        (194_000, 120, [(120, 24_000), (120, 170_000)], 194_000),
        (193_999, 114, [(114, 22_800), (120, 170_000)], 192_800),
        (122_000, 60, [(60, 12_000), (60, 110_000)], 122_000),
        (121_999, 54, [(54, 10_800), (60, 110_000)], 120_800),
        (116_000, 30, [(30, 6_000), (60, 110_000)], 116_000),
        (115_999, 0, [(0, 0), (0, 0)], 0),
        (-1, 0, [(0, 0), (0, 0)], 0),
    ],
)
def test_golden_launch_holds(
    budget: int, seconds: int, covers: list[tuple[int, int]], added: int
) -> None:
    """The longest common time is found, each leg on its own boundary, or nothing is held."""
    answer = longest_common_seconds(LAUNCH, budget, 120)
    assert (answer.seconds, list(answer.legs), answer.added_micros) == (seconds, covers, added)


def test_an_extension_counts_from_now_and_keeps_what_is_paid_further() -> None:
    """Legs answered at different times are all paid to one instant; none is shortened."""
    legs = (
        LegCover(terms(12_000, steps="30/6"), elapsed_ms=60_400, covered_s=150, held_micros=30_000),
        LegCover(terms(60_000), elapsed_ms=10_000, covered_s=600, held_micros=600_000),
        LegCover(terms(6_000, steps="1/1")),
    )
    answer = extension(legs, 120)
    assert answer.legs == (
        ExtendedLeg(186, 37_200),
        ExtendedLeg(600, 600_000),
        ExtendedLeg(120, 12_000),
    )
    assert answer.added_micros == 19_200


@pytest.mark.parametrize(("seconds", "new"), [(60, (60, 5)), (61, (120, 24_000))])
def test_a_cover_that_reaches_is_left_alone(seconds: int, new: tuple[int, int]) -> None:
    """A leg paid exactly to the instant keeps its hold as it is; one second more extends it."""
    leg = LegCover(terms(12_000), covered_s=60, held_micros=5)
    assert extension([leg], seconds).legs == (new,)


def test_a_hold_never_shrinks() -> None:
    """A leg that holds more than its new cover costs keeps it and adds nothing."""
    leg = LegCover(terms(12_000), covered_s=60, held_micros=90_000)
    assert extension([leg], 120).legs == (ExtendedLeg(120, 90_000),)
    assert extension([leg], 120).added_micros == 0


def test_the_longest_cover_bounds_free_calls() -> None:
    """Legs that cost nothing are paid a day ahead and no further."""
    legs = [LegCover(terms(0)), LegCover(terms(0))]
    assert longest_common_seconds(legs, 0, LONGEST_COVER_S).seconds == LONGEST_COVER_S
    assert longest_common_seconds(legs, 0, LONGEST_COVER_S + 1).seconds == LONGEST_COVER_S


def test_legs_of_one_call_share_a_currency() -> None:
    """Money of two currencies is never added."""
    euro = LegCover(replace(TERMS, currency="EUR"))
    with pytest.raises(AssertionError, match="one currency"):
        extension([LegCover(TERMS), euro], 60)


@pytest.mark.parametrize(
    ("budget", "count"), [(0, 0), (11_999, 0), (12_000, 1), (36_000, 3), (99_000, 3)]
)
def test_legs_that_fit_are_counted_in_order(budget: int, count: int) -> None:
    """As many people as the money holds, for the time asked."""
    assert legs_that_fit([LegCover(TERMS)] * 3, budget, 60) == count


def _cover(priced: RateTerms, elapsed_ms: int, ahead_s: int) -> LegCover:
    rated = rate_duration(priced, elapsed_ms + ahead_s * 1000)
    return LegCover(
        priced, elapsed_ms, rated.billable_s, charge_with_tax(priced, rated.billable_s, vat, "GB")
    )


LEGS = st.lists(
    st.builds(LegCover, ANY_TERMS)
    | st.builds(_cover, ANY_TERMS, st.integers(0, 600_000), st.integers(0, 130)),
    min_size=2,
    max_size=64,
)


@given(LEGS, st.integers(0, 20_000_000), st.integers(1, 3_600))
def test_the_longest_common_time_is_within_budget_and_maximal(
    legs: list[LegCover], budget: int, wanted_s: int
) -> None:
    """The holds fit, each leg is on its boundary and paid to the instant, a second more fails."""
    answer = longest_common_seconds(legs, budget, wanted_s, vat, "GB")
    assert answer.added_micros <= budget
    assert answer.seconds <= wanted_s
    for leg, new in zip(legs, answer.legs, strict=True):
        assert new.covered_s >= leg.covered_s
        if answer.seconds:
            assert new.covered_s * 1000 >= leg.elapsed_ms + answer.seconds * 1000
            assert new.held_micros >= charge_with_tax(leg.terms, new.covered_s, vat, "GB")
            assert rate_duration(leg.terms, new.covered_s * 1000).billable_s == new.covered_s
    if answer.seconds < wanted_s:
        assert extension(legs, answer.seconds + 1, vat, "GB").added_micros > budget
