from collections.abc import Sequence

import pytest

from call_core.contracts import EventKind, Prompt
from call_core.switches.simulator_commands import (
    Command,
    HangUp,
    Join,
    Key,
    Limit,
    PickUp,
    Play,
    PutDown,
    Talk,
)
from call_core.switches.simulator_phone import PhoneResult, PhoneScript
from call_core.switches.simulator_script import events
from tests.support.orders import an_order

# The order is taken at 0, the phone rings at 100 and, unless said otherwise, is answered at 1100.
PHONE = PhoneScript(ring_ms=1_000)
Row = tuple[str, int]


def life(
    script: PhoneScript,
    commands: Sequence[Command],
    *,
    ring_timeout_s: int = 30,
    limit_s: int = 3_600,
) -> list[Row]:
    """Return what happens to a leg as (id without the leg, instant)."""
    order = an_order("leg", at_call_ms=0, ring_timeout_s=ring_timeout_s, limit_s=limit_s)
    found = events(order, script, commands)
    return [(event.event_id.removeprefix("leg:"), event.at_call_ms) for event in found]


@pytest.mark.parametrize(
    ("result", "cause", "expected"),
    [
        (PhoneResult.BUSY, 17, [("ended", 100)]),
        (PhoneResult.UNREACHABLE, 20, [("ended", 100)]),
        (PhoneResult.REJECT, 21, [("ringing", 100), ("ended", 1_100)]),
        (PhoneResult.NO_ANSWER, 19, [("ringing", 100), ("ended", 10_100)]),
        (PhoneResult.MANUAL, 19, [("ringing", 100), ("ended", 10_100)]),
        (PhoneResult.ANSWER, 16, [("ringing", 100), ("answered", 1_100), ("ended", 61_100)]),
        (PhoneResult.VOICEMAIL, 16, [("ringing", 100), ("answered", 1_100), ("ended", 61_100)]),
    ],
)
def test_each_result_has_its_life(result: PhoneResult, cause: int, expected: list[Row]) -> None:
    """Ringing is limited by the order, an answered leg by its longest duration."""
    script = PhoneScript(ring_ms=1_000, result=result)
    assert life(script, [], ring_timeout_s=10, limit_s=60) == expected
    assert events(an_order("leg", at_call_ms=0), script, [])[-1].cause == cause


@pytest.mark.parametrize(
    ("ring_ms", "result", "last"),
    [
        (9_999, PhoneResult.ANSWER, "answered"),
        (10_000, PhoneResult.ANSWER, "ringing"),
        (9_999, PhoneResult.REJECT, "ringing"),
    ],
)
def test_the_ring_timeout_is_a_limit(ring_ms: int, result: PhoneResult, last: str) -> None:
    """An answer one millisecond before the timeout counts, one at the timeout does not."""
    rows = life(PhoneScript(ring_ms=ring_ms, result=result), [], ring_timeout_s=10)
    assert rows[-2][0] == last
    if last == "ringing":
        assert rows[-1] == ("ended", 10_100 if result is PhoneResult.ANSWER else 10_099)


@pytest.mark.parametrize(
    ("commands", "ended_at", "by_us"),
    [
        ([HangUp(5_000, 16)], 5_000, True),
        ([HangUp(500, 16)], 500, True),
        ([PutDown(5_000)], 5_000, False),
        ([Limit(2_000, 9_000)], 9_000, True),
        ([Limit(2_000, 9_000), Limit(3_000, 20_000)], 20_000, True),
        ([Limit(2_000, 9_000), Limit(3_000, 4_000)], 4_000, True),
        ([Limit(2_000, 1_000)], 2_000, True),
        ([Limit(2_000, 3_000), Limit(4_000, 9_000)], 3_000, True),
        ([Limit(500, 900)], 900, True),
        ([Limit(2_000, 9_000), HangUp(8_999, 16)], 8_999, True),
        ([Join(2_000, "b"), Talk(2_000)], 32_000, False),
        ([Join(2_000, "b")], 3_601_100, True),
    ],
)
def test_the_earliest_end_counts(commands: list[Command], ended_at: int, by_us: object) -> None:
    """Hang-ups, limits, talk and the longest duration compete; a replaced limit does not."""
    script = PhoneScript(ring_ms=1_000, talk_ms=30_000)
    ended = events(an_order("leg", at_call_ms=0), script, commands)[-1]
    assert (ended.kind, ended.at_call_ms, ended.by_us) == (EventKind.ENDED, ended_at, by_us)


@pytest.mark.parametrize(
    ("at_call_ms", "cause", "answered"),
    [(600, 21, None), (1_100, 16, 1_100), (5_000, 16, 1_100)],
)
def test_putting_down_a_ringing_phone_rejects(
    at_call_ms: int, cause: int, answered: int | None
) -> None:
    """By hand, before the answer it is a rejection, after it a normal end."""
    ended = events(an_order("leg", at_call_ms=0), PHONE, [PutDown(at_call_ms)])[-1]
    assert (ended.cause, ended.answered_call_ms) == (cause, answered)


def test_a_phone_picked_up_by_hand_is_answered_then() -> None:
    """A person may be faster than the script, and keys nothing unless by hand."""
    manual = PhoneScript(result=PhoneResult.MANUAL)
    rows = life(manual, [PickUp(700), Play(800, Prompt.ACCEPT), Key(5_500, "1")])
    assert rows[:4] == [
        ("ringing", 100),
        ("answered", 700),
        ("prompt_ended:1", 4_800),
        ("digit:1", 5_500),
    ]
    assert life(PHONE, [PickUp(700)])[1] == ("answered", 700)
