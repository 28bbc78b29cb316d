"""The alphabet of text messages: 3GPP TS 23.038, the 7-bit default alphabet and its extension.

A text in this alphabet costs one septet a character (two for the extension); a single character
outside it makes the whole message cost 16 bits a character and halves what fits. So every text of
ours stays inside, and names that come from people are brought inside, readable.
"""

import unicodedata
from types import MappingProxyType
from typing import Final

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå"
    "\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e"
    "ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""Characters of one septet (table of section 6.2.1, without the escape)."""

EXTENSION: Final = frozenset("\f^{}\\[~]|\u20ac")
"""Characters of two septets (section 6.2.1.1)."""

UNKNOWN: Final = "?"
"""What stands for a character that has no form in the alphabet."""

_ALPHABET: Final = BASIC | EXTENSION

_CYRILLIC: Final = "абвгдежзийклмнопрстуфхцчшщъыьэюяєії"
_LATIN_OF_CYRILLIC: Final = (
    *("a", "b", "v", "g", "d", "e", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s"),
    *("t", "u", "f", "kh", "ts", "ch", "sh", "shch", "", "y", "", "e", "yu", "ya", "ye", "i", "yi"),
)
_GREEK: Final = "αβγδεζηθικλμνξοπρσςτυφχψω"
_LATIN_OF_GREEK: Final = (
    *("a", "v", "g", "d", "e", "z", "i", "th", "i", "k", "l", "m", "n", "x", "o", "p", "r"),
    *("s", "s", "t", "y", "f", "ch", "ps", "o"),
)
_LETTERS: Final = MappingProxyType(
    dict(zip(_CYRILLIC, _LATIN_OF_CYRILLIC, strict=True))
    | dict(zip(_GREEK, _LATIN_OF_GREEK, strict=True))
    | {"ł": "l", "đ": "d", "ð": "d", "þ": "th", "œ": "oe", "\u0131": "i", "ŋ": "ng", "ħ": "h"}
)
_SIGNS: Final = MappingProxyType(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201a": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u201e": '"',
        "\u00ab": '"',
        "\u00bb": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
        "\u2044": "/",
        "\u00d7": "x",
        "\u00b7": "-",
        "\u2022": "-",
        "`": "'",
        "\u00b4": "'",
    }
)


def is_gsm7(text: str) -> bool:
    """Whether every character is in the default alphabet or its extension."""
    return _ALPHABET.issuperset(text)


def septet_length(text: str) -> int:
    """Return how many septets a text takes.

    Raises:
        ValueError: a character is outside the alphabet.
    """
    if not is_gsm7(text):
        raise ValueError("the text is not in the 7-bit alphabet")
    return len(text) + sum(letter in EXTENSION for letter in text)


def transliterate(text: str) -> str:
    """Return the text in the 7-bit alphabet, as readable as it can be.

    Accents outside the alphabet are dropped, Cyrillic and Greek become Latin, typographic signs
    plain; invisible characters vanish; anything else becomes `?`.
    """
    if is_gsm7(text):
        return text
    return "".join(_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _letter(letter: str) -> str:
    if letter in _ALPHABET:
        return letter
    if letter in _SIGNS:
        return _SIGNS[letter]
    mapped = _mapped(letter)
    if mapped is not None:
        return mapped
    pieces = unicodedata.normalize("NFKD", letter)
    plain = [_SIGNS.get(piece) or _mapped(piece) or piece for piece in pieces]
    kept = "".join(piece for piece in plain if _ALPHABET.issuperset(piece))
    if kept or unicodedata.category(letter) in {"Mn", "Me", "Cf", "Cc"}:
        return kept
    return UNKNOWN


def _mapped(letter: str) -> str | None:
    """Return the Latin letters of a letter with its case kept, None when it is in no table."""
    found = _LETTERS.get(letter.lower())
    if found is None or letter == letter.lower():
        return found
    return found.capitalize()
