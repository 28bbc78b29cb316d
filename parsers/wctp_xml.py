"""The octets of a WCTP document to a tree, liberal in what real senders get wrong.

Content types are not looked at. Taken are: a byte order mark and UTF-16, a form field in front
(`param=<?xml…`, URL-encoded or not), no XML declaration or one behind the DOCTYPE, any encoding
that a declaration claims when the octets say otherwise, any namespace. The DOCTYPE that every
document carries is cut off and nothing it names is read; one with declarations of its own is
refused, and the parser refuses entities besides.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from parsers.wctp import MAX_BODY_BYTES, MAX_ELEMENTS, Code, WctpError

MAX_PROLOG: Final = 16  # declarations and comments before the root; real documents have two
_FORM: Final = re.compile(r"\s*[A-Za-z_]\w{0,31}=(?=\s*(?:<|%3[Cc]))")
_DOCTYPE: Final = re.compile(r"<!DOCTYPE[^<>\[]*>", re.IGNORECASE)
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UTF16_STARTS: Final = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))


def read_tree(body: bytes) -> Element:
    """Return the root element.

    Raises:
        WctpError: it is too long, no XML, or declares something of its own.
    """
    if len(body) > MAX_BODY_BYTES:
        raise WctpError(Code.TOO_LONG, f"Documents have at most {MAX_BODY_BYTES} octets")
    text = _without_prolog(_without_form(_decoded(body)))
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, RecursionError) as error:
        raise WctpError(Code.UNREADABLE, "This is no well-formed XML") from error
    if len(list(root.iter())) > MAX_ELEMENTS:
        raise WctpError(Code.INVALID, f"Documents have at most {MAX_ELEMENTS} elements")
    return root


def _decoded(body: bytes) -> str:
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    for start, encoding in _UTF16_STARTS:
        if body.startswith(start):
            return body.decode(encoding, "replace")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")


def _without_form(text: str) -> str:
    """Return a document that stands in a form field as it was before."""
    field = _FORM.match(text)
    if field is not None:
        text = text[field.end() :].lstrip()
    return unquote_plus(text) if text[:3].lower() == "%3c" else text


def _without_prolog(text: str) -> str:
    """Cut off declarations, comments and the DOCTYPE, in whatever order they stand."""
    rest = text.lstrip("\ufeff \t\r\n\0")
    for _ in range(MAX_PROLOG):
        if rest.startswith("<?"):
            end, length = rest.find("?>"), 2
        elif rest.startswith("<!--"):
            end, length = rest.find("-->"), 3
        elif rest[:9].upper() == "<!DOCTYPE":
            found = _DOCTYPE.match(rest)
            if found is None:
                raise WctpError(Code.INVALID, "A DOCTYPE may name a DTD and declare nothing")
            end, length = found.end(), 0
        else:
            return rest.rstrip(" \t\r\n\0")
        if end < 0:
            break
        rest = rest[end + length :].lstrip()
    raise WctpError(Code.UNREADABLE, "This is no well-formed XML")


# --- looking into a tree ------------------------------------------------------------------------


def local_name(element: Element) -> str:
    """Return an element's name without namespace, prefix and `wctp-`, lower case."""
    name = str(element.tag).rpartition("}")[2].rpartition(":")[2].lower()
    return name.removeprefix("wctp-")


def below(element: Element, *names: str) -> Iterator[Element]:
    """Yield the elements below one that have one of the names, in order, at any depth."""
    for each in element.iter():
        if each is not element and local_name(each) in names:
            yield each


def first(element: Element, *names: str) -> Element | None:
    """Return the first such element."""
    return next(below(element, *names), None)


def attribute(element: Element | None, name: str) -> str:
    """Return an attribute, "" when it is not there; case does not matter."""
    if element is None:
        return ""
    value = element.get(name)
    if value is not None:
        return value
    wanted = name.lower()
    found = (value for key, value in element.items() if key.rpartition("}")[2].lower() == wanted)
    return next(found, "")


def text_of(element: Element | None) -> str:
    """Return the words of an element and of all below it."""
    return "" if element is None else "".join(element.itertext())
