"""Hiding telephone digits and secrets in anything that is about to be logged.

A number keeps its country code and its last four digits (`+44…0018`): enough to recognise it in a
complaint, too little to call it. Secrets keep nothing. Where it is unclear whether digits are a
telephone number they are hidden: a log line that is harder to read is better than one that leaks.
"""

import re
from collections.abc import Mapping
from typing import Any

import phonenumbers

MASK = "***"
MIN_PHONE_DIGITS = 7
_KEPT_DIGITS = 4
_MAX_DEPTH = 8
_WIDE_PLUS = "\uff0b"

_TELLTALE_WORDS = (
    "password|passwd|passphrase|secret|token|api_?key|authorization|cookie|session|credential|"
    "private_?key|dtmf|pin"
)
_SECRET_KEY = re.compile(
    rf"(?:^|_)(?:{_TELLTALE_WORDS})s?(?:$|_(?!id$|hash_algorithm$))", re.IGNORECASE
)
_PHONE_KEYS = frozenset({"number", "phone", "to", "from", "caller_id", "msisdn", "to_number"})

# password=hunter2   "token": "a b"   Authorization: Bearer abc   x-api-key: abc
_SECRET_PAIR = re.compile(
    rf"""(?ix) (?P<head> (?<![a-z]) (?:[a-z]+[_-])? (?:{_TELLTALE_WORDS.replace("_?", "[_-]?")}) s?
         ["']? \s* (?:[:=]|%3D) \s* )
         (?: (?:bearer|basic) \s+ )?
         (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s"'&,;}}\])]+ )"""
)
_SECRET_SCHEME = re.compile(r"(?i)\b(bearer|basic|auth plain|auth login)\s+[A-Za-z0-9+/=._~-]{6,}")
_USERINFO = re.compile(r"(?i)([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s/]+@")
_OUR_TOKEN = re.compile(
    r"(?<![0-9A-Za-z])(?:cg_)?(?=[a-z]*\d)(?:[0-9a-hjkmnp-tv-z]{32}|[0-9a-hjkmnp-tv-z]{22})(?![0-9A-Za-z_])"
)

_DIGITS = re.compile(
    r"""(?x)
    (?P<keep>
        (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)            # 127.0.0.1
      | (?<!\d)(?:19|20)\d\d-[01]\d-[0-3]\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d{1,9})?)?(?!\d)
      | \b[a-z]{2,12}_[0-9A-HJKMNP-TV-Z]{26}\b                   # call_01J9…
      | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b          # a UUID
    )
  | (?P<plus> \+ | %2B | %2b | \uff0b )?
    (?P<number> [(]? \d (?: [\s().\-/+\u2010-\u2015\u00a0\u200b-\u200f\u2060\ufeff]{0,3} \d ){6,} )
    """
)


def mask_text(text: str) -> str:
    """Return the text with telephone digits and secrets hidden."""
    text = _USERINFO.sub(rf"\1:{MASK}@", text)
    text = _SECRET_PAIR.sub(rf"\g<head>{MASK}", text)
    text = _SECRET_SCHEME.sub(rf"\1 {MASK}", text)
    text = _OUR_TOKEN.sub(MASK, text)
    return _DIGITS.sub(_masked_number, text)


def mask_value(value: Any, key: str = "", depth: int = 0) -> Any:  # noqa: ANN401  (whatever is logged)
    """Return any value with everything in it masked; `key` is the name it is logged under."""
    if _SECRET_KEY.search(key):
        return MASK
    if depth > _MAX_DEPTH:
        return MASK
    match value:
        case None | bool() | float():
            return value
        case int():
            return mask_text(str(value)) if key in _PHONE_KEYS else value
        case str():
            return mask_text(value)
        case Mapping() | list() | tuple() | set() | frozenset():
            return _mask_parts(value, key, depth + 1)
        case _:
            return mask_text(_text(value))


def _mask_parts(value: Any, key: str, depth: int) -> Any:  # noqa: ANN401  (a container)
    if isinstance(value, Mapping):
        return {
            mask_text(str(name)): mask_value(part, str(name), depth) for name, part in value.items()
        }
    return [mask_value(part, key, depth) for part in value]


def _text(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    return repr(value)


def mask_number(number: str) -> str:
    """Return an E.164 number as `+44…0018`."""
    digits = "".join(letter for letter in number if letter.isdigit())
    code = _country_code(digits) if number.lstrip().startswith(("+", _WIDE_PLUS)) else ""
    return f"{'+' if code else ''}{code}…{digits[-_KEPT_DIGITS:]}"


def _masked_number(match: re.Match[str]) -> str:
    if match["keep"]:
        return match["keep"]
    return mask_number(("+" if match["plus"] else "") + match["number"])


def _country_code(digits: str) -> str:
    for length in (1, 2, 3):
        if int(digits[:length]) in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
            return digits[:length]
    return ""
