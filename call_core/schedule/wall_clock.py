"""Between a local clock and the one line of instants, at the edges of daylight saving too.

Twice a year a local time does not exist (the gap) or exists twice (the overlap). A time in the
gap becomes the first instant after it; a time in the overlap becomes the first of the two that
is still to come. Both are marked, so that the echo can say so.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

MS_PER_SECOND: Final = 1000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun")
_MONTHS_TOO: Final = ("Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class TimeNote(StrEnum):
    """What is odd about a local time."""

    NONE = ""
    DST_GAP = "dst_gap"  # the clock skips the time asked for; moved to the first time after it
    DST_OVERLAP = "dst_overlap"  # the clock shows the time asked for twice


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant for a local time, ms since 1970 UTC, and what is odd about it."""

    at_ms: int
    note: TimeNote


def to_local(at_ms: int, zone: str) -> datetime:
    """Gives the local time of an instant, with its zone."""
    return (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(ZoneInfo(zone))


def to_moments(local: datetime, zone: str) -> tuple[Moment, ...]:
    """Gives the instants at which a clock shows a naive local time: one, or two in an overlap."""
    first, second = (
        local.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1)
    )
    if first < second:
        return Moment(_ms(first), TimeNote.DST_OVERLAP), Moment(_ms(second), TimeNote.DST_OVERLAP)
    if first > second:
        return (Moment(_end_of_gap(_ms(second), _ms(first), zone), TimeNote.DST_GAP),)
    return (Moment(_ms(first), TimeNote.NONE),)


def show_local(at_ms: int, zone: str) -> str:
    """Gives weekday, date, time, zone and offset: `Mon 23 Nov 2026 09:00 Europe/London (UTC+0)`."""
    local = to_local(at_ms, zone)
    month = (_MONTHS + _MONTHS_TOO)[local.month - 1]
    date = f"{_WEEKDAYS[local.weekday()]} {local.day} {month} {local.year}"
    return f"{date} {local:%H:%M} {zone} ({_show_offset(local)})"


def _show_offset(local: datetime) -> str:
    offset = local.utcoffset()
    assert offset is not None, "a local time has a zone"
    minutes = offset // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def _end_of_gap(before_ms: int, after_ms: int, zone: str) -> int:
    """Finds the first second on the new offset, by halving between two instants around it."""
    low, high = before_ms // MS_PER_SECOND, after_ms // MS_PER_SECOND
    old = to_local(before_ms, zone).utcoffset()
    while high - low > 1:
        middle = (low + high) // 2
        if to_local(middle * MS_PER_SECOND, zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return high * MS_PER_SECOND


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
