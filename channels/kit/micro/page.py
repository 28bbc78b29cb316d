"""What a micro page holds, and how it is divided when it is too long for one screen.

A page is a list of rows; a row (a name with its button, a form with its fields) is never divided.
A writer (WML, HTML) turns as many rows as fit into bytes, and puts `More` below when some are left:
it asks for the same page again, from the first row that was not shown.

A button's *action* is `page:argument:argument`, percent-encoded (base64 behind a tilde where that
is shorter), so that it is plain ASCII in a field's name and in WML; with `8!` before it the page
begins with its ninth row.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import quote, unquote

MAX_ACTION_CHARS = 600
MAX_ROWS_OF_A_PAGE = 30  # more never fit; bounds the search
MAX_LINE_CHARS = 150  # a longer line of text is divided, so that every row fits
_OFFSET_DIGITS = 4
MORE = "More"


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text."""

    text: str


@dataclass(frozen=True, slots=True)
class Digits:
    """A telephone number: plain for reading and scanning, and a link for phones that can dial."""

    shown: str
    e164: str


@dataclass(frozen=True, slots=True)
class Press:
    """A button or link.

    Attributes:
        action: what it asks for (`action_text`).
        sends: names of the fields on the page that go with it.
        state: the sealed state that it carries; "" is the page's own, fresh one.
        fields: with a state of its own, the fields that go with it, and their values.
    """

    label: str
    action: str
    sends: tuple[str, ...] = ()
    state: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Box:
    """A field to write in."""

    name: str
    label: str
    value: str = ""
    secret: bool = False
    max_chars: int = 60


@dataclass(frozen=True, slots=True)
class Pick:
    """A choice: (value, label) pairs; the first stands unless `chosen` says otherwise."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    chosen: str = ""
    several: bool = False


# Blocks of a row stand below each other; only words stand behind what is before them.
Block = Words | Digits | Press | Box | Pick
Row = tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page before it is written.

    Attributes:
        rows: what may go on to a further screen.
        foot: what every screen of the page has at its end.
        action: how to ask for this page again, for `More`; "" is the way it was asked for.
        session: the core's session from here on: a new one, "" after signing out, None as it was.
        forget: whether nothing before this page can be gone back to (after signing in and out).
        status: of the HTTP answer; anything but 200 only for a fault of ours or of the wire.
    """

    title: str
    rows: Sequence[Row]
    foot: tuple[Press, ...] = ()
    action: str = ""
    session: str | None = None
    forget: bool = False
    status: int = 200
    retry_after_s: int = 0


class Writer(Protocol):
    """Writes pages for one kind of browser."""

    media_type: str

    def write(self, page: Page, rows: Sequence[Row], foot: Row, state: str) -> tuple[bytes, int]:
        """Return one screen and how many bytes of the browser's limit it takes."""


def screen_of(
    page: Page, first: int, action: str, writer: Writer, state: str, max_bytes: int
) -> tuple[bytes, int]:
    """Return one screen of a page, and the bytes that count for the limit.

    Args:
        page: the whole page; each of its rows must fit on a screen by itself.
        first: the row that the screen begins with; the first one when there is no such row.
        action: asks for the page again, without an offset.
        writer: of the browser's language.
        state: the fresh sealed state of this screen.
        max_bytes: the browser's limit.
    """
    first = first if first < len(page.rows) else 0
    rest = list(page.rows[first : first + MAX_ROWS_OF_A_PAGE])
    left = len(page.rows) - first

    def screen(count: int) -> tuple[bytes, int]:
        more = (Press(MORE, f"{first + count}!{action}"),) if count < left else ()
        return writer.write(page, rest[:count], (*more, *page.foot), state)

    whole = screen(len(rest))
    if whole[1] <= max_bytes:
        return whole
    return screen(_most_that_fit(len(rest) - 1, lambda count: screen(count)[1] <= max_bytes))


def _most_that_fit(most: int, fits: Callable[[int], bool]) -> int:
    """Return the largest count of 1 to `most` that fits, 1 when none does."""
    low, high = 1, most
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def action_text(page: str, *arguments: str) -> str:
    """Return an action as it stands in a button."""
    return ":".join([page, *map(_packed, arguments)])


def read_action(text: str) -> tuple[int, str, tuple[str, ...]]:
    """Return (first row, page, arguments) of an action; ("", ()) for what is none of ours."""
    before, mark, behind = text[: MAX_ACTION_CHARS + 1].partition("!")
    if len(text) > MAX_ACTION_CHARS:
        return 0, "", ()
    if not mark:
        before, behind = "0", text
    page, *arguments = behind.split(":")
    is_offset = before.isascii() and before.isdigit() and len(before) <= _OFFSET_DIGITS
    return int(before) if is_offset else 0, page, tuple(map(_unpacked, arguments))


def _packed(text: str) -> str:
    quoted = quote(text, safe="").replace("~", "%7E")
    packed = "~" + base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode("ascii")
    return min(quoted, packed, key=len)


def _unpacked(text: str) -> str:
    if not text.startswith("~"):
        return unquote(text)
    try:
        return base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def lines_of(text: str) -> tuple[Row, ...]:
    """Return a text as rows, one for each line, long lines divided between words."""
    rows: list[Row] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        rest = line
        while len(rest) > MAX_LINE_CHARS:
            cut = rest.rfind(" ", 1, MAX_LINE_CHARS + 1)
            cut = cut if cut > 0 else MAX_LINE_CHARS
            rows.append((Words(rest[:cut]),))
            rest = rest[cut:].lstrip()
        rows.append((Words(rest),))
    return tuple(rows)
