"""One leg at Twilio: what follows from what was asked and what was told."""

import pytest

from call_core.contracts import EventKind
from call_core.switches.twilio_callbacks import Token
from call_core.switches.twilio_leg import Leg


def a_leg(**changes: object) -> Leg:
    """Return a leg that may last a minute."""
    leg = Leg(Token("callgate", "leg_1", "call_1", 3, 60), 1_000, 60)
    for name, value in changes.items():
        setattr(leg, name, value)
    return leg


@pytest.mark.parametrize(
    ("changes", "at_ms", "cause", "by_us"),
    [
        ({"answered_call_ms": 10_000}, 40_000, 16, False),
        ({"answered_call_ms": 10_000}, 69_999, 16, False),
        ({"answered_call_ms": 10_000}, 70_000, 16, True),
        ({"answered_call_ms": 10_000, "hung_up": 19}, 40_000, 19, True),
        ({"hung_up": 16}, 40_000, 16, True),
        ({}, 90_000, 17, False),
    ],
)
def test_who_ended_it(changes: dict[str, object], at_ms: int, cause: int, by_us: bool) -> None:  # noqa: FBT001  (a column)
    """We did when we asked for it, or when its time was over; else the other side."""
    told = 17 if not changes else 16
    event = a_leg(**changes).end(at_ms, told, None)
    assert (event.kind, event.cause, event.by_us) == (EventKind.ENDED, cause, by_us)


def test_the_first_end_counts() -> None:
    """A second one, whatever it says, is the same event."""
    leg = a_leg()
    first = leg.end(50_000, 16, 20_000)
    assert leg.end(99_000, 41, None) is first
    assert first.answered_call_ms == 20_000


def test_an_answer_that_was_told_is_kept() -> None:
    """The end's own reckoning fills only a gap."""
    assert a_leg(answered_call_ms=10_000).end(50_000, 16, 11_000).answered_call_ms == 10_000


def test_a_repeated_event_is_the_same() -> None:
    """Even when it is told with another time."""
    leg = a_leg()
    first = leg.event("ringing", EventKind.RINGING, 2_000)
    assert leg.event("ringing", EventKind.RINGING, 9_000) is first


@pytest.mark.parametrize("certain", [True, False])
def test_a_refusal_is_the_last_word_only_when_it_is_certain(certain: bool) -> None:  # noqa: FBT001  (a column)
    """What nobody knows may still ring."""
    leg = a_leg()
    event = leg.refuse(5_000, 57, certain=certain)
    assert event.certain is certain
    assert (leg.ended is event) is certain


def test_reconcile_sees_it() -> None:
    """With its call, its shard and its bridge."""
    live = a_leg(answered_call_ms=5_000, bridge="call_1").live()
    assert (live.leg_id, live.call_id, live.shard) == ("leg_1", "call_1", 3)
    assert (live.answered_call_ms, live.bridge, live.since_call_ms) == (5_000, "call_1", 1_000)
    assert a_leg(answered_call_ms=5_000).talking
