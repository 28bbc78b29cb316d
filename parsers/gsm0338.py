"""How many text messages a text is, and where it is cut: 3GPP TS 23.038 and 23.040.

A text in the 7-bit default alphabet fits 160 septets; a longer one is sent in parts of 153, because
each part begins with a header that tells how to join them. One character outside the alphabet makes
the whole text UCS-2: 70 units of 16 bits, or parts of 67. Carriers charge by the part.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

SINGLE_SEPTETS: Final = 160
PART_SEPTETS: Final = 153
SINGLE_UNITS: Final = 70
PART_UNITS: Final = 67

BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅå"
    "\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e"
    "ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""One septet each (section 6.2.1, without the escape)."""

EXTENSION: Final = frozenset("\f^{}\\[~]|\u20ac")
"""Two septets each, an escape and a letter (section 6.2.1.1); the two are never parted."""

_ALPHABET: Final = BASIC | EXTENSION
_BEYOND_BMP: Final = 0xFFFF


class Alphabet(StrEnum):
    """How a text travels."""

    GSM7 = "gsm7"
    UCS2 = "ucs2"


_SIZES: Final = MappingProxyType(
    {
        Alphabet.GSM7: (SINGLE_SEPTETS, PART_SEPTETS),
        Alphabet.UCS2: (SINGLE_UNITS, PART_UNITS),
    }
)


@dataclass(frozen=True, slots=True)
class Segments:
    """A text as it will be sent and charged.

    Attributes:
        alphabet: of all parts.
        units: septets, or 16-bit units, of the whole text without headers.
        parts: the text, cut; one part for an empty text. A number may be cut between two parts of
            one message, since every telephone joins them again.
    """

    alphabet: Alphabet
    units: int
    parts: tuple[str, ...]


def segments(text: str) -> Segments:
    """Return how a text is sent: its alphabet and its parts, each as long as it can be."""
    alphabet = Alphabet.GSM7 if _ALPHABET.issuperset(text) else Alphabet.UCS2
    single, part = _SIZES[alphabet]
    units = sum(_cost(letter, alphabet) for letter in text)
    parts = (text,) if units <= single else tuple(_cut(text, alphabet, part))
    return Segments(alphabet, units, parts)


def _cost(letter: str, alphabet: Alphabet) -> int:
    """Return the septets or units of one character, which always stay together."""
    if alphabet is Alphabet.GSM7:
        return 2 if letter in EXTENSION else 1
    return 2 if ord(letter) > _BEYOND_BMP else 1


def _cut(text: str, alphabet: Alphabet, most: int) -> Iterator[str]:
    start = used = 0
    for place, letter in enumerate(text):
        cost = _cost(letter, alphabet)
        if used + cost > most:
            yield text[start:place]
            start, used = place, 0
        used += cost
    yield text[start:]
