"""Times in a closed grammar: what it does not know it refuses, and what is in doubt it says so.

Date libraries guess (tried: "friday 4pm" became the wrong Friday, "1530" the year 1530), and a
wrong guess rings six people at the wrong hour. Here a text either becomes the fields that were
said, with marks where they can be read two ways, or an error. The user's zone, the clock and the
names of places are the core's business.
"""

import re
from collections.abc import Callable, Sequence

from call_core.commands import When
from call_core.errors import ParseError
from parsers.lexer import normalise

MAX_TIME_WORDS = 16
MAX_ZONE_WORDS = 4
MAX_IN_MINUTES = 366 * 24 * 60
MAX_DURATION_MINUTES = 24 * 60
EXAMPLE = "call mom at mon 9am london"

_WEEKDAYS = {
    word: number
    for number, words in enumerate(
        (
            "mon monday",
            "tue tues tuesday",
            "wed weds wednesday",
            "thu thur thurs thursday",
            "fri friday",
            "sat saturday",
            "sun sunday",
        ),
        start=1,
    )
    for word in words.split()
}
_MONTHS = {
    word: number
    for number, words in enumerate(
        (
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ),
        start=1,
    )
    for word in words.split()
}
_DAY_WORDS = {"today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1, "tmr": 1}
RELATIVE_DAYS = frozenset(_DAY_WORDS)
_DAY_PARTS = {"morning": "am", "afternoon": "pm", "evening": "night", "night": "night"}
_NAMED_HOURS = {"noon": 12, "midday": 12, "midnight": 0}
_MERIDIEMS = {"am": "am", "a": "am", "a.m": "am", "a.m.": "am"} | {
    "pm": "pm",
    "p": "pm",
    "p.m": "pm",
    "p.m.": "pm",
}
_NIGHT_HOURS = range(5, 12)  # "tonight at 3" may be 3 in the morning, so it is asked
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NOON = 12
_HOURS = 24
_FILLERS = frozenset({"at", "on", "of", "the", "in", "this"})

_BEFORE_A_DAY = frozenset({"the", "this"})
_TIME_WORDS = frozenset({*_WEEKDAYS, *_MONTHS, *_DAY_WORDS, *_DAY_PARTS, *_NAMED_HOURS})
_NO_ZONE = _TIME_WORDS | _FILLERS

_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d\d)|h)?(am|pm|a\.m\.?|p\.m\.?|a|p)?")
_CLOCK_4 = re.compile(r"(\d\d)(\d\d)(am|pm|a|p)?")
_ISO = re.compile(r"(20\d\d)-(\d\d)-(\d\d)(?:t(\d\d):(\d\d))?")
_SLASH = re.compile(r"(\d{1,2})/(\d{1,2})(?:/(20\d\d))?")
_DAY = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?")
_YEAR = re.compile(r"20\d\d")
_ZONE = re.compile(r"[^\W\d_][\w/+\-:.']*")
_DURATION = re.compile(r"(\d{1,6})(?:(m|min|mins|minutes?)|(h|hr|hrs|hours?)(?:(\d{1,2})m?)?)?")
_MINUTE_UNITS = frozenset({"m", "min", "mins", "minute", "minutes"})
_HOUR_UNITS = frozenset({"h", "hr", "hrs", "hour", "hours"})


def parse_when(text: str | Sequence[str]) -> When | ParseError:
    """Read a time; words such as `mon 9am london`, with or without a leading `at`.

    Returns:
        The `When`, whose `text` reads back to itself, or a `ParseError`: `time_missing` (a day
        but no hour), `time_invalid` (no such hour or day), `time_not_understood` (naming what
        was left over), `too_long`, `lookalike_digits`.
    """
    try:
        return read_when(text)
    except ParseError as error:
        return error


def read_when(text: str | Sequence[str]) -> When:
    """Read a time as `parse_when` does, but raise the `ParseError`."""
    whole = text if isinstance(text, str) else " ".join(text)
    words = normalise(whole).replace(",", " ").split()
    while len(words) > 1 and words[0].lower() in {"at", "on"}:
        del words[0]
    shown = " ".join(words)
    relative = bool(words) and words[0].lower() == "in"
    if len(words) > MAX_TIME_WORDS or not (relative or starts_time(words)):
        raise ParseError("time_not_understood", text=shown, leftover=shown, example=EXAMPLE)
    if relative:
        return _relative(words, shown)
    return _Reader(words, shown).read()


def starts_time(words: Sequence[str]) -> bool:
    """Whether the first word can begin a time, so that `at` before it is the option word."""
    said = [word.lower() for word in words[:3]]
    first = next((word for word in said if word not in _BEFORE_A_DAY), "")
    return first in _TIME_WORDS or any(
        p.fullmatch(first) for p in (_CLOCK, _CLOCK_4, _ISO, _SLASH, _DAY)
    )


def take_duration(words: Sequence[str]) -> tuple[int, int] | None:
    """Read minutes from the first words: `30`, `30 min`, `1h30`, `2 hours`, `half an hour`.

    Returns:
        Minutes and the number of words they took, or None.
    """
    lowered = [word.lower() for word in words[:3]]
    if lowered == ["half", "an", "hour"]:
        return 30, 3
    if lowered[:2] == ["an", "hour"]:
        return 60, 2
    match = _DURATION.fullmatch(lowered[0]) if lowered else None
    if match is None:
        return None
    number = int(match[1])
    if match[3]:
        return number * 60 + int(match[4] or 0), 1
    unit = lowered[1] if len(lowered) > 1 and not match[2] else ""
    if unit in _HOUR_UNITS:
        return number * 60, 2
    return number, 2 if unit in _MINUTE_UNITS else 1


def _relative(words: list[str], shown: str) -> When:
    """Read `in 10`, `in 2 hours`."""
    taken = take_duration(words[1:])
    used = 1 + taken[1] if taken else 0
    if taken is None or used < len(words):
        leftover = " ".join(words[used:])
        raise ParseError(
            "time_not_understood", text=shown, leftover=leftover, example="call mom in 10"
        )
    if not 1 <= taken[0] <= MAX_IN_MINUTES:
        raise ParseError("time_invalid", text=shown, example="call mom in 10")
    return When(text=shown, in_minutes=taken[0])


class _Reader:
    """One pass over the words; each `_take_…` returns how many words it understood."""

    def __init__(self, words: list[str], shown: str) -> None:
        self.originals = words
        self.words = [word.lower() for word in words]
        self.shown = shown
        self.weekday: int | None = None
        self.day_offset: int | None = None
        self.date: tuple[int, int, int | None] | None = None  # day, month, year
        self.day_month_doubt = False
        self.hour: int | None = None
        self.minute = 0
        self.meridiem = ""
        self.part = ""
        self.is_24_hour = False
        self.has_two_digits = False
        self.zone: list[str] = []
        self.zone_end = 0

    def read(self) -> When:
        """Take words until none is left; see `parse_when` for the errors."""
        steps: tuple[Callable[[int], int], ...] = (
            self._take_part,
            self._take_filler,
            self._take_day_word,
            self._take_iso,
            self._take_slash,
            self._take_month_day,
            self._take_clock,
            self._take_zone,
        )
        place = 0
        while place < len(self.words):
            used = next((used for step in steps if (used := step(place))), 0)
            if not used:
                raise self._refusal("time_not_understood", place)
            place += used
        return self._result()

    def _refusal(self, code: str, place: int | None = None) -> ParseError:
        if place is None:
            return ParseError(code, text=self.shown, example=EXAMPLE)
        leftover = " ".join(self.originals[place:])
        return ParseError(code, text=self.shown, leftover=leftover, example=EXAMPLE)

    def _word(self, place: int) -> str:
        return self.words[place] if place < len(self.words) else ""

    # Each step below looks at the words from `place` on.

    def _take_part(self, place: int) -> int:
        """Take `in the afternoon`, `at night`, `this morning`, `evening`."""
        if self.part:
            return 0
        for used in (1, 2, 3):
            before, word = self.words[place : place + used - 1], self._word(place + used - 1)
            if word in _DAY_PARTS and all(filler in _FILLERS for filler in before):
                self.part = _DAY_PARTS[word]
                if "this" in before and self.day_offset is None:
                    self.day_offset = 0
                return used
        return 0

    def _take_filler(self, place: int) -> int:
        word = self._word(place)
        if word in {"o'clock", "oclock"}:
            return 1
        return 1 if word in _FILLERS and place + 1 < len(self.words) else 0

    def _take_day_word(self, place: int) -> int:
        word = self._word(place)
        if word in _DAY_WORDS and self.day_offset is None:
            self.day_offset = _DAY_WORDS[word]
            self.part = "night" if word == "tonight" else self.part
            return 1
        if word in _WEEKDAYS and self.weekday is None:
            self.weekday = _WEEKDAYS[word]
            return 1
        return 0

    def _take_iso(self, place: int) -> int:
        match = _ISO.fullmatch(self._word(place))
        if match is None:
            return 0
        self._set_date(int(match[3]), int(match[2]), int(match[1]))
        self.is_24_hour = True  # nobody writes am and pm after a date in this order
        if match[4]:
            self._set_clock(int(match[4]), int(match[5]), "")
        return 1

    def _take_slash(self, place: int) -> int:
        match = _SLASH.fullmatch(self._word(place))
        if match is None:
            return 0
        first, second = int(match[1]), int(match[2])
        year = int(match[3]) if match[3] else None
        if second > len(_DAYS_IN_MONTH):
            self._set_date(second, first, year)
        else:
            self._set_date(first, second, year)
            self.day_month_doubt = first <= len(_DAYS_IN_MONTH) and first != second
        return 1

    def _take_month_day(self, place: int) -> int:
        """Take `nov 25`, `25 nov`, `25th of november 2026`."""
        word, following = self._word(place), self._word(place + 1)
        day_first = _DAY.fullmatch(word)
        used = 2
        if day_first and following == "of":
            following, used = self._word(place + 2), 3
        if day_first and following in _MONTHS:
            day, month = int(day_first[1]), _MONTHS[following]
        elif word in _MONTHS and (match := _DAY.fullmatch(following)):
            day, month = int(match[1]), _MONTHS[word]
        else:
            return 0
        year = self._word(place + used)
        is_year = bool(_YEAR.fullmatch(year))
        self._set_date(day, month, int(year) if is_year else None)
        return used + is_year

    def _take_clock(self, place: int) -> int:
        word = self._word(place)
        if self.hour is not None:
            return 0
        twelve = word == "12" and self._word(place + 1) in _NAMED_HOURS  # "12 noon"
        if twelve or word in _NAMED_HOURS:
            self.is_24_hour = True
            self._set_clock(_NAMED_HOURS[self._word(place + twelve)], 0, "")
            return 1 + twelve
        match = _CLOCK.fullmatch(word) or _CLOCK_4.fullmatch(word)
        if match is None:
            return 0
        next_word = _MERIDIEMS.get(self._word(place + 1), "")
        meridiem = _MERIDIEMS[match[3]] if match[3] else next_word
        self.is_24_hour = self.is_24_hour or word[0] == "0"
        self.has_two_digits = word[2:3] == ":"
        self._set_clock(int(match[1]), int(match[2] or 0), meridiem)
        return 1 if match[3] or not next_word else 2

    def _take_zone(self, place: int) -> int:
        """Take words that are nothing else: a place or a zone, side by side, after the hour."""
        word, full = self.words[place], len(self.zone) >= MAX_ZONE_WORDS
        if self.hour is None or full or word in _NO_ZONE or not _ZONE.fullmatch(word):
            return 0
        if self.zone and self.zone_end != place:
            return 0
        if self.zone and word == "time":
            return 1
        self.zone.append(self.originals[place])
        self.zone_end = place + 1
        return 1

    def _set_date(self, day: int, month: int, year: int | None) -> None:
        if self.date is not None:
            raise self._refusal("time_invalid")
        if not 1 <= month <= len(_DAYS_IN_MONTH) or not 1 <= day <= _DAYS_IN_MONTH[month - 1]:
            raise self._refusal("time_invalid")
        leap = year is None or year % 4 == 0  # years are 2000 to 2099
        if (day, month) == (29, 2) and not leap:
            raise self._refusal("time_invalid")
        self.date = (day, month, year)

    def _set_clock(self, hour: int, minute: int, meridiem: str) -> None:
        possible = range(1, _NOON + 1) if meridiem else range(_HOURS)
        if self.hour is not None or hour not in possible or minute not in range(60):
            raise self._refusal("time_invalid")
        self.hour, self.minute, self.meridiem = hour, minute, meridiem

    def _result(self) -> When:
        if self.hour is None:
            raise self._refusal("time_missing")
        if self.day_offset is not None and (self.weekday or self.date):
            raise self._refusal("time_invalid")
        meridiem = self._meridiem(self.hour)
        day, month, year = self.date or (None, None, None)
        return When(
            text=self.shown,
            weekday=self.weekday,
            day_offset=self.day_offset,
            day=day,
            month=month,
            year=year,
            hour=self.hour,
            minute=self.minute,
            meridiem=meridiem,
            hour_doubt=1 <= self.hour <= _NOON and not meridiem and not self._is_decided(),
            day_month_doubt=self.day_month_doubt,
            night=self.day_offset is not None and self.part == "night",
            zone=" ".join(self.zone),
        )

    def _is_decided(self) -> bool:
        """Whether the hour is by the clock of 24; `10:30` is, unless a part of the day is said."""
        return self.is_24_hour or (self.has_two_digits and not self.part)

    def _meridiem(self, hour: int) -> str:
        """Return am or pm as said, or as the part of the day decides; "" when it does not."""
        if self.meridiem or self.is_24_hour or hour not in range(1, _NOON + 1):
            wrong = {("am", "pm"), ("pm", "am")}
            said = self.meridiem or ("am" if hour < _NOON else "pm")
            if (self.part, said) in wrong:
                raise self._refusal("time_invalid")
            return self.meridiem
        if self.part == "night":
            return "pm" if hour in _NIGHT_HOURS else ""
        return self.part
