"""Asterisk's words in ours."""

import pytest

from call_core.contracts import Prompt
from call_core.switches.asterisk_words import (
    MEDIA,
    cause_of,
    instant_ms,
    media_of,
    remembered,
    whole,
)


def test_instants_have_their_milliseconds() -> None:
    """Asterisk writes the offset; every zone is the same instant."""
    assert instant_ms("2026-11-28T06:40:00.123+0000") == 1_795_848_000_123
    assert instant_ms("2026-11-28T07:40:00.123+0100") == 1_795_848_000_123
    with pytest.raises(ValueError, match="does not match"):
        instant_ms("yesterday")


@pytest.mark.parametrize(
    ("cause", "tech", "rang", "wanted", "ours"),
    [
        (17, 486, True, False, 17),
        (21, 603, True, False, 21),
        (1, 404, False, False, 1),
        (19, 480, False, False, 20),
        (19, 480, True, False, 19),
        (0, None, True, False, 19),
        (16, None, True, False, 19),
        (0, None, True, True, 16),
        (16, 200, True, True, 16),
        (38, 500, False, False, 38),
        (44, None, True, True, 44),
    ],
)
def test_causes(cause: int, tech: int | None, ours: int, *, rang: bool, wanted: bool) -> None:
    """480 is "absent" only of a phone that never rang; ringing in vain is "no answer"."""
    assert cause_of(cause, tech, rang=rang, wanted=wanted) == ours


def test_every_prompt_has_something_to_hear() -> None:
    """But the hold tone, which is the ringing tone."""
    assert set(MEDIA) == set(Prompt) - {Prompt.HOLD_TONE}


def test_digits_are_played_one_by_one() -> None:
    """What is played can be stopped only at the end of one sound."""
    assert media_of(Prompt.ACCEPT, {"ending": "0 0 1 8"}, {})[-4:] == [
        "sound:digits/0",
        "sound:digits/0",
        "sound:digits/1",
        "sound:digits/8",
    ]
    assert media_of(Prompt.ACCEPT, {}, {})[-1] == "sound:to-call-this-number"


def test_prompts_can_be_chosen() -> None:
    """A deployment's own sounds take the place of the built-in ones."""
    chosen = {Prompt.BUSY: ("sound:ours/busy", "tone:busy")}
    assert media_of(Prompt.BUSY, {}, chosen) == ["sound:ours/busy", "tone:busy"]


def test_an_end_is_found_in_its_slot() -> None:
    """Among others, with answer and cut; an entry that is damaged is no end."""
    slot = "leg_b/call_1//1700/19/0|leg_a/call_1/1000/2000/16/1|"
    a, b = remembered("leg_a", slot), remembered("leg_b", slot)
    assert a is not None
    assert b is not None
    assert (a.at_call_ms, a.answered_call_ms, a.cause, a.by_us) == (2000, 1000, 16, True)
    assert (b.at_call_ms, b.answered_call_ms, b.cause, b.by_us) == (1700, None, 19, False)
    assert a.event_id == "leg_a:ended"
    assert remembered("leg_c", slot) is None
    assert remembered("leg_a", "leg_a/call_1/1000") is None
    assert remembered("leg_a", "leg_a/call_1/1000//16/0|") is None
    assert remembered("leg_a", "") is None


def test_only_digits_are_a_whole_number() -> None:
    """An empty variable is none."""
    assert (whole("12"), whole(""), whole("-1"), whole("x")) == (12, None, None, None)
