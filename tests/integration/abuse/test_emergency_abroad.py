"""Emergency numbers of twenty and more countries, from a user who is at home there."""

import pytest

from call_core.numbering.emergency import is_emergency_in

NUMBERS = {
    "US": "911", "CA": "911", "MX": "911", "BR": "190 192 193", "AR": "911 107 100",
    "GB": "999 112", "IE": "999 112", "FR": "15 17 18 112", "DE": "110 112", "IT": "112 113 118",
    "ES": "112", "CH": "112 117 118 144", "AT": "112 122 133 144", "BE": "101 112", "NL": "112",
    "SE": "112", "PL": "112 997 998 999", "RU": "112 101 102 103", "CN": "110 119 120",
    "JP": "110 119", "KR": "112 119", "IN": "100 101 108 112", "AU": "000 112", "NZ": "111",
    "ZA": "10111 10177 112", "IL": "100 101 102",
}  # fmt: skip
CASES = [(country, number) for country, numbers in NUMBERS.items() for number in numbers.split()]


@pytest.mark.parametrize(("country", "number"), CASES)
def test_an_emergency_number_of_the_country_is_heard(country: str, number: str) -> None:
    """Whatever its length; bare and behind punctuation."""
    assert is_emergency_in(number, [country])
    assert is_emergency_in(f" {number}! ", [country])
