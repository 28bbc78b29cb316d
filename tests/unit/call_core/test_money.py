"""Decimal text to micros and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.money import (
    CURRENCIES,
    MAX_WHOLE_DIGITS,
    MICROS,
    currency_of_symbol,
    format_amount,
    format_money,
    parse_amount,
)

LARGEST = 10**MAX_WHOLE_DIGITS * MICROS - 1
GSM_7_TEXT = re.compile(r"[A-Z$0-9 .-]+")


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0", 0),
        ("1", 1_000_000),
        ("1.25", 1_250_000),
        (".5", 500_000),
        ("-0.50", -500_000),
        ("0.000001", 1),
        ("007", 7_000_000),
        ("-0", 0),
        ("999999999999.999999", LARGEST),
    ],
)
def test_parse_amount_reads_decimals_exactly(text: str, micros: int) -> None:
    """A decimal string becomes exactly its micros."""
    assert parse_amount(text) == micros


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", '"" is not an amount; write it like 1.25.'),
        (".", '"." is not an amount; write it like 1.25.'),
        ("-", '"-" is not an amount; write it like 1.25.'),
        ("5.", '"5." is not an amount; write it like 1.25.'),
        ("+5", '"+5" is not an amount; write it like 1.25.'),
        ("1,25", '"1,25" is not an amount; write it like 1.25.'),
        ("1e3", '"1e3" is not an amount; write it like 1.25.'),
        ("NaN", '"NaN" is not an amount; write it like 1.25.'),
        (" 1", '" 1" is not an amount; write it like 1.25.'),
        ("1\n", '"1\n" is not an amount; write it like 1.25.'),
        ("\u0661", '"\u0661" is not an amount; write it like 1.25.'),
        ("$" * 99, f'"{"$" * 24}" is not an amount; write it like 1.25.'),
        ("0.0000001", '"0.0000001" has more than 6 decimals.'),
        ("1000000000000", None),
        ("9999999999999", '"9999999999999" is too large; 12 digits are the limit.'),
    ],
)
def test_parse_amount_refuses_the_rest_in_a_sentence(text: str, reason: str | None) -> None:
    """What is not a decimal number within the limits is refused with its reason."""
    with pytest.raises(ValueError, match=re.escape(reason or "is too large")) as caught:
        parse_amount(text)
    assert reason is None or str(caught.value) == reason


@pytest.mark.parametrize(
    ("micros", "places", "text"),
    [
        (1_250_000, 2, "1.25"),
        (12_500, 2, "0.0125"),
        (12_500, 0, "0.0125"),
        (3_000_000, 2, "3.00"),
        (3_000_000, 0, "3"),
        (3_000_000, 6, "3.000000"),
        (-1, 2, "-0.000001"),
        (0, 2, "0.00"),
        (-500_000, 2, "-0.50"),
    ],
)
def test_format_amount_is_exact(micros: int, places: int, text: str) -> None:
    """At least so many decimals, more only when the amount needs them."""
    assert format_amount(micros, places) == text


@given(st.integers(-LARGEST, LARGEST), st.integers(0, 6))
def test_formatting_loses_nothing(micros: int, places: int) -> None:
    """Every amount survives the way to text and back."""
    assert parse_amount(format_amount(micros, places)) == micros


@pytest.mark.parametrize(
    ("micros", "currency", "text"),
    [
        (1_250_000, "USD", "$1.25"),
        (-500_000, "USD", "-$0.50"),
        (3_200_000, "EUR", "EUR 3.20"),
        (-3_200_000, "GBP", "-GBP 3.20"),
        (120_000_000, "JPY", "JPY 120"),
        (1_500_000, "KWD", "KWD 1.500"),
        (12_500, "USD", "$0.0125"),
        (1_000_000, "XTS", "XTS 1.00"),
    ],
)
def test_format_money_for_people(micros: int, currency: str, text: str) -> None:
    """People see the dollar sign or the currency's code, with the coin's decimals."""
    assert format_money(micros, currency) == text


@given(st.integers(-LARGEST, LARGEST), st.sampled_from(sorted(CURRENCIES)))
def test_money_costs_nothing_extra_in_a_short_message(micros: int, currency: str) -> None:
    """Every formatted amount stays within the GSM 7-bit default alphabet."""
    assert GSM_7_TEXT.fullmatch(format_money(micros, currency))


@pytest.mark.parametrize(
    ("symbol", "code"),
    [
        ("$", "USD"),
        ("€", "EUR"),
        ("£", "GBP"),
        ("c$", "CAD"),
        ("eur", "EUR"),
        ("USD", "USD"),
        ("", None),
        ("ZZZ", None),
        ("5", None),
    ],
)
def test_currency_of_symbol(symbol: str, code: str | None) -> None:
    """Signs and codes name a currency; anything else names none."""
    assert currency_of_symbol(symbol) == code


def test_currency_codes_have_three_letters_and_few_decimals() -> None:
    """The table holds ISO 4217 codes with 0, 2 or 3 decimals, each once."""
    assert all(re.fullmatch("[A-Z]{3}", code) for code in CURRENCIES)
    assert set(CURRENCIES.values()) == {0, 2, 3}
    assert len(CURRENCIES) > 150
