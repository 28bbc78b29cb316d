"""Money held for running legs: never more than there is, always to a boundary, cut in time."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from call_core.calls.holds import (
    Budget,
    cap_left_micros,
    extend,
    extension_due_call_ms,
    first_cover,
    held_and_spent_micros,
    is_free,
    leg_word,
    may_settle,
    paid_until_call_ms,
    running_cost_micros,
    running_legs,
    settle_leg,
    talk_seconds,
    with_hold,
)
from call_core.calls.model import Call, CallState, Leg
from call_core.calls.rules import Rules
from call_core.rating.increments import seconds_to_increment_boundary
from call_core.rating.rater import RateTerms, TaxLine, charge_with_tax
from tests.support.calls import RULES, T0, TERMS, a_leg, at, conference, party_of, run, two_party

TALK = "3 A answers; 4 A presses 1; 9 B answers"
DAY_S = 86_400


def vat(charge_micros: int, _terms: RateTerms, _country: str) -> tuple[TaxLine, ...]:
    """A fifth of the charge, rounded up to a micro."""
    return (TaxLine("VAT 20%", -(-charge_micros // 5)),)


def held_for(call: Call, seconds: int, rules: Rules = RULES) -> Call:
    """Return the call with every leg held for so long, as at launch."""
    for leg in call.legs():
        terms = leg.terms
        cover_s = seconds_to_increment_boundary(
            seconds, terms.first_increment_s, terms.next_increment_s, terms.minimum_s
        )
        amount = charge_with_tax(terms, cover_s, rules.tax)
        call = call.with_leg(replace(leg, paid_seconds=cover_s, held_micros=amount))
    return call


def talking(seconds: int = 180) -> Call:
    """Return two people who talk since second 9, paid for so long."""
    return run(held_for(two_party(), seconds), TALK).call


# --- launch ---------------------------------------------------------------------------------------

COVERS = """
    60/60 fee 0     -> 180 36000
    1/1   fee 0     -> 121 24200
    30/6  fee 5000  -> 150 35000
    60/60 fee 0 for 1800 -> 1800 360000
    60/60 fee 0 for 1801 -> 1860 372000
"""


@pytest.mark.parametrize("row", COVERS.strip().splitlines())
def test_the_first_cover(row: str) -> None:
    """Fee, first increment and two minutes, rounded up to a boundary; a stated length whole."""
    words, _, expected = row.partition(" -> ")
    increments, _, fee, *stated = words.split()
    first, following = map(int, increments.split("/"))
    terms = replace(
        TERMS,
        first_increment_s=first,
        next_increment_s=following,
        connect_fee_micros=int(fee),
    )
    cover = first_cover([terms, TERMS], RULES, int(stated[1]) if stated else None)
    assert list(cover.legs[0]) == [int(word) for word in expected.split()]
    assert cover.added_micros == sum(leg.held_micros for leg in cover.legs)
    assert cover.seconds == (int(stated[1]) if stated else RULES.first_cover_s)


def test_tax_is_held_too() -> None:
    """What is held pays for the tax as well."""
    (leg,) = first_cover([TERMS], replace(RULES, tax=vat)).legs
    assert leg.held_micros == 36_000 * 6 // 5


# --- extension ------------------------------------------------------------------------------------


def test_an_extension_is_due_two_minutes_before_the_first_money_ends() -> None:
    """The leg that was answered first decides; a leg that only rings does not."""
    ringing = run(held_for(two_party(), 180), "3 A answers; 4 A presses 1").call
    assert extension_due_call_ms(ringing, RULES) == at("63")
    assert extension_due_call_ms(talking(), RULES) == at("63")
    assert paid_until_call_ms(talking()) == at("183")
    assert extension_due_call_ms(two_party(), RULES) is None
    assert paid_until_call_ms(two_party()) is None


def test_an_ending_call_asks_for_no_more_money() -> None:
    """While A hears why it ends, the first hold is enough."""
    ending = run(held_for(two_party(), 180), "3 A presses 1; 5 B busy").call
    assert ending.state is CallState.ENDING
    assert running_legs(ending)
    assert extension_due_call_ms(ending, RULES) is None


def test_a_whole_extension_reaches_four_minutes() -> None:
    """All running legs are paid for 240 seconds from now, on their boundaries."""
    call = extend(talking(), at("63"), Budget(10**9), RULES)
    assert [leg.paid_seconds for leg in call.legs()] == [300, 300]
    assert [leg.held_micros for leg in call.legs()] == [60_000, 60_000]
    assert [leg.holds for leg in call.legs()] == [2, 2]
    assert call.retry_money_call_ms is None
    assert extension_due_call_ms(call, RULES) == at("183")


SHORT = """
    available 48000             -> 300 300 120000 -
    available 47999             -> 300 240 108000 10
    available 24000             -> 240 240 96000 10
    available 12000             -> 240 180 84000 10
    available 11999             -> 180 180 72000 10
    available 0                 -> 180 180 72000 10
    available -5                -> 180 180 72000 10
    available 48000 daily 24000 -> 240 240 96000 10
    available 48000 daily -1    -> 180 180 72000 10
    available 48000 cap 96000   -> 240 240 96000 10
    available 48000 cap 72000   -> 180 180 72000 10
    available 48000 cap 120000  -> 300 300 120000 -
"""


@pytest.mark.parametrize("row", SHORT.strip().splitlines())
def test_what_is_not_there_is_not_held(row: str) -> None:
    """The longest common time within balance, day and cap is held, and asked again in 10 s."""
    words, _, expected = row.partition(" -> ")
    numbers = dict(zip(words.split()[::2], map(int, words.split()[1::2]), strict=True))
    of_a, of_b, held, retry = expected.split()
    call = replace(talking(), cap_micros=numbers.get("cap"))
    call = extend(call, at("63"), Budget(numbers["available"], numbers.get("daily")), RULES)
    seconds = [leg.paid_seconds for leg in call.legs()]
    assert (seconds, held_and_spent_micros(call)) == ([int(of_a), int(of_b)], int(held))
    again = None if retry == "-" else at("63") + int(retry) * 1000
    assert call.retry_money_call_ms == again
    if again is not None:
        assert (extension_due_call_ms(call, RULES) or 0) >= again


def test_the_warning_is_taken_back_when_the_last_minute_is_not_the_last() -> None:
    """More money than for a minute forgets that the end was announced; less does not."""
    warned = replace(talking(), warned_call_ms=at("123"))
    assert extend(warned, at("123"), Budget(10**9), RULES).warned_call_ms is None
    assert extend(warned, at("123"), Budget(0), RULES).warned_call_ms == at("123")
    assert extend(warned, at("122.999"), Budget(0), RULES).warned_call_ms is None
    nobody = replace(two_party(), warned_call_ms=at("1"))
    assert extend(nobody, at("5"), Budget(10**9), RULES).warned_call_ms == at("1")


term_of = st.builds(
    RateTerms,
    rate_id=st.just("r"),
    prefix=st.just("1"),
    destination=st.just("somewhere"),
    price_micros_per_minute=st.integers(0, 5_000_000),
    connect_fee_micros=st.integers(0, 500_000),
    first_increment_s=st.sampled_from([1, 6, 30, 60]),
    next_increment_s=st.sampled_from([1, 6, 60]),
    minimum_s=st.sampled_from([0, 10, 90]),
    quantum_micros=st.sampled_from([1, 100, 10_000]),
    currency=st.just("USD"),
    tariff=st.just("retail"),
    version=st.just(1),
)


@settings(max_examples=150, derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(term_of, st.integers(0, 170_000)), min_size=1, max_size=16),
    st.integers(0, 60_000),
    st.one_of(st.none(), st.integers(0, 60_000)),
    st.one_of(st.none(), st.integers(0, 60_000)),
    st.booleans(),
    st.integers(0, 400_000),
)
def test_no_extension_exceeds_its_budget(
    people: list[tuple[RateTerms, int]],
    available: int,
    daily: int | None,
    cap_above: int | None,
    taxed: bool,  # noqa: FBT001  (hypothesis passes by position)
    talked_ms: int,
) -> None:
    """Any legs, any tiny budget: holds grow within it, lie on boundaries, and bound the bill."""
    rules = replace(RULES, tax=vat if taxed else RULES.tax)
    call = conference(len(people))
    for party, (terms, ago_ms) in zip(call.others, people, strict=True):
        leg = replace(
            party.legs[0],
            terms=terms,
            originated_call_ms=T0,
            answered_call_ms=T0 + 170_000 - ago_ms,
            accepted_call_ms=T0 + 170_000 - ago_ms,
        )
        call = call.with_leg(leg)
    call = held_for(call, 120, rules)
    before = held_and_spent_micros(call)
    call = replace(call, cap_micros=None if cap_above is None else before + cap_above)
    after = extend(call, T0 + 170_000, Budget(available, daily), rules)
    grown = held_and_spent_micros(after) - before
    assert 0 <= grown <= min(limit for limit in (available, daily, cap_above) if limit is not None)
    assert (cap_left_micros(after) or 0) >= 0
    for old, leg in zip(call.legs(), after.legs(), strict=True):
        assert leg.paid_seconds >= old.paid_seconds
        terms = leg.terms
        assert leg.paid_seconds == seconds_to_increment_boundary(
            leg.paid_seconds, terms.first_increment_s, terms.next_increment_s, terms.minimum_s
        )
        assert leg.held_micros >= charge_with_tax(terms, leg.paid_seconds, rules.tax)
        if leg.answered_call_ms is None:
            continue
        ended = replace(leg, ended_call_ms=leg.answered_call_ms + talked_ms)
        bill = settle_leg(after, ended, rules)
        assert 0 <= bill.total_micros <= leg.held_micros
        if talked_ms <= leg.paid_seconds * 1000:
            assert bill.overrun_micros == 0


# --- caps -----------------------------------------------------------------------------------------


def test_a_cap_bounds_what_is_held_and_spent_together() -> None:
    """A settled leg counts with its charge, any other with its hold; never less than nothing."""
    call = held_for(conference(2), 60)
    settled = replace(party_of(call, "P1").legs[0], settled=True, charge_micros=5_000)
    call = call.with_leg(settled)
    assert held_and_spent_micros(call) == 12_000 + 5_000 + 12_000
    assert cap_left_micros(call) is None
    assert cap_left_micros(replace(call, cap_micros=30_000)) == 1_000
    assert cap_left_micros(replace(call, cap_micros=29_000)) == 0
    assert cap_left_micros(replace(call, cap_micros=1)) == 0


def test_running_legs_are_those_whose_time_passes() -> None:
    """Answered, not ended, and not asked to hang up."""
    leg = replace(a_leg(), answered_call_ms=T0)
    for facts, runs in (
        ({}, True),
        ({"answered_call_ms": None}, False),
        ({"ended_call_ms": T0}, False),
        ({"hangup_asked": 205}, False),
    ):
        call = two_party().with_leg(replace(leg, **facts))
        assert bool(running_legs(call)) is runs


def test_a_new_hold_replaces_the_last() -> None:
    """Holds are numbered, so that their transfers have names."""
    leg = with_hold(with_hold(replace(a_leg(), holds=0), 60, 12_000), 120, 24_000)
    assert (leg.holds, leg.paid_seconds, leg.held_micros) == (2, 120, 24_000)


# --- settlement -----------------------------------------------------------------------------------

# Who was answered (and accepted), and whether A's first minute is free.
FREE = """
    promised  A accepted                    -> A free
    promised  A accepted, B ringing         -> A free
    promised  A accepted, B answered        -> A billed, B billed
    promised  A answered                    -> A free
    promised  A unanswered                  -> A billed
    refused   A accepted                    -> A billed
    refused   A answered                    -> A billed
    promised  C accepted, P1 answered       -> C billed, P1 free
    promised  C accepted, P1 accepted       -> C billed, P1 billed
    promised  C accepted, P1 ringing        -> C free
    refused   C accepted, P1 answered       -> C billed, P1 billed
"""


@pytest.mark.parametrize("row", FREE.strip().splitlines())
def test_whose_first_minute_is_free(row: str) -> None:
    """A's while nobody else was ever answered, and anybody's who did not accept; if promised."""
    facts, _, expected = row.partition(" -> ")
    promise, _, people = facts.strip().partition(" ")
    call = conference(2) if "C " in people else two_party()
    call = replace(call, free_first_leg=promise == "promised")
    for person in people.split(","):
        label, state = person.split()
        leg = replace(party_of(call, label).legs[0], originated_call_ms=T0)
        if state in {"answered", "accepted"}:
            leg = replace(leg, answered_call_ms=T0 + 1)
            if state == "accepted" or not leg.accept:
                leg = replace(leg, accepted_call_ms=T0 + 1)
        call = call.with_leg(leg)
    for verdict in expected.split(", "):
        label, word = verdict.split()
        assert is_free(call, party_of(call, label).legs[0]) is (word == "free")


def test_a_settled_leg_stays_as_free_as_it_was() -> None:
    """Nothing that is learnt later takes back what was given, or gives more."""
    answered = replace(a_leg(), answered_call_ms=T0, accepted_call_ms=T0)
    settled = replace(answered, settled=True)
    assert is_free(two_party(), answered)
    assert not is_free(two_party(), settled)
    call = replace(two_party(), free_first_leg=False)
    assert is_free(call, replace(settled, free=True))


FREE_BILLS = """
    59.999 -> 0     12000
    60     -> 0     12000
    60.001 -> 12000 12000
    125    -> 24000 12000
"""


@pytest.mark.parametrize("row", FREE_BILLS.strip().splitlines())
def test_sixty_seconds_are_free_and_the_next_are_not(row: str) -> None:
    """The customer pays what lies beyond the first minute, the operator that minute."""
    talked, _, expected = row.strip().partition(" -> ")
    pays, free = map(int, expected.split())
    leg = replace(
        a_leg(), originated_call_ms=T0, answered_call_ms=T0, accepted_call_ms=T0, held_micros=10**6
    )
    leg = replace(leg, ended_call_ms=at(talked.strip()))
    bill = settle_leg(two_party().with_leg(leg), leg, RULES)
    assert (bill.total_micros, bill.free_micros) == (pays, free)


def test_an_unanswered_leg_costs_nothing() -> None:
    """Ring time is free."""
    leg = replace(a_leg(), originated_call_ms=T0, ended_call_ms=T0 + 50_000)
    bill = settle_leg(two_party(), leg, RULES)
    assert (bill.total_micros, bill.duration_ms, bill.rated_micros) == (0, None, 0)


def test_a_hold_bounds_the_bill() -> None:
    """What was talked beyond the hold is the operator's, and visible."""
    call = run(held_for(two_party(), 60), f"{TALK}; 200 tick", deaf=True).call
    leg = replace(party_of(call, "B").legs[0], ended_call_ms=at("200"))
    bill = settle_leg(call, leg, RULES)
    assert (bill.total_micros, bill.overrun_micros, bill.rated_micros) == (12_000, 36_000, 48_000)


def test_as_bill_waits_until_nobody_else_can_answer() -> None:
    """While B rings it is open who pays for A; every other leg is settled as soon as it ended."""
    ringing = run(two_party(), "3 A presses 1; 5 B rings; 6 A hangs up", deaf=True).call
    assert not may_settle(ringing, ringing.first.legs[0])
    ended = run(two_party(), "3 A presses 1; 5 B rings; 6 A hangs up").call
    assert may_settle(ended, ended.first.legs[0])
    answered = run(two_party(), f"{TALK}; 20 A hangs up", deaf=True).call
    assert may_settle(answered, answered.first.legs[0])
    never_rung = run(two_party(), "3 A busy").call
    assert all(may_settle(never_rung, leg) for leg in never_rung.legs())
    missing = run(conference(2), "3 C presses 1; 5 P1 busy").call
    assert may_settle(missing, party_of(missing, "P1").legs[0])


def test_only_an_open_bill_of_an_ended_leg_is_settled() -> None:
    """A running leg and one that was settled are not."""
    call = run(two_party(), "3 A busy").call
    settled = replace(call.first.legs[0], settled=True)
    assert not may_settle(call.with_leg(settled), settled)
    assert not may_settle(talking(), talking().first.legs[0])


def test_the_running_cost_is_the_bill_of_now() -> None:
    """Nothing before the answer, then what it would cost to end now, then the charge."""
    call = talking()
    b = party_of(call, "B").legs[0]
    assert running_cost_micros(call, replace(b, answered_call_ms=None), at("9"), RULES) == 0
    assert running_cost_micros(call, b, at("9"), RULES) == 12_000
    assert running_cost_micros(call, b, at("1"), RULES) == 12_000
    assert running_cost_micros(call, b, at("70"), RULES) == 24_000
    ended = replace(b, ended_call_ms=at("60"))
    assert running_cost_micros(call, ended, at("600"), RULES) == 12_000
    settled = replace(ended, settled=True, charge_micros=7)
    assert running_cost_micros(call, settled, at("600"), RULES) == 7


TALKED = """
    - -    -> 0
    1 -    -> 0
    - 9    -> 0
    1 1    -> 0
    1 1.001 -> 1
    1 2    -> 1
"""


@pytest.mark.parametrize("row", TALKED.strip().splitlines())
def test_talked_seconds_are_rounded_up(row: str) -> None:
    """From answer to end; nothing when there was no answer or no end yet."""
    words, _, expected = row.partition(" -> ")
    answered, ended = (None if word == "-" else at(word) for word in words.split())
    leg = replace(a_leg(), answered_call_ms=answered, ended_call_ms=ended)
    assert talk_seconds(leg) == int(expected)


def test_the_names_of_legs_on_a_record() -> None:
    """A and the chair are A, the wanted party is B, participants have their numbers."""

    def words(call: Call) -> list[str]:
        return [leg_word(call, leg) for leg in call.legs()]

    assert words(two_party()) == ["A", "B"]
    assert words(conference(3)) == ["A", "1", "2", "3"]


def test_nothing_is_paid_beyond_a_day() -> None:
    """Not even a leg that costs nothing."""
    free = replace(TERMS, price_micros_per_minute=0)
    leg: Leg = replace(a_leg(terms=free), answered_call_ms=T0, accepted_call_ms=T0)
    rules = replace(RULES, extend_by_s=2 * DAY_S)
    call = extend(two_party().with_leg(leg), T0, Budget(0), rules)
    assert call.first.legs[0].paid_seconds == DAY_S
