"""The header of a deck file."""

import pytest

from call_core.rating.deck_header import (
    COLUMNS,
    HeaderError,
    declared_delimiter,
    likely_delimiter,
    read_header,
)

OURS = "prefix,destination,price_per_minute"


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("sep=;\r\n", ";"), ('"SEP=,"', ","), ("sep=\t\n", "\t"), ("sep=x", None), ("prefix;a", None)],
)
def test_a_declared_delimiter_is_read(line: str, delimiter: str | None) -> None:
    """The line that a spreadsheet writes before the header names the delimiter."""
    assert declared_delimiter(line) == delimiter


@pytest.mark.parametrize(
    ("line", "delimiter"),
    [("a;b;c,d", ";"), ("a,b", ","), ("a\tb\tc", "\t"), ("a|b", "|"), ("a", ","), ("", ",")],
)
def test_the_most_frequent_delimiter_is_likely(line: str, delimiter: str) -> None:
    """What separates the header's names separates the cells."""
    assert likely_delimiter(line) == delimiter


@pytest.mark.parametrize(
    ("names", "mapping", "positions"),
    [
        (OURS, {}, "prefix=0 destination=1 price_per_minute=2"),
        (
            "Price per Minute,PREFIX, Destination ",
            {},
            "prefix=1 destination=2 price_per_minute=0",
        ),
        (
            "Dial Code,Country,Rate (USD)",
            {"prefix": "dial code", "destination": "Country", "price_per_minute": "Rate (USD)"},
            "prefix=0 destination=1 price_per_minute=2",
        ),
        (f"{OURS},comment,,", {}, "prefix=0 destination=1 price_per_minute=2"),
        (f"{OURS},Opening hours", {"hours": ""}, "prefix=0 destination=1 price_per_minute=2"),
        (
            f"{OURS},Opening hours",
            {"hours": "opening hours"},
            "prefix=0 destination=1 price_per_minute=2 hours=3",
        ),
    ],
)
def test_columns_are_found(names: str, mapping: dict[str, str], positions: str) -> None:
    """Our names in any spelling, the carrier's by the mapping, others ignored."""
    header = read_header(names.split(","), mapping, ",")
    found = {f"{column}={position}" for column, position in header.positions.items()}
    assert found == set(positions.split())
    assert header.width == len(names.split(","))


def test_every_column_is_found_under_its_own_name() -> None:
    """The whole list of columns makes a header."""
    assert len(read_header(COLUMNS, {}, ",").positions) == len(COLUMNS)


@pytest.mark.parametrize(
    ("names", "mapping", "column", "reason"),
    [
        ("prefix,destination", {}, "price_per_minute", "The file has no column price_per_minute."),
        ("", {}, "prefix", "The file has no column prefix."),
        (OURS, {"prefix": ""}, "prefix", "The file has no column ."),
        (OURS, {"days": "Weekdays"}, "days", "The file has no column weekdays."),
        (OURS, {"colour": "prefix"}, "colour", "We have no column colour."),
        (f"{OURS},prefix", {}, "prefix", "Two columns of the file have this name."),
        (f"{OURS},conect_fee", {}, "connect_fee", "Is conect_fee the column connect_fee?"),
        (f"{OURS},conect_fe", {}, "connect_fee", "Is conect_fe the column connect_fee?"),
        (f"{OURS},connexionfee", {}, None, ""),
        (f"{OURS},connect_fe_", {}, "connect_fee", "Is connect_fe the column connect_fee?"),
        (f"{OURS},Connect fee EUR", {}, "connect_fee", "Is connect_fee_eur the column"),
        (f"{OURS},day", {}, "days", "Is day the column days?"),
        (f"{OURS},dayz1", {}, None, ""),
        (f"{OURS},d", {}, None, ""),
    ],
)
def test_a_header_that_could_lose_money_is_refused(
    names: str, mapping: dict[str, str], column: str | None, reason: str
) -> None:
    """Missing, doubled and misspelt columns are named; other columns are nobody's business."""
    if column is None:
        assert len(read_header(names.split(","), mapping, ",").positions) == 3
        return
    with pytest.raises(HeaderError) as caught:
        read_header(names.split(","), mapping, ",")
    assert caught.value.column == column
    assert str(caught.value).startswith(reason)
