"""The demo's rate deck covers the world."""

from functools import cache

import phonenumbers
import pytest

from call_core.rating.deck import RateRow
from call_core.rating.deck_file import BadRow, read_deck
from gateway.demo import make_rates
from gateway.demo.world import RATES


@cache
def deck() -> dict[str, list[RateRow]]:
    """Return the rows of the file by prefix."""
    found: dict[str, list[RateRow]] = {}
    for row in read_deck(RATES.read_text(encoding="utf-8").splitlines(), {}, "UTC"):
        assert not isinstance(row, BadRow), row
        found.setdefault(row.prefix, []).append(row)
    return found


def longest(number: str) -> RateRow:
    """Return the always-valid row of the longest prefix of a number."""
    digits = number.removeprefix("+")
    for length in range(len(digits), 0, -1):
        for row in deck().get(digits[:length], ()):
            if not (row.days or row.hours):
                return row
    raise AssertionError(f"no row for {number}")


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_country_can_be_called(region: str) -> None:
    """Its example number has a price."""
    number = phonenumbers.example_number(region)
    assert number is not None
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    row = longest(e164)
    assert row.price_micros_per_minute > 0
    assert not row.blocked


@pytest.mark.parametrize(
    ("number", "destination", "blocked"),
    [
        ("+442079460018", "United Kingdom, London", False),
        ("+447400123456", "United Kingdom, mobile", False),
        ("+12125551000", "United States, New York", False),
        ("+14165550123", "Canada", False),
        ("+18765550123", "Jamaica", False),
        ("+870773111632", "Satellite, Inmarsat", False),
        ("+19005550123", "United States, premium rate", True),
        ("+979123456789", "International premium rate", True),
    ],
)
def test_known_destinations(number: str, destination: str, blocked: bool) -> None:  # noqa: FBT001  (a column)
    """Cities, mobiles, islands, satellites and premium numbers are told apart."""
    row = longest(number)
    assert (row.destination, row.blocked) == (destination, blocked)


def test_some_prices_depend_on_the_hour() -> None:
    """Evenings and weekends are cheaper where the deck says so."""
    day, *cheap = sorted(deck()["91"], key=lambda row: -row.price_micros_per_minute)
    assert (day.days, day.hours) == ("", "")
    assert {row.days for row in cheap} == {"1-5", "6-7"} or len(cheap) == 2
    assert all(row.price_micros_per_minute < day.price_micros_per_minute for row in cheap)


def test_the_prices_of_the_compared_call_do_not_depend_on_the_hour() -> None:
    """Else two channels' calls could differ by when they were made."""
    for prefix in ("4420", "1212"):
        assert [(row.days, row.hours) for row in deck()[prefix]] == [("", "")]


def test_the_file_is_what_the_module_makes() -> None:
    """Making the deck again gives the file, but for what the numbering plan has changed since."""
    made = set(make_rates.rows())
    kept = set(RATES.read_text(encoding="utf-8").splitlines())
    assert make_rates.HEADER in made
    assert len(made ^ kept) < len(kept) // 10
