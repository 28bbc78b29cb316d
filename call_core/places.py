"""Places as people write them: countries, cities, time zones, zone abbreviations.

Used by `time tokyo`, `dial accra`, `rate ghana` and `at 9am london`. Cities are our own table
(`data/cities.csv`: name, country, IANA zone, area code without trunk prefix, further names);
the zones of a country are those of tzdata's `zone.tab`.
"""

import csv
import difflib
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers

from call_core.numbering import countries

MAX_PLACE_LENGTH: Final = 60
MAX_CANDIDATES: Final = 9
MIN_PREFIX_LENGTH: Final = 3
CLOSE_ENOUGH: Final = 0.75

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_QUARTER_MS: Final = 91 * 24 * 3600 * 1000


class PlaceKind(StrEnum):
    """What was recognised."""

    COUNTRY = "country"
    CITY = "city"
    ZONE = "zone"  # an IANA name, or an offset such as UTC+2
    ABBREVIATION = "abbreviation"  # PST, CET ...


@dataclass(frozen=True, slots=True)
class Place:
    """A place.

    Attributes:
        kind: how it was recognised.
        name: for people, ASCII.
        country: ISO 3166 code, "" for zones.
        zones: IANA zones, the most important first; several in a wide country.
        country_code: the calling code, 0 for zones and places without telephones.
        area_code: without trunk prefix, "" where there is none or it is not known.
        also: other zones that the same abbreviation stands for elsewhere.
    """

    kind: PlaceKind
    name: str
    country: str
    zones: tuple[str, ...]
    country_code: int = 0
    area_code: str = ""
    also: tuple[str, ...] = ()


# People say PST all year round and mean the clock of California, so an abbreviation stands for
# the place's zone, not for a fixed offset. The first zone is the usual reading in English.
_ABBREVIATIONS: Final = MappingProxyType(
    {
        "utc z gmt zulu": ("Etc/UTC",),
        "est edt et eastern": ("America/New_York", "Australia/Sydney"),
        "cst ct": ("America/Chicago", "Asia/Shanghai", "America/Havana"),
        "cdt central": ("America/Chicago",),
        "mst mdt mt mountain": ("America/Denver",),
        "pst": ("America/Los_Angeles", "Asia/Manila"),
        "pdt pt pacific": ("America/Los_Angeles",),
        "akst akdt": ("America/Anchorage",),
        "hst": ("Pacific/Honolulu",),
        "ast": ("America/Halifax", "Asia/Riyadh"),
        "adt atlantic": ("America/Halifax",),
        "nst ndt": ("America/St_Johns",),
        "bst": ("Europe/London", "Asia/Dhaka"),
        "wet west": ("Europe/Lisbon",),
        "cet cest": ("Europe/Paris",),
        "eet eest": ("Europe/Athens",),
        "msk": ("Europe/Moscow",),
        "trt": ("Europe/Istanbul",),
        "wat": ("Africa/Lagos",),
        "cat": ("Africa/Maputo",),
        "eat": ("Africa/Nairobi",),
        "sast": ("Africa/Johannesburg",),
        "ist": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
        "gst": ("Asia/Dubai",),
        "pkt": ("Asia/Karachi",),
        "ict": ("Asia/Bangkok",),
        "wib": ("Asia/Jakarta",),
        "sgt": ("Asia/Singapore",),
        "hkt": ("Asia/Hong_Kong",),
        "jst": ("Asia/Tokyo",),
        "kst": ("Asia/Seoul",),
        "awst": ("Australia/Perth",),
        "acst acdt": ("Australia/Adelaide",),
        "aest aedt": ("Australia/Sydney",),
        "nzst nzdt": ("Pacific/Auckland",),
        "brt": ("America/Sao_Paulo",),
        "art": ("America/Argentina/Buenos_Aires",),
        "clt": ("America/Santiago",),
        "cot": ("America/Bogota",),
        "pet": ("America/Lima",),
    }
)
# Kosovo, Ascension and Tristan da Cunha have telephones but no ISO entry in zone.tab.
_ZONES_NOT_LISTED: Final = MappingProxyType(
    {"XK": "Europe/Belgrade", "AC": "Atlantic/St_Helena", "TA": "Atlantic/St_Helena"}
)
_OFFSET: Final = re.compile(r"(?:utc|gmt) ?([+-]) ?0?(\d|1[0-4])(?:00)?")


def find_place(text: str) -> Place | tuple[Place, ...]:
    """Recognises a place; several when the name is ambiguous, () when it is not known.

    Case, accents, dots and hyphens do not matter; `accra ghana`, `ghana accra`, `london time`
    and the beginning of a name (`san fran`) are understood.
    """
    words = _fold(text[:MAX_PLACE_LENGTH]).removesuffix(" time")
    index = _index()
    found = index.get(words) or _offset(text) or _qualified(words) or _beginning(words)
    return found[0] if len(found) == 1 else found[:MAX_CANDIDATES]


def suggest_place(text: str) -> str:
    """Gives the name of the place most like a misspelt one, "" when none is close."""
    index = _index()
    close = difflib.get_close_matches(_fold(text[:MAX_PLACE_LENGTH]), index, 1, CLOSE_ENOUGH)
    return index[close[0]][0].name if close else ""


def distinct_clocks(zones: Iterable[str], at_ms: int) -> tuple[str, ...]:
    """Gives one zone for each different clock over the coming year, in the given order.

    For a wide country: the United States have 29 zones in tzdata but 8 different clocks.
    """
    clocks: dict[tuple[timedelta | None, ...], str] = {}
    for zone in zones:
        moments = (
            _EPOCH + timedelta(milliseconds=at_ms + quarter * _QUARTER_MS) for quarter in range(4)
        )
        offsets = tuple(moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments)
        clocks.setdefault(offsets, zone)
    return tuple(clocks.values())


def country_of_zone(zone: str) -> str:
    """Gives the ISO 3166 code of the country whose zone this is, "" when none is."""
    return next((code for code, zones in _zones_of_countries().items() if zone in zones), "")


def _fold(text: str) -> str:
    """Gives lower case without accents and punctuation; `Saint` and `&` in their short forms."""
    plain = unicodedata.normalize("NFKD", text).casefold().replace("&", " and ")
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    plain = re.sub(r"[.'\u2019]", "", plain)
    words = re.sub(r"[^\w/+]+", " ", plain).split()
    return " ".join("st" if word == "saint" else word for word in words)


@cache
def _zones_of_countries() -> MappingProxyType[str, tuple[str, ...]]:
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    zones: dict[str, tuple[str, ...]] = {code: (zone,) for code, zone in _ZONES_NOT_LISTED.items()}
    for line in table.splitlines():
        if not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            zones[code] = (*zones.get(code, ()), zone)
    return MappingProxyType(zones)


@cache
def _index() -> MappingProxyType[str, tuple[Place, ...]]:
    """Sorts every name; a name of a surer kind hides the same name of a weaker one."""
    index: dict[str, tuple[Place, ...]] = {}
    for group in (_countries(), _cities(), _abbreviations(), _zones(), _country_codes()):
        found: dict[str, tuple[Place, ...]] = {}
        for name, place in group:
            places = found.get(_fold(name), ())
            if place not in places:
                found[_fold(name)] = (*places, place)
        index = found | index
    return MappingProxyType(index)


@cache
def _calling_codes() -> MappingProxyType[str, int]:
    """Gives the calling code of each region; asking region by region would load every plan."""
    regions = phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
    return MappingProxyType({region: code for code, group in regions for region in group})


def _country(code: str) -> Place:
    return Place(
        PlaceKind.COUNTRY,
        countries()[code].name,
        code,
        _zones_of_countries().get(code, ()),
        _calling_codes().get(code, 0),
    )


def _countries() -> Iterable[tuple[str, Place]]:
    for code, country in countries().items():
        place = _country(code)
        for name in (country.name, *country.aliases):
            yield name, place


def _country_codes() -> Iterable[tuple[str, Place]]:
    return ((code, _country(code)) for code in countries())


def _cities() -> Iterable[tuple[str, Place]]:
    text = (files("call_core") / "data" / "cities.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        code = _calling_codes()[row["country"]]
        place = Place(
            PlaceKind.CITY, row["name"], row["country"], (row["zone"],), code, row["area_code"]
        )
        for name in (row["name"], *filter(None, row["aliases"].split(";"))):
            yield name, place


def _abbreviations() -> Iterable[tuple[str, Place]]:
    for names, zones in _ABBREVIATIONS.items():
        for name in names.split():
            shown = name.upper() if len(name) <= len("AKST") else name.capitalize()
            place = Place(PlaceKind.ABBREVIATION, shown, "", zones[:1], also=zones[1:])
            yield name, place


def _zones() -> Iterable[tuple[str, Place]]:
    for zone in (files("tzdata") / "zones").read_text(encoding="utf-8").split():
        yield zone, Place(PlaceKind.ZONE, zone, "", (zone,))


def _offset(text: str) -> tuple[Place, ...]:
    match = _OFFSET.fullmatch(" ".join(text.casefold().split()))
    if match is None:
        return ()
    sign, hours = match.groups()
    # The signs of the Etc zones are those of POSIX: west is positive.
    zone = f"Etc/GMT{'-' if sign == '+' else '+'}{hours}"
    return (Place(PlaceKind.ZONE, f"UTC{sign}{hours}", "", (zone,)),)


def _qualified(words: str) -> tuple[Place, ...]:
    """Reads a city with its country, in either order."""
    index = _index()
    parts = words.split()
    for cut in range(1, len(parts)):
        first, second = " ".join(parts[:cut]), " ".join(parts[cut:])
        for city_name, country_name in ((first, second), (second, first)):
            codes = {place.country for place in index.get(country_name, ())} - {""}
            if not codes:
                continue
            found = tuple(
                place
                for name, places in index.items()
                if name == city_name or name.startswith(f"{city_name} ")
                for place in places
                if place.kind is PlaceKind.CITY and place.country in codes
            )
            if found:
                return tuple(dict.fromkeys(found))
    return ()


def _beginning(words: str) -> tuple[Place, ...]:
    if len(words) < MIN_PREFIX_LENGTH:
        return ()
    named = (PlaceKind.CITY, PlaceKind.COUNTRY)
    return tuple(
        dict.fromkeys(
            place
            for name, places in _index().items()
            if name.startswith(words)
            for place in places
            if place.kind in named
        )
    )


def is_zone(name: str) -> bool:
    """Whether `name` is an IANA zone that this machine knows."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
