"""Whole calls as timelines: what the switch is asked for, and how the call ends."""

from dataclasses import replace

import pytest

from call_core.calls.causes import Cause
from call_core.calls.machine import (
    advance,
    closing_prompt,
    end,
    leg_deadline,
    next_deadline,
)
from call_core.calls.model import Call, CallState, Reason
from call_core.calls.rules import Rules
from call_core.contracts import EventKind, Prompt
from tests.support.calls import (
    RULES,
    T0,
    TIMELINES,
    Case,
    a_leg,
    at,
    cases,
    conference,
    event,
    paid,
    party_of,
    run,
    two_party,
)

TALK = TIMELINES["TALK"]
MEET = TIMELINES["MEET"]


@pytest.mark.parametrize("case", cases("two_party.txt", "moves.txt"), ids=str)
def test_two_party_calls(case: Case) -> None:
    """Every timeline of two parties comes to these states, this reason and these causes."""
    ran = run(two_party(), case.timeline)
    assert [ran.states, ran.outcome] == case.expected


@pytest.mark.parametrize("case", cases("conference.txt", "chair_lost.txt"), ids=str)
def test_conferences(case: Case) -> None:
    """Every timeline of a chair and two participants comes to these states and causes."""
    ran = run(conference(2), case.timeline)
    assert [ran.states, ran.outcome] == case.expected


@pytest.mark.parametrize("case", cases("effects.txt"), ids=str)
def test_what_the_switch_is_asked_for(case: Case) -> None:
    """The switch is asked for exactly this, at these seconds, in this order."""
    assert run(two_party(), case.timeline).effects == case.expected


def test_a_party_is_rung_again_only_after_its_last_attempt_has_ended() -> None:
    """A dropped participant's redial waits for the switch's word on the first attempt."""
    ran = run(conference(2), f"{MEET}; 60 drop P1; 61 redial P1", deaf=True)
    assert ran.states == "CONNECTED C:ACCEPTED P1:ENDING P1.2:PLANNED P2:ACCEPTED"
    ran.play("62 P1.1 hangs up")
    assert ran.states == "CONNECTED C:ACCEPTED P1:ENDED P1.2:DIALING P2:ACCEPTED"


def test_an_answer_that_crosses_our_hang_up_is_a_fact() -> None:
    """B is billed as the switch says although we had cancelled it."""
    ran = run(two_party(), "3 A presses 1; 5 A hangs up; 6 B answers; 7 B ends 16", deaf=True)
    leg = ran.leg("B")
    assert (leg.answered_call_ms, leg.ended_call_ms) == (at("6"), at("7"))
    assert ran.call.reason == "hung_up"


@pytest.mark.parametrize(
    ("label", "seconds", "cut", "outcome"),
    [
        ("A", 60, "63", "money A:MONEY_ENDED B:MONEY_ENDED"),
        ("B", 60, "69", "money A:MONEY_ENDED B:MONEY_ENDED"),
    ],
)
def test_money_ends_the_call_of_two(label: str, seconds: int, cut: str, outcome: str) -> None:
    """Either party's paid time ends both, at its end and not before."""
    call = paid(two_party(), label, seconds)
    before = run(call, f"{TALK}; {int(cut) - 1}.999 tick")
    assert before.states == "CONNECTED A:ACCEPTED B:ACCEPTED"
    assert before.play(f"{cut} tick").outcome == outcome


@pytest.mark.parametrize(
    ("max_seconds", "reason"), [(None, "money"), (60, "money"), (54, "time"), (50, "time")]
)
def test_a_cut_while_nobody_looked_says_what_was_over(max_seconds: int | None, reason: str) -> None:
    """The switch cut where the paid time ended; if the asked length was over by then, it was that.

    Both have talked since second 9, A's money reaches to second 63.
    """
    call = run(replace(paid(two_party(), "A", 60), max_seconds=max_seconds), TALK).call
    cut = event(call.first.last_leg, EventKind.ENDED, at("63"), cause=16, by_us=True)
    ended = advance(call, [cut], at("300"), RULES).call
    assert ended.reason == reason
    assert ended.first.last_leg.cause == Cause.MONEY_ENDED


def test_our_cut_comes_before_the_switchs() -> None:
    """With a guard of half a second the leg is hung up half a second before its money ends."""
    rules = Rules(cut_guard_ms=500)
    ran = run(paid(two_party(), "A", 60), f"{TALK}; 62.499 tick", rules)
    assert ran.call.state is CallState.CONNECTED
    assert ran.play("62.5 tick").outcome == "money A:MONEY_ENDED B:MONEY_ENDED"


def test_a_hang_up_before_the_money_ended_is_not_the_moneys_doing() -> None:
    """What a party did counts before a deadline that has passed since."""
    ran = run(paid(two_party(), "A", 60), TALK)
    ran.now_call_ms = at("80")
    ran.advance([event(ran.leg("B"), EventKind.ENDED, at("62"), cause=16)])
    assert ran.outcome == "completed A:CALL_ENDED B:NORMAL_CLEARING"
    ran = run(replace(two_party(), max_seconds=60), TALK)
    ran.now_call_ms = at("80")
    ran.advance([event(ran.leg("B"), EventKind.ENDED, at("62"), cause=16)])
    assert ran.outcome == "completed A:CALL_ENDED B:NORMAL_CLEARING"


@pytest.mark.parametrize(
    ("max_seconds", "stated_seconds", "until"),
    [(60, None, "69"), (None, 90, "99"), (60, 90, "69"), (90, 60, "69"), (None, None, "14409")],
)
def test_time_counts_from_the_first_answer_after_a(
    max_seconds: int | None, stated_seconds: int | None, until: str
) -> None:
    """The shortest of asked, stated and longest time ends the call, counted from B's answer."""
    call = replace(two_party(), max_seconds=max_seconds, stated_seconds=stated_seconds)
    ran = run(call, f"{TALK}; {int(until) - 1}.999 tick")
    assert ran.call.state is CallState.CONNECTED
    assert ran.play(f"{until} tick").outcome == "time A:TIME_ENDED B:TIME_ENDED"


def test_an_earlier_answer_told_later_moves_the_clock_back() -> None:
    """A digit proved B's answer; the answer itself, told later, is when the talk began."""
    ran = run(two_party(), "4 A presses 1; 12 B presses 5")
    assert ran.call.talk_call_ms == at("12")
    ran.advance([event(ran.leg("B"), EventKind.ANSWERED, at("9"))])
    assert ran.call.talk_call_ms == ran.leg("B").answered_call_ms == at("9")


@pytest.mark.parametrize(
    ("post_dial", "wait_ms"), [("", 20_000), ("1234", 21_600), (",12", 22_800), (",,", 24_000)]
)
def test_the_key_is_waited_for_after_the_post_dial_digits(post_dial: str, wait_ms: int) -> None:
    """20 seconds, and the time that an extension and its pauses take."""
    leg = replace(a_leg(), originated_call_ms=T0, answered_call_ms=T0, post_dial=post_dial)
    assert leg_deadline(leg, RULES) == (T0 + wait_ms, Cause.NOT_ACCEPTED)


def test_digits_that_are_read_elsewhere_have_more_time_than_a_key() -> None:
    """Ten seconds for each further one."""
    leg = replace(a_leg(), originated_call_ms=T0, answered_call_ms=T0, keys="4821")
    assert leg_deadline(leg, RULES) == (T0 + 50_000, Cause.NOT_ACCEPTED)


def test_unaccepted_money_ends_first_when_it_is_less() -> None:
    """A leg that is paid for 10 seconds is cut then, pressed or not."""
    leg = replace(a_leg(), originated_call_ms=T0, answered_call_ms=T0, paid_seconds=10)
    assert leg_deadline(leg, RULES) == (T0 + 10_000, Cause.MONEY_ENDED)


def test_a_leg_without_a_hold_lives_for_no_instant_after_its_answer() -> None:
    """A redial of the chair that no unit has paid for is cut as soon as it answers."""
    ran = run(conference(2), f"{MEET}; 60 C ends 41", funded=False)
    assert ran.leg("C.2").holds == 0
    assert ran.play("65 C.2 answers").outcome.split()[2] == "C.2:MONEY_ENDED"


def test_an_old_prompts_end_does_not_close_the_call() -> None:
    """Only what ends after the closing prompt began lets A go."""
    ran = run(two_party(), "4 A presses 1; 6 B busy")
    ran.now_call_ms = at("7")
    a, b = ran.leg("A"), ran.leg("B")
    states = []
    for leg, ended_call_ms in ((a, at("6")), (b, at("7")), (a, at("6.001"))):
        ran.advance([event(leg, EventKind.PROMPT_ENDED, ended_call_ms)])
        states.append(ran.call.state)
    assert states == [CallState.ENDING, CallState.ENDING, CallState.ENDED]


def test_the_closing_prompt_is_said_only_while_a_waits_for_it() -> None:
    """Before the end, and after the prompt, A is told nothing."""
    ran = run(two_party(), "4 A presses 1")
    assert closing_prompt(ran.call) is None
    assert closing_prompt(ran.play("6 B busy").call) is Prompt.BUSY
    assert closing_prompt(ran.play("8 A heard it").call) is None


def test_a_deaf_switch_leaves_the_call_ending_without_a_deadline() -> None:
    """When everything was asked for there is nothing to wake up for but the switch's word."""
    ran = run(two_party(), f"{TALK}; 70 end hung_up", deaf=True)
    assert ran.states == "ENDING A:ENDING B:ENDING"
    assert next_deadline(ran.call, RULES) is None
    left = run(two_party(), "4 A presses 1; 5 B rings; 64 tick; 65 A hangs up", deaf=True)
    assert left.states == "ENDING A:ENDED B:ENDING"
    assert next_deadline(left.call, RULES) is None
    after_prompt = run(two_party(), "4 A presses 1; 6 B busy; 12 tick", deaf=True)
    assert after_prompt.states == "ENDING A:ENDING B:ENDED"
    assert next_deadline(after_prompt.call, RULES) is None


@pytest.mark.parametrize("state", [CallState.SCHEDULED, CallState.ASKED, CallState.ENDED])
def test_a_call_that_does_not_run_stays_as_it_is(state: CallState) -> None:
    """Nothing is rung for a call on the calendar, asked about, or over."""
    call = replace(two_party(), state=state)
    assert advance(call, [], T0, RULES).call == call


def test_a_call_without_people_ends_at_once() -> None:
    """A call that was never launched has nobody to wait for."""
    empty = replace(two_party(), parties=(), state=CallState.QUEUED)
    ended = end(empty, Reason.EXPIRED, T0, RULES)
    assert (ended.state, ended.reason, ended.ended_call_ms) == (CallState.ENDED, "expired", T0)


def test_a_call_whose_first_leg_waits_is_queued() -> None:
    """Only an originated leg makes it launching."""
    dropped = replace(a_leg(), ended_call_ms=T0, cause=int(Cause.NOT_DIALLED))
    call = two_party().with_leg(dropped).with_leg(replace(a_leg(1), accept=False))
    assert advance(call, [], T0, RULES).call.state is CallState.ENDED
    assert two_party().state is CallState.QUEUED


def test_waiting_for_a_move_a_conference_is_neither_alone_nor_over() -> None:
    """While the chair's new phone rings nobody is hung up, and no grace runs."""
    ran = run(conference(1), "2 C presses 1; 5 P1 presses 1; 50 move C; 60 C.1 ends 41")
    assert ran.call.grace_call_ms is None
    assert ran.states == "CONNECTED C:ENDED C.2:DIALING P1:ACCEPTED"


def test_events_of_no_leg_are_quarantined() -> None:
    """An event of a leg that the call does not have is kept aside and changes nothing."""
    ran = run(two_party(), TALK)
    stray = event(a_leg(5), EventKind.ANSWERED, at("12"))
    step = advance(ran.call, [stray], at("12"), RULES)
    assert (step.call, step.quarantined, step.ignored) == (ran.call, (stray,), 0)


def test_events_of_a_leg_that_was_never_dialled_are_quarantined() -> None:
    """Nothing can be told of B before it was asked for."""
    ran = run(two_party(), "1 A rings")
    early = event(ran.leg("B"), EventKind.ANSWERED, at("2"))
    step = advance(ran.call, [early], at("2"), RULES)
    assert (step.call, step.quarantined) == (ran.call, (early,))


def test_repeats_are_counted_and_change_nothing() -> None:
    """The same events again leave the call as it was."""
    ran = run(two_party(), TALK)
    leg = ran.leg("A")
    again = [event(leg, EventKind.RINGING, at("1")), event(leg, EventKind.ANSWERED, at("3"))]
    step = advance(ran.call, again, at("12"), RULES)
    assert (step.call, step.ignored) == (ran.call, 2)


def _settled(call: Call, label: str) -> Call:
    return call.with_leg(replace(party_of(call, label).legs[0], settled=True))


def test_a_settled_leg_is_amended_once_with_all_that_was_learnt() -> None:
    """Two late facts about one settled leg come out as one leg with both."""
    ran = run(conference(2), f"{MEET}; 60 lose P1")
    call = _settled(ran.call, "P1")
    leg = party_of(call, "P1").legs[0]
    late = [
        event(leg, EventKind.ANSWERED, at("4")),
        event(leg, EventKind.ENDED, at("70"), answered_call_ms=at("4")),
    ]
    step = advance(call, late, at("80"), RULES)
    (amended,) = step.amended
    assert (amended.answered_call_ms, amended.ended_call_ms) == (at("4"), at("70"))
    assert amended == step.call.leg(leg.id)
