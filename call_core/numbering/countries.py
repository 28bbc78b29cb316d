"""Countries: their names, how numbers are dialled there, which clocks a number may stand under.

Names are our own table (`data/countries.csv`, ISO 3166 codes); dialling comes from
libphonenumber's metadata. Its geocoder is never imported: it costs half a second and 100 MB.
"""

import csv
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumber, PhoneNumberFormat, PhoneNumberType
from phonenumbers.timezone import time_zones_for_geographical_number, time_zones_for_number

from call_core.numbering.model import E164, NumberKind

NO_COUNTRY: Final = "001"
"""libphonenumber's region of the codes that belong to no country (satellites, 800, 979)."""

SHARED_CODES: Final = MappingProxyType(
    {
        800: "International freephone",
        808: "International shared cost",
        870: "Inmarsat satellite",
        871: "Inmarsat satellite (Atlantic East, retired)",
        872: "Inmarsat satellite (Pacific, retired)",
        873: "Inmarsat satellite (Indian Ocean, retired)",
        874: "Inmarsat satellite (Atlantic West, retired)",
        878: "Universal personal numbers",
        881: "Global satellite",
        882: "International networks",
        883: "International networks",
        888: "International aid",
        979: "International premium rate",
    }
)
"""Names of the country codes that belong to no country (ITU-T E.164, annex)."""

_ONE_PLACE: Final = frozenset(
    {NumberKind.GEOGRAPHIC, NumberKind.MOBILE, NumberKind.FIXED_OR_MOBILE, NumberKind.PAGER}
)
_GROUND: Final = frozenset({NumberKind.GEOGRAPHIC, NumberKind.FIXED_OR_MOBILE})
_UNKNOWN_ZONE: Final = "Etc/Unknown"

# Most used first; a country's own is the first that its pattern accepts as a whole.
_PREFIXES: Final = (
    *("00", "011", "0011", "010", "009", "001", "000"),
    *("119", "810", "0014", "005", "012", "01", "0"),
)


@dataclass(frozen=True, slots=True)
class Country:
    """A country or territory: ISO 3166 code, English name in ASCII, other names in use."""

    code: str
    name: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DialExamples:
    """How numbers of a country are dialled.

    Attributes:
        national: a landline as dialled inside the country.
        international: the same with `+`.
        mobile: a mobile number with `+`; the landline again where the plan has none of its own.
        international_prefix: dialled there before a foreign country code, e.g. 00 or 011.
        country_code: the calling code.
        trunk_prefix: dialled before national numbers inside the country, "" if none.
    """

    national: str
    international: str
    mobile: str
    international_prefix: str
    country_code: int
    trunk_prefix: str


@cache
def countries() -> MappingProxyType[str, Country]:
    """Gives every country by its ISO 3166 code."""
    text = (files("call_core") / "data" / "countries.csv").read_text(encoding="utf-8")
    return MappingProxyType(
        {
            row["code"]: Country(
                row["code"], row["name"], tuple(filter(None, row["aliases"].split(";")))
            )
            for row in csv.DictReader(text.splitlines())
        }
    )


def country_name(code: str) -> str:
    """Gives the English name of an ISO 3166 code, the code itself when nobody knows it."""
    country = countries().get(code)
    return code if country is None else country.name


def describe(number: E164) -> tuple[str, str]:
    """Gives the name of a number's country (or of its shared code) and its region."""
    if number.region == NO_COUNTRY:
        return SHARED_CODES.get(number.country_code, "No country"), number.region
    return country_name(number.region), number.region


def library_number(number: E164) -> PhoneNumber:
    """Gives libphonenumber's own form of a number that it found valid, without parsing it again."""
    national = number.national
    zeros = len(national) - len(national.lstrip("0"))
    return PhoneNumber(
        country_code=number.country_code,
        national_number=int(national),
        italian_leading_zero=True if zeros else None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


@lru_cache(maxsize=4_096)
def zones_of(number: E164) -> tuple[str, ...]:
    """Gives the IANA zones in which a number may be; () when it is not bound to a place."""
    if number.kind not in _ONE_PLACE:
        return ()
    find = time_zones_for_geographical_number if number.kind in _GROUND else time_zones_for_number
    zones: tuple[str, ...] = find(library_number(number))
    return tuple(zone for zone in zones if zone != _UNKNOWN_ZONE)


@lru_cache(maxsize=512)
def example_for(country: str) -> DialExamples | None:
    """Gives examples of a country's numbers; None when it has no numbering plan of its own.

    The numbers are libphonenumber's own examples, which nobody has.
    """
    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None:
        return None
    fixed = phonenumbers.example_number(country)
    mobile = phonenumbers.example_number_for_type(country, PhoneNumberType.MOBILE) or fixed
    assert fixed is not None, country
    assert mobile is not None, country
    return DialExamples(
        national=phonenumbers.format_number(fixed, PhoneNumberFormat.NATIONAL),
        international=phonenumbers.format_number(fixed, PhoneNumberFormat.INTERNATIONAL),
        mobile=phonenumbers.format_number(mobile, PhoneNumberFormat.INTERNATIONAL),
        international_prefix=_usual_prefix(metadata.international_prefix or ""),
        country_code=phonenumbers.country_code_for_region(country),
        trunk_prefix=metadata.national_prefix or "",
    )


def international_prefix_length(digits: str, country: str) -> int:
    """Gives how many leading digits are the country's international prefix, 0 if none are."""
    metadata = PhoneMetadata.metadata_for_region(country)
    if metadata is None or not metadata.international_prefix:
        return 0
    match = re.match(metadata.international_prefix, digits)
    return match.end() if match else 0


def _usual_prefix(pattern: str) -> str:
    return next((prefix for prefix in _PREFIXES if re.fullmatch(pattern, prefix)), "")
