"""What people write for a number, taken apart: separators, extension, vanity letters.

Knows characters only; which digits make a number is `normalise`'s business. Samples:

    +1 (616) 977-9933 x12      head "+1 (616) 977-9933 ", extension "12"
    616.977.9933,,12#          head "616.977.9933", extension ",,12#"
    tel:+1-616-977-9933;ext=7  head "+1-616-977-9933", extension "7"
    1-800-FLOWERS              letters True
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

MAX_TEXT_LENGTH: Final = 80
MAX_EXTENSION_LENGTH: Final = 20

LOOKALIKES: Final = str.maketrans("oil", "011")
_LOOKALIKE_LETTERS: Final = frozenset("oil")

# Marks that copying from an address book leaves around a number, none of them visible.
_INVISIBLE: Final = dict.fromkeys(
    (0x00AD, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF)
)
_DASHES: Final = dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0x30FC), "-")
_SCHEMES: Final = ("tel:", "callto:", "sms:")
_HEAD: Final = re.compile(r"\+?[0-9a-z ()\[\]./~'·_-]+")

_PARAMETER: Final = re.compile(r"(?P<head>[^;]*\d);(?:.*;)?ext=(?P<tail>[0-9*#]+)(?:;.*)?")
_EXTENSION: Final = re.compile(
    r"(?P<head>.*(?:\d\)?\s*|[a-z]\s+)),?\s*(?:extension|extn?|x|#)[.:]?\s*"
    r"(?P<tail>\d[0-9*#,;pw ]*)"
)
_PAUSE: Final = re.compile(
    r"(?P<head>[^a-z,;]*\d\)?)\s*(?P<tail>[,;pw][,;pw ]*[0-9*#][0-9*#,;pw ]*)"
)
_PAUSES: Final = str.maketrans({";": ",", "p": ",", "w": ",", " ": None})


@dataclass(frozen=True, slots=True)
class Written:
    """A written number taken apart.

    Attributes:
        head: the number itself, lower case, with its separators.
        digits: the head's digits and, for vanity numbers, letters as digits.
        plus: the head begins with `+`.
        letters: the head has letters.
        lookalike: all its letters look like digits (`2O2 555 O1OO`).
        extension: tones for after the answer, "" if none.
    """

    head: str
    digits: str
    plus: bool
    letters: bool
    lookalike: bool
    extension: str


_KEYS: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "22233344455566677778889999")


@lru_cache(maxsize=4_096)
def read(text: str) -> Written | None:
    """Takes a text apart; None when it has characters that no number has, or no digit."""
    plain = _plain(text)
    head, extension = _split_extension(plain)
    head = head.strip().rstrip("#").strip()
    if not _HEAD.fullmatch(head) or not any(letter.isdigit() for letter in head):
        return None
    letters = {letter for letter in head if letter.isalpha()}
    digits = "".join(letter for letter in head.translate(_KEYS) if letter.isdigit())
    return Written(
        head=head,
        digits=digits,
        plus=head.startswith("+"),
        letters=bool(letters),
        lookalike=bool(letters) and letters <= _LOOKALIKE_LETTERS,
        extension=extension,
    )


def _plain(text: str) -> str:
    """Gives the text in ASCII digits and lower case, without what cannot be seen."""
    shown = text if text.isascii() else _in_ascii_digits(text)
    shown = " ".join(shown.casefold().split())
    for scheme in _SCHEMES:
        shown = shown.removeprefix(scheme)
    return shown


def _in_ascii_digits(text: str) -> str:
    shown = unicodedata.normalize("NFKC", text.translate(_INVISIBLE)).translate(_DASHES)
    return "".join(_ascii_digit(letter) for letter in shown)


def _ascii_digit(letter: str) -> str:
    """Gives 7 for every script's 7, drops marks that combine (keycap digits), keeps the rest."""
    if unicodedata.category(letter)[0] == "M":
        return ""
    return str(unicodedata.decimal(letter, letter))


def _split_extension(plain: str) -> tuple[str, str]:
    for pattern in (_PARAMETER, _EXTENSION, _PAUSE):
        match = pattern.fullmatch(plain)
        if match:
            return match["head"], match["tail"].translate(_PAUSES)
    return plain.partition(";")[0], ""
