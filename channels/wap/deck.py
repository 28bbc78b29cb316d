"""Micro pages as WML 1.1 decks, small enough when compiled.

    <anchor>mom<go href="/wap" method="post"><postfield name="b" value="entry:mom"/><postfield
    name="s" value="AZq1…"/></go></anchor>

Every link is a POST in whose body the state stands: nothing of a session is in an address. A number
is shown once as plain digits, which phones without WTAI find by themselves ("Use number"), and once
as a link, `wtai://wp/mc;` (WAP-170: make a call).
"""

from collections.abc import Iterator, Sequence

from channels.kit.micro.html import BUTTON_FIELD, STATE_FIELD
from channels.kit.micro.page import Block, Box, Digits, Page, Pick, Press, Row, Words
from parsers import wml
from parsers.markup import Element, Node, Value, element

_BREAK = element("br")


class DeckWriter:
    """Writes decks; the limit counts the bytes of the compiled deck."""

    media_type = wml.MEDIA_TYPE

    def __init__(self, path: str) -> None:
        self._path = path

    def write(self, page: Page, rows: Sequence[Row], foot: Row, state: str) -> tuple[bytes, int]:
        """Return the deck as text, and its size when compiled."""
        lines = (*rows, *((press,) for press in foot))
        content = [node for row in lines for node in self._row(row, state)]
        blocks = [block for row in rows for block in row]
        fields = {block.name: block.value for block in blocks if isinstance(block, Box)}
        fields |= {block.name: block.chosen for block in blocks if isinstance(block, Pick)}
        deck = wml.deck(page.title, *content[:-1], fields=fields, forget=page.forget)
        return wml.write(deck).encode(), wml.compiled_bytes(deck)

    def _row(self, row: Row, state: str) -> Iterator[Node]:
        for place, block in enumerate(row):
            if place and not isinstance(block, Words):
                yield _BREAK
            yield from self._nodes(block, state)
        yield _BREAK

    def _nodes(self, block: Block, state: str) -> Iterator[Node]:
        match block:
            case Words(text):
                yield text
            case Digits(shown, e164):
                yield f"{shown} "
                yield element("a", {"href": f"wtai://wp/mc;{e164}"}, "Dial it")
            case Press():
                yield self._anchor(block, state)
            case Box():
                yield from (f"{block.label} ", _input(block))
            case Pick():
                yield from (f"{block.label} ", _select(block))

    def _anchor(self, press: Press, state: str) -> Element:
        fields: dict[str, Value] = {BUTTON_FIELD: press.action, STATE_FIELD: press.state or state}
        fields |= press.fields
        fields |= {name: wml.variable(name) for name in press.sends}
        return wml.anchor(press.label, self._path, fields)


def _input(box: Box) -> Element:
    return element(
        "input",
        {
            "type": "password" if box.secret else None,
            "name": box.name,
            "emptyok": "true",
            "maxlength": str(box.max_chars),
        },
    )


def _select(pick: Pick) -> Element:
    options = (element("option", {"value": value}, label) for value, label in pick.options)
    several = "true" if pick.several else None
    return element("select", {"name": pick.name, "multiple": several}, *options)
