"""Days and hours of a rate row."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.rating.windows import canonical_days, canonical_hours, parse_days, parse_window

# days hours | weekday and local time: inside (+) or outside (-)
WINDOWS = """
    1-5 08:00-18:00 | +Mon:08:00 +Fri:17:59 -Fri:18:00 -Mon:07:59 -Sat:09:00
    -   22:00-06:00 | +Mon:22:00 +Mon:23:59 +Mon:00:00 +Mon:05:59 -Mon:06:00 -Mon:21:59
    1-5 20:00-08:00 | +Mon:03:00 +Fri:23:00 -Sat:03:00 -Sun:23:00
    6,7 -           | +Sat:00:00 +Sun:23:59 -Fri:23:59 -Mon:00:00
    -   18:00-00:00 | +Mon:18:00 +Mon:23:59 -Mon:00:00
    -   18:00-24:00 | +Mon:18:00 +Mon:23:59 -Mon:00:00
    -   -           | +Mon:00:00 +Sun:23:59
"""
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
CASES = [
    ("" if days == "-" else days, "" if hours == "-" else hours, probe)
    for days, hours, _, *probes in (line.split() for line in WINDOWS.strip().splitlines())
    for probe in probes
]


@pytest.mark.parametrize(("days", "hours", "probe"), CASES)
def test_windows_cover_local_times(days: str, hours: str, probe: str) -> None:
    """A window holds on its calendar days from its first minute to before its last."""
    weekday, hour, minute = probe[1:].split(":")
    # The first of June 2026 is a Monday.
    day = 1 + WEEKDAYS.index(weekday)
    local = datetime(2026, 6, day, int(hour), int(minute))  # noqa: DTZ001  (a wall clock reading)
    assert parse_window(days, hours).covers(local) is (probe[0] == "+")


@pytest.mark.parametrize(
    ("days", "hours", "minutes"),
    [("", "", 10080), ("6,7", "", 2880), ("1-5", "08:00-18:00", 3000), ("", "22:00-06:00", 3360)],
)
def test_minutes_per_week_measures_how_narrow_a_window_is(
    days: str, hours: str, minutes: int
) -> None:
    """A week has 10,080 minutes and each window its share of them."""
    assert parse_window(days, hours).minutes_per_week() == minutes


@pytest.mark.parametrize("text", ["0", "8", "5-1", "1-8", "Mon", "1--5", "1,,2", ",", "1-2-3"])
def test_days_that_are_not_weekdays_are_refused(text: str) -> None:
    """Days are 1 to 7, ranges forwards."""
    with pytest.raises(ValueError, match="Days are ISO weekdays"):
        parse_days(text)


@pytest.mark.parametrize(
    "text",
    [
        "8-18",
        "08:00",
        "08:00-08:00",
        "25:00-26:00",
        "08:60-09:00",
        "24:00-08:00",
        "00:00-00:00",
        "08:00-24:01",
        "00:00-99:59",
        "08:00-18:00 ",
        "-",
    ],
)
def test_hours_that_no_clock_shows_are_refused(text: str) -> None:
    """Hours are two different times of a 24-hour clock."""
    with pytest.raises(ValueError, match="Hours are two different times"):
        parse_window("", text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("1,2,3,4,5", "1-5"), ("7,6", "6,7"), ("1-7", ""), ("", ""), ("1-2, 4-6,7", "1,2,4-7")],
)
def test_days_have_one_spelling(text: str, canonical: str) -> None:
    """Two spellings of the same days are written alike."""
    assert canonical_days(text) == canonical


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("8:00-18:00", "08:00-18:00"), ("00:00-24:00", ""), ("", ""), ("18:00-00:00", "18:00-24:00")],
)
def test_hours_have_one_spelling(text: str, canonical: str) -> None:
    """Two spellings of the same hours are written alike."""
    assert canonical_hours(text) == canonical


@given(st.sets(st.integers(1, 7), min_size=1))
def test_canonical_days_mean_the_same_days(days: set[int]) -> None:
    """The short form is read as the days it was made of."""
    assert parse_days(canonical_days(",".join(map(str, days)))) == days
