"""Random walks: whatever phones, switch and time do, a call goes forward and comes to an end."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from call_core.calls.facts import lost, merge
from call_core.calls.holds import extension_due_call_ms
from call_core.calls.lifecycle import CALL_TRANSITIONS, ORDER, may_become
from call_core.calls.machine import advance, end, next_deadline
from call_core.calls.model import Call, CallState, LegState, Reason
from call_core.calls.rules import Rules
from call_core.calls.wanted import wanted
from call_core.contracts import EventKind, SwitchEvent
from tests.support.calls import RULES, T0, a_leg, conference, event, two_party

LEG_ORDER = list(LegState)
KINDS = [kind for kind in EventKind if kind not in (EventKind.SWITCH_LOST, EventKind.SWITCH_BACK)]
walks = settings(max_examples=200, derandomize=True, deadline=None)

# One step: how much time passes, which leg it is about, what is told of it, with which words.
step_of = st.tuples(
    st.sampled_from([0, 1, 900, 7_000, 21_000, 61_000]),
    st.integers(0, 5),
    st.sampled_from([*KINDS, EventKind.ANSWERED, EventKind.DIGIT, EventKind.DIGIT]),
    st.sampled_from([16, 17, 41]),
    st.booleans(),
)
Steps = list[tuple[int, int, EventKind, int, bool]]
begun = st.sampled_from([two_party(), conference(1), conference(3)])


def told(call: Call, step: tuple[int, int, EventKind, int, bool], now_call_ms: int) -> SwitchEvent:
    """Return the event of a step."""
    _, index, kind, cause, by_us = step
    legs = list(call.legs())
    leg = legs[index % len(legs)]
    return event(
        leg,
        kind,
        now_call_ms,
        digit="1",
        cause=cause,
        by_us=by_us and kind is EventKind.ENDED,
        answered_call_ms=leg.answered_call_ms,
    )


def short_of_money(call: Call) -> Call:
    """Return the call with the first leg of everybody paid for two minutes."""
    for leg in call.legs():
        call = call.with_leg(replace(leg, paid_seconds=120))
    return call


@walks
@given(begun, st.lists(step_of, max_size=25))
def test_calls_and_legs_never_go_back(call: Call, steps: Steps) -> None:
    """States only advance, by rows of the table; what has ended stays as it is."""
    call = advance(short_of_money(call), [], T0, RULES).call
    now_call_ms = T0
    for step in steps:
        now_call_ms += step[0]
        after = advance(call, [told(call, step, now_call_ms)], now_call_ms, RULES).call
        assert may_become(call.state, after.state)
        for leg in call.legs():
            same = after.leg(leg.id)
            assert same is not None
            assert LEG_ORDER.index(same.state) >= LEG_ORDER.index(leg.state)
            if leg.ended:
                assert same.ended_call_ms == leg.ended_call_ms
        if call.ended:
            assert (after.state, after.reason, after.ended_call_ms) == (
                call.state,
                call.reason,
                call.ended_call_ms,
            )
            assert wanted(after) == []
        call = after


@walks
@given(begun, st.lists(step_of, max_size=25), st.integers(1, 59))
def test_deadlines_are_exact(call: Call, steps: Steps, part: int) -> None:
    """Nothing changes before the next deadline, and something does at it."""
    call = advance(short_of_money(call), [], T0, RULES).call
    now_call_ms = T0
    for step in steps:
        now_call_ms += step[0]
        call = advance(call, [told(call, step, now_call_ms)], now_call_ms, RULES).call
        assert advance(call, [], now_call_ms, RULES).call == call, "one unit does all there is"
        due = next_deadline(call, RULES)
        if due is None:
            assert advance(call, [], now_call_ms + 10**9, RULES).call == call
            continue
        assert due > now_call_ms
        between = now_call_ms + (due - 1 - now_call_ms) * part // 60
        for early in (between, due - 1):
            assert advance(call, [], early, RULES).call == call
        assert advance(call, [], due, RULES).call != call


@walks
@given(begun, st.lists(step_of, max_size=15))
def test_every_call_comes_to_an_end(call: Call, steps: Steps) -> None:
    """With a switch that obeys, passing time alone ends any call, with a reason and no leg up."""
    call = advance(call, [], T0, RULES).call
    now_call_ms = T0
    for step in steps:
        now_call_ms += step[0]
        call = advance(call, [told(call, step, now_call_ms)], now_call_ms, RULES).call
    for _ in range(60):
        obeyed = [
            event(wish.leg, EventKind.ENDED, now_call_ms, by_us=True)
            for wish in wanted(call)
            if not wish.exists
        ]
        call = advance(call, obeyed, now_call_ms, RULES).call
        now_call_ms = max(now_call_ms, next_deadline(call, RULES) or 0)
    assert call.ended
    assert Reason(call.reason)
    assert all(leg.ended for leg in call.legs())
    assert call.ended_call_ms == max(leg.ended_call_ms or 0 for leg in call.legs())


@walks
@given(begun, st.lists(step_of, max_size=25))
def test_money_is_asked_for_before_it_ends(call: Call, steps: Steps) -> None:
    """An extension is due no later than the cut of the leg whose money ends first."""
    rules = Rules()
    call = advance(short_of_money(call), [], T0, rules).call
    now_call_ms = T0
    for step in steps:
        now_call_ms += step[0]
        call = advance(call, [told(call, step, now_call_ms)], now_call_ms, rules).call
        due = extension_due_call_ms(call, rules)
        running = [
            leg for leg in call.legs() if leg.answered_call_ms and not leg.ended | leg.hangup_asked
        ]
        if call.state not in (CallState.ENDING, CallState.ENDED):
            assert (due is None) is (not running)
        for leg in running:
            assert leg.paid_until_call_ms is not None
            assert due is None or due <= leg.paid_until_call_ms - rules.cut_guard_ms


@walks
@given(st.permutations(range(6)), st.permutations(range(4)))
def test_the_order_in_a_unit_does_not_matter(of_a: list[int], of_b: list[int]) -> None:
    """The events of two legs in one unit give the same call in every order, but for the key."""
    call = advance(two_party(), [], T0, RULES).call
    a, b = (party.legs[0] for party in call.parties)
    first = [
        event(a, EventKind.RINGING, T0 + 1),
        event(a, EventKind.ANSWERED, T0 + 2),
        event(a, EventKind.DIGIT, T0 + 3, digit="1"),
        event(a, EventKind.DIGIT, T0 + 4, digit="1"),
        event(a, EventKind.DIGIT, T0 + 5, digit="2"),
        event(a, EventKind.RINGING, T0 + 6),
    ]
    talking = [
        event(b, EventKind.RINGING, T0 + 11),
        event(b, EventKind.ANSWERED, T0 + 12),
        event(b, EventKind.BRIDGED, T0 + 13),
        event(a, EventKind.BRIDGED, T0 + 13),
    ]
    last = [
        event(b, EventKind.ENDED, T0 + 90, answered_call_ms=T0 + 12),
        event(a, EventKind.ENDED, T0 + 91, answered_call_ms=T0 + 2),
    ]

    def told_as(*units: list[SwitchEvent]) -> Call:
        now = call
        for n, unit in enumerate(units, start=1):
            now = advance(now, unit, T0 + 10 * n, RULES).call
        return now

    expected = told_as(first, talking, last)
    assert expected.reason == "completed"
    shuffled = (
        [first[n] for n in of_a],
        [talking[n] for n in of_b],
        last[:: 1 - 2 * (of_a[0] % 2)],
    )
    assert told_as(*shuffled) == expected


def test_every_row_leads_forward() -> None:
    """The table has no way back, every state is in it, and all of them come to the end."""
    assert all(ORDER.index(before) < ORDER.index(after) for before, after in CALL_TRANSITIONS)
    assert set(ORDER) == set(CallState) == {state for pair in CALL_TRANSITIONS for state in pair}
    assert all(may_become(state, CallState.ENDED) for state in CallState)
    assert not may_become(CallState.ENDING, CallState.CONNECTED)
    assert not may_become(CallState.CONNECTED, CallState.LAUNCHING)


def test_an_ended_call_is_not_revived_by_an_end() -> None:
    """Ending a call that is over changes nothing, and neither do late facts of its legs."""
    call = advance(two_party(), [], T0, RULES).call
    leg = call.parties[0].legs[0]
    over = advance(call, [event(leg, EventKind.ENDED, T0 + 5, cause=17)], T0 + 5, RULES).call
    assert over.ended
    assert end(over, Reason.STOPPED, T0 + 9, RULES) == over
    late = advance(over, [event(leg, EventKind.ANSWERED, T0 + 4)], T0 + 9, RULES).call
    assert (late.state, late.reason, wanted(late)) == (CallState.ENDED, "a_not_reached", [])
    gone = merge(lost(a_leg(), T0), event(a_leg(), EventKind.DIGIT, T0 + 1, digit="1"))
    assert gone.leg.state is LegState.ENDED
