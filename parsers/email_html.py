"""HTML mail to plain lines: what a person typed, without quotes, styles and hidden text.

Mail programs mark what they quote: Gmail by class, Outlook by id, everyone by blockquote. What is
marked is taken out of the tree before the text is drawn, so no number in it can be dialled.
"""

import re
from itertools import islice

import lxml.html  # type: ignore[import-untyped]
from inscriptis.html_engine import Inscriptis
from lxml.etree import ParserError  # type: ignore[import-untyped]

HTML_LENGTH_LIMIT = 131_072  # characters; new words stand at the top, the rest is not read
ELEMENT_LIMIT = 1_200  # as many are drawn, the rest is not; a table's cost 25 µs each

# One without an end is the whole mail, and lxml's own search in it takes time by the square.
_XML_DECLARATION = re.compile(r"\A(?:\s*<\?xml[^>]*(?:>|\Z))+")
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*0(?![\d.]*[1-9])"
)
_SILENT_TAGS = frozenset({"head", "script", "style", "title", "template", "noscript"})
_QUOTE_CLASSES = frozenset(
    {
        "gmail_quote",
        "gmail_quote_container",
        "gmail_attr",
        "moz-cite-prefix",
        "yahoo_quoted",
        "protonmail_quote",
        "zmail_extra",
    }
)
_QUOTE_IDS = frozenset({"OLK_SRC_BODY_SECTION", "mail-editor-reference-message-container"})
_SIGNATURE_CLASSES = frozenset({"gmail_signature", "moz-signature", "protonmail_signature_block"})
_SIGNATURE_IDS = frozenset({"Signature", "ms-outlook-mobile-signature", "AppleMailSignature"})
# From this element on everything is the old mail.
_QUOTE_BEGINS = frozenset({"divRplyFwdMsg", "appendonsend", "x_divRplyFwdMsg"})


def html_to_text(html: str) -> tuple[str, bool]:
    """Return the visible, unquoted text of an HTML body, and whether a quote was taken out.

    Args:
        html: decoded characters; only the first `HTML_LENGTH_LIMIT` are read, and of these the
            first `ELEMENT_LIMIT` elements.
    """
    try:
        root = lxml.html.document_fromstring(_XML_DECLARATION.sub("", html[:HTML_LENGTH_LIMIT]))
    except ParserError:
        return "", False  # nothing but comments and blanks
    _cut(root)
    quoted = False
    for element in list(root.iter()):
        if not isinstance(element.tag, str) or element.getparent() is None:
            continue
        if element.get("id") in _QUOTE_BEGINS:
            quoted = True
            for later in list(element.itersiblings()):
                later.getparent().remove(later)
            element.getparent().remove(element)
        elif _is_quote(element):
            quoted = True
            _empty(element)
        elif _is_silent(element):
            _empty(element)
    lines = Inscriptis(root).get_text().splitlines()
    return "\n".join(line.strip() for line in lines), quoted


def _cut(root: lxml.html.HtmlElement) -> None:
    """Take out what stands behind the last element that is drawn."""
    last = next(islice(root.iter(), ELEMENT_LIMIT - 1, None), None)
    if last is None:
        return
    for inner in list(last):
        last.remove(inner)
    while (parent := last.getparent()) is not None:
        for later in list(last.itersiblings()):
            parent.remove(later)
        last.tail = None
        last = parent


def _empty(element: lxml.html.HtmlElement) -> None:
    """Take an element's content out; the text behind it stays.

    To take the element out as well, that text would have to be written anew, which the library
    refuses when it holds control characters. Mails have them.
    """
    element.clear(keep_tail=True)
    element.tag = "span"


def _is_quote(element: lxml.html.HtmlElement) -> bool:
    return (
        element.tag == "blockquote"
        or element.get("id") in _QUOTE_IDS
        or not _QUOTE_CLASSES.isdisjoint(element.get("class", "").split())
    )


def _is_silent(element: lxml.html.HtmlElement) -> bool:
    """Whether an element shows nothing, or only a signature."""
    return (
        element.tag in _SILENT_TAGS
        or element.get("hidden") is not None
        or element.get("id") in _SIGNATURE_IDS
        or not _SIGNATURE_CLASSES.isdisjoint(element.get("class", "").split())
        or _HIDDEN_STYLE.search(element.get("style", "").lower()) is not None
    )
