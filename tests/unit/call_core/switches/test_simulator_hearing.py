from collections.abc import Sequence

import pytest

from call_core.contracts import Prompt
from call_core.switches.simulator_commands import Command, HangUp, Join, Key, Play, Stop, Talk
from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.simulator_script import events
from tests.support.orders import an_order

# The order is taken at 0, the phone rings at 100 and is answered at 1100.
Row = tuple[str, int]


def life(script: PhoneScript, commands: Sequence[Command]) -> list[Row]:
    """Return what happens to a leg as (id without the leg, instant)."""
    found = events(an_order("leg", at_call_ms=0), script, commands)
    return [(event.event_id.removeprefix("leg:"), event.at_call_ms) for event in found]


@pytest.mark.parametrize(
    ("commands", "keyed"),
    [
        ([Play(2_000, Prompt.ACCEPT)], [("digit:1", 3_000), ("digit:2", 3_200)]),
        ([Play(2_000, Prompt.ACCEPT_INVITED)], [("digit:1", 3_000), ("digit:2", 3_200)]),
        ([Play(2_000, Prompt.VERIFY)], [("digit:1", 3_000), ("digit:2", 3_200)]),
        ([Play(2_000, Prompt.BUSY)], []),
        ([Play(2_000, Prompt.ACCEPT), Stop(2_999)], []),
        ([Play(2_000, Prompt.ACCEPT), Stop(3_000)], [("digit:1", 3_000), ("digit:2", 3_200)]),
        ([Play(2_000, Prompt.ACCEPT), Play(2_500, Prompt.BUSY)], []),
        ([Key(2_500, "9")], [("digit:1", 2_500)]),
        (
            [Play(2_000, Prompt.ACCEPT), Key(3_100, "9")],
            [("digit:1", 3_000), ("digit:2", 3_100), ("digit:3", 3_200)],
        ),
        ([Play(2_000, Prompt.ACCEPT), HangUp(3_100, 16)], [("digit:1", 3_000)]),
    ],
)
def test_keys_follow_a_prompt_that_asks(commands: list[Command], keyed: list[Row]) -> None:
    """Two digits are keyed, unless the prompt was cut before the first; hands may key too."""
    script = PhoneScript(ring_ms=1_000, press="12")
    assert [row for row in life(script, commands) if row[0].startswith("digit")] == keyed


def test_a_slow_person_keys_after_the_prompt() -> None:
    """A prompt that ended by itself is still answered."""
    script = PhoneScript(ring_ms=1_000, press_after_ms=10_000)
    rows = life(script, [Play(2_000, Prompt.ACCEPT)])
    assert rows[2:4] == [("prompt_ended:1", 6_000), ("digit:1", 12_000)]


@pytest.mark.parametrize(
    ("commands", "ended"),
    [
        ([Play(2_000, Prompt.BUSY)], [("prompt_ended:1", 5_000)]),
        ([Play(2_000, Prompt.BUSY), Stop(3_000)], [("prompt_ended:1", 3_000)]),
        ([Play(2_000, Prompt.BUSY), Stop(5_000)], [("prompt_ended:1", 5_000)]),
        (
            [Play(2_000, Prompt.BUSY), Play(3_000, Prompt.JOIN_TONE)],
            [("prompt_ended:1", 3_000), ("prompt_ended:2", 3_400)],
        ),
        ([Play(2_000, Prompt.HOLD_TONE)], []),
        (
            [Play(2_000, Prompt.HOLD_TONE), Join(9_000, "b"), Talk(9_000)],
            [("prompt_ended:1", 9_000)],
        ),
        ([Play(2_000, Prompt.BUSY), HangUp(3_000, 16)], []),
    ],
)
def test_a_prompt_ends_once(commands: list[Command], ended: list[Row]) -> None:
    """By itself, by a stop, by the next prompt; a hold tone by talk; none after the leg's end."""
    rows = life(PhoneScript(ring_ms=1_000, press=""), commands)
    assert [row for row in rows if row[0].startswith("prompt")] == ended


def test_each_talk_is_one_bridged_event() -> None:
    """A leg moved to another bridge is bridged twice, under two ids."""
    commands: list[Command] = [Join(2_000, "a"), Talk(2_000), Join(3_000, "b"), Talk(3_500)]
    rows = life(PhoneScript(ring_ms=1_000), commands)
    assert [row for row in rows if row[0].startswith("bridged")] == [
        ("bridged:1", 2_000),
        ("bridged:2", 3_500),
    ]


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        ([Play(2_000, Prompt.BUSY), Key(5_000, "9")], ["prompt_ended:1", "digit:1"]),
        ([Play(2_000, Prompt.BUSY), Talk(5_000)], ["prompt_ended:1", "bridged:1"]),
        ([Talk(2_000), Play(2_000, Prompt.BUSY), Stop(2_000)], ["bridged:1", "prompt_ended:1"]),
    ],
)
def test_at_one_instant_the_earlier_cause_comes_first(
    commands: list[Command], expected: list[str]
) -> None:
    """What was told already keeps its place when a command adds something at that very instant."""
    assert [row[0] for row in life(PhoneScript(ring_ms=1_000), commands)][2:-1] == expected


def test_digits_of_one_instant_are_numbered_by_cause() -> None:
    """A key pressed by hand keeps its number although a prompt is answered in the same instant."""
    script = PhoneScript(ring_ms=1_000, press="1", press_after_ms=0)
    commands: list[Command] = [Key(2_000, "9"), Play(2_000, Prompt.ACCEPT)]
    found = events(an_order("leg", at_call_ms=0), script, commands)
    assert [(event.event_id, event.digit) for event in found[2:4]] == [
        ("leg:digit:1", "9"),
        ("leg:digit:2", "1"),
    ]
