from decimal import Decimal

import pytest

from call_core.switches.simulator_phone import PhoneResult, PhoneScript, milliseconds


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, 0), (3, 3_000), (0.1, 100), ("2.5", 2_500), (Decimal("0.001"), 1), (4.35, 4_350)],
)
def test_seconds_become_exact_milliseconds(seconds: Decimal | float | str, expected: int) -> None:
    """A decimal is what it looks like; no float rounding shows."""
    assert milliseconds(seconds) == expected


@pytest.mark.parametrize("seconds", ["0.0001", -1, "soon", "nan", "inf", "1e400000000"])
def test_what_is_no_time_is_refused(seconds: float | str) -> None:
    """Finer than a millisecond, negative or not a number: refused by name."""
    with pytest.raises(ValueError, match="seconds"):
        milliseconds(seconds)


def test_a_phone_book_entry_is_read() -> None:
    """The settings' words become a script in milliseconds."""
    script = PhoneScript.from_seconds(
        ring_s=0.5, result="voicemail", press="12#", press_after_s="1.5", talk_s=60
    )
    assert script == PhoneScript(500, PhoneResult.VOICEMAIL, "12#", 1_500, 60_000)


def test_the_default_phone_rings_three_seconds_and_presses_one() -> None:
    """A number outside the phone book behaves like a person who accepts."""
    script = PhoneScript.from_seconds()
    assert script == PhoneScript()
    assert (script.ring_ms, script.result, script.press) == (3_000, PhoneResult.ANSWER, "1")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"press": "1a"}, "press"),
        ({"result": "explode"}, "explode"),
        ({"ring_s": -1}, "-1"),
    ],
)
def test_what_no_phone_does_is_refused(changes: dict[str, str], named: str) -> None:
    """A wrong entry is refused, and the refusal names it."""
    with pytest.raises(ValueError, match=named):
        PhoneScript.from_seconds(**changes)


def test_a_negative_time_is_refused() -> None:
    """A script built by code is checked too."""
    with pytest.raises(ValueError, match="negative"):
        PhoneScript(talk_ms=-1)
