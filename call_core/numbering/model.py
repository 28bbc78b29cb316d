"""The words of numbering: a normalised number, its kind, the caller's home, what can be wrong."""

from dataclasses import dataclass, field
from enum import StrEnum

from call_core.outcomes import Fields


class NumberKind(StrEnum):
    """What a number reaches, after libphonenumber's types and the ITU's shared country codes."""

    GEOGRAPHIC = "geographic"
    MOBILE = "mobile"
    FIXED_OR_MOBILE = "fixed_or_mobile"  # North America does not tell the two apart
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    PERSONAL = "personal"
    VOIP = "voip"
    PAGER = "pager"
    UAN = "uan"  # universal access number of a company
    VOICEMAIL = "voicemail"
    SATELLITE = "satellite"  # 870, 881 and the retired ocean regions 871 to 874
    INTERNATIONAL_NETWORK = "international_network"  # 882, 883
    INTERNATIONAL_PREMIUM = "international_premium"  # 979
    UPT = "upt"  # 878, universal personal telecommunication
    UNKNOWN = "unknown"


class NumberProblemCode(StrEnum):
    """Why a text is no number that can be rung; each is a key of the catalogue."""

    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    INVALID_FOR_COUNTRY = "invalid_for_country"
    UNKNOWN_COUNTRY_CODE = "unknown_country_code"
    SEVEN_DIGITS_NEED_AREA_CODE = "seven_digits_need_area_code"
    LOOKALIKE_DIGITS = "lookalike_digits"
    WRONG_INTERNATIONAL_PREFIX = "wrong_international_prefix"
    MISSING_PLUS = "missing_plus"
    EXTENSION_TOO_LONG = "extension_too_long"


@dataclass(frozen=True, slots=True)
class Home:
    """Where a user dials from.

    Attributes:
        country: ISO 3166 code, upper case; "" when unknown, then only `+` numbers are read.
        area_code: completes local numbers, without trunk prefix (Italy: with its 0); "" if none.
    """

    country: str
    area_code: str = ""


@dataclass(frozen=True, slots=True)
class E164:
    """A valid telephone number.

    Attributes:
        digits: `+` and at most 15 digits.
        extension: sent as tones after the answer: digits, `*`, `#` and `,` for a pause; or "".
        country_code: the calling code, e.g. 1 for twenty-five countries.
        region: libphonenumber's region, e.g. US, JM, GB; "001" for codes of no country.
        kind: what it reaches.
    """

    digits: str
    extension: str
    country_code: int
    region: str
    kind: NumberKind

    @property
    def national(self) -> str:
        """The national significant number: the digits behind the country code."""
        return self.digits[1 + len(str(self.country_code)) :]


@dataclass(frozen=True, slots=True)
class NumberProblem:
    """Why a text cannot be rung; the fields always hold `example`, a correct way to write one.

    Further fields: `text` as written (cut), `country`, and `suggestion` (a `Phone`) or `read_as`
    where the reader can guess what was meant.
    """

    code: NumberProblemCode
    fields: Fields = field(default_factory=dict)
