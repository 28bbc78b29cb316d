"""Small pages as pieces: tags and the words between, in time that grows only with their length.

The library's reader looks for the end of a tag anew from each `<`, and raises where a reference has
thousands of digits. This one reads what `parsers.markup` writes, and similar pages: WML and HTML
without script.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from call_core.errors import ParseError

MAX_REFERENCE_CHARS = 100

# Nothing here gives back what it took (`*+`), and nothing crosses the next `<`: no square.
_PIECE = re.compile(
    r"""
      <!--(?:(?!-->).)*+(?:-->)?               # a comment, to the end when it has none
    | <[!?][^<>]*+>?                           # a declaration, a marked section, an instruction
    | <(?P<end>/?)(?P<name>[a-z][a-z0-9:]*+)
      (?P<attributes>(?:"[^"<]*+"|'[^'<]*+'|[^"'<>])*+)>
    | (?P<words>[^<]++|<)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
_ATTRIBUTE = re.compile(
    r"""([^\s"'=/]++)(?:\s*+=\s*+("[^"]*+"|'[^']*+'|[^\s"']++))?""", re.DOTALL | re.ASCII
)
_LONG_REFERENCE = re.compile(rf"&#[0-9A-Fa-fXx]{{{MAX_REFERENCE_CHARS}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tag:
    """`<name a="b">`, `</name>`, or both at once: `<name/>`.

    Attributes:
        name: in small letters.
        attributes: by name in small letters; one without a value has "".
        opens, closes: which of the two it does.
    """

    name: str
    attributes: dict[str, str]
    opens: bool
    closes: bool


def pieces(text: str) -> Iterator[Tag | str]:
    """Yield the tags of a page and the words between them, in order; comments are left out.

    Raises:
        ParseError: `screen_too_long`, a reference to a character is.
    """
    if _LONG_REFERENCE.search(text):
        raise ParseError("screen_too_long", limit=MAX_REFERENCE_CHARS)
    for piece in _PIECE.finditer(text):
        if words := piece["words"]:
            yield unescape(words)
        elif name := piece["name"]:
            closes = bool(piece["end"]) or piece["attributes"].endswith("/")
            yield Tag(name.lower(), _attributes(piece["attributes"]), not piece["end"], closes)


def _attributes(text: str) -> dict[str, str]:
    found = ((each[1].lower(), each[2] or "") for each in _ATTRIBUTE.finditer(text))
    return {name: unescape(_unquoted(value)) for name, value in found}


def _unquoted(value: str) -> str:
    return value[1:-1] if value[:1] in {'"', "'"} else value
