"""From the characters somebody typed to tokens: words, quoted names, separators.

Every channel's text goes through here, so this is where the damage that phones, mail programs and
address books do is undone: curly quotes, long dashes, no-break and zero-width spaces, the
direction marks around a pasted number. Digits of other scripts are refused, not converted: what a
person reads on the screen and what would be rung must be the same.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import Enum

from call_core.errors import ParseError

MAX_TEXT_CHARS = 2_000

_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
_DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb\uff02"
_SINGLE_QUOTES = "\u2018\u2019\u201a\u201b\uff07"
_LOOK_ALIKE = str.maketrans(
    dict.fromkeys(_DASHES, "-")
    | dict.fromkeys(_DOUBLE_QUOTES, '"')
    | dict.fromkeys(_SINGLE_QUOTES, "'")
    | {"\uff0b": "+", "\uff0a": "*", "\uff03": "#", "\uff0c": ",", "\uff1b": ";"}
    | {"\u2026": "...", "\u2028": "\n", "\u2029": "\n", "\x85": "\n", "\v": "\n", "\f": "\n"}
)
_UNSEEN = {"Cf", "Cs"}  # zero-width and direction marks, halves of characters
_BLANK = {"Cc", "Zs"}

# A word may hold the pauses that precede an extension: `4155551212,,1234#`, `,1234#`, `;ext=12`;
# and the comma of an amount: `$5,50`. Every other comma separates.
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"'
    r"|(?P<word>(?:[$\u20ac\u00a3]\d{1,9},\d{2}(?!\d)|[^\s\",;&]"
    r"|(?<=[\d#]),{2,8}(?=[\d*#])|(?<=\d),(?=\d{1,12}\#)|;ext=(?=\d))+)"
    r"|(?P<separator>[,;&\n])"
)


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    QUOTED = "quoted"
    SEPARATOR = "separator"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` is without the quotes, `word` is lower case and without a last colon."""

    kind: Kind
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The text as a key word: `From:` is `from`; "" for a quoted name or a separator."""
        return self.text.lower().rstrip(":") if self.kind is Kind.WORD else ""


def normalise(text: str) -> str:
    """Return `text` with look-alike punctuation made ASCII and invisible characters gone.

    Raises:
        ParseError: `too_long` over `MAX_TEXT_CHARS`; `lookalike_digits` for any digit that is
            not 0 to 9.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise ParseError("too_long", limit=MAX_TEXT_CHARS, length=len(text), example="call mom")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", text).translate(_LOOK_ALIKE)
    for letter in composed:
        if letter.isdigit() and not letter.isascii():
            raise ParseError("lookalike_digits", digit=letter, example="call 616 977 9933")
    return unicodedata.normalize("NFC", "".join(_seen(letter) for letter in composed))


def _seen(letter: str) -> str:
    """What remains of one character: itself, a space, or nothing."""
    if letter == "\n":
        return letter
    category = unicodedata.category(letter)
    if category in _UNSEEN:
        return ""
    return " " if category in _BLANK else letter


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a normalised text; separators at both ends and doubled ones are gone.

    Raises:
        ParseError: `quote_not_closed`.
    """
    if text.count('"') % 2:
        raise ParseError("quote_not_closed", example='call "bob and sons"')
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = Kind(match.lastgroup)
        if kind is Kind.SEPARATOR and (not tokens or tokens[-1].kind is kind):
            continue
        tokens.append(Token(kind, match[kind.value], match.start(), match.end()))
    return trimmed(tokens)


def trimmed(tokens: list[Token]) -> list[Token]:
    """Return `tokens` without separators at either end."""
    start, end = 0, len(tokens)
    while start < end and tokens[start].kind is Kind.SEPARATOR:
        start += 1
    while end > start and tokens[end - 1].kind is Kind.SEPARATOR:
        end -= 1
    return tokens[start:end]


def joined(tokens: list[Token]) -> str:
    """Return the words as they stood, with single spaces: what a name or a message shows.

    Quotes are kept only where the tokens are more than the one quoted text. Letters, digits and
    separators that touched still touch (`AT&T`, `9-1-1`); a line break is a space.
    """
    if len(tokens) == 1:
        return " ".join(tokens[0].text.split())
    parts: list[str] = []
    previous_end = tokens[0].start if tokens else 0
    for token in tokens:
        parts.append(" " if token.start > previous_end else "")
        parts.append(f'"{token.text}"' if token.kind is Kind.QUOTED else token.text)
        previous_end = token.end
    return " ".join("".join(parts).split())
