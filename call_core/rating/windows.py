"""The days and hours of a rate row: when in the week, by the deck's clock, a price holds.

Days are ISO weekdays (1 is Monday, 7 is Sunday): `1-5`, `6,7`. Hours are `08:00-18:00`, first
minute included, last excluded, and may wrap midnight (`20:00-08:00`). The day that counts is the
calendar day of the instant, also after midnight: `1-5 20:00-08:00` holds on Monday at 03:00 and
not on Saturday at 03:00, so that evenings of working days and whole weekends fill the week
without a gap. An empty text means always.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

DAYS_PER_WEEK: Final = 7
HOURS_PER_DAY: Final = 24
MINUTES_PER_HOUR: Final = 60
MINUTES_PER_DAY: Final = HOURS_PER_DAY * MINUTES_PER_HOUR
EVERY_DAY: Final = frozenset(range(1, DAYS_PER_WEEK + 1))
SHORTEST_RUN: Final = 3
"""Days in a row that are written with a dash; shorter runs are listed."""

_DAYS = re.compile(r"([1-7])(?:-([1-7]))?")
_HOURS = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Window:
    """Days of the week and minutes of the day (`end_minute` excluded; may be before the start)."""

    days: frozenset[int]
    start_minute: int
    end_minute: int

    def covers(self, local: datetime) -> bool:
        """Tells whether a local time of the deck's zone lies in the window."""
        if local.isoweekday() not in self.days:
            return False
        minute = local.hour * MINUTES_PER_HOUR + local.minute
        if self.start_minute < self.end_minute:
            return self.start_minute <= minute < self.end_minute
        return minute >= self.start_minute or minute < self.end_minute

    def minutes_per_week(self) -> int:
        """Says how much of a week the window holds; the narrower of two is the more specific."""
        length = self.end_minute - self.start_minute
        return len(self.days) * (length if length > 0 else length + MINUTES_PER_DAY)


def parse_window(days: str, hours: str) -> Window:
    """Reads both texts of a rate row.

    Raises:
        ValueError: one of them is not as described above; the message is a sentence.
    """
    start_minute, end_minute = parse_hours(hours)
    return Window(parse_days(days), start_minute, end_minute)


def parse_days(text: str) -> frozenset[int]:
    """Reads ISO weekdays: "1-5", "6,7", "" for all.

    Raises:
        ValueError: other text, or a range that runs backwards.
    """
    if not text:
        return EVERY_DAY
    days: set[int] = set()
    for part in text.split(","):
        match = _DAYS.fullmatch(part.strip())
        if match is None or (match[2] is not None and match[2] < match[1]):
            raise ValueError(
                "Days are ISO weekdays, 1 for Monday to 7 for Sunday, like 1-5 or 6,7."
            )
        days.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return frozenset(days)


def parse_hours(text: str) -> tuple[int, int]:
    """Reads "08:00-18:00" as minutes of the day; "" is the whole day; midnight may end it.

    Raises:
        ValueError: other text, a time that no clock shows, or an empty span.
    """
    if not text:
        return 0, MINUTES_PER_DAY
    match = _HOURS.fullmatch(text)
    if match is not None:
        start = _minute(match[1], match[2])
        end = _minute(match[3], match[4])
        if start != end and start < MINUTES_PER_DAY and end <= MINUTES_PER_DAY:
            return start, end or MINUTES_PER_DAY
    raise ValueError("Hours are two different times of the 24-hour clock, like 08:00-18:00.")


def _minute(hour: str, minute: str) -> int:
    """Gives the minute of the day; a time that no clock shows lies past the end of the day."""
    if int(minute) >= MINUTES_PER_HOUR:
        return MINUTES_PER_DAY + 1
    return int(hour) * MINUTES_PER_HOUR + int(minute)


def canonical_days(text: str) -> str:
    """Writes days in their one shortest form, so that two spellings of one rule are equal.

    Raises:
        ValueError: as `parse_days`.
    """
    days = parse_days(text)
    if days == EVERY_DAY:
        return ""
    runs: list[list[int]] = []
    for day in sorted(days):
        if runs and runs[-1][-1] == day - 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ",".join(
        f"{run[0]}-{run[-1]}" if len(run) >= SHORTEST_RUN else ",".join(map(str, run))
        for run in runs
    )


def canonical_hours(text: str) -> str:
    """Writes hours in their one form, "" for the whole day.

    Raises:
        ValueError: as `parse_hours`.
    """
    start, end = parse_hours(text)
    if (start, end) == (0, MINUTES_PER_DAY):
        return ""
    return f"{_clock(start)}-{_clock(end)}"


def _clock(minute: int) -> str:
    return f"{minute // MINUTES_PER_HOUR:02d}:{minute % MINUTES_PER_HOUR:02d}"
