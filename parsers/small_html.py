"""Documents for small browsers: XHTML Mobile Profile, and HTML 3.2 as Palm Web Clipping takes it.

Web Clipping knows no style sheets, scripts, frames, nested tables or cookies; the body takes
BGCOLOR and TEXT in four greys only, and a page without `PalmComputingPlatform` is cut off at
1,024 bytes. Pocket Internet Explorer shows 240 pixels across.
"""

from enum import Enum
from typing import Final

from parsers.markup import Element, Node, element, write_html, write_xml

MAX_PAGE_BYTES: Final = 1400
"""What every page keeps to, uncompressed."""

POCKET_PIXELS: Final = 240
_WHITE: Final = "#FFFFFF"
_BLACK: Final = "#000000"
_GREY: Final = "#C0C0C0"
_XHTML_PROLOG: Final = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<!DOCTYPE html PUBLIC "-//WAPFORUM//DTD XHTML Mobile 1.0//EN" '
    '"http://www.wapforum.org/DTD/xhtml-mobile10.dtd">\n'
)
_HTML_PROLOG: Final = '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n'


class Dialect(Enum):
    """Which of the small browsers a document is for."""

    XHTML_MP = "XHTML Mobile Profile 1.0"
    CLIPPING = "HTML 3.2, Web Clipping"
    POCKET = "HTML 3.2, 240 pixels"

    @property
    def media_type(self) -> str:
        """The Content-Type header; the charset is always said."""
        kind = "application/vnd.wap.xhtml+xml" if self is Dialect.XHTML_MP else "text/html"
        return f"{kind}; charset=utf-8"


def document(title: str, dialect: Dialect, *content: Node) -> str:
    """Return a whole document.

    Args:
        title: also the heading.
        dialect: for which browser.
        content: of the body, below the heading.
    """
    if dialect is Dialect.XHTML_MP:
        return _XHTML_PROLOG + write_xml(_xhtml(title, content))
    frame = _clipping if dialect is Dialect.CLIPPING else _pocket
    return _HTML_PROLOG + write_html(frame(title, content))


# <html xmlns="http://www.w3.org/1999/xhtml"><head><title>mom</title></head>
# <body><p><b>mom</b></p><form action="/wap" method="post"><p>…</p></form></body></html>
def _xhtml(title: str, content: tuple[Node, ...]) -> Element:
    head = element("head", None, element("title", None, title))
    body = element("body", None, element("p", None, element("b", None, title)), *content)
    return element("html", {"xmlns": "http://www.w3.org/1999/xhtml"}, head, body)


# <html><head><title>mom</title><meta name="PalmComputingPlatform" content="true"></head>
# <body bgcolor="#FFFFFF" text="#000000"><b>mom</b><br><form action="/pda" …
def _clipping(title: str, content: tuple[Node, ...]) -> Element:
    head = element(
        "head",
        None,
        element("title", None, title),
        element("meta", {"name": "PalmComputingPlatform", "content": "true"}),
    )
    body = element(
        "body",
        {"bgcolor": _WHITE, "text": _BLACK},
        element("b", None, title),
        element("br"),
        *content,
    )
    return element("html", None, head, body)


# <html><head><title>mom</title></head><body bgcolor="#FFFFFF" text="#000000"><table width="240"
# border="0"><tr><td bgcolor="#C0C0C0"><b>mom</b></td></tr><tr><td><form …
def _pocket(title: str, content: tuple[Node, ...]) -> Element:
    bar = element("td", {"bgcolor": _GREY}, element("b", None, title))
    table = element(
        "table",
        {"width": str(POCKET_PIXELS), "border": "0"},
        element("tr", None, bar),
        element("tr", None, element("td", None, *content)),
    )
    return element(
        "html",
        None,
        element("head", None, element("title", None, title)),
        element("body", {"bgcolor": _WHITE, "text": _BLACK}, table),
    )
