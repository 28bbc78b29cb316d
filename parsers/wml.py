"""WML 1.1 decks: escaping, building, and how large they are when a gateway has compiled them.

Only what WML 1.1 has is used (WAP-191 lists the elements; text, links and fields stand in `<p>`).
WML substitutes variables in text and in most attribute values: `$(to)` is the variable `to`, `$$` a
dollar. So a dollar of a person's is always doubled; otherwise `$(k)` as a name in a directory
would show the password that was typed a page ago.

The phone gets the deck compiled (WAP-192, WBXML) and old ones refuse decks of 1,400 bytes and
more. `compiled_bytes` is an upper bound of any compiler: every string inline, nothing shared.
"""

from collections.abc import Mapping
from typing import Final

from parsers.markup import Element, Node, Value, Written, attributes_of, element, plain, write_xml
from parsers.markup import escape as escape_xml

MEDIA_TYPE: Final = "text/vnd.wap.wml; charset=utf-8"
"""Without the charset a gateway reads the deck as ISO-8859-1."""

MAX_COMPILED_BYTES: Final = 1200
"""What every deck keeps to. The smallest phones take 1,397; the headers need their share."""

_PROLOG: Final = (
    '<?xml version="1.0"?>\n'
    '<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" '
    '"http://www.wapforum.org/DTD/wml_1.1.xml">\n'
)
_HEADER_BYTES: Final = 6  # version, public id, charset, length of the string table (two bytes)
_STRING_BYTES: Final = 2  # the token before a string and the zero behind it

_NO_CACHE: Final = element(
    "head",
    None,
    element("meta", {"http-equiv": "Cache-Control", "content": "no-cache", "forua": "true"}),
)


def escape(text: str) -> str:
    """Return a person's text for an element or an attribute: XML escapes, and `$` doubled."""
    return escape_xml(text).replace("$", "$$")


def variable(name: str) -> Written:
    """Return a reference to what stands in a field of the card."""
    return Written(f"$({name})")


# <?xml version="1.0"?>
# <!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" "http://www.wapforum.org/DTD/wml_1.1.xml">
# <wml><head>…</head><card title="Callgate"><p>Call mom?<br/><anchor>Call<go href="/wap"
# method="post"><postfield name="b" value="ring:mom"/></go></anchor></p></card></wml>
def deck(
    title: str, *content: Node, fields: Mapping[str, str] | None = None, forget: bool = False
) -> Element:
    """Return a deck of one card.

    Args:
        title: of the card; phones show it in one line or not at all.
        content: what stands in the card's paragraph.
        fields: what the variables of the card's fields are set to on entry; variables outlive
            decks, and a number that was typed before would appear again.
        forget: whether all variables and the history end here, so that no page from before, with
            a password typed into it, can be gone back to.
    """
    card = element(
        "card",
        {"title": title, "newcontext": "true" if forget else None},
        *([_setting(fields)] if fields else []),
        element("p", None, *content),
    )
    return element("wml", None, _NO_CACHE, card)


def _setting(fields: Mapping[str, str]) -> Element:
    values = (element("setvar", {"name": name, "value": text}) for name, text in fields.items())
    return element("onevent", {"type": "onenterforward"}, element("refresh", None, *values))


def anchor(label: str, href: str, fields: Mapping[str, Value]) -> Element:
    """Return a link that sends fields in the body of a POST."""
    sent = (element("postfield", {"name": name, "value": value}) for name, value in fields.items())
    go = element("go", {"href": href, "method": "post"}, *sent)
    return element("anchor", None, label, go)


def write(tree: Element) -> str:
    """Return a deck as text, prolog included."""
    return _PROLOG + write_xml(tree, escape)


def compiled_bytes(tree: Element) -> int:
    """Return how many bytes a deck has at most when it is compiled."""
    return _HEADER_BYTES + _compiled(tree)


def _compiled(node: Node) -> int:
    if not isinstance(node, Element):
        return _string(node)
    attributes = [1 + _string(value) for _, value in attributes_of(node)]
    children = [_compiled(child) for child in node.children]
    return 1 + sum(attributes) + bool(attributes) + sum(children) + bool(children)


def _string(value: Value) -> int:
    text = value.text if isinstance(value, Written) else plain(value)
    return _STRING_BYTES + len(text.encode())
