"""From a written time (`mon 9am london`) to the instant it means, or to a question.

The rule is the next occurrence after now on the clock of the place named, the user's own when
none is. Where the words leave a doubt (9: am or pm? 3/4: March or April? Portland: which?) the
answer is a choice, never a guess: a wrong guess rings six people in the night.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as clock
from enum import StrEnum
from itertools import product
from typing import Final

from call_core.commands import When
from call_core.outcomes import Fields, Value
from call_core.places import (
    Place,
    PlaceKind,
    country_of_zone,
    distinct_clocks,
    find_place,
    suggest_place,
)
from call_core.schedule.wall_clock import (
    TimeNote,
    show_local,
    to_local,
    to_moments,
)

MAX_AHEAD_DAYS: Final = 366
MAX_CHOICES: Final = 9
_MS_PER_MINUTE: Final = 60_000
_MS_PER_DAY: Final = 86_400_000
_MONTHS_AHEAD: Final = 14
_YEARS_AHEAD: Final = 9  # 29 February is at most eight years away
_NOON: Final = 12
_NIGHT_ENDS: Final = 5
_JUST_PASSED: Final = timedelta(days=7)
_LAST_HOUR: Final = 23
_LAST_MINUTE: Final = 59


class TimeProblemCode(StrEnum):
    """Why no instant can be named; each is a key of the catalogue."""

    IN_THE_PAST = "in_the_past"
    TOO_FAR = "too_far"
    UNKNOWN_PLACE = "unknown_place"
    HOUR_MISSING = "hour_missing"
    NO_SUCH_DATE = "no_such_date"
    NO_SUCH_TIME = "no_such_time"
    WEEKDAY_MISMATCH = "weekday_mismatch"


class ChoiceReason(StrEnum):
    """What is in doubt; the first of several doubts."""

    WHICH_PLACE = "which_place"
    DAY_MONTH = "day_month"
    AM_PM = "am_pm"


@dataclass(frozen=True, slots=True)
class Due:
    """An instant, in the words of its place.

    Attributes:
        at_ms: ms since 1970 UTC.
        zone: IANA zone by whose clock it was named.
        local: weekday, date, time, zone and offset, for the echo.
        note: what is odd about the local time; the echo says it.
        place: the name of the place, for a choice between places; "" for the user's own.
    """

    at_ms: int
    zone: str
    local: str
    note: TimeNote = TimeNote.NONE
    place: str = ""


@dataclass(frozen=True, slots=True)
class TimeChoice:
    """A doubt: the instants that may be meant, in order of time (places: in order of size)."""

    reason: ChoiceReason
    choices: tuple[Due, ...]


@dataclass(frozen=True, slots=True)
class TimeProblem:
    """Why there is no instant; `text` is in the fields, and what else the sentence needs."""

    code: TimeProblemCode
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of the words: a date rule and a clock time."""

    month: int | None
    day: int | None
    hour: int
    minute: int


class _Refused(Exception):
    """A reading has no instant. Never leaves this module."""

    def __init__(self, code: TimeProblemCode, **fields: Value) -> None:
        super().__init__(code)
        self.code = code
        self.fields = fields


def resolve(when: When, now_ms: int, user_zone: str) -> Due | TimeChoice | TimeProblem:
    """Finds the instant that a written time means.

    Args:
        when: the time as the parser read it.
        now_ms: the present, by the clock that schedules are kept by.
        user_zone: IANA zone of the user.

    Returns:
        The instant, a choice of at most nine, or why there is none.
    """
    try:
        places = _zones(when, now_ms, user_zone)
        if when.in_minutes is not None:
            return _in_minutes(when.in_minutes, now_ms, user_zone)
        readings = tuple(_readings(when))
        dues = _all_dues(when, readings, places, now_ms)
    except _Refused as refused:
        return TimeProblem(refused.code, {"text": when.text, **refused.fields})
    if len(dues) == 1:
        return dues[0]
    return TimeChoice(_reason(when, places), dues[:MAX_CHOICES])


def local_time(at_ms: int, zone: str, place: str = "") -> Due:
    """Gives an instant in the words of a place: for `time tokyo` and for the callee's own time."""
    return Due(at_ms, zone, show_local(at_ms, zone), place=place)


def _in_minutes(minutes: int, now_ms: int, zone: str) -> Due:
    if minutes <= 0:
        raise _Refused(TimeProblemCode.IN_THE_PAST, local=show_local(now_ms, zone))
    at_ms = now_ms + minutes * _MS_PER_MINUTE
    _check_not_too_far(at_ms, now_ms)
    return local_time(at_ms, zone)


def _check_not_too_far(at_ms: int, now_ms: int) -> None:
    if at_ms > now_ms + MAX_AHEAD_DAYS * _MS_PER_DAY:
        raise _Refused(TimeProblemCode.TOO_FAR, days=MAX_AHEAD_DAYS)


# --- which clock --------------------------------------------------------------------------------


def _zones(when: When, now_ms: int, user_zone: str) -> tuple[tuple[str, str], ...]:
    """Gives the zones that may be meant, each with the name of its place."""
    if not when.zone:
        return ((user_zone, ""),)
    found = find_place(when.zone)
    if isinstance(found, Place):
        zones = _zones_of_place(found, now_ms, user_zone)
    else:
        zones = tuple((zone, f"{p.name} {p.country}") for p in found for zone in p.zones[:1])
    if not zones:
        fields: dict[str, Value] = {"place": when.zone, "suggestion": suggest_place(when.zone)}
        raise _Refused(TimeProblemCode.UNKNOWN_PLACE, **fields)
    return zones


def _zones_of_place(place: Place, now_ms: int, user_zone: str) -> tuple[tuple[str, str], ...]:
    if place.kind is PlaceKind.ABBREVIATION:
        return ((_abbreviated(place, user_zone), place.name),)
    clocks = distinct_clocks(place.zones, now_ms)
    if len(clocks) <= 1:
        return tuple((zone, place.name) for zone in clocks)
    # Somebody in New York who says "usa" means the clock on their own wall.
    if user_zone in place.zones:
        return ((user_zone, place.name),)
    return tuple((zone, _city_of(zone)) for zone in clocks)


def _abbreviated(place: Place, user_zone: str) -> str:
    """Reads IST as Indian time in India and as Irish time in Ireland."""
    country = country_of_zone(user_zone)
    own = (zone for zone in (*place.zones, *place.also) if country_of_zone(zone) == country)
    return next((zone for zone in own if country), place.zones[0])


def _city_of(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")


def _reason(when: When, places: tuple[tuple[str, str], ...]) -> ChoiceReason:
    if len(places) > 1:
        return ChoiceReason.WHICH_PLACE
    return ChoiceReason.DAY_MONTH if when.day_month_doubt else ChoiceReason.AM_PM


# --- which words --------------------------------------------------------------------------------


def _readings(when: When) -> Iterator[_Reading]:
    """Gives every reading of the words: both orders of day and month, both halves of the day."""
    dates = [(when.month, when.day)]
    if when.day_month_doubt and when.month != when.day:
        dates.append((when.day, when.month))
    for (month, day), hour in product(dates, _hours(when)):
        yield _Reading(month, day, hour, when.minute)


def _hours(when: When) -> tuple[int, ...]:
    if when.hour is None:
        raise _Refused(TimeProblemCode.HOUR_MISSING)
    twelve_hour = bool(when.meridiem) or when.hour_doubt
    in_range = 1 <= when.hour <= _NOON if twelve_hour else 0 <= when.hour <= _LAST_HOUR
    if not in_range or not 0 <= when.minute <= _LAST_MINUTE:
        raise _Refused(TimeProblemCode.NO_SUCH_TIME)
    morning = when.hour % _NOON
    if when.meridiem:
        return (morning + (_NOON if when.meridiem == "pm" else 0),)
    return (morning, morning + _NOON) if when.hour_doubt else (when.hour,)


# --- which day ----------------------------------------------------------------------------------


def _all_dues(
    when: When,
    readings: tuple[_Reading, ...],
    places: tuple[tuple[str, str], ...],
    now_ms: int,
) -> tuple[Due, ...]:
    """Gives the instants of all readings that have one.

    Raises:
        _Refused: no reading has one; the reason is that of the first.
    """
    dues: list[Due] = []
    refusals: list[_Refused] = []
    for zone, place in places:
        found: list[Due] = []
        for reading in readings:
            try:
                found.append(_due(when, reading, zone, place, now_ms))
            except _Refused as refused:
                refusals.append(refused)
        dues += sorted(found, key=lambda due: due.at_ms)
    if not dues:
        raise refusals[0]
    return tuple(dict.fromkeys(dues))


def _due(when: When, reading: _Reading, zone: str, place: str, now_ms: int) -> Due:
    today = to_local(now_ms, zone).date()
    late: Due | None = None
    for day in _days(when, reading, today):
        local = datetime.combine(day, clock(reading.hour, reading.minute))
        for moment in to_moments(local, zone):
            shown = show_local(moment.at_ms, zone)
            due = Due(moment.at_ms, zone, shown, moment.note, place)
            if moment.at_ms > now_ms:
                _check_not_too_far(moment.at_ms, now_ms)
                return due
            late = due
        named = reading.month is not None and timedelta() <= today - day <= _JUST_PASSED
        if when.day is not None and (named or day == today):
            break  # an hour or some days too late must not become a year
    if late is None:
        raise _Refused(TimeProblemCode.NO_SUCH_DATE)
    raise _Refused(TimeProblemCode.IN_THE_PAST, local=late.local)


def _days(when: When, reading: _Reading, today: date) -> Iterable[date]:
    """Gives the days that the words may mean, the nearest first."""
    if reading.day is not None:
        return _calendar_days(when, reading, today)
    if reading.month is not None:
        return ()
    if when.day_offset is not None:
        past_midnight = when.night and reading.hour < _NIGHT_ENDS
        return (today + timedelta(days=when.day_offset + past_midnight),)
    if when.weekday is not None:
        ahead = (when.weekday - today.isoweekday()) % 7
        return (today + timedelta(days=ahead), today + timedelta(days=ahead + 7))
    return (today, today + timedelta(days=1))


def _calendar_days(when: When, reading: _Reading, today: date) -> Iterable[date]:
    assert reading.day is not None, "only called for a date"
    days = [
        day
        for year, month in _months(when, reading, today)
        if (day := _date(year, month, reading.day)) is not None
    ]
    if when.weekday is None:
        return days
    wanted = [day for day in days if day.isoweekday() == when.weekday]
    # Without a year, "mon 25 dec" must not silently become the Monday of some later year.
    coming = next((day for day in days if day >= today), None)
    if coming is not None and coming not in wanted:
        raise _Refused(TimeProblemCode.WEEKDAY_MISMATCH, date=show_date(coming))
    return wanted


def _months(when: When, reading: _Reading, today: date) -> Iterable[tuple[int, int]]:
    if reading.month is None:
        months = (today.year * 12 + today.month - 1 + ahead for ahead in range(_MONTHS_AHEAD))
        return tuple((month // 12, month % 12 + 1) for month in months)
    if when.year is not None:
        if when.year > today.year + 1:
            raise _Refused(TimeProblemCode.TOO_FAR, days=MAX_AHEAD_DAYS)
        return ((max(when.year, today.year - 1), reading.month),)
    return tuple((today.year + ahead, reading.month) for ahead in range(_YEARS_AHEAD))


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def show_date(day: date) -> str:
    """Gives `Fri 25 Dec 2026`."""
    noon = datetime.combine(day, clock(_NOON))
    (moment, *_) = to_moments(noon, "UTC")
    return show_local(moment.at_ms, "UTC").partition(" 12:00")[0]
