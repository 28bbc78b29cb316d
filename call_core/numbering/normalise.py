"""From what somebody wrote to one E.164 number, or to a sentence that helps.

Rules of the field: a leading 00 or 011 is an international prefix only when it is the one of the
caller's country; Italy keeps its leading 0; +1 is twenty-five countries; a local number is
completed only when the caller's area code is known. Nothing is ever guessed silently.
"""

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumber,
    PhoneNumberType,
    ValidationResult,
)

from call_core.numbering.countries import (
    country_name,
    example_for,
    international_prefix_length,
)
from call_core.numbering.model import (
    E164,
    Home,
    NumberKind,
    NumberProblem,
    NumberProblemCode,
)
from call_core.numbering.written import (
    LOOKALIKES,
    MAX_EXTENSION_LENGTH,
    MAX_TEXT_LENGTH,
    Written,
    read,
)
from call_core.outcomes import Phone, Value

_NO_COUNTRY: Final = "001"
_SHOWN_TEXT_LENGTH: Final = 40
_NUMBERS_KEPT: Final = 4_096  # the same people are rung again and again
_FEWEST_VANITY_LETTERS: Final = 3
_EXAMPLE_ABROAD: Final = "+44 20 7946 0018"

_FOREIGN_PREFIXES: Final = ("0011", "011", "00", "010", "009", "810", "119")
_RETIRED_INMARSAT: Final = re.compile(r"87[1-4]\d{7,12}")
_NANP_976: Final = re.compile(r"\+1\d{3}976\d{4}")

_KINDS: Final = MappingProxyType(
    {
        PhoneNumberType.FIXED_LINE: NumberKind.GEOGRAPHIC,
        PhoneNumberType.MOBILE: NumberKind.MOBILE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_OR_MOBILE,
        PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
        PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
        PhoneNumberType.SHARED_COST: NumberKind.SHARED_COST,
        PhoneNumberType.VOIP: NumberKind.VOIP,
        PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
        PhoneNumberType.PAGER: NumberKind.PAGER,
        PhoneNumberType.UAN: NumberKind.UAN,
        PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
    }
)
_KINDS_OF_CODES: Final = MappingProxyType(
    {
        870: NumberKind.SATELLITE,
        878: NumberKind.UPT,
        881: NumberKind.SATELLITE,
        882: NumberKind.INTERNATIONAL_NETWORK,
        883: NumberKind.INTERNATIONAL_NETWORK,
        979: NumberKind.INTERNATIONAL_PREMIUM,
    }
)
_PROBLEMS: Final = MappingProxyType(
    {
        ValidationResult.INVALID_COUNTRY_CODE: NumberProblemCode.UNKNOWN_COUNTRY_CODE,
        ValidationResult.TOO_SHORT: NumberProblemCode.TOO_SHORT,
        ValidationResult.TOO_LONG: NumberProblemCode.TOO_LONG,
        ValidationResult.IS_POSSIBLE_LOCAL_ONLY: NumberProblemCode.SEVEN_DIGITS_NEED_AREA_CODE,
    }
)
_PARSE_PROBLEMS: Final = MappingProxyType(
    {
        NumberParseException.INVALID_COUNTRY_CODE: NumberProblemCode.UNKNOWN_COUNTRY_CODE,
        NumberParseException.TOO_LONG: NumberProblemCode.TOO_LONG,
    }
)


def normalise(text: str, home: Home) -> E164 | NumberProblem:
    """Reads a written number as a caller at `home` means it.

    Args:
        text: what was written, at most 80 characters: any separators, `+` or the home country's
            own prefix for abroad, vanity letters, extension (`x12`, `ext. 12`, `,,12#`).
        home: where the caller dials from.

    Returns:
        The number with its extension, or the reason with a correct example.
    """
    written = read(text) if len(text) <= MAX_TEXT_LENGTH else None
    if written is None:
        return _problem(NumberProblemCode.NOT_A_NUMBER, text, home.country)
    early = _refuse_early(written, text, home)
    if early is not None:
        return early
    found = _find(written, home)
    if found is not None:
        return found
    return _explain(written, text, home)


def _refuse_early(written: Written, text: str, home: Home) -> NumberProblem | None:
    if len(written.extension) > MAX_EXTENSION_LENGTH:
        return _problem(NumberProblemCode.EXTENSION_TOO_LONG, text, home.country)
    if written.lookalike:
        read_as = written.head.translate(LOOKALIKES)
        return _problem(NumberProblemCode.LOOKALIKE_DIGITS, text, home.country, read_as=read_as)
    letters = sum(letter.isalpha() for letter in written.head)
    if 0 < letters < _FEWEST_VANITY_LETTERS:
        return _problem(NumberProblemCode.NOT_A_NUMBER, text, home.country)
    return None


def _find(written: Written, home: Home) -> E164 | None:
    """Tries the readings that need no guess: as written, without `(0)`, in the home area."""
    digits = ("+" if written.plus else "") + written.digits
    without_zero = None
    if "(0)" in written.head:
        without_zero = _digits_of(written.head.replace("(0)", ""))
    for candidate in (digits, without_zero):
        found = None if candidate is None else _valid(candidate, home.country, written.extension)
        if found is not None:
            return found
    return _retired_satellite(written, home) or _complete_in_area(written, home)


def _digits_of(head: str) -> str:
    return "".join(letter for letter in head if letter.isdigit() or letter == "+")


def _complete_in_area(written: Written, home: Home) -> E164 | None:
    if written.plus or not home.area_code or written.digits.startswith("0"):
        return None
    code = phonenumbers.country_code_for_region(home.country)
    national = PhoneNumber(country_code=code, national_number=int(written.digits))
    if phonenumbers.is_valid_short_number_for_region(national, home.country):
        return None  # 116117 is the doctor on call, not somebody in Berlin
    whole = f"+{code}{home.area_code}{written.digits}"
    return _valid(whole, home.country, written.extension)


def _retired_satellite(written: Written, home: Home) -> E164 | None:
    """Reads the ocean regions that Inmarsat gave up in 2008; libphonenumber forgot them."""
    prefix_length = international_prefix_length(written.digits, home.country)
    if not written.plus and not prefix_length:
        return None
    abroad = written.digits if written.plus else written.digits[prefix_length:]
    if not _RETIRED_INMARSAT.fullmatch(abroad):
        return None
    digits, code = f"+{abroad}", int(abroad[:3])
    return E164(digits, written.extension, code, _NO_COUNTRY, NumberKind.SATELLITE)


def _parse(text: str, country: str) -> PhoneNumber | NumberParseException:
    try:
        return phonenumbers.parse(text, country or None)
    except NumberParseException as error:
        return error


@lru_cache(maxsize=_NUMBERS_KEPT)
def _valid(text: str, country: str, extension: str) -> E164 | None:
    parsed = _parse(text, country)
    if isinstance(parsed, NumberParseException):
        return None
    # Of an unknown type is every number that is not valid, and no other: one look at the patterns.
    number_type = phonenumbers.number_type(parsed)
    if number_type == PhoneNumberType.UNKNOWN:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    assert region is not None, "a valid number has a region"
    code = parsed.country_code
    assert code is not None, "a parsed number has a country code"
    digits = f"+{code}{phonenumbers.national_significant_number(parsed)}"
    return E164(digits, extension, code, region, _kind(number_type, code, digits))


def _kind(number_type: int, country_code: int, digits: str) -> NumberKind:
    special = _KINDS_OF_CODES.get(country_code)
    if special is not None:
        return special
    # Exchange 976 is North America's old premium service; libphonenumber calls it a landline.
    if _NANP_976.fullmatch(digits):
        return NumberKind.PREMIUM
    return _KINDS[number_type]


def _explain(written: Written, text: str, home: Home) -> NumberProblem:
    """Finds the most helpful reason for a number that has no valid reading."""
    meant = _meant_abroad(written)
    if meant is not None:
        code, number = meant
        suggestion = Phone(number.digits, written.extension)
        return _problem(code, text, home.country, suggestion=suggestion)
    digits = ("+" if written.plus else "") + written.digits
    parsed = _parse(digits, home.country)
    if isinstance(parsed, NumberParseException):
        code = _PARSE_PROBLEMS.get(parsed.error_type, NumberProblemCode.TOO_SHORT)
        return _problem(code, text, home.country)
    reason = phonenumbers.is_possible_number_with_reason(parsed)
    code = _PROBLEMS.get(reason, NumberProblemCode.INVALID_FOR_COUNTRY)
    own = parsed.country_code == phonenumbers.country_code_for_region(home.country)
    region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return _problem(code, text, home.country if own else region)


def _meant_abroad(written: Written) -> tuple[NumberProblemCode, E164] | None:
    """Recognises another country's international prefix, or a forgotten `+`; only to suggest."""
    digits = written.digits
    for prefix in _FOREIGN_PREFIXES:
        rest = digits.removeprefix(prefix)
        number = _valid(f"+{rest}", "", "") if rest != digits else None
        if number is not None:
            return NumberProblemCode.WRONG_INTERNATIONAL_PREFIX, number
    number = None if written.plus else _valid(f"+{digits}", "", "")
    return None if number is None else (NumberProblemCode.MISSING_PLUS, number)


def _problem(code: NumberProblemCode, text: str, country: str, **fields: Value) -> NumberProblem:
    examples = example_for(country)
    common: dict[str, Value] = {
        "text": text[:_SHOWN_TEXT_LENGTH],
        "country": country_name(country),
        "example": examples.national if examples else _EXAMPLE_ABROAD,
        "example_international": examples.international if examples else _EXAMPLE_ABROAD,
        "prefix": examples.international_prefix if examples else "+",
    }
    return NumberProblem(code, common | fields)
