"""Reading a whole deck file."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.rating.deck import RateRow
from call_core.rating.deck_file import MAX_LINE_CHARACTERS, SHOWN_CHARACTERS, BadRow, read_deck

HEAD = "prefix,destination,price_per_minute"
FULL_HEAD = f"{HEAD},connect_fee,first_increment_s,next_increment_s,minimum_s"


def read(text: str, mapping: dict[str, str] | None = None) -> list[RateRow | BadRow]:
    """Reads a file's text in London."""
    return list(read_deck(text.splitlines(keepends=True), mapping or {}, "Europe/London"))


def bad(text: str) -> list[tuple[int, str, str]]:
    """Gives line, column and reason of every bad row."""
    return [(r.line, r.column, r.reason) for r in read(text) if isinstance(r, BadRow)]


def test_a_full_row_is_read() -> None:
    """Every column ends in its field."""
    text = (
        f"{FULL_HEAD},effective_from,effective_to,days,hours,country_code,status\n"
        '20,"United Kingdom, London",0.012,0.05,30,6,10,'
        "1970-01-01T00:00Z,1970-01-02T00:00Z,1-5,8:00-18:00,44,new\n"
    )
    assert read(text) == [
        RateRow(
            rate_id="2:4420",
            prefix="4420",
            destination="United Kingdom, London",
            price_micros_per_minute=12_000,
            connect_fee_micros=50_000,
            first_increment_s=30,
            next_increment_s=6,
            minimum_s=10,
            effective_from_ms=0,
            effective_to_ms=86_400_000,
            days="1-5",
            hours="08:00-18:00",
            blocked=False,
        )
    ]


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        (f"{HEAD}\n4420,London,0.012\n", {}),
        (f"\ufeff{HEAD}\r\n4420,London,0.012\r\n", {}),
        (f"{HEAD}\n4420,London,0.012", {}),
        (f"{FULL_HEAD}\n4420,London,0.012\n", {}),
        (f"{FULL_HEAD}\n4420,London,0.012,,,,\n", {}),
        (f"{HEAD}\n4420,London,0.012,,,\n", {}),
        (f'{HEAD}\n"4420", "London","0.012"\n', {}),
        ("prefix;destination;price_per_minute\n4420;London;0,012\n", {}),
        ("prefix\tdestination\tprice_per_minute\n4420\tLondon\t0.012\n", {}),
        ("Code|Name|Rate\n4420|London|0.012\n", {"prefix": "Code"}),
    ],
)
def test_files_that_mean_the_same_are_read_the_same(text: str, mapping: dict[str, str]) -> None:
    """Line ends, byte order mark, delimiter, quotes and empty cells change nothing."""
    if mapping:
        mapping = mapping | {"destination": "Name", "price_per_minute": "Rate"}
    assert read(text, mapping) == [RateRow("2:4420", "4420", "London", 12_000)]


def test_a_spreadsheets_separator_line_comes_before_the_header() -> None:
    """Line numbers count it, the delimiter is taken from it."""
    text = "\ufeffsep=;\r\nprefix;destination;price_per_minute\r\n4420;London;0.012\r\n"
    assert read(text) == [RateRow("3:4420", "4420", "London", 12_000)]


def test_several_codes_in_a_cell_become_several_rows() -> None:
    """Each code has its row and its own id."""
    rows = read(f'{HEAD}\n"70,71-72",Moscow,0.02\n')
    assert [row.rate_id for row in rows if isinstance(row, RateRow)] == ["2:70", "2:71", "2:72"]


def test_blank_rows_are_skipped() -> None:
    """Empty lines and lines of delimiters are not rows."""
    assert len(read(f"{HEAD}\n\n4420,London,0.012\n,,\n  \n,,,,\n\n")) == 1


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("9.3E+10,X,0.01", "prefix", "A spreadsheet turned this code into a number"),
        (",X,0.01", "prefix", "A prefix is digits"),
        ("44,,0.01", "destination", "The destination has no name."),
        ("44,X,", "price_per_minute", "The price is missing."),
        ("44,X", "price_per_minute", "The price is missing."),
        ("44,X,0", "price_per_minute", "The price is zero; is that meant?"),
        ("44,X,0.00", "price_per_minute", "The price is zero; is that meant?"),
        ("44,X,-1", "price_per_minute", "The amount is negative."),
        ("44,X,0.0000001", "price_per_minute", '"0.0000001" has more than 6 decimals.'),
        ("44,X,1,-1", "connect_fee", "The amount is negative."),
        ("44,X,1,0,0", "first_increment_s", "This is whole seconds from 1 to 3600."),
        ("44,X,1,0,1,0", "next_increment_s", "This is whole seconds from 1 to 3600."),
        ("44,X,1,0,1,1,x", "minimum_s", "This is whole seconds from 0 to 3600."),
        ("44,X,1,0,1,1,0,03/04/2026", "effective_from", "A date is written"),
        ("44,X,1,0,1,1,0,2026-04-03,2026-04-03", "effective_to", "The row ends before it begins."),
        ("44,X,1,0,1,1,0,,,Mon", "days", "Days are ISO weekdays"),
        ("44,X,1,0,1,1,0,,,1,8-9", "hours", "Hours are two different times"),
        ("44,X,1,0,1,1,0,,,1,,Q", "country_code", "A prefix is digits"),
        ("44,X,1,0,1,1,0,,,1,,,perhaps", "status", "A status is"),
        ('44,"X,0.01', "", "The quotes of this line do not match."),
        ('44,"X"Y,0.01', "", "The quotes of this line do not match."),
        ("44,X,1,0,1,1,0,,,,,,,extra", "", "The line has 14 cells, the header 13"),
    ],
)
def test_a_bad_row_is_named_and_the_next_is_read(row: str, column: str, reason: str) -> None:
    """Line, column and reason are given, and reading goes on."""
    head = f"{FULL_HEAD},effective_from,effective_to,days,hours,country_code,status"
    rows = read(f"{head}\n{row}\n7,Russia,0.02\n")
    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].column) == (2, column)
    assert rows[0].reason.startswith(reason)
    assert rows[1:] == [RateRow("3:7", "7", "Russia", 20_000)]


@pytest.mark.parametrize(
    "rows",
    [
        "44,A,1,,,\n44,B,2,,,",
        "44,A,1,2026-01-01,,\n44,B,2,2026-01-01,,",
        '44,A,1,,"1,2,3",8:00-9:00\n44,B,2,,1-3,08:00-09:00',
        "44,A,1,,1-7,\n44,B,2,,,00:00-24:00",
        "44,A,1,2026-01-01,1-7,\n44,B,2,2026-01-01,,",
        '"44,44",A,1,,,',
    ],
)
def test_a_repeated_prefix_and_time_is_refused(rows: str) -> None:
    """Two prices for the same number at the same time are a mistake, however they are spelt."""
    reasons = bad(f"{HEAD},effective_from,days,hours\n{rows}\n")
    assert [reason for *_, reason in reasons] == ["An earlier row has this prefix and time."]


def test_other_times_of_the_same_prefix_are_other_rows() -> None:
    """Dates, days and hours tell rows of one prefix apart, the epoch itself too."""
    text = (
        f"{HEAD},effective_from,days,hours\n44,A,1,,,\n44,A,1,1970-01-01T00:00Z,,\n"
        "44,A,1,2026-01-01,,\n44,A,1,,6,\n44,A,1,,,08:00-09:00\n"
    )
    assert bad(text) == []


def test_a_blocked_row_needs_no_price() -> None:
    """What is not sold costs nothing."""
    blocked = RateRow("2:4470", "4470", "Personal", 0, blocked=True)
    assert read(f"{HEAD},status\n4470,Personal,,blocked\n") == [blocked]
    assert read(f"{HEAD},status\n4470,Personal,0,Closed\n") == [blocked]


def test_zero_prices_are_read_when_they_are_meant() -> None:
    """Somebody who says so may give calls away."""
    lines = [HEAD, "44,Friends,0"]
    assert list(read_deck(lines, {}, "UTC", allow_zero=True)) == [
        RateRow("2:44", "44", "Friends", 0)
    ]


@pytest.mark.parametrize(
    ("cell", "currency", "bad_rows"),
    [("USD", "USD", 0), ("usd", "USD", 0), ("", "USD", 0), ("EUR", "", 0), ("EUR", "USD", 1)],
)
def test_a_currency_column_must_agree(cell: str, currency: str, bad_rows: int) -> None:
    """Euros are not loaded as dollars."""
    rows = list(read_deck([f"{HEAD},currency", f"44,A,1,{cell}"], {}, "UTC", currency=currency))
    assert [type(row) for row in rows] == [BadRow if bad_rows else RateRow]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", "prefix"),
        ("44,London,0.01\n", "prefix"),
        ('"prefix\n44,A,1\n', ""),
        ("sep=;", "prefix"),
    ],
)
def test_without_a_usable_header_nothing_is_read(text: str, column: str) -> None:
    """A file without header gives one bad row, and no prices in wrong columns."""
    rows = read(text)
    assert len(rows) == 1
    assert isinstance(rows[0], BadRow)
    assert (rows[0].line, rows[0].column) == (1, column)


def test_a_line_has_its_limit() -> None:
    """The longest line is read, one character more is refused without being repeated whole."""
    spaces = " " * (MAX_LINE_CHARACTERS - len("44,A,1"))
    assert read(f"{HEAD}\n44,A,1{spaces}") == [RateRow("2:44", "44", "A", 1_000_000)]
    (row,) = read(f"{HEAD}\n44,A,1{spaces} ")
    assert isinstance(row, BadRow)
    assert row.reason == f"The line is longer than {MAX_LINE_CHARACTERS} characters."
    assert len(row.value) == SHOWN_CHARACTERS


def test_a_file_has_its_limit() -> None:
    """So many rows are read; the next one ends the reading."""
    lines = [HEAD, "1,A,1", "2,A,1", "3,A,1", "4,A,1"]
    assert len(list(read_deck(lines[:4], {}, "UTC", max_rows=3))) == 3
    *rows, last = read_deck([*lines, "5,A,1"], {}, "UTC", max_rows=3)
    assert len(rows) == 3
    assert last == BadRow(5, "", "", "The file has more than 3 rows.")


def test_an_unknown_time_zone_is_refused() -> None:
    """Dates cannot be read by a clock that does not exist."""
    with pytest.raises(ValueError, match="not a time zone"):
        list(read_deck([HEAD], {}, "Mars/Base"))


@given(st.lists(st.text(max_size=40), max_size=5))
def test_no_text_breaks_the_reader(rows: list[str]) -> None:
    """Every line of rubbish is a bad row, a blank one, or a row."""
    lines = [HEAD, *rows]
    assert all(isinstance(row, (RateRow, BadRow)) for row in read_deck(lines, {}, "UTC"))
