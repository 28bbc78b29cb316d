"""Telephone numbers: reading, showing, describing them, and the ones that must never be tried."""

from call_core.numbering.countries import (
    NO_COUNTRY,
    Country,
    DialExamples,
    countries,
    country_name,
    describe,
    example_for,
    zones_of,
)
from call_core.numbering.emergency import emergency_numbers, is_emergency, is_emergency_in
from call_core.numbering.model import (
    E164,
    Home,
    NumberKind,
    NumberProblem,
    NumberProblemCode,
)
from call_core.numbering.normalise import normalise
from call_core.numbering.show import format_for_people, masked

__all__ = [
    "E164",
    "NO_COUNTRY",
    "Country",
    "DialExamples",
    "Home",
    "NumberKind",
    "NumberProblem",
    "NumberProblemCode",
    "countries",
    "country_name",
    "describe",
    "emergency_numbers",
    "example_for",
    "format_for_people",
    "is_emergency",
    "is_emergency_in",
    "masked",
    "normalise",
    "zones_of",
]
