"""Money as integers: millionths of a currency unit (micros), decimals only at the edge.

A float cannot hold 0.1, and a bill that is wrong by a rounding is a wrong bill. So every amount
inside is an int of micros, and this module is the only place where decimal text becomes micros
and micros become decimal text. Both directions are exact.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

MICROS: Final = 1_000_000
"""Micros in one unit of any currency."""

DECIMALS: Final = 6
"""Decimals that micros can hold."""

MAX_WHOLE_DIGITS: Final = 12
"""Digits before the point; 999,999,999,999.999999 in micros still fits a 64-bit column."""

SHOWN_CHARACTERS: Final = 24
"""How much of a wrong amount an error text repeats."""

_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>[0-9]*)(?:\.(?P<fraction>[0-9]+))?")

_TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD
    CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ
    GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL
    MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR
    PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT
    TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG
"""
_NO_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS = "BHD IQD JOD KWD LYD OMR TND"

CURRENCIES: Final[Mapping[str, int]] = MappingProxyType(
    dict.fromkeys(_TWO_DECIMALS.split(), 2)
    | dict.fromkeys(_NO_DECIMALS.split(), 0)
    | dict.fromkeys(_THREE_DECIMALS.split(), 3)
)
"""ISO 4217 code -> decimals of its smallest coin, of every currency an account may have."""

_SYMBOLS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "$": "USD",
        "US$": "USD",
        "£": "GBP",
        "€": "EUR",
        "¥": "JPY",
        "₹": "INR",
        "₩": "KRW",
        "₪": "ILS",
        "₦": "NGN",
        "₱": "PHP",
        "₫": "VND",
        "₴": "UAH",
        "₺": "TRY",
        "₽": "RUB",
        "A$": "AUD",
        "C$": "CAD",
        "HK$": "HKD",
        "J$": "JMD",
        "NZ$": "NZD",
        "R$": "BRL",
        "S$": "SGD",
    }
)


def parse_amount(text: str) -> int:
    """Turns a decimal string ("1.25", ".5", "-3") into micros, exactly.

    Only ASCII digits, one point and a leading minus are understood; thousands separators,
    exponents and currency signs are the caller's to remove or refuse.

    Raises:
        ValueError: the text is not such a number, has more than six decimals or more than
            twelve digits before the point. The message is a sentence for people.
    """
    shown = f'"{text[:SHOWN_CHARACTERS]}"'
    match = _AMOUNT.fullmatch(text)
    if match is None or not (match["whole"] or match["fraction"]):
        raise ValueError(f"{shown} is not an amount; write it like 1.25.")
    fraction = match["fraction"] or ""
    if len(fraction) > DECIMALS:
        raise ValueError(f"{shown} has more than {DECIMALS} decimals.")
    if len(match["whole"]) > MAX_WHOLE_DIGITS:
        raise ValueError(f"{shown} is too large; {MAX_WHOLE_DIGITS} digits are the limit.")
    micros = int(match["whole"] or "0") * MICROS + int(fraction.ljust(DECIMALS, "0"))
    return -micros if match["sign"] else micros


def format_amount(micros: int, places: int = 2) -> str:
    """Turns micros into an exact decimal string with at least `places` decimals (0 to 6).

    More decimals appear only when the amount needs them: 1_250_000 is "1.25", 12_500 is
    "0.0125". `parse_amount` gives the same micros back.
    """
    assert 0 <= places <= DECIMALS, places
    whole, fraction = divmod(abs(micros), MICROS)
    decimals = f"{fraction:0{DECIMALS}d}".rstrip("0").ljust(places, "0")
    sign = "-" if micros < 0 else ""
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def format_money(micros: int, currency: str) -> str:
    """Writes an amount for people: "$1.25", "-$0.50", "EUR 3.20", "JPY 120".

    ASCII, and every character is in the GSM 7-bit default alphabet, so the text costs nothing
    extra in a short message. Only the US dollar has a sign, since "$" alone is what its users
    type; other currencies show their ISO 4217 code, which cannot be mistaken.
    """
    amount = format_amount(abs(micros), CURRENCIES.get(currency, 2))
    sign = "-" if micros < 0 else ""
    return f"{sign}${amount}" if currency == "USD" else f"{sign}{currency} {amount}"


def currency_of_symbol(symbol: str) -> str | None:
    """Names the ISO 4217 code for a sign ("$", "C$") or a code in any case ("eur").

    A bare "$" is USD; a caller who knows that the customer's own currency is another dollar
    decides that first. None when nothing is known by that symbol.
    """
    code = symbol.upper()
    if code in CURRENCIES:
        return code
    return _SYMBOLS.get(code)
