"""How a number is shown: in full to people, masked in logs."""

from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from call_core.numbering.model import E164

_SHOWN_AT_THE_END = 4


@lru_cache(maxsize=4_096)
def format_for_people(number: E164 | str) -> str:
    """Gives the international form with spaces, e.g. `+44 20 7946 0018 x12`.

    A text that libphonenumber cannot read (a retired satellite code) comes back as it is.
    """
    digits, extension = (number, "") if isinstance(number, str) else _parts(number)
    try:
        parsed = phonenumbers.parse(digits)
    except NumberParseException:
        return digits + extension
    shown: str = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)
    return shown + extension


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


def _parts(number: E164) -> tuple[str, str]:
    return number.digits, f" x{number.extension}" if number.extension else ""


def _is_country_code(digits: str) -> bool:
    return digits.isdigit() and int(digits) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE
