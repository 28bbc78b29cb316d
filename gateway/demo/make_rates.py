"""Makes `rates.csv`, the demo's rate deck: every country, with figures of our own invention.

    python -m gateway.demo.make_rates > gateway/demo/rates.csv

The figures are plausible and nobody's: a price per world zone, moved up or down by a checksum of
the country's code, dearer for mobiles and small islands. The same numbering plan makes the same
file. Prefixes of mobiles are found by asking libphonenumber what kind of number could follow.
"""

import random
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import phonenumbers
from phonenumbers import PhoneNumberType as Kind

from call_core.numbering.countries import countries

HEADER = (
    "prefix,destination,price_per_minute,connect_fee,first_increment_s,next_increment_s,"
    "minimum_s,days,hours,status"
)
_NORTH_AMERICA = 1
_MOST_MOBILE_PREFIXES = 8
_DEEPEST = 2
_SAMPLES = 12

# Tenths of a cent per minute to a landline, by the first digit of the country calling code.
_ZONE_MILLS = {"1": 12, "2": 140, "3": 20, "4": 18, "5": 60, "6": 90, "7": 45, "8": 55, "9": 95}
_SMALL_MILLS = 210
_SMALL = frozenset(
    [
        "AC",
        "AS",
        "CC",
        "CK",
        "CX",
        "EH",
        "FK",
        "FO",
        "GL",
        "IO",
        "KI",
        "MH",
        "MP",
        "MS",
        "NC",
        "NF",
        "NR",
        "NU",
        "PF",
        "PM",
        "PW",
        "SB",
        "SH",
        "SJ",
        "TA",
        "TK",
        "TO",
        "TV",
        "VU",
        "WF",
        "WS",
        "YT",
    ]
)
_WHOLE_MINUTES = frozenset(("CU", "GM", "HT", "KI", "MX", "NR", "SO", "TO", "TV"))
_BY_SECOND = frozenset(("AT", "DE", "DK", "FR", "NL", "SE"))

# Cheaper in the evening and at the weekend: the rows beside the always-valid daytime price.
_EVENING = frozenset(("AU", "BR", "IN", "JP", "ZA"))
_EVENING_WINDOWS = (("1-5", "20:00-08:00"), ("6-7", ""))

# Cities that carriers price apart, and the numbers that the demo calls.
_CITIES = (
    ("1212", "United States, New York", 9, (30, 30)),
    ("331", "France, Paris", 16, (1, 1)),
    ("4420", "United Kingdom, London", 14, (30, 30)),
    ("4969", "Germany, Frankfurt", 15, (1, 1)),
    ("552", "Brazil, Rio de Janeiro and Vitoria", 41, (30, 6)),
    ("612", "Australia, Sydney and Canberra", 27, (30, 6)),
    ("813", "Japan, Tokyo", 38, (30, 6)),
)
_NETWORKS = (
    ("800", "International freephone", 5, ""),
    ("808", "International shared cost", 0, "blocked"),
    ("870", "Satellite, Inmarsat", 6900, ""),
    ("878", "Universal personal numbers", 0, "blocked"),
    ("8816", "Satellite, Iridium", 5400, ""),
    ("8817", "Satellite, Iridium", 5400, ""),
    ("8818", "Satellite, Globalstar", 4800, ""),
    ("8819", "Satellite, Globalstar", 4800, ""),
    ("88213", "Satellite, Telespazio", 5100, ""),
    ("88216", "Satellite, Thuraya", 4900, ""),
    ("883", "International networks", 320, ""),
    ("979", "International premium rate", 0, "blocked"),
)


@dataclass(frozen=True, slots=True)
class _Row:
    prefix: str
    destination: str
    mills: int
    increments: tuple[int, int] = (30, 6)
    fee_mills: int = 0
    days: str = ""
    hours: str = ""
    status: str = ""

    def line(self) -> str:
        """Return the row as the deck file has it."""
        name = f'"{self.destination}"' if "," in self.destination else self.destination
        price = "" if self.status else str(Decimal(self.mills) / 1000)
        fee = str(Decimal(self.fee_mills) / 1000) if self.fee_mills else "0"
        first, following = self.increments
        return (
            f"{self.prefix},{name},{price},{fee},{first},{following},0,"
            f"{self.days},{self.hours},{self.status}"
        )


def rows() -> Iterator[str]:
    """Yield the lines of the file."""
    yield HEADER
    made: dict[tuple[str, str, str], _Row] = {}
    for row in (*_countries(), *_north_america(), *_cities(), *_networks()):
        made.setdefault((row.prefix, row.days, row.hours), row)
    for _, row in sorted(made.items()):
        yield row.line()


def _countries() -> Iterator[_Row]:
    names = {code: country.name for code, country in countries().items()}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        code = phonenumbers.country_code_for_region(region)
        if code == _NORTH_AMERICA and region != "US":
            continue
        name = names.get(region, region)
        main = phonenumbers.region_code_for_country_code(code) == region
        if main:
            yield from _country(region, str(code), name)
        else:
            yield from _shared_code(region, str(code), name)


def _country(region: str, code: str, name: str) -> Iterator[_Row]:
    price = _landline_mills(region, code)
    increments = _increments(region)
    yield _Row(code, name, price, increments)
    if region in _EVENING:
        for days, hours in _EVENING_WINDOWS:
            yield _Row(code, name, price * 7 // 10, increments, days=days, hours=hours)
    if code != "1":
        for prefix in _mobile_prefixes(region):
            yield _Row(f"{code}{prefix}", f"{name}, mobile", _mobile_mills(price), increments)
    yield from _premium(region, code, name)


def _shared_code(region: str, code: str, name: str) -> Iterator[_Row]:
    """A country within another's calling code: the prefixes of its own example numbers."""
    price = _landline_mills(region, code)
    for kind in (Kind.FIXED_LINE, Kind.MOBILE):
        prefix = _own_prefix(region, kind)
        if prefix:
            mobile = kind == Kind.MOBILE
            label = f"{name}, mobile" if mobile else name
            mills = _mobile_mills(price) if mobile else price
            yield _Row(f"{code}{prefix}", label, mills, _increments(region))


def _own_prefix(region: str, kind: int) -> str:
    """Return the shortest prefix of the example number that belongs to this region alone."""
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return ""
    national = phonenumbers.national_significant_number(example)
    code = phonenumbers.country_code_for_region(region)
    for length in range(2, len(national)):
        if _regions_below(code, national[:length], len(national)) == {region}:
            return national[:length]
    return national[:-2]


def _regions_below(code: int, prefix: str, length: int) -> set[str]:
    """Return the regions of the valid numbers below a prefix."""
    found = set()
    for number in _samples(code, prefix, length):
        region = phonenumbers.region_code_for_number(number)
        if region is not None:
            found.add(region)
    return found


def _mobile_prefixes(region: str) -> list[str]:
    """Return national prefixes below which every valid number is a mobile's."""
    example = phonenumbers.example_number_for_type(region, Kind.MOBILE)
    if example is None:
        return []
    length = len(phonenumbers.national_significant_number(example))
    code = phonenumbers.country_code_for_region(region)
    found: list[str] = []
    waiting = [str(digit) for digit in range(1, 10)]
    while waiting and len(found) < _MOST_MOBILE_PREFIXES:
        prefix = waiting.pop(0)
        kinds = {phonenumbers.number_type(number) for number in _samples(code, prefix, length)} - {
            Kind.UNKNOWN
        }
        if kinds == {Kind.MOBILE}:
            found.append(prefix)
        elif Kind.MOBILE in kinds and len(prefix) < _DEEPEST:
            waiting += [f"{prefix}{digit}" for digit in range(10)]
    return found or _example_prefix(region, Kind.MOBILE)


def _example_prefix(region: str, kind: int) -> list[str]:
    example = phonenumbers.example_number_for_type(region, kind)
    if example is None:
        return []
    return [phonenumbers.national_significant_number(example)[:3]]


def _samples(code: int, prefix: str, length: int) -> Iterator[phonenumbers.PhoneNumber]:
    rng = random.Random(f"{code}{prefix}")  # noqa: S311  (samples, not secrets)
    for _ in range(_SAMPLES):
        tail = "".join(str(rng.randrange(10)) for _ in range(length - len(prefix)))
        number = f"{prefix}{tail}"
        yield phonenumbers.PhoneNumber(
            country_code=code,
            national_number=int(number),
            italian_leading_zero=True if number.startswith("0") else None,
        )


def _premium(region: str, code: str, name: str) -> Iterator[_Row]:
    if _is_premium(region):
        for prefix in _example_prefix(region, Kind.PREMIUM_RATE):
            yield _Row(f"{code}{prefix}", f"{name}, premium rate", 0, status="blocked")


def _is_premium(region: str) -> bool:
    return phonenumbers.example_number_for_type(region, Kind.PREMIUM_RATE) is not None


def _north_america() -> Iterator[_Row]:
    """The area codes of +1 outside the United States."""
    names = {code: country.name for code, country in countries().items()}
    for area in range(201, 990):
        number = phonenumbers.PhoneNumber(
            country_code=1, national_number=area * 10_000_000 + 2_345_678
        )
        region = phonenumbers.region_code_for_number(number)
        if region is None or region == "US":
            continue
        price = 14 if region == "CA" else 110 + _spread(region, 120)
        yield _Row(
            f"1{area}", names.get(region, region), price, (6, 6) if region == "CA" else (30, 6)
        )


def _cities() -> Iterator[_Row]:
    for prefix, name, mills, increments in _CITIES:
        yield _Row(prefix, name, mills, increments)


def _networks() -> Iterator[_Row]:
    for prefix, name, mills, status in _NETWORKS:
        satellite = name.startswith("Satellite")
        yield _Row(prefix, name, mills, (60, 60), 500 if satellite else 0, status=status)


def _landline_mills(region: str, code: str) -> int:
    base = _SMALL_MILLS if region in _SMALL else _ZONE_MILLS[code[0]]
    return base * (75 + _spread(region, 70)) // 100


def _mobile_mills(landline_mills: int) -> int:
    return landline_mills * 7 // 4 + 9


def _spread(region: str, width: int) -> int:
    return zlib.crc32(region.encode()) % width


def _increments(region: str) -> tuple[int, int]:
    if region in _WHOLE_MINUTES:
        return (60, 60)
    if region in _BY_SECOND:
        return (1, 1)
    return (6, 6) if region == "US" else (30, 6)


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in rows())
