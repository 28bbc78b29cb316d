from zoneinfo import ZoneInfo

import pytest

from call_core.numbering import countries
from call_core.places import (
    MAX_CANDIDATES,
    MAX_PLACE_LENGTH,
    Place,
    PlaceKind,
    _cities,
    country_of_zone,
    distinct_clocks,
    find_place,
    suggest_place,
)

JANUARY_2026_MS = 1_767_225_600_000
Kind = PlaceKind


def _one(text: str) -> Place:
    place = find_place(text)
    assert isinstance(place, Place), place
    return place


@pytest.mark.parametrize(
    ("text", "kind", "name", "zone", "country_code", "area_code"),
    [
        ("tokyo", Kind.CITY, "Tokyo", "Asia/Tokyo", 81, "3"),
        ("accra", Kind.CITY, "Accra", "Africa/Accra", 233, "30"),
        ("ghana accra", Kind.CITY, "Accra", "Africa/Accra", 233, "30"),
        ("Accra, Ghana", Kind.CITY, "Accra", "Africa/Accra", 233, "30"),
        ("london", Kind.CITY, "London", "Europe/London", 44, "20"),
        ("london canada", Kind.CITY, "London Ontario", "America/Toronto", 1, "519"),
        ("san jose costa rica", Kind.CITY, "San Jose", "America/Costa_Rica", 506, ""),
        ("New York time", Kind.CITY, "New York", "America/New_York", 1, "212"),
        ("LA", Kind.CITY, "Los Angeles", "America/Los_Angeles", 1, "213"),
        ("São Paulo", Kind.CITY, "Sao Paulo", "America/Sao_Paulo", 55, "11"),
        ("san fran", Kind.CITY, "San Francisco", "America/Los_Angeles", 1, "415"),
        ("ghana", Kind.COUNTRY, "Ghana", "Africa/Accra", 233, ""),
        ("UK", Kind.COUNTRY, "United Kingdom", "Europe/London", 44, ""),
        ("jm", Kind.COUNTRY, "Jamaica", "America/Jamaica", 1, ""),
        ("Côte d\u2019Ivoire", Kind.COUNTRY, "Ivory Coast", "Africa/Abidjan", 225, ""),
        ("saint lucia", Kind.COUNTRY, "St Lucia", "America/St_Lucia", 1, ""),
        ("trinidad & tobago", Kind.COUNTRY, "Trinidad and Tobago", "America/Port_of_Spain", 1, ""),
        ("singapore", Kind.COUNTRY, "Singapore", "Asia/Singapore", 65, ""),
        ("kosovo", Kind.COUNTRY, "Kosovo", "Europe/Belgrade", 383, ""),
        ("PST", Kind.ABBREVIATION, "PST", "America/Los_Angeles", 0, ""),
        ("pacific time", Kind.ABBREVIATION, "Pacific", "America/Los_Angeles", 0, ""),
        ("gmt", Kind.ABBREVIATION, "GMT", "Etc/UTC", 0, ""),
        ("europe/paris", Kind.ZONE, "Europe/Paris", "Europe/Paris", 0, ""),
        ("UTC+2", Kind.ZONE, "UTC+2", "Etc/GMT-2", 0, ""),
        ("gmt -05", Kind.ZONE, "UTC-5", "Etc/GMT+5", 0, ""),
    ],
)
def test_places_are_recognised(
    text: str, kind: PlaceKind, name: str, zone: str, country_code: int, area_code: str
) -> None:
    """Cities, countries, codes, zones and abbreviations are found however they are spelt."""
    place = _one(text)
    assert (place.kind, place.name, place.zones[0]) == (kind, name, zone)
    assert (place.country_code, place.area_code) == (country_code, area_code)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("portland", ("Portland Maine", "Portland Oregon")),
        ("san jose", ("San Jose", "San Jose")),
        ("ban", ("Bangalore", "Bangkok", "Bangladesh")),
        ("xyzzy", ()),
        ("", ()),
        ("zq", ()),
        ("utc+15", ()),
        ("tokyo ghana", ()),
        ("x" * MAX_PLACE_LENGTH, ()),
    ],
)
def test_doubt_gives_candidates(text: str, names: tuple[str, ...]) -> None:
    """An ambiguous name gives all it may mean, an unknown one nothing."""
    found = find_place(text)
    assert isinstance(found, tuple)
    assert tuple(sorted(place.name for place in found)) == names


def test_candidates_end_at_the_limit() -> None:
    """Nine candidates can be numbered with one digit; more are not given."""
    found = find_place("san")
    assert isinstance(found, tuple)
    assert len(found) == MAX_CANDIDATES


def test_a_text_is_read_up_to_its_limit() -> None:
    """What stands beyond sixty characters does not count."""
    assert _one("tokyo".ljust(MAX_PLACE_LENGTH) + "x").name == "Tokyo"
    assert find_place("tokyo".ljust(MAX_PLACE_LENGTH - 1) + "x") == ()


def test_an_abbreviation_tells_what_else_it_means() -> None:
    """IST is India's time, but also Ireland's and Israel's."""
    assert _one("ist").also == ("Europe/Dublin", "Asia/Jerusalem")


@pytest.mark.parametrize(
    ("text", "suggestion"), [("lodnon", "London"), ("toyko", "Tokyo"), ("qqqqqq", "")]
)
def test_misspelt_places_are_suggested(text: str, suggestion: str) -> None:
    """A close name is offered, never taken silently."""
    assert find_place(text) == ()
    assert suggest_place(text) == suggestion


def test_a_wide_country_has_one_zone_for_each_clock() -> None:
    """The United States have 29 zones in tzdata and eight different clocks."""
    clocks = distinct_clocks(_one("usa").zones, JANUARY_2026_MS)
    assert clocks[:3] == ("America/New_York", "America/Chicago", "America/Denver")
    assert {"America/Phoenix", "America/Los_Angeles"} <= set(clocks)
    assert len(clocks) == 8


@pytest.mark.parametrize(
    ("zone", "country"), [("Europe/London", "GB"), ("Asia/Kolkata", "IN"), ("Etc/UTC", "")]
)
def test_country_of_zone(zone: str, country: str) -> None:
    """A zone belongs to the country that tzdata lists it under."""
    assert country_of_zone(zone) == country


def test_every_city_is_sound() -> None:
    """Every city of the table has a real zone, a known country and an area code of digits."""
    places = [place for _, place in _cities()]
    assert len({(place.name, place.country) for place in places}) > 250
    for place in places:
        assert ZoneInfo(place.zones[0]).key == place.zones[0]
        assert place.country in countries()
        assert place.name.isascii()
        assert not place.area_code or place.area_code.isdigit(), place
