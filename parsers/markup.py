"""Small trees of markup, written as XML (WML, XHTML-MP) or as HTML 3.2. Writing only, no schema.

Text and attribute values are escaped here and nowhere else, so a name such as `<&"'$()]]>` stays
what it is on every page. Characters that XML 1.0 cannot carry (section 2.2: controls, halves of
characters) become blanks, as they are nothing that a person can read or type.
"""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_UNWRITABLE = re.compile("[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VOID = frozenset({"br", "hr", "img", "input", "meta"})


@dataclass(frozen=True, slots=True)
class Written:
    """A value that stands in the markup as it is: ours, never a person's."""

    text: str


Value = str | Written


@dataclass(frozen=True, slots=True)
class Element:
    """One element; `None` as an attribute's value leaves the attribute out."""

    name: str
    attributes: Mapping[str, Value | None] = field(default_factory=dict)
    children: tuple["Element | Value", ...] = ()


Node = Element | Value
Escape = Callable[[str], str]


def element(
    name: str, attributes: Mapping[str, Value | None] | None = None, *children: Node
) -> Element:
    """Return an element; the short way to write trees."""
    return Element(name, attributes or {}, children)


def plain(text: str) -> str:
    """Return a text with a blank for each character that markup cannot carry."""
    return _UNWRITABLE.sub(" ", text)


def escape(text: str) -> str:
    """Return a text for HTML and XML, in an element or in a quoted attribute."""
    return html.escape(plain(text), quote=False).replace('"', "&quot;")


def attributes_of(node: Element) -> Iterable[tuple[str, Value]]:
    """Yield the attributes that are there."""
    return ((name, value) for name, value in node.attributes.items() if value is not None)


# <p>Call <b>mom</b><br/></p>
def write_xml(node: Node, escaped: Escape = escape) -> str:
    """Return a tree as XML.

    Args:
        node: what to write.
        escaped: how text and attribute values are escaped (WML doubles `$` too).
    """
    if not isinstance(node, Element):
        return _value(node, escaped)
    start = _start(node, escaped)
    if not node.children:
        return f"<{start}/>"
    inner = "".join(write_xml(child, escaped) for child in node.children)
    return f"<{start}>{inner}</{node.name}>"


# <p>Call <b>mom</b><br></p>
def write_html(node: Node) -> str:
    """Return a tree as HTML 3.2: empty elements have no end, others always have one."""
    if not isinstance(node, Element):
        return _value(node, escape)
    start = _start(node, escape)
    if node.name in _VOID:
        return f"<{start}>"
    return f"<{start}>{''.join(map(write_html, node.children))}</{node.name}>"


def _start(node: Element, escaped: Escape) -> str:
    words = [f'{name}="{_value(value, escaped)}"' for name, value in attributes_of(node)]
    return " ".join([node.name, *words])


def _value(value: Value, escaped: Escape) -> str:
    return value.text if isinstance(value, Written) else escaped(value)
