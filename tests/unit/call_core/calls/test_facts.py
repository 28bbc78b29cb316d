"""How events become facts of a leg: the table against what happens, in any order, any number."""

import itertools
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from call_core.calls.causes import Cause
from call_core.calls.facts import (
    AMEND,
    CUT_TOLERANCE_MS,
    GUARDS,
    IGNORE,
    OTHERWISE,
    TRANSITIONS,
    Merge,
    lost,
    merge,
)
from call_core.calls.model import Leg, LegState
from call_core.contracts import EventKind, SwitchEvent
from tests.support.calls import T0, a_leg, event

ORDER = list(LegState)
FACTS_OF = {
    LegState.PLANNED: {},
    LegState.DIALING: {"originated_call_ms": T0},
    LegState.RINGING: {"originated_call_ms": T0, "ringing_call_ms": T0 + 1},
    LegState.ANSWERED: {"originated_call_ms": T0, "answered_call_ms": T0 + 2},
    LegState.ACCEPTED: {
        "originated_call_ms": T0,
        "answered_call_ms": T0 + 2,
        "accepted_call_ms": T0 + 3,
    },
    LegState.BRIDGED: {
        "originated_call_ms": T0,
        "answered_call_ms": T0 + 2,
        "accepted_call_ms": T0 + 3,
        "bridged_call_ms": T0 + 4,
    },
    LegState.ENDING: {"originated_call_ms": T0, "hangup_asked": int(Cause.CALL_ENDED)},
    LegState.ENDED: {"originated_call_ms": T0, "ended_call_ms": T0 + 9, "cause": 16},
}
QUARANTINED = {
    # A leg that was never asked for cannot do anything.
    *((LegState.PLANNED, kind) for kind in EventKind if kind is not EventKind.ORIGINATE_FAILED),
    # These are about the whole switch and never about a leg.
    *((state, EventKind.SWITCH_LOST) for state in LegState),
    *((state, EventKind.SWITCH_BACK) for state in LegState),
}
PAIRS = list(itertools.product(LegState, EventKind))


def leg_in(state: LegState, *, accept: bool = True) -> Leg:
    """Return a leg in a state."""
    leg = replace(a_leg(accept=accept), **FACTS_OF[state])  # type: ignore[arg-type]
    assert leg.state is state
    return leg


def guarded(leg: Leg, kind: EventKind, *, holds: bool) -> tuple[Leg, SwitchEvent]:
    """Return a leg and an event whose guard holds or not."""
    told = event(leg, kind, T0 + 5)
    if kind is EventKind.ANSWERED and not holds:
        return replace(leg, accept=False), told
    if kind is EventKind.DIGIT:
        return leg, replace(told, digit="1" if holds else "7")
    return leg, replace(told, certain=holds)


@pytest.mark.parametrize(("state", "kind"), PAIRS)
def test_every_state_and_event_is_known_or_quarantined(state: LegState, kind: EventKind) -> None:
    """A pair has a row, or it is one that cannot happen: quarantined, and nothing changes."""
    merged = merge(leg_in(state), event(leg_in(state), kind, T0 + 5))
    assert (merged.merge is Merge.QUARANTINED) is ((state, kind) in QUARANTINED)
    assert ((state, kind) in TRANSITIONS) is ((state, kind) not in QUARANTINED)
    if merged.merge is Merge.QUARANTINED:
        assert merged.leg == leg_in(state)


@pytest.mark.parametrize("holds", [True, False], ids=["guard holds", "guard fails"])
@pytest.mark.parametrize(("state", "kind"), list(TRANSITIONS))
def test_the_table_says_what_happens(state: LegState, kind: EventKind, *, holds: bool) -> None:
    """The state after an event is the row's: the next one, or the same for IGNORE and AMEND."""
    leg, told = guarded(leg_in(state), kind, holds=holds)
    row = TRANSITIONS[state, kind] if holds else OTHERWISE.get((state, kind))
    if row is None:
        row = TRANSITIONS[state, kind]
    merged = merge(leg, told)
    assert merged.leg.state == (state if row in (IGNORE, AMEND) else row)
    if row == IGNORE:
        assert merged == type(merged)(leg, Merge.IGNORED)


def test_only_guarded_events_have_other_rows() -> None:
    """A row for a guard that fails belongs to an event with a guard, and to a row of the table."""
    assert {kind for _, kind in OTHERWISE} == set(GUARDS)
    assert OTHERWISE.keys() <= TRANSITIONS.keys()


@pytest.mark.parametrize(("state", "kind"), list(TRANSITIONS))
@pytest.mark.parametrize("accept", [True, False])
@pytest.mark.parametrize("digit", ["1", "#"])
def test_states_never_go_back(
    state: LegState, kind: EventKind, digit: str, *, accept: bool
) -> None:
    """No event takes a leg to an earlier state."""
    leg = replace(leg_in(state), accept=accept)
    merged = merge(leg, event(leg, kind, T0 + 5, digit=digit))
    assert ORDER.index(merged.leg.state) >= ORDER.index(state)


# --- in any order ---------------------------------------------------------------------------------


def life(*, accept: bool) -> list[SwitchEvent]:
    """Return everything that the switch tells of one leg that was answered and talked."""
    leg = a_leg(accept=accept)
    return [
        event(leg, EventKind.RINGING, T0 + 100),
        event(leg, EventKind.ANSWERED, T0 + 3_000),
        event(leg, EventKind.DIGIT, T0 + 4_000, digit="5"),
        event(leg, EventKind.DIGIT, T0 + 5_000, digit="1"),
        event(leg, EventKind.DIGIT, T0 + 5_200, digit="1"),
        event(leg, EventKind.BRIDGED, T0 + 9_000),
        event(leg, EventKind.BRIDGED, T0 + 20_000),
    ]


def through(leg: Leg, events: Sequence[SwitchEvent]) -> Leg:
    """Return the leg after events, in the order given."""
    for told in events:
        leg = merge(leg, told).leg
    return leg


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.permutations([*range(7), *range(7)]), st.booleans())
def test_the_order_and_number_of_events_change_no_fact(order: list[int], accept: bool) -> None:  # noqa: FBT001  (hypothesis passes by position)
    """All orders and repeats of a living leg's events come to the same facts."""
    told = life(accept=accept)
    dialled = leg_in(LegState.DIALING, accept=accept)
    in_order = through(dialled, told)
    assert through(dialled, [told[index] for index in order]) == in_order
    assert in_order.answered_call_ms == T0 + 3_000
    assert in_order.accepted_call_ms == (T0 + 5_000 if accept else T0 + 3_000)
    assert in_order.bridged_call_ms == T0 + 9_000


# What is not known when the end is told does not matter any more, and is not looked at again:
# the ring (ENDED, RINGING), the key (ENDED, DIGIT) and the bridge (ENDED, BRIDGED).
ORDER_DEPENDENT = ("ringing_call_ms", "accepted_call_ms", "bridged_call_ms")


def billed(leg: Leg) -> Leg:
    """Return the leg without the facts that may depend on the order."""
    return replace(leg, **dict.fromkeys(ORDER_DEPENDENT))  # type: ignore[arg-type]


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.permutations([*range(8), 1, 7]), st.booleans(), st.booleans())
def test_no_order_changes_the_bill(order: list[int], accept: bool, told_answer: bool) -> None:  # noqa: FBT001  (as above)
    """With the end among them, answer, end, cause and who hung up are the same in all orders."""
    leg = leg_in(LegState.DIALING, accept=accept)
    answered = T0 + 3_000 if told_answer else None
    end = event(leg, EventKind.ENDED, T0 + 60_000, answered_call_ms=answered)
    told = [*life(accept=accept), end]
    ended = through(leg, [told[index] for index in order])
    assert billed(ended) == billed(through(leg, told))
    assert (ended.answered_call_ms, ended.ended_call_ms) == (T0 + 3_000, T0 + 60_000)


@settings(max_examples=200, derandomize=True, deadline=None)
@given(st.sets(st.integers(0, 6)), st.permutations(range(8)))
def test_lost_events_do_not_change_the_bill(lost_ones: set[int], order: list[int]) -> None:
    """The end alone, with the switch's own answer time, is enough to bill a leg."""
    leg = leg_in(LegState.DIALING)
    end = event(leg, EventKind.ENDED, T0 + 60_000, answered_call_ms=T0 + 3_000)
    told = [*life(accept=True), end]
    ended = through(leg, [told[index] for index in order if index not in lost_ones])
    assert (ended.answered_call_ms, ended.ended_call_ms, ended.cause) == (
        T0 + 3_000,
        T0 + 60_000,
        16,
    )


# --- single facts ---------------------------------------------------------------------------------


def test_a_digit_proves_an_answer_and_the_answer_corrects_it() -> None:
    """The answer is the key's instant until the switch tells the true one; later news never do."""
    leg = merge(leg_in(LegState.DIALING), event(a_leg(), EventKind.DIGIT, T0 + 7, digit="1")).leg
    assert (leg.answered_call_ms, leg.accepted_call_ms) == (T0 + 7, T0 + 7)
    corrected = merge(leg, event(leg, EventKind.ANSWERED, T0 + 3))
    assert corrected.merge is Merge.MERGED
    assert (corrected.leg.answered_call_ms, corrected.leg.accepted_call_ms) == (T0 + 3, T0 + 7)
    later = merge(corrected.leg, event(leg, EventKind.ANSWERED, T0 + 8))
    assert later == type(later)(corrected.leg, Merge.IGNORED)


def test_a_key_where_none_is_wanted_accepts_nothing_later() -> None:
    """B answered and so accepted; its keys are its own business."""
    leg = replace(a_leg(accept=False), originated_call_ms=T0)
    leg = merge(leg, event(leg, EventKind.ANSWERED, T0 + 3)).leg
    assert merge(leg, event(leg, EventKind.DIGIT, T0 + 9, digit="1")).merge is Merge.IGNORED
    assert leg.accepted_call_ms == T0 + 3


def test_the_answer_is_the_ends_own_when_none_was_told() -> None:
    """ENDED with an answer time proves the answer, and without a key no acceptance."""
    end = event(a_leg(), EventKind.ENDED, T0 + 60, answered_call_ms=T0 + 20)
    leg = merge(leg_in(LegState.RINGING), end).leg
    assert (leg.answered_call_ms, leg.accepted_call_ms, leg.ended_call_ms) == (
        T0 + 20,
        None,
        T0 + 60,
    )
    no_key = merge(leg_in(LegState.RINGING, accept=False), end).leg
    assert no_key.accepted_call_ms == T0 + 20


def test_no_leg_ends_before_its_answer() -> None:
    """Contradictory instants make a leg of no length, never of less."""
    leg = merge(leg_in(LegState.ANSWERED), event(a_leg(), EventKind.ENDED, T0)).leg
    assert leg.ended_call_ms == leg.answered_call_ms


CAUSES = """
    by us asked    answered -> CALL_ENDED us
    by us asked    ringing  -> CALL_ENDED us
    by us unasked  answered -> NO_ANSWER switch
    by us unasked  ringing  -> NO_ANSWER us
    party asked    answered -> NO_ANSWER party
    party unasked  answered -> NO_ANSWER party
    party unasked  ringing  -> NO_ANSWER party
"""


@pytest.mark.parametrize("row", CAUSES.strip().splitlines())
def test_who_ended_a_leg_and_why(row: str) -> None:
    """Our own cause counts when we ended it; the switch's own reason is no money's end."""
    given_words, _, expected = row.partition(" -> ")
    who, asked, state = given_words.replace("by us", "us").split()
    leg = leg_in(LegState[state.upper()])
    leg = replace(leg, hangup_asked=int(Cause.CALL_ENDED) if asked == "asked" else 0)
    end = event(leg, EventKind.ENDED, T0 + 60, cause=19, by_us=who == "us")
    ended = merge(leg, end).leg
    assert f"{Cause(ended.cause).name} {ended.hangup_by}" == expected


@pytest.mark.parametrize(
    ("early_ms", "expected"),
    [
        (-5_000, "MONEY_ENDED us"),
        (0, "MONEY_ENDED us"),
        (CUT_TOLERANCE_MS, "MONEY_ENDED us"),
        (CUT_TOLERANCE_MS + 1, "NORMAL_CLEARING switch"),
    ],
)
def test_a_cut_at_the_end_of_the_paid_time_is_the_money(early_ms: int, expected: str) -> None:
    """The switch's limit was armed with it; what it ends earlier is not for want of money."""
    leg = replace(leg_in(LegState.ANSWERED), paid_seconds=60)
    assert leg.paid_until_call_ms is not None
    at_call_ms = leg.paid_until_call_ms - early_ms
    ended = merge(leg, event(leg, EventKind.ENDED, at_call_ms, cause=16, by_us=True)).leg
    assert f"{Cause(ended.cause).name} {ended.hangup_by}" == expected


def test_an_originate_failed_only_if_it_is_sure_and_nothing_rang() -> None:
    """A leg that rang exists, whatever is told of its originate."""
    rang = replace(leg_in(LegState.ENDING), ringing_call_ms=T0 + 1)
    answered = replace(leg_in(LegState.ENDING), answered_call_ms=T0 + 1)
    sure = event(rang, EventKind.ORIGINATE_FAILED, T0 + 5, cause=38)
    for leg in (rang, answered):
        assert merge(leg, sure).merge is Merge.IGNORED
    assert merge(leg_in(LegState.DIALING), replace(sure, certain=False)).merge is Merge.IGNORED
    ended = merge(leg_in(LegState.DIALING), sure).leg
    assert (ended.ended_call_ms, ended.cause, ended.hangup_by) == (T0 + 5, 38, "switch")


# --- after the end --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settled", "expected"), [(False, Merge.MERGED), (True, Merge.AMENDS)], ids=["open", "settled"]
)
def test_a_forgotten_answer_counts_after_the_end(*, settled: bool, expected: Merge) -> None:
    """An answer that is told after the end changes the bill, by amendment once it is written."""
    leg = replace(leg_in(LegState.ENDED), settled=settled)
    merged = merge(leg, event(leg, EventKind.ANSWERED, T0 + 4))
    assert (merged.merge, merged.leg.answered_call_ms) == (expected, T0 + 4)
    again = merge(merged.leg, event(leg, EventKind.ANSWERED, T0 + 4))
    assert again.merge is Merge.IGNORED


def test_an_answer_after_the_end_is_none() -> None:
    """At the end itself it may still be; one millisecond later it cannot."""
    leg = leg_in(LegState.ENDED)
    assert leg.ended_call_ms is not None
    at_the_end = event(leg, EventKind.ANSWERED, leg.ended_call_ms)
    assert merge(leg, at_the_end).merge is Merge.MERGED
    beyond = replace(at_the_end, at_call_ms=leg.ended_call_ms + 1)
    assert merge(leg, beyond) == type(merge(leg, beyond))(leg, Merge.IGNORED)


def test_a_second_end_is_a_repeat() -> None:
    """What the switch said of the end stands."""
    leg = leg_in(LegState.ENDED)
    again = event(leg, EventKind.ENDED, T0 + 30, cause=17, answered_call_ms=T0 + 2)
    assert merge(leg, again) == type(merge(leg, again))(leg, Merge.IGNORED)


LOST = """
    unanswered            last seen 50 -> 50
    answered 20           last seen 50 -> 50
    answered 20 paid 10   last seen 50 -> 30
    answered 60           last seen 50 -> 60
"""


@pytest.mark.parametrize("row", LOST.strip().splitlines())
def test_a_lost_leg_ends_when_it_was_last_seen_or_paid_for(row: str) -> None:
    """The estimate is the earlier of the two, never before the answer, and marked as such."""
    facts, _, expected = row.partition(" -> ")
    words = facts.split()
    answered = T0 + int(words[1]) * 1000 if words[0] == "answered" else None
    paid = int(words[words.index("paid") + 1]) if "paid" in words else 600
    leg = replace(leg_in(LegState.RINGING), answered_call_ms=answered, paid_seconds=paid)
    gone = lost(leg, T0 + 50_000)
    assert gone.ended_call_ms == T0 + int(expected) * 1000
    assert (gone.cause, gone.hangup_by, gone.end_estimated) == (Cause.LOST, "switch", True)


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("state", [LegState.RINGING, LegState.BRIDGED])
def test_the_switchs_own_record_corrects_an_estimated_end(
    state: LegState, *, settled: bool
) -> None:
    """Answered or not when it was lost: the true end is taken, once."""
    gone = replace(lost(leg_in(state), T0 + 50), settled=settled)
    true_end = event(gone, EventKind.ENDED, T0 + 90, answered_call_ms=T0 + 2, cause=16)
    merged = merge(gone, true_end)
    assert merged.merge is (Merge.AMENDS if settled else Merge.MERGED)
    leg = merged.leg
    assert (leg.answered_call_ms, leg.ended_call_ms, leg.cause) == (T0 + 2, T0 + 90, 16)
    assert not leg.end_estimated
    assert merge(leg, replace(true_end, at_call_ms=T0 + 95)).merge is Merge.IGNORED
