"""The deck file: a carrier's CSV read row by row, and what it would change.

    prefix,destination,price_per_minute,connect_fee,first_increment_s,next_increment_s
    4420,"United Kingdom, London",0.012,0,30,6

`prefix`, `destination` and `price_per_minute` are required; the rest defaults to no fee, 60/60,
no minimum, always. Three columns more are understood because carriers send them: `country_code`
(goes before every prefix of its row), `status` ("blocked" is not sold) and `currency` (must be
the tariff's).

Reading streams: one row in memory, and one short key per prefix to notice a repeated one. A bad
row never stops the reading, so that all of them are reported at once; whoever loads the deck
loads all or nothing.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Final
from zoneinfo import ZoneInfo

from call_core.rating.deck import RateRow, zone_of
from call_core.rating.deck_cells import (
    CellError,
    read_blocked,
    read_codes,
    read_country_code,
    read_destination,
    read_instant,
    read_micros,
    read_seconds,
)
from call_core.rating.deck_changes import DeckChanges, DeckComparison, changes
from call_core.rating.deck_header import (
    Header,
    HeaderError,
    declared_delimiter,
    likely_delimiter,
    read_header,
)
from call_core.rating.windows import canonical_days, canonical_hours

__all__ = ["BadRow", "DeckChanges", "DeckComparison", "changes", "read_deck"]

MAX_LINE_CHARACTERS: Final = 16_384
MAX_ROWS: Final = 2_000_000
"""Rows after codes are expanded; every country's prefixes fit many times over."""
SHOWN_CHARACTERS: Final = 60
"""How much of a bad cell is shown."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be loaded: line in the file (from 1), column of ours, cell, reason."""

    line: int
    column: str
    value: str
    reason: str


def read_deck(
    lines: Iterable[str],
    mapping: Mapping[str, str],
    timezone: str,
    *,
    allow_zero: bool = False,
    currency: str = "",
    max_rows: int = MAX_ROWS,
) -> Iterator[RateRow | BadRow]:
    """Reads a deck file; bad rows come in place of the rows they spoil.

    Args:
        lines: the file's lines, decoded; with or without a byte order mark and line ends.
        mapping: our column name -> the carrier's; {} when the header has our names.
        timezone: IANA name of the zone in which dates, days and hours are meant.
        allow_zero: whether a price of zero is meant; else it is a bad row.
        currency: the tariff's; a `currency` column must agree. "" does not compare.
        max_rows: rows, after expansion, at which reading stops with a bad row.

    Yields:
        Rows in the file's order, `rate_id` being "line:prefix". A header that cannot be used is
        the only thing yielded. Blank lines are skipped wherever they are.

    Raises:
        ValueError: the time zone is not known.
    """
    zone = zone_of(timezone)
    numbered = enumerate(lines, 1)
    try:
        header = _header(numbered, mapping)
    except HeaderError as error:
        yield _bad(1, error.column, error.value, str(error))
        return
    reader = _RowReader(header, zone, allow_zero=allow_zero, currency=currency)
    count = 0
    for line, text in numbered:
        for row in reader.read(line, text):
            count += 1
            if count > max_rows:
                yield _bad(line, "", "", f"The file has more than {max_rows} rows.")
                return
            yield row


def _header(numbered: Iterator[tuple[int, str]], mapping: Mapping[str, str]) -> Header:
    text = next(numbered, (1, ""))[1].removeprefix("\ufeff")
    delimiter = declared_delimiter(text)
    if delimiter is not None:
        text = next(numbered, (1, ""))[1]
    delimiter = delimiter or likely_delimiter(text)
    try:
        return read_header(_cells(text, delimiter), mapping, delimiter)
    except CellError as error:
        raise HeaderError("", text, str(error)) from error


def _cells(text: str, delimiter: str) -> list[str]:
    """Splits one line; a quote left open is this line's fault and swallows no other."""
    if len(text) > MAX_LINE_CHARACTERS:
        raise CellError(f"The line is longer than {MAX_LINE_CHARACTERS} characters.")
    text = text.rstrip("\r\n")
    if '"' not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error as error:
        raise CellError("The quotes of this line do not match.") from error


def _bad(line: int, column: str, value: str, reason: str) -> BadRow:
    return BadRow(line, column, value[:SHOWN_CHARACTERS], reason)


class _BadCellError(Exception):
    """Carries a bad cell out of the row that it spoils."""

    def __init__(self, column: str, value: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value


class _RowReader:
    """Turns lines into rows by a header; remembers which prefixes it has seen."""

    __slots__ = ("_allow_zero", "_currency", "_has_currency", "_header", "_readers", "_seen")

    def __init__(self, header: Header, zone: ZoneInfo, *, allow_zero: bool, currency: str) -> None:
        self._header = header
        self._allow_zero = allow_zero
        self._currency = currency
        self._has_currency = bool(currency) and "currency" in header.positions
        self._seen: set[str] = set()
        readers: dict[str, tuple[str, Callable[[str], Any]]] = {
            "destination": ("destination", read_destination),
            "price_per_minute": ("price_micros_per_minute", read_micros),
            "connect_fee": ("connect_fee_micros", read_micros),
            "first_increment_s": ("first_increment_s", partial(read_seconds, least=1)),
            "next_increment_s": ("next_increment_s", partial(read_seconds, least=1)),
            "minimum_s": ("minimum_s", partial(read_seconds, least=0)),
            "effective_from": ("effective_from_ms", partial(read_instant, zone=zone)),
            "effective_to": ("effective_to_ms", partial(read_instant, zone=zone)),
            "days": ("days", _days),
            "hours": ("hours", _hours),
            "status": ("blocked", read_blocked),
        }
        self._readers = [
            (column, position, *readers[column])
            for column, position in header.positions.items()
            if column in readers
        ]

    def read(self, line: int, text: str) -> Iterator[RateRow | BadRow]:
        """Gives the rows of one line, several when its prefix cell holds several codes."""
        try:
            cells = _cells(text, self._header.delimiter)
            if not any(map(str.strip, cells)):
                return
            self._check_width(cells)
            values = self._values(cells)
            prefixes = self._prefixes(cells)
        except CellError as error:
            yield _bad(line, "", text, str(error))
            return
        except _BadCellError as error:
            yield _bad(line, error.column, error.value, str(error))
            return
        for prefix in prefixes:
            if self._is_new(prefix, values):
                yield RateRow(f"{line}:{prefix}", prefix, **values)
            else:
                yield _bad(line, "prefix", prefix, "An earlier row has this prefix and time.")

    def _check_width(self, cells: list[str]) -> None:
        if len(cells) > self._header.width and any(map(str.strip, cells[self._header.width :])):
            raise CellError(
                f"The line has {len(cells)} cells, the header {self._header.width}; "
                "is a comma within a cell not quoted?"
            )

    def _cell(self, cells: list[str], column: str) -> str:
        position = self._header.positions.get(column, len(cells))
        return cells[position].strip() if position < len(cells) else ""

    def _values(self, cells: list[str]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for column, position, field, read in self._readers:
            text = cells[position].strip() if position < len(cells) else ""
            if text or column == "destination":
                try:
                    values[field] = read(text)
                except ValueError as error:
                    raise _BadCellError(column, text, str(error)) from error
        self._check_price(values)
        if "effective_to_ms" in values:
            self._check_dates(cells, values)
        if self._has_currency:
            self._check_currency(cells)
        return values

    def _check_price(self, values: dict[str, Any]) -> None:
        blocked = values.get("blocked", False)
        if "price_micros_per_minute" not in values:
            if not blocked:
                raise _BadCellError("price_per_minute", "", "The price is missing.")
            values["price_micros_per_minute"] = 0
        if not (values["price_micros_per_minute"] or blocked or self._allow_zero):
            raise _BadCellError("price_per_minute", "0", "The price is zero; is that meant?")

    def _check_dates(self, cells: list[str], values: dict[str, Any]) -> None:
        start_ms = values.get("effective_from_ms")
        if start_ms is not None and values["effective_to_ms"] <= start_ms:
            text = self._cell(cells, "effective_to")
            raise _BadCellError("effective_to", text, "The row ends before it begins.")

    def _check_currency(self, cells: list[str]) -> None:
        text = self._cell(cells, "currency")
        if text and text.upper() != self._currency:
            raise _BadCellError("currency", text, f"The tariff's currency is {self._currency}.")

    def _prefixes(self, cells: list[str]) -> tuple[str, ...]:
        column, text = "country_code", ""
        country_code = ""
        try:
            if column in self._header.positions:
                text = self._cell(cells, column)
                country_code = read_country_code(text)
            column, text = "prefix", self._cell(cells, "prefix")
            return read_codes(text, country_code)
        except CellError as error:
            raise _BadCellError(column, text, str(error)) from error

    def _is_new(self, prefix: str, values: dict[str, Any]) -> bool:
        start_ms = values.get("effective_from_ms")
        days, hours = values.get("days", ""), values.get("hours", "")
        always = start_ms is None and not (days or hours)
        key = prefix if always else f"{prefix} {start_ms} {days} {hours}"
        if key in self._seen:
            return False
        self._seen.add(key)
        return True


_days = lru_cache(maxsize=1024)(canonical_days)
_hours = lru_cache(maxsize=1024)(canonical_hours)
