r"""Words from outside on a terminal or in a line of a log: nothing in them may act.

A caller's name with an escape sequence would recolour, clear or retitle the operator's terminal, a
carriage return or a line break would write a line that nobody logged, and a mark of writing
direction would turn our own words around. They are shown as `\u001b` instead, which is also how
JSON writes them.
"""

import re

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
_BREAKS = re.compile(r"[\t\n]")


def printable(text: str) -> str:
    """Return a text of ours whose lines and tabs are meant; every other control is shown."""
    return _CONTROLS.sub(_shown, text)


def printable_line(text: str) -> str:
    """Return a text as part of one line: breaks and tabs are shown too."""
    return _BREAKS.sub(_shown, printable(text))


def _shown(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"
