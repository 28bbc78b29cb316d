"""Times: what was said, nothing guessed."""

from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.commands import When
from call_core.errors import ParseError
from parsers.when import (
    MAX_IN_MINUTES,
    MAX_TIME_WORDS,
    parse_when,
    starts_time,
    take_duration,
)

_CASES: list[tuple[str, dict[str, object]]] = [
    ("6pm", {"hour": 6, "meridiem": "pm"}),
    ("9am", {"hour": 9, "meridiem": "am"}),
    ("6:30pm", {"hour": 6, "minute": 30, "meridiem": "pm"}),
    ("6.30pm", {"hour": 6, "minute": 30, "meridiem": "pm"}),
    ("6 p.m.", {"hour": 6, "meridiem": "pm"}),
    ("18:00", {"hour": 18}),
    ("18h", {"hour": 18}),
    ("18h30", {"hour": 18, "minute": 30}),
    ("1530", {"hour": 15, "minute": 30}),
    ("0630", {"hour": 6, "minute": 30}),
    ("09:00", {"hour": 9}),
    ("noon", {"hour": 12}),
    ("12 noon", {"hour": 12}),
    ("midnight", {"hour": 0}),
    ("12 midnight", {"hour": 0}),
    ("tomorrow 9am", {"day_offset": 1, "hour": 9, "meridiem": "am"}),
    ("tomorrow morning at 9", {"day_offset": 1, "hour": 9, "meridiem": "am"}),
    ("today, 15:00", {"text": "today 15:00", "day_offset": 0, "hour": 15}),
    ("tonight at 8", {"day_offset": 0, "hour": 8, "meridiem": "pm", "night": True}),
    ("this evening at 7", {"day_offset": 0, "hour": 7, "meridiem": "pm", "night": True}),
    ("tomorrow this afternoon at 3", {"day_offset": 1, "hour": 3, "meridiem": "pm"}),
    ("fri 4pm", {"weekday": 5, "hour": 4, "meridiem": "pm"}),
    ("friday 4pm", {"weekday": 5, "hour": 4, "meridiem": "pm"}),
    ("Fri at 4pm", {"weekday": 5, "hour": 4, "meridiem": "pm"}),
    ("mon 9am london", {"weekday": 1, "hour": 9, "meridiem": "am", "zone": "london"}),
    ("3pm London", {"hour": 3, "meridiem": "pm", "zone": "London"}),
    ("3pm london time", {"hour": 3, "meridiem": "pm", "zone": "london"}),
    ("9am in new york", {"hour": 9, "meridiem": "am", "zone": "new york"}),
    ("9am Europe/London fri", {"weekday": 5, "hour": 9, "meridiem": "am", "zone": "Europe/London"}),
    ("nov 25 3:30p PST", {"day": 25, "month": 11, "hour": 3, "minute": 30, "meridiem": "pm"}
     | {"zone": "PST"}),
    ("25 nov 15:00", {"day": 25, "month": 11, "hour": 15}),
    ("wed 25 nov 15:00", {"weekday": 3, "day": 25, "month": 11, "hour": 15}),
    ("25th of november 2026 at 6 pm", {"day": 25, "month": 11, "year": 2026, "hour": 6}
     | {"meridiem": "pm"}),
    ("25/11 15:00", {"day": 25, "month": 11, "hour": 15}),
    ("11/25 15:00", {"day": 25, "month": 11, "hour": 15}),
    ("25/11/2026 15:00", {"day": 25, "month": 11, "year": 2026, "hour": 15}),
    ("3/4 15:00", {"day": 3, "month": 4, "hour": 15, "day_month_doubt": True}),
    ("4/4 15:00", {"day": 4, "month": 4, "hour": 15}),
    ("2026-11-25 15:00", {"day": 25, "month": 11, "year": 2026, "hour": 15}),
    ("2026-11-25T09:30", {"day": 25, "month": 11, "year": 2026, "hour": 9, "minute": 30}),
    ("2026-11-25 10:00", {"day": 25, "month": 11, "year": 2026, "hour": 10}),
    ("feb 29 2028 9am", {"day": 29, "month": 2, "year": 2028, "hour": 9, "meridiem": "am"}),
    ("feb 29 9am", {"day": 29, "month": 2, "hour": 9, "meridiem": "am"}),
    ("Dec 1 at 3 in the afternoon", {"day": 1, "month": 12, "hour": 3, "meridiem": "pm"}),
    ("9am in the morning", {"hour": 9, "meridiem": "am"}),
    ("15:00 in the afternoon", {"hour": 15}),
    ("8 at night", {"hour": 8, "meridiem": "pm"}),
    ("at 6", {"text": "6", "hour": 6, "hour_doubt": True}),
    ("6 o'clock", {"hour": 6, "hour_doubt": True}),
    ("tue 10:00", {"weekday": 2, "hour": 10}),
    (
        "tonight at 10:30",
        {"day_offset": 0, "hour": 10, "minute": 30, "meridiem": "pm", "night": True},
    ),
    ("at 6:30", {"text": "6:30", "hour": 6, "minute": 30, "hour_doubt": True}),
    ("1030", {"hour": 10, "minute": 30, "hour_doubt": True}),
    ("tonight at 12", {"day_offset": 0, "hour": 12, "hour_doubt": True, "night": True}),
    ("midnight tonight", {"day_offset": 0, "hour": 0, "night": True}),
    ("3 at night", {"hour": 3, "hour_doubt": True}),
    ("in 10", {"in_minutes": 10}),
    ("in 10 min", {"in_minutes": 10}),
    ("in 2 hours", {"in_minutes": 120}),
    ("in 1h30", {"in_minutes": 90}),
    ("in an hour", {"in_minutes": 60}),
    ("in half an hour", {"in_minutes": 30}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "fields"), _CASES)
def test_times_become_the_fields_that_were_said(text: str, fields: dict[str, object]) -> None:
    """Everything that was said is in its field, everything else is empty, doubt is marked."""
    assert parse_when(text) == When(**(asdict(When(text)) | fields))


@pytest.mark.parametrize(("text", "fields"), _CASES)
def test_the_text_of_a_time_reads_back_to_it(text: str, fields: dict[str, object]) -> None:
    """The words kept for the echo are the canonical form."""
    when = parse_when(text)
    assert isinstance(when, When)
    assert parse_when(when.text) == when, fields


@pytest.mark.parametrize(
    ("text", "code", "leftover"),
    [
        ("", "time_not_understood", ""),
        ("morgen 15 Uhr", "time_not_understood", "morgen 15 Uhr"),
        ("next fri 4pm", "time_not_understood", "next fri 4pm"),
        ("fri 4pm !!", "time_not_understood", "!!"),
        ("6pm at", "time_not_understood", "at"),
        ("4pm london fri paris", "time_not_understood", "paris"),
        ("4pm a b c d e", "time_not_understood", "e"),
        ("fri sat 4pm", "time_not_understood", "sat 4pm"),
        ("today tomorrow 4pm", "time_not_understood", "tomorrow 4pm"),
        ("9am 10am", "time_not_understood", "10am"),
        ("9 in the morning in the evening", "time_not_understood", "evening"),
        ("in a while", "time_not_understood", "in a while"),
        ("in 10 days", "time_not_understood", "days"),
        ("may", "time_not_understood", "may"),
        ("fri", "time_missing", None),
        ("tonight", "time_missing", None),
        ("nov 25 2030", "time_missing", None),
        ("13pm", "time_invalid", None),
        ("0am", "time_invalid", None),
        ("25:00", "time_invalid", None),
        ("9:60", "time_invalid", None),
        ("31 feb 9am", "time_invalid", None),
        ("25/13 9am", "time_invalid", None),
        ("feb 29 2027 9am", "time_invalid", None),
        ("feb 29 2100 9am", "time_not_understood", None),
        ("2100-02-29 09:00", "time_not_understood", None),
        ("25 nov 26 nov 9am", "time_invalid", None),
        ("tomorrow fri 9am", "time_invalid", None),
        ("9pm in the morning", "time_invalid", None),
        ("09:00 in the afternoon", "time_invalid", None),
        ("9am 2026-11-25T10:00", "time_invalid", None),
        ("in 0", "time_invalid", None),
        ("\u0663pm", "lookalike_digits", None),
    ],
)
def test_what_is_not_a_time_is_refused_with_its_reason(
    text: str, code: str, leftover: str | None
) -> None:
    """The grammar is closed: it names what it could not read and never guesses."""
    error = parse_when(text)
    assert isinstance(error, ParseError)
    assert error.code == code
    if leftover is not None:
        assert error.fields["leftover"] == leftover


def test_limits_hold_at_the_limit_and_one_past_it() -> None:
    """Words of a time and the minutes of `in` are bounded."""
    words = ["9am", *["the"] * (MAX_TIME_WORDS - 2), "fri"]
    assert isinstance(parse_when(words), When)
    assert isinstance(parse_when([*words, "paris"]), ParseError)
    assert isinstance(parse_when(f"in {MAX_IN_MINUTES}"), When)
    assert isinstance(parse_when(f"in {MAX_IN_MINUTES + 1}"), ParseError)


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["30"], (30, 1)),
        (["30", "min", "x"], (30, 2)),
        (["30min"], (30, 1)),
        (["30m", "hours"], (30, 1)),
        (["2", "Hours"], (120, 2)),
        (["1h"], (60, 1)),
        (["1h30m"], (90, 1)),
        (["an", "hour"], (60, 2)),
        (["half", "an", "hour"], (30, 3)),
        (["30", "dollars"], (30, 1)),
        (["soon"], None),
        ([], None),
    ],
)
def test_durations_are_minutes(words: list[str], wanted: tuple[int, int] | None) -> None:
    """Minutes and how many words they took."""
    assert take_duration(words) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("6pm", True),
        ("the 25th", True),
        ("this evening", True),
        ("nov 25", True),
        ("1530", True),
        ("the bar", False),
        ("home", False),
        ("", False),
        ("4155551212", False),
    ],
)
def test_a_word_that_begins_a_time_is_known(text: str, wanted: bool) -> None:  # noqa: FBT001  (a column of the table)
    """Only then `at` before it is the option word."""
    assert starts_time(text.split()) is wanted


@given(st.lists(st.sampled_from([text for text, _ in _CASES]), max_size=3), st.text(max_size=30))
def test_any_text_is_a_time_or_a_refusal(times: list[str], noise: str) -> None:
    """Nothing else ever comes out, and a time always reads back to itself."""
    when = parse_when(" ".join([*times, noise]))
    if isinstance(when, When):
        assert parse_when(when.text) == when
    else:
        assert isinstance(when, ParseError)
