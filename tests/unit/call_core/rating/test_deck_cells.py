"""Cells of a carrier's price list."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from call_core.rating.deck_cells import (
    MAX_AMOUNT_MICROS,
    MAX_CODES_PER_CELL,
    MAX_DESTINATION_CHARACTERS,
    MAX_INCREMENT_S,
    CellError,
    read_blocked,
    read_codes,
    read_country_code,
    read_destination,
    read_instant,
    read_micros,
    read_seconds,
)


@pytest.mark.parametrize(
    ("text", "country_code", "codes"),
    [
        ("4420", "", "4420"),
        (" 4420 ", "", "4420"),
        ("+4420", "", "4420"),
        ("004420", "", "4420"),
        ("0114420", "", "4420"),
        ("1193", "", "1193"),
        ("70,71,72-79", "", "70 71 72 73 74 75 76 77 78 79"),
        ("70; 71", "", "70 71"),
        ("4;420", "", "4 420"),
        ("351,352", "", "351 352"),
        ("21,684", "1", "121 1684"),
        ("4470 - 4472", "", "4470 4471 4472"),
        ("0098-0102", "", None),
        ("09-11", "39", "3909 3910 3911"),
        ("06", "39", "3906"),
        ("", "39", "39"),
        ("123456789012345", "", "123456789012345"),
    ],
)
def test_codes_are_read(text: str, country_code: str, codes: str | None) -> None:
    """Access prefixes are dropped, lists and ranges expanded, Italy's zero kept."""
    if codes is None:
        with pytest.raises(CellError, match="range of codes"):
            read_codes(text, country_code)
    else:
        assert " ".join(read_codes(text, country_code)) == codes


@pytest.mark.parametrize(
    ("text", "country_code", "reason"),
    [
        ("", "", "A prefix is digits"),
        ("44 20", "", "A prefix is digits"),
        ("London", "", "A prefix is digits"),
        ("\u0664\u0664", "", "A prefix is digits"),
        ("\u00b2", "", "A prefix is digits"),
        ("70,,71", "", "A prefix is digits"),
        ("++44", "", "A prefix is digits"),
        ("4,420", "", "Separate codes by a semicolon"),
        ("44,207,946", "", "Separate codes by a semicolon"),
        ("9.3E+10", "", "A spreadsheet turned"),
        ("4.42E11", "", "A spreadsheet turned"),
        ("9,3E+10", "", "A spreadsheet turned"),
        ("4420.0", "", "A spreadsheet turned"),
        ("020", "", "the country code is missing"),
        ("00044", "", "the country code is missing"),
        ("79-72", "", "A range of codes"),
        ("72-9", "", "A range of codes"),
        ("1234567890123456", "", "at most 15 digits"),
        ("12345678901234", "44", "at most 15 digits"),
    ],
)
def test_damaged_codes_are_refused(text: str, country_code: str, reason: str) -> None:
    """What is not certainly a prefix is refused with its reason."""
    with pytest.raises(CellError, match=reason):
        read_codes(text, country_code)


def test_a_cell_holds_so_many_codes_and_no_more() -> None:
    """The limit holds for ranges and for lists."""
    assert len(read_codes(f"10000-{9999 + MAX_CODES_PER_CELL}", "")) == MAX_CODES_PER_CELL
    for text in (
        f"10000-{10000 + MAX_CODES_PER_CELL}",
        f"10000-{9999 + MAX_CODES_PER_CELL},3",
        "100000000000000-999999999999999",
    ):
        with pytest.raises(CellError, match=f"more than {MAX_CODES_PER_CELL} codes"):
            read_codes(text, "")


@pytest.mark.parametrize(("text", "code"), [("", ""), ("+39", "39"), ("0039", "39"), (" 1 ", "1")])
def test_country_codes_are_read(text: str, code: str) -> None:
    """A country code column may have an access prefix or be empty."""
    assert read_country_code(text) == code


@pytest.mark.parametrize("text", ["IT", "0", "3.9E+1"])
def test_other_country_codes_are_refused(text: str) -> None:
    """A country code is digits and starts with another than 0."""
    with pytest.raises(CellError):
        read_country_code(text)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0.012", 12_000),
        ("0,012", 12_000),
        ("0,125", 125_000),
        ("12,5", 12_500_000),
        ("1,2345", 1_234_500),
        ("1.234", 1_234_000),
        ("0.01250000", 12_500),
        ("0", 0),
        ("1000000", MAX_AMOUNT_MICROS),
    ],
)
def test_prices_are_read_exactly(text: str, micros: int) -> None:
    """Decimal point or unmistakable decimal comma; zeros past the sixth decimal are nothing."""
    assert read_micros(text) == micros


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,234", "may mean thousands"),
        ("12,345", "may mean thousands"),
        ("1,234.5", "not an amount"),
        ("1.234,5", "not an amount"),
        ("1,2,3", "not an amount"),
        ("$0.012", "not an amount"),
        ("1.2E-2", "not an amount"),
        ("abc", "not an amount"),
        ("0.0000001", "more than 6 decimals"),
        ("0.01200001", "more than 6 decimals"),
        ("-0.01", "negative"),
        ("1000000.000001", "larger than any price"),
    ],
)
def test_doubtful_prices_are_refused(text: str, reason: str) -> None:
    """What could be read in two ways, or not exactly, is refused."""
    with pytest.raises(CellError, match=reason):
        read_micros(text)


@pytest.mark.parametrize(
    ("text", "least", "seconds"), [("1", 1, 1), ("0", 0, 0), (str(MAX_INCREMENT_S), 1, 3600)]
)
def test_seconds_are_read(text: str, least: int, seconds: int) -> None:
    """Whole seconds up to the limit."""
    assert read_seconds(text, least) == seconds


@pytest.mark.parametrize(
    "text", ["0", str(MAX_INCREMENT_S + 1), "-1", "6.0", "", "9" * 50, "\u00b2"]
)
def test_other_seconds_are_refused(text: str) -> None:
    """Nothing below the least, past the limit or not whole."""
    with pytest.raises(CellError, match="whole seconds from 1 to 3600"):
        read_seconds(text, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-07-01", "2026-06-30T22:00+00:00"),
        ("2026-12-01", "2026-11-30T23:00+00:00"),
        ("2026-07-01 08:30", "2026-07-01T06:30+00:00"),
        ("2026-07-01T08:30:15", "2026-07-01T06:30:15+00:00"),
        ("2026-07-01T08:30Z", "2026-07-01T08:30+00:00"),
        ("2026-07-01T08:30-05:00", "2026-07-01T13:30+00:00"),
        ("1969-12-31T23:59Z", "1969-12-31T23:59+00:00"),
    ],
)
def test_dates_are_read_in_the_decks_zone(text: str, expected: str) -> None:
    """A date is its midnight by the deck's clock, unless it brings its own offset."""
    instant_ms = int(datetime.fromisoformat(expected).timestamp()) * 1000
    assert read_instant(text, ZoneInfo("Europe/Berlin")) == instant_ms


@pytest.mark.parametrize(
    "text", ["01/03/2026", "31.12.2026", "2026-13-01", "20260301", "2026-02-30", "tomorrow", ""]
)
def test_other_dates_are_refused(text: str) -> None:
    """Only the ISO form cannot be misread, and the day must exist."""
    with pytest.raises(CellError, match="A date is written"):
        read_instant(text, ZoneInfo("UTC"))


def test_destinations_are_put_in_order() -> None:
    """Spaces are put in order; the name fits its limit and can be printed."""
    assert read_destination("  United  Kingdom ") == "United Kingdom"
    longest = "x" * MAX_DESTINATION_CHARACTERS
    assert read_destination(longest) == longest


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (" ", "no name"),
        ("x" * (MAX_DESTINATION_CHARACTERS + 1), "longer than"),
        ("a\x00", "printed"),
    ],
)
def test_other_destinations_are_refused(text: str, reason: str) -> None:
    """A destination has a name that people can read."""
    with pytest.raises(CellError, match=reason):
        read_destination(text)


@pytest.mark.parametrize(
    ("text", "blocked"),
    [("Blocked", True), ("closed", True), ("", False), ("New", False), ("No  change", False)],
)
def test_statuses_are_read(text: str, blocked: bool) -> None:  # noqa: FBT001  (a table's column)
    """Carriers' words say whether a destination is sold."""
    assert read_blocked(text) is blocked


def test_an_unknown_status_is_refused() -> None:
    """A word that might mean either is not guessed."""
    with pytest.raises(CellError, match="A status is"):
        read_blocked("maybe")
