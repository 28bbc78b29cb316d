"""Who is rung when; the rest of the plan is told by the timelines of `test_machine.py`."""

from dataclasses import replace

import pytest

from call_core.calls.causes import Cause, Result
from call_core.calls.model import Call, CallState, Leg, Reason
from call_core.calls.plan import (
    deciding_leg,
    due_legs,
    end_reason,
    gate_open,
    last_result,
    next_attempt,
    time_limit_call_ms,
    with_grace,
)
from tests.support.calls import RULES, T0, a_leg, conference, party_of, run, two_party


def here(leg: Leg) -> Leg:
    """Return the leg as answered and accepted."""
    return replace(leg, originated_call_ms=T0, answered_call_ms=T0, accepted_call_ms=T0)


def due(call: Call) -> list[str]:
    """Return the ids of the legs that should be rung now."""
    return [leg.id.removeprefix("call_1.") for leg in due_legs(call)]


def test_a_alone_is_due_at_first() -> None:
    """B waits behind the gate until A is there."""
    call = conference(2)
    assert due(call) == ["0.1"]
    there = call.with_leg(here(a_leg()))
    assert gate_open(there)
    assert due(there) == ["1.1", "2.1"]


@pytest.mark.parametrize(
    "state", [CallState.ASKED, CallState.SCHEDULED, CallState.ENDING, CallState.ENDED]
)
def test_nobody_is_due_in_a_call_that_does_not_run(state: CallState) -> None:
    """A call that waits or ends rings nobody, and has no reason to end."""
    call = replace(conference(2), state=state)
    assert due_legs(call) == []
    if state in (CallState.ENDING, CallState.ENDED):
        assert end_reason(call, T0, RULES) is None


def test_an_attempt_waits_for_the_one_before_and_a_move_does_not() -> None:
    """A redial is due once the last attempt has ended; a move rings beside it."""
    first = here(a_leg())
    again = next_attempt(first)
    call = two_party().with_leg(first)
    assert due(call.with_leg(again)) == ["1.1"]
    assert due(call.with_leg(replace(again, moves=True))) == ["0.2", "1.1"]
    ended = call.with_leg(replace(first, ended_call_ms=T0 + 9)).with_leg(again)
    assert due(ended) == ["0.2"]


def test_a_fresh_attempt_knows_nothing() -> None:
    """It has the same number and price, the next id, and no facts and no money."""
    old = here(replace(a_leg(3), post_dial="12", cause=41, ended_call_ms=T0, settled=True))
    new = next_attempt(old)
    assert (new.id, new.attempt, new.number, new.post_dial) == ("call_1.3.2", 2, old.number, "12")
    assert new == replace(
        old,
        id=new.id,
        attempt=2,
        cause=0,
        ended_call_ms=None,
        settled=False,
        originated_call_ms=None,
        answered_call_ms=None,
        accepted_call_ms=None,
        holds=0,
        held_micros=0,
        paid_seconds=0,
    )


def test_the_result_is_known_when_we_hang_up() -> None:
    """A leg that we gave up ringing was not answered, before the switch has said so."""
    given_up = replace(a_leg(1), originated_call_ms=T0, hangup_asked=int(Cause.NO_ANSWER))
    call = two_party().with_leg(given_up)
    assert last_result(party_of(call, "B")) is Result.NO_ANSWER
    crossed = replace(given_up, ended_call_ms=T0 + 9, cause=int(Cause.BUSY))
    assert last_result(party_of(call.with_leg(crossed), "B")) is Result.BUSY


def test_the_deciding_leg_is_the_last_that_was_accepted() -> None:
    """Attempts that nobody took decide only when nobody took any."""
    taken = here(a_leg())
    call = two_party().with_leg(taken).with_leg(next_attempt(taken))
    assert deciding_leg(call.first) == taken
    later = replace(next_attempt(taken), accepted_call_ms=T0 + 5)
    assert deciding_leg(call.with_leg(later).first) == later
    untaken = two_party().with_leg(next_attempt(a_leg()))
    assert deciding_leg(untaken.first).attempt == 2


def test_the_clock_runs_only_while_somebody_talks() -> None:
    """Before the first answer after A there is no time to be over."""
    call = replace(two_party(), max_seconds=60)
    assert time_limit_call_ms(call, RULES) is None
    assert time_limit_call_ms(replace(call, talk_call_ms=T0), RULES) == T0 + 60_000


def test_the_operators_word_names_the_reason() -> None:
    """A leg that was stopped stops the call."""
    stopped = here(replace(a_leg(), hangup_asked=int(Cause.STOPPED)))
    assert end_reason(two_party().with_leg(stopped), T0, RULES) is Reason.STOPPED


def test_only_a_conference_in_which_somebody_talked_has_a_grace() -> None:
    """Two people have none, nor a call that ends, nor one in which nobody came yet."""
    talked = run(conference(1), "2 C presses 1; 5 P1 presses 1; 9 P1 hangs up").call
    assert talked.grace_call_ms is not None
    bare = replace(talked, grace_call_ms=None)
    for call in (
        replace(bare, kind="call"),
        replace(bare, talk_call_ms=None),
        replace(bare, state=CallState.ENDING),
    ):
        assert with_grace(call, T0 + 9_000, RULES) == call


def test_the_redial_rings_the_phone_that_was_lost() -> None:
    """After a failed move the chair is rung where it last was, under the next id."""
    ran = run(
        conference(2),
        "2 C presses 1; 5 P1 presses 1; 6 P2 presses 1; 50 move C; 55 C.2 busy",
    )
    moved = replace(ran.leg("C.2"), number="+12025550199")
    ran.call = ran.call.with_leg(moved)
    ran.play("60 C.1 ends 41")
    assert (ran.leg("C.3").number, ran.leg("C.3").id) == (ran.leg("C.1").number, "call_1.0.3")
