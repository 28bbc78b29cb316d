"""Which row holds for a number at an instant."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.rating.deck import RateDeck, RateRow

# rate_id prefix price days hours from to
ROWS = """
    country      44    20000 -   -           -                -
    london       4420  30000 -   -           -                -
    peak         441   50000 1-5 08:00-18:00 -                -
    always       441   40000 -   -           -                -
    old          331   10000 -   -           -                2026-07-01T00:00
    new          331   11000 -   -           2026-06-01T00:00 -
    weekend      332   5000  6,7 -           -                -
    daytime      332   6000  -   08:00-18:00 -                -
    future       3320  9000  -   -           2027-01-01T00:00 -
    newer-peak   333   7000  -   08:00-20:00 2026-06-01T00:00 -
    older-peak   333   8000  -   08:00-18:00 2026-05-01T00:00 -
    same-b       334   1000  -   -           -                -
    same-a       334   2000  -   -           -                -
    night        335   3000  -   01:00-03:00 -                -
    day          335   4000  -   -           -                -
    ended        336   4000  -   -           -                2026-06-01T00:00
    blocked      4470  0     -   -           -                -
"""
# digits, local time in London, the row that holds
LOOK_UPS = """
    442079460018 2026-06-01T12:00 london
    443300000000 2026-06-01T12:00 country
    4420         2026-06-01T12:00 london
    442          2026-06-01T12:00 country
    4            2026-06-01T12:00 -
    15555550100  2026-06-01T12:00 -
    441632960000 2026-06-01T08:00 peak
    441632960000 2026-06-01T17:59 peak
    441632960000 2026-06-01T18:00 always
    441632960000 2026-06-06T12:00 always
    331000000000 2026-05-31T23:59 old
    331000000000 2026-06-01T00:00 new
    331000000000 2026-07-01T00:00 new
    332000000000 2026-06-06T20:00 weekend
    332000000000 2026-06-01T12:00 daytime
    332000000000 2026-06-06T12:00 weekend
    332000000000 2026-06-01T20:00 -
    332000000000 2026-12-31T23:59 -
    332000000000 2027-01-01T00:00 future
    333000000000 2026-06-01T12:00 newer-peak
    333000000000 2026-05-31T12:00 older-peak
    334000000000 2026-06-01T12:00 same-a
    335000000000 2026-06-01T02:00 night
    336000000000 2026-05-31T23:59 ended
    336000000000 2026-06-01T00:00 -
    447000900000 2026-06-01T12:00 blocked
"""
ZONE = ZoneInfo("Europe/London")


def instant_ms(local: str) -> int:
    """Gives ms since 1970 UTC of a London wall clock reading."""
    return int(datetime.fromisoformat(local).replace(tzinfo=ZONE).timestamp()) * 1000


def rows() -> list[RateRow]:
    """Reads the table above."""
    read = []
    for line in ROWS.strip().splitlines():
        rate_id, prefix, price, days, hours, start, end = line.split()
        read.append(
            RateRow(
                rate_id,
                prefix,
                destination=rate_id,
                price_micros_per_minute=int(price),
                effective_from_ms=None if start == "-" else instant_ms(start),
                effective_to_ms=None if end == "-" else instant_ms(end),
                days="" if days == "-" else days,
                hours="" if hours == "-" else hours,
                blocked=rate_id == "blocked",
            )
        )
    return read


DECK = RateDeck("retail", 3, "USD", "Europe/London", 100, rows())


@pytest.mark.parametrize("case", LOOK_UPS.strip().splitlines())
def test_the_right_row_holds(case: str) -> None:
    """Longest effective prefix, window before always, newer before older, narrow before wide."""
    digits, local, expected = case.split()
    row = DECK.find(digits, instant_ms(local))
    assert (row.rate_id if row else "-") == expected


def test_the_longest_prefix_beats_the_cheapest() -> None:
    """London is dearer than the rest of the country, and London is what is charged."""
    row = DECK.find("442079460018", 0)
    assert row is not None
    assert row.price_micros_per_minute > 20_000


def test_a_blocked_row_is_found_and_says_so() -> None:
    """A blocked prefix is not sold at the price of the shorter one."""
    row = DECK.find("447000900000", 0)
    assert row is not None
    assert row.blocked


# Clocks went forward on 29 March 2026 at 01:00 UTC and back on 25 October at 01:00 UTC.
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-03-29T00:59+00:00", "day"),
        ("2026-03-29T01:00+00:00", "night"),
        ("2026-03-29T01:59+00:00", "night"),
        ("2026-03-29T02:00+00:00", "day"),
        ("2026-10-25T00:00+00:00", "night"),
        ("2026-10-25T01:00+00:00", "night"),
        ("2026-10-25T02:59+00:00", "night"),
        ("2026-10-25T03:00+00:00", "day"),
    ],
)
def test_hours_follow_the_decks_clock_over_the_change_to_summer_time(
    at: str, expected: str
) -> None:
    """From 01:00 to 03:00 local time is one hour long in spring and three in autumn."""
    row = DECK.find("335000000000", int(datetime.fromisoformat(at).timestamp()) * 1000)
    assert row is not None
    assert row.rate_id == expected


def test_rows_come_longest_prefix_first_and_in_order_of_precedence() -> None:
    """All rows are there, and a prefix's rows are in the order in which they are tried."""
    assert sorted(row.rate_id for row in DECK.rows()) == sorted(row.rate_id for row in rows())
    lengths = [len(row.prefix) for row in DECK.rows()]
    assert lengths == sorted(lengths, reverse=True)
    assert [row.rate_id for row in DECK.rows_of("441")] == ["peak", "always"]
    assert DECK.rows_of("99") == ()
    assert DECK.rows_of("123456789") == ()


@pytest.mark.parametrize(
    ("timezone", "quantum", "row_hours", "reason"),
    [
        ("Mars/Base", 100, "", '"Mars/Base" is not a time zone'),
        ("../etc", 100, "", "is not a time zone"),
        ("", 100, "", "is not a time zone"),
        ("UTC", 0, "", "above zero"),
        ("UTC", 100, "late", "Hours are"),
    ],
)
def test_a_deck_that_makes_no_sense_is_refused(
    timezone: str, quantum: int, row_hours: str, reason: str
) -> None:
    """Time zone, rounding step and windows are checked when the deck is made."""
    row = RateRow("1", "1", "one", 1, hours=row_hours)
    with pytest.raises(ValueError, match=reason):
        RateDeck("retail", 1, "USD", timezone, quantum, [row])


@given(
    st.lists(st.text("01", min_size=1, max_size=6), max_size=20),
    st.text("01", min_size=1, max_size=9),
)
def test_find_agrees_with_looking_at_every_row(prefixes: list[str], digits: str) -> None:
    """The tables find what a search through all rows finds."""
    deck = RateDeck("t", 1, "USD", "UTC", 100, [RateRow(p, p, p, 1) for p in set(prefixes)])
    longest = max((p for p in prefixes if digits.startswith(p)), key=len, default=None)
    row = deck.find(digits, 0)
    assert (row.prefix if row else None) == longest
