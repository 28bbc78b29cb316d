from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers.timezone import time_zones_for_number

from call_core.numbering import (
    E164,
    Home,
    countries,
    country_name,
    describe,
    example_for,
    normalise,
    zones_of,
)
from call_core.numbering.countries import international_prefix_length, library_number

GSM_7_LETTERS = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz '()-&.")


def _number(text: str) -> E164:
    number = normalise(text, Home("US"))
    assert isinstance(number, E164), number
    return number


def test_every_region_has_a_plain_name() -> None:
    """Every region that libphonenumber knows has a name that costs nothing extra in an SMS."""
    for region in phonenumbers.SUPPORTED_REGIONS:
        assert set(countries()[region].name) <= GSM_7_LETTERS, region


def test_names_and_aliases_are_unique() -> None:
    """No name stands for two countries."""
    names = [n.casefold() for c in countries().values() for n in (c.name, *c.aliases)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("code", "name"), [("GB", "United Kingdom"), ("CI", "Ivory Coast"), ("XX", "XX"), ("", "")]
)
def test_country_name(code: str, name: str) -> None:
    """A code that nobody knows is shown as it is."""
    assert country_name(code) == name


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_number_becomes_libphonenumbers_own_without_being_parsed_again(region: str) -> None:
    """Of every type in every country, leading zeros kept; its clocks are those of the library."""
    for kind in phonenumbers.PhoneNumberType.values():
        parsed = phonenumbers.example_number_for_type(region, kind)
        if parsed is None or not phonenumbers.is_valid_number(parsed):
            continue
        digits = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        number = normalise(digits, Home(""))
        assert isinstance(number, E164), digits
        again = library_number(number)
        assert again == phonenumbers.parse(digits)
        assert number.region == phonenumbers.region_code_for_number(parsed)
        zones = [zone for zone in time_zones_for_number(again) if zone != "Etc/Unknown"]
        assert not zones_of(number) or list(zones_of(number)) == zones


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_examples_of_every_country_are_valid(region: str) -> None:
    """Each example given to people can be read back as a number of that country's plan."""
    examples = example_for(region)
    assert examples is not None
    assert examples.international_prefix
    home = Home(region)
    national = normalise(examples.national, home)
    assert isinstance(national, E164), national
    assert national.country_code == examples.country_code
    for text in (examples.international, examples.mobile):
        assert isinstance(normalise(text, Home("")), E164), text
    abroad = normalise(f"{examples.international_prefix} 44 20 7946 0018", home)
    assert isinstance(abroad, E164), abroad
    assert abroad.digits == "+442079460018"


def test_examples_of_known_countries() -> None:
    """Prefixes and codes are those printed on phone cards."""
    us, gb, russia = example_for("US"), example_for("GB"), example_for("RU")
    assert us is not None
    assert gb is not None
    assert russia is not None
    assert (us.international_prefix, us.country_code, us.trunk_prefix) == ("011", 1, "1")
    assert (gb.international_prefix, gb.country_code, gb.trunk_prefix) == ("00", 44, "0")
    assert (russia.international_prefix, russia.trunk_prefix) == ("810", "8")
    assert example_for("AQ") is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+442079460018", ("United Kingdom", "GB")),
        ("+18765551234", ("Jamaica", "JM")),
        ("+870773111632", ("Inmarsat satellite", "001")),
        ("+88810123456789", ("International aid", "001")),
    ],
)
def test_describe(text: str, expected: tuple[str, str]) -> None:
    """A number is described by its region, codes of no country by what they are."""
    number = normalise(text, Home(""))
    if not isinstance(number, E164):
        pytest.fail(str(number))
    assert describe(number) == expected


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("+81312345678", ("Asia/Tokyo",)),
        ("+16169779933", ("America/New_York",)),
        ("+18003569377", ()),
        ("+870773111632", ()),
    ],
)
def test_zones_of(text: str, zones: tuple[str, ...]) -> None:
    """A landline stands under one clock; a freephone or satellite number under none."""
    assert zones_of(_number(text)) == zones
    for zone in zones:
        assert ZoneInfo(zone).key == zone


@pytest.mark.parametrize(
    ("digits", "country", "length"),
    [("01144", "US", 3), ("0044", "US", 0), ("0044", "GB", 2), ("0044", "AQ", 0), ("", "US", 0)],
)
def test_international_prefix_length(digits: str, country: str, length: int) -> None:
    """Only the country's own prefix counts."""
    assert international_prefix_length(digits, country) == length
