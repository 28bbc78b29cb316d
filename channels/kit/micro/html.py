"""Micro pages as HTML: XHTML-MP, Web Clipping and a 240 pixel page, without script or cookie.

A page is one form: its hidden state, its fields, and a submit button for each press, whose *name*
is `b:` and the action (HTML 3.2 sends name and value of the button that was pressed). A press with
fields or a state of its own has a form of its own.

    <form action="/pda" method="post"><input type="hidden" name="s" value="AZq1…">
    <input type="submit" name="b:entry:mom" value="mom"><br>
"""

from collections.abc import Iterator, Sequence
from typing import TypeGuard

from channels.kit.micro.page import Block, Box, Digits, Page, Pick, Press, Row, Words
from parsers.markup import Node, element
from parsers.small_html import Dialect, document

STATE_FIELD = "s"
BUTTON_FIELD = "b"
BUTTON_PREFIX = f"{BUTTON_FIELD}:"
_SHOWN_CHARS = 18  # width of a field; 153 pixels hold no more
_BREAK = element("br")


class HtmlWriter:
    """Writes pages for one dialect; the limit counts the page's own bytes."""

    def __init__(self, dialect: Dialect, path: str) -> None:
        self.media_type = dialect.media_type
        self._dialect = dialect
        self._path = path

    def write(self, page: Page, rows: Sequence[Row], foot: Row, state: str) -> tuple[bytes, int]:
        """Return the page as bytes, and how many."""
        lines = [*rows, *((press,) for press in foot)]
        alone = [block for row in lines for block in row if _is_alone(block)]
        lines = [row for row in map(_without_alone, lines) if row]
        inner = [node for row in lines for node in self._row(row)]
        if any(isinstance(block, Press | Box | Pick) for row in lines for block in row):
            inner = [self._form(state, inner)]
        else:
            inner = self._paragraph(inner)
        inner += [self._alone(press) for press in alone]
        written = document(page.title, self._dialect, *inner).encode()
        return written, len(written)

    def _row(self, row: Row) -> Iterator[Node]:
        for place, block in enumerate(row):
            if place and not isinstance(block, Words):
                yield _BREAK
            yield from _nodes(block, self._dialect)
        yield _BREAK

    def _alone(self, press: Press) -> Node:
        fields = [_hidden(name, value) for name, value in press.fields.items()]
        return self._form(press.state, [*fields, _button(press)])

    def _form(self, state: str, content: Sequence[Node]) -> Node:
        inner = self._paragraph([_hidden(STATE_FIELD, state), *content])
        return element("form", {"action": self._path, "method": "post"}, *inner)

    def _paragraph(self, content: list[Node]) -> list[Node]:
        """Return content in a paragraph where the dialect wants it."""
        is_needed = self._dialect is Dialect.XHTML_MP and bool(content)
        return [element("p", None, *content)] if is_needed else content


def _is_alone(block: Block) -> TypeGuard[Press]:
    return isinstance(block, Press) and bool(block.state)


def _without_alone(row: Row) -> Row:
    return tuple(block for block in row if not _is_alone(block))


def _nodes(block: Block, dialect: Dialect) -> Iterator[Node]:
    match block:
        case Words(text):
            yield text
        case Digits(shown, e164):
            yield f"{shown} "
            if dialect is Dialect.XHTML_MP:
                yield element("a", {"href": f"tel:{e164}"}, "Dial it")
        case Press():
            yield _button(block)
        case Box():
            yield from (f"{block.label} ", _input(block))
        case Pick(several=True):
            yield from _ticks(block)
        case Pick():
            yield from (f"{block.label} ", _select(block))


def _button(press: Press) -> Node:
    name = f"{BUTTON_PREFIX}{press.action}"
    return element("input", {"type": "submit", "name": name, "value": press.label})


def _hidden(name: str, value: str) -> Node:
    return element("input", {"type": "hidden", "name": name, "value": value})


def _input(box: Box) -> Node:
    return element(
        "input",
        {
            "type": "password" if box.secret else None,
            "name": box.name,
            "value": box.value or None,
            "size": str(_SHOWN_CHARS),
            "maxlength": str(box.max_chars),
        },
    )


def _select(pick: Pick) -> Node:
    options = (
        element(
            "option",
            {"value": value, "selected": "selected" if value == pick.chosen and value else None},
            label,
        )
        for value, label in pick.options
    )
    return element("select", {"name": pick.name}, *options)


def _ticks(pick: Pick) -> Iterator[Node]:
    """A box to tick for each choice: clippings have no list of several choices."""
    for value, label in pick.options:
        yield element("input", {"type": "checkbox", "name": pick.name, "value": value})
        yield label
        yield _BREAK
