import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.contracts import LiveLeg, Prompt
from call_core.switches.simulator_commands import (
    Command,
    HangUp,
    Join,
    Limit,
    Mute,
    Play,
    Stop,
    Talk,
)
from call_core.switches.simulator_leg import PhoneState, SimulatedLeg
from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.simulator_script import events
from tests.support.orders import an_order

WORDS = (("destination", "London"),)


def a_leg(*commands: Command) -> SimulatedLeg:
    """Return a leg taken at 0, ringing at 100, answered at 1100."""
    return SimulatedLeg(an_order("leg", at_call_ms=0), PhoneScript(ring_ms=1_000), list(commands))


def test_what_is_taken_is_not_taken_again() -> None:
    """Each event is handed out once, at its instant."""
    leg = a_leg()
    assert leg.due_call_ms() == 100
    assert [event.at_call_ms for event in leg.take(99)] == []
    assert [event.at_call_ms for event in leg.take(100)] == [100]
    assert [event.at_call_ms for event in leg.take(5_000)] == [1_100]
    assert [event.at_call_ms for event in leg.take(10_000_000)] == [3_601_100]
    assert leg.due_call_ms() is None


def test_a_command_that_changes_the_past_is_our_defect() -> None:
    """The owner must give commands when their time is now, never for what has happened."""
    leg = a_leg()
    leg.take(5_000)
    with pytest.raises(AssertionError, match="past"):
        leg.give(HangUp(500, 16))


@pytest.mark.parametrize(
    ("now_ms", "alone", "commands", "expected"),
    [
        (50, True, [], None),
        (100, True, [], (PhoneState.RINGING, 100, None, (), False)),
        (1_100, True, [], (PhoneState.ANSWERED, 1_100, None, (), False)),
        (
            2_500,
            True,
            [Play(2_000, Prompt.ACCEPT, WORDS)],
            (PhoneState.ANSWERED, 1_100, Prompt.ACCEPT, WORDS, False),
        ),
        (
            6_000,
            True,
            [Play(2_000, Prompt.ACCEPT, WORDS)],
            (PhoneState.ANSWERED, 1_100, None, (), False),
        ),
        (
            2_500,
            True,
            [Play(2_000, Prompt.ACCEPT, WORDS), Stop(2_400)],
            (PhoneState.ANSWERED, 1_100, None, (), False),
        ),
        (
            9_000,
            False,
            [Join(3_000, "b"), Talk(3_000), Mute(4_000, muted=True)],
            (PhoneState.TALKING, 3_000, None, (), True),
        ),
        (
            9_000,
            True,
            [Join(3_000, "b"), Talk(3_000), Mute(4_000, muted=True), Mute(5_000, muted=False)],
            (PhoneState.ANSWERED, 1_100, None, (), False),
        ),
    ],
)
def test_a_phone_looks_as_it_is(
    now_ms: int,
    alone: bool,  # noqa: FBT001  (a column of the table)
    commands: list[Command],
    expected: tuple[object, ...] | None,
) -> None:
    """State, since when, what is heard, muted; a leg that is left alone talks to nobody."""
    leg = a_leg(*commands)
    leg.take(now_ms)
    status = leg.status(now_ms, alone=alone)
    if expected is None:
        assert status is None
        return
    assert status is not None
    assert (status.number, status.leg_id, status.call_id) == ("+12025550101", "leg", "call_1")
    shown = (status.state, status.since_call_ms, status.prompt, status.words, status.muted)
    assert shown == expected


def test_reconcile_sees_the_leg() -> None:
    """A live leg names its call, shard, answer, bridge and beginning."""
    leg = a_leg(Join(3_000, "bridge_1"))
    leg.take(4_000)
    assert leg.live() == LiveLeg("leg", "call_1", 3, 1_100, "bridge_1", 0)


def test_a_long_call_keeps_one_limit() -> None:
    """However often it is extended, what is kept of a leg stays the same."""
    leg = a_leg()
    for n in range(1, 1_000):
        leg.give(Limit(2_000 * n, 2_000 * n + 10_000))
    assert leg.commands == [Limit(2_000, 2_008_000)]
    assert leg.take(10_000_000)[-1].at_call_ms == 2_008_000


@given(
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(-2_000, 9_000)), min_size=1, max_size=6),
    st.integers(0, 20),
)
def test_a_limit_in_the_place_of_another_ends_the_leg_when_it_did(
    steps: list[tuple[int, int]], limit_s: int
) -> None:
    """The same end as with all of them, in time or too late, passed or ahead."""
    order = an_order("leg", at_call_ms=0, limit_s=limit_s)
    script, at_call_ms = PhoneScript(ring_ms=1_000), 0
    commands: list[Command] = []
    for after_ms, ahead_ms in steps:
        at_call_ms += after_ms
        commands.append(Limit(at_call_ms, at_call_ms + ahead_ms))
    assert SimulatedLeg(order, script, commands).timeline == events(order, script, commands)
