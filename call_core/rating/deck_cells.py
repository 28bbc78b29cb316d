"""The cells of a carrier's price list: strict readers for what spreadsheets do to numbers.

Each reader takes the text of one cell and gives its value or raises `CellError` with a reason
that tells the person with the spreadsheet what to change. Nothing is guessed: a text that could
mean two things is refused.
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from call_core.money import DECIMALS, parse_amount

MAX_PREFIX_DIGITS: Final = 15
"""E.164 numbers have at most 15 digits."""
MAX_CODES_PER_CELL: Final = 10_000
MAX_DESTINATION_CHARACTERS: Final = 100
MAX_INCREMENT_S: Final = 3_600
MAX_AMOUNT_MICROS: Final = 1_000_000_000_000
"""A price or fee of a million units is damage in every currency."""

DAMAGED_BY_SPREADSHEET: Final = re.compile(r"[0-9]+[.,]?[0-9]*[eE]\+?[0-9]+|[0-9]+[.,][0-9]+")
_THOUSANDS = re.compile(r"[1-9][0-9]?(,[0-9]{3})+")
"""4420 as a spreadsheet shows it; taken for codes it would sell all of zone 4."""
_ACCESS_PREFIX = re.compile(r"\+|00|011")
_RANGE = re.compile(r"([0-9]{1,15})\s*-\s*([0-9]{1,15})")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_GROUPED_THOUSANDS = re.compile(r"-?[1-9][0-9]{0,2},[0-9]{3}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_OPEN: Final = frozenset(
    {"", "active", "current", "decrease", "increase", "new", "no change", "open", "unchanged"}
)
_BLOCKED: Final = frozenset({"barred", "blocked", "closed", "deleted", "removed"})


class CellError(ValueError):
    """A cell cannot be used; the message is the reason, a sentence for people."""


def read_codes(text: str, country_code: str) -> tuple[str, ...]:
    """Reads the prefixes of one row: `4420`, `+4420`, `004420`, `01144`, `70,71,72-79`.

    Args:
        text: one code or several, separated by comma or semicolon, ranges with a dash.
        country_code: digits before every code when the list keeps them in a column of their
            own, else "". The codes are then area codes, whose leading zeros (Italy) count.

    Raises:
        CellError: not codes, too many of them, or damaged by a spreadsheet.
    """
    text = text.strip()
    if not text and country_code:
        return (country_code,)
    if text.isdigit() and text.isascii() and text[0] != "0" and not country_code:
        return (_checked_prefix(text),)  # nearly every cell of a large deck
    if not country_code and _THOUSANDS.fullmatch(text):
        raise CellError("One number with a comma or several codes? Separate codes by a semicolon.")
    codes: list[str] = []
    for part in text.replace(";", ",").split(","):
        codes.extend(_expanded(part.strip(), strip_access=not country_code))
        if len(codes) > MAX_CODES_PER_CELL:
            raise CellError(f"One cell holds more than {MAX_CODES_PER_CELL} codes.")
    return tuple(_checked_prefix(country_code + code) for code in codes)


def _expanded(part: str, *, strip_access: bool) -> list[str]:
    """Gives the codes of "4420" or "72-79"."""
    match = _RANGE.fullmatch(part)
    if match is None:
        return [_code(part, strip_access=strip_access)]
    first = _code(match[1], strip_access=strip_access)
    last = _code(match[2], strip_access=strip_access)
    if len(first) != len(last) or last < first:
        raise CellError("A range of codes needs two ends of equal length, the lower one first.")
    if int(last) - int(first) >= MAX_CODES_PER_CELL:
        raise CellError(f"One cell holds more than {MAX_CODES_PER_CELL} codes.")
    return [f"{code:0{len(first)}d}" for code in range(int(first), int(last) + 1)]


def _code(text: str, *, strip_access: bool) -> str:
    if strip_access:
        text = _ACCESS_PREFIX.sub("", text, count=1) if text[:1] in "+0" else text
    if text.isascii() and text.isdigit():
        return text
    if DAMAGED_BY_SPREADSHEET.fullmatch(text):
        raise CellError(
            "A spreadsheet turned this code into a number; format the column as text first."
        )
    raise CellError("A prefix is digits, with country code, like 4420.")


def _checked_prefix(prefix: str) -> str:
    if prefix.startswith("0"):
        raise CellError("No country code starts with 0; the country code is missing.")
    if len(prefix) > MAX_PREFIX_DIGITS:
        raise CellError(f"A prefix has at most {MAX_PREFIX_DIGITS} digits.")
    return prefix


def read_country_code(text: str) -> str:
    """Reads the digits of a country code column; "" when the cell is empty.

    Raises:
        CellError: not a country code.
    """
    text = text.strip()
    return _checked_prefix(_code(text, strip_access=True)) if text else ""


@lru_cache(maxsize=4096)
def read_micros(text: str) -> int:
    """Reads a price or fee, exactly; a decimal comma counts when it cannot be anything else.

    Raises:
        CellError: negative, no number, more than six decimals, or ambiguous.
    """
    if _GROUPED_THOUSANDS.fullmatch(text):
        raise CellError("The comma may mean thousands or decimals; write a decimal point.")
    if text.count(",") == 1 and "." not in text:
        text = text.replace(",", ".")
    whole, point, fraction = text.partition(".")
    # Zeros beyond the sixth decimal change nothing: 0.01250000 is exact.
    kept = fraction[:DECIMALS] + fraction[DECIMALS:].rstrip("0")
    try:
        micros = parse_amount(whole + point + kept)
    except ValueError as error:
        raise CellError(str(error)) from error
    if micros < 0:
        raise CellError("The amount is negative.")
    if micros > MAX_AMOUNT_MICROS:
        raise CellError("The amount is larger than any price per minute.")
    return micros


@lru_cache(maxsize=4096)
def read_seconds(text: str, least: int) -> int:
    """Reads whole seconds from `least` to an hour.

    Raises:
        CellError: anything else.
    """
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_INCREMENT_S)):
        seconds = int(text)
        if least <= seconds <= MAX_INCREMENT_S:
            return seconds
    raise CellError(f"This is whole seconds from {least} to {MAX_INCREMENT_S}.")


@lru_cache(maxsize=4096)
def read_instant(text: str, zone: ZoneInfo) -> int:
    """Reads an ISO date, or date and time, as ms since 1970 UTC; a date is its midnight.

    A text without an offset is local time of the deck's zone.

    Raises:
        CellError: other forms, since 03/04 is March to one reader and April to the other.
    """
    reason = "A date is written 2026-03-31, or 2026-03-31 08:00."
    if _DATE.fullmatch(text) is None:
        raise CellError(reason)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise CellError(reason) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return (moment - _EPOCH) // timedelta(milliseconds=1)


@lru_cache(maxsize=4096)
def read_destination(text: str) -> str:
    """Reads the destination's name, spaces put in order.

    Raises:
        CellError: empty, too long, or not printable.
    """
    name = " ".join(text.split())
    if not name:
        raise CellError("The destination has no name.")
    if len(name) > MAX_DESTINATION_CHARACTERS:
        raise CellError(f"The name is longer than {MAX_DESTINATION_CHARACTERS} characters.")
    if not name.isprintable():
        raise CellError("The name has characters that cannot be printed.")
    return name


def read_blocked(text: str) -> bool:
    """Reads a status column: True for a destination that is not sold.

    Raises:
        CellError: an unknown word, which might mean either.
    """
    word = " ".join(text.lower().split())
    if word in _BLOCKED:
        return True
    if word in _OPEN:
        return False
    raise CellError('A status is "new", "increase", "decrease", "unchanged" or "blocked".')
