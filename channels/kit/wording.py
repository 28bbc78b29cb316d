"""Values as words: money, instants, numbers, durations, names; and how words may be shortened.

What is a figure (an amount, a number, a time, a ref, a command to copy) is never cut. What people
wrote (names, titles, the words they sent) may be, with `..` at the cut.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from call_core.money import format_money
from call_core.numbering import format_for_people
from call_core.outcomes import Instant, Money, Phone, Seconds, Value
from channels.kit.gsm7 import transliterate

Words = Mapping[str, Mapping[str, tuple[str, str]]]
"""Field name -> its possible values -> how to say them, in full and in short."""

CUT: Final = ".."
_SHORTEST_WORD: Final = 4

FIGURES: Final = frozenset(
    {"ref", "earlier", "example", "example_international", "first", "second", "digits", "secret"}
    | {"code", "billing_code", "currency", "local", "date", "prefix", "limit", "option", "verb"}
    | {"read_as", "value", "increments", "national", "international", "mobile", "tariff"}
    | {"customer_id", "user_id", "phone_id", "sender_id", "token_id", "call_id", "address"}
)
"""Fields of text that are copied or counted, so they are shown whole or not at all."""

_NUMBER_ALONE: Final = re.compile(r"[+(*#\d][\d ().x*#/+-]*")
_NUMBER_INSIDE: Final = re.compile(
    r"(?:[A-Z]{3} ?|[$\u20ac\u00a3\u00a5+(])*\d(?:[\d ().,:/x*#-]*\d)?(?: ?[A-Z]{3}\b)?"
)
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600


@dataclass(frozen=True, slots=True)
class Style:
    """How values are to be written.

    Attributes:
        full: room for everything, in the letters that were given; else short and in the 7-bit
            alphabet of text messages.
        timezone: the reader's IANA zone, for instants that name none.
        word_limit: the most characters of a word of the user's; 0 for no limit.
        words: what the values of closed lists are called.
    """

    full: bool = True
    timezone: str = "UTC"
    word_limit: int = 0
    words: Words = field(default_factory=lambda: MappingProxyType({}))


def format_value(name: str, value: Value, style: Style, spec: str = "") -> str:
    """Return a value as it stands in a text, "" for nothing.

    Args:
        name: the field's name; it decides what a text value is.
        value: a typed value; lists of phrases are the renderer's.
        style: full or short.
        spec: `short` or `long` against the style; `time` for an instant's day and time alone;
            `minutes` for seconds as minutes.
    """
    full = style.full if spec in {"", "time", "minutes"} else spec == "long"
    match value:
        case Money(micros, currency):
            return format_money(micros, currency)
        case Instant(at_ms, zone):
            return format_instant(at_ms, zone or style.timezone, full=full, clock=spec == "time")
        case Phone(e164, extension):
            return format_phone(e164, extension)
        case Seconds(seconds):
            return format_seconds(seconds)
        case _:
            return _format_text(name, str(value), style, full=full)


def format_instant(at_ms: int, zone: str, *, full: bool = True, clock: bool = False) -> str:
    """Return `Mon 23 Nov 2026 09:00 GMT (London)`, short `Mon 23 Nov 09:00 GMT`.

    With `clock` only `Mon 09:00`: the hour it is at somebody else's place.
    """
    local = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(_zone(zone))
    weekday, time = _DAYS[local.weekday()], f"{local:%H:%M}"
    if clock:
        return f"{weekday} {time}"
    date = f"{weekday} {local.day} {_MONTHS[local.month - 1]}"
    if not full:
        return f"{date} {time} {_zone_name(local)}"
    place = zone.rpartition("/")[2].replace("_", " ") if "/" in zone else ""
    behind = f" ({place})" if place else ""
    return f"{date} {local.year} {time} {_zone_name(local)}{behind}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _zone_name(local: datetime) -> str:
    """Return `GMT`, `EST`; where the zone has no letters, `UTC+5:45`."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    minutes = (local.utcoffset() or timedelta()) // _MINUTE
    hours, rest = divmod(abs(minutes), _MINUTE_S)
    return f"UTC{'-' if minutes < 0 else '+'}{hours}" + (f":{rest:02}" if rest else "")


def format_phone(e164: str, extension: str = "") -> str:
    """Return the international form, `+44 20 7946 0018 x12`."""
    return format_for_people(e164) + (f" x{extension}" if extension else "")


def format_seconds(seconds: int) -> str:
    """Return `12 min` for whole minutes, else `1:05` or `1:02:03`."""
    if seconds and seconds % _MINUTE_S == 0:
        return f"{seconds // _MINUTE_S} min"
    hours, rest = divmod(seconds, _HOUR_S)
    minutes, left = divmod(rest, _MINUTE_S)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def _format_text(name: str, text: str, style: Style, *, full: bool) -> str:
    known = style.words.get(name)
    if known is not None:
        long, short = known.get(text.lower(), (plain_words(text), plain_words(text)))
        return long if full else short
    text = clean(text) if style.full else transliterate(clean(text))
    if name in FIGURES or not style.word_limit:
        return text
    return shorten(text, style.word_limit)


def plain_words(code: str) -> str:
    """Return a stable name as words: `NOT_ACCEPTED` is `not accepted`."""
    return clean(code).replace("_", " ").lower()


def clean(text: str) -> str:
    """Return a text without control and invisible characters, on one line.

    Names come from outside: a line break in one would begin a line of somebody else's choice, and
    a mark of writing direction would turn our own words around.
    """
    seen = (" " if unicodedata.category(letter)[0] in "CZ" else letter for letter in text)
    return " ".join("".join(seen).split())


def shorten(text: str, most: int) -> str:
    """Return a text of at most `most` characters, `..` at the cut, no number cut in two.

    A text that is one whole number stays whole, whatever its length.
    """
    if len(text) <= most or _NUMBER_ALONE.fullmatch(text):
        return text
    cut = max(most, _SHORTEST_WORD) - len(CUT)
    for number in _NUMBER_INSIDE.finditer(text):
        if number.start() < cut < number.end():
            cut = number.start()
    return text[:cut].rstrip() + CUT


def cut_at_word(text: str, most: int) -> str:
    """Return as many whole words as fit; numbers with blanks inside count as one word."""
    if len(text) <= most:
        return text
    numbers = [number.span() for number in _NUMBER_INSIDE.finditer(text)]
    ends = [
        place
        for place, letter in enumerate(text[: most - len(CUT) + 1])
        if letter == " " and not any(start < place < end for start, end in numbers)
    ]
    return text[: ends[-1] if ends else 0].rstrip() + CUT
