"""Emergency numbers, asked about before anything else is.

This service rings the caller back from a far-away switch: it cannot reach help, so it must say so
at once instead of trying. The set of every country's three-digit emergency numbers comes from
libphonenumber's short-number data and is made once; no database is needed.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata

from call_core.numbering.countries import international_prefix_length
from call_core.numbering.written import LOOKALIKES, MAX_TEXT_LENGTH, read

EMERGENCY_DIGITS: Final = 3
_MOST_DIGITS: Final = 6  # of any country's own emergency numbers, in libphonenumber's data
_SHOUTED: Final = re.compile(r"(000|112|911|999)\1+")
_TEXTS_KEPT: Final = 4_096  # one launch asks about the same text several times

# International prefixes that no local number begins with. Others (810, 119) begin ordinary local
# numbers elsewhere, so they count only for a caller at home there (`is_emergency_in`).
_ZERO_PREFIXES: Final = ("00", "011", "0011", "010", "009", "001", "000")


@cache
def emergency_numbers() -> frozenset[str]:
    """Gives every three-digit emergency number of any country, e.g. 112, 911, 999, 000."""
    patterns = {
        metadata.emergency.national_number_pattern
        for region in phonenumbers.SUPPORTED_SHORT_REGIONS
        if (metadata := PhoneMetadata.short_metadata_for_region(region)) and metadata.emergency
    }
    any_country = re.compile("|".join(f"(?:{pattern})" for pattern in patterns if pattern))
    texts = (str(n).zfill(EMERGENCY_DIGITS) for n in range(10**EMERGENCY_DIGITS))
    return frozenset(text for text in texts if any_country.fullmatch(text))


@lru_cache(maxsize=_TEXTS_KEPT)
def is_emergency(text: str) -> bool:
    """Whether a written target is a three-digit emergency number of any country.

    Bare, said more than once (911 911), with junk between the digits, behind `+` and a country
    code, behind an international prefix, or with digits to send after it. `x112` and
    +1 911 555 0123 are not.
    """
    digits, plus = _digits(text)
    if not plus and _SHOUTED.fullmatch(digits):
        return True
    if digits in emergency_numbers() or _behind_country_code(digits, bare=not plus):
        return True
    return any(
        _is_emergency_abroad(digits.removeprefix(prefix))
        for prefix in _ZERO_PREFIXES
        if digits.startswith(prefix)
    )


def is_emergency_in(text: str, countries: Iterable[str]) -> bool:
    """Whether a written target is an emergency number, of any length, of these countries.

    Finds two-digit ones (15 in France) too, bare, behind the country's own code (with or without
    `+`) or behind the country's international prefix; everything of `is_emergency` besides.

    Args:
        text: the target as written.
        countries: ISO 3166 codes of the places the caller may be in.
    """
    digits, _ = _digits(text)
    return is_emergency(text) or any(_is_emergency_at(digits, country) for country in countries)


@lru_cache(maxsize=_TEXTS_KEPT)
def _digits(text: str) -> tuple[str, bool]:
    """Gives the digits meant and whether `+` stands before them; no digits for a word.

    `O` is read as zero and `l` as one, for 9ll is a cry for help too. A text without letters
    that no number looks like (`911!`) counts by its digits.
    """
    if len(text) > MAX_TEXT_LENGTH:
        return "", False
    written = read(text)
    if written is None:
        head = "" if any(letter.isalpha() for letter in text) else text
    else:
        head = "" if written.letters and not written.lookalike else written.head
    plus = head.startswith("+")
    if plus:
        head = head.replace("(0)", "")
    return "".join(letter for letter in head.translate(LOOKALIKES) if letter.isdecimal()), plus


def _behind_country_code(digits: str, *, bare: bool) -> bool:
    code, number = digits[:-EMERGENCY_DIGITS], digits[-EMERGENCY_DIGITS:]
    if number not in emergency_numbers() or not code:
        return False
    # Without `+`, five and six digits are somebody's local number (27112 in Samoa); 1911 is not.
    return code == "1" or (not bare and int(code) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def _is_emergency_abroad(digits: str) -> bool:
    return digits in emergency_numbers() or _behind_country_code(digits, bare=False)


@lru_cache(maxsize=_TEXTS_KEPT)
def _is_emergency_at(digits: str, country: str) -> bool:
    code = str(phonenumbers.country_code_for_region(country))
    after_prefix = digits[international_prefix_length(digits, country) :]
    forms = {digits, digits.removeprefix(code), after_prefix, after_prefix.removeprefix(code)}
    short = [form for form in forms if 0 < len(form) <= _MOST_DIGITS]
    return any(phonenumbers.is_emergency_number(form, country) for form in short) or (
        after_prefix != digits and _is_emergency_abroad(after_prefix)
    )
