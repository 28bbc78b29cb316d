"""How a number is shown: in full to people, masked in logs."""

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat

from call_core.numbering.countries import library_number
from call_core.numbering.model import E164

_SHOWN_AT_THE_END = 4


@lru_cache(maxsize=4_096)
def format_for_people(number: E164 | str) -> str:
    """Gives the international form with spaces, e.g. `+44 20 7946 0018 x12`.

    A text that libphonenumber cannot read (a retired satellite code) comes back as it is.
    """
    if isinstance(number, str):
        return _international(number)
    extension = f" x{number.extension}" if number.extension else ""
    if number.country_code not in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        return number.digits + extension
    return _shown(library_number(number)) + extension


def _international(digits: str) -> str:
    try:
        return _shown(phonenumbers.parse(digits))
    except NumberParseException:
        return digits


def _shown(number: PhoneNumber) -> str:
    shown: str = phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL)
    return shown


def masked(number: E164 | str) -> str:
    """Gives country code and last four digits, e.g. `+44…0018`, for logs and public places.

    When that would show more than half of the national number, only two digits are shown.
    """
    digits = (number if isinstance(number, str) else number.digits).removeprefix("+")
    country_code = next(
        (digits[:k] for k in (1, 2, 3) if _is_country_code(digits[:k])),
        "",
    )
    rest = digits[len(country_code) :]
    shown = _SHOWN_AT_THE_END if len(rest) >= 2 * _SHOWN_AT_THE_END else _SHOWN_AT_THE_END // 2
    return f"+{country_code}…{rest[-shown:]}"


def _is_country_code(digits: str) -> bool:
    return digits.isdigit() and int(digits) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
