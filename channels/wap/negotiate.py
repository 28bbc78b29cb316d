"""Which kind of page a telephone gets, by its Accept header and, failing that, its name.

    Accept: */*, text/vnd.wap.wml, text/vnd.wap.wmlscript        (through a WAP gateway) -> WML
    Accept: application/vnd.wap.xhtml+xml, text/vnd.wap.wml;q=0.8                   -> XHTML-MP
    Accept: text/html, text/plain, */*;q=0.01                                           -> HTML
    User-Agent: Nokia7110/1.0 (04.84)                     with an Accept that names none -> WML

HTML is what is left: browsers of that time did not name it. Headers of gateways that name a
subscriber (X-WAP-Network-Client-MSISDN, x-up-subno) are not looked at: anybody can write them.
"""

import re
from collections.abc import Mapping
from enum import Enum

MAX_HEADER_CHARS = 2000

_WML = "text/vnd.wap.wml"
_XHTML_MP = "application/vnd.wap.xhtml+xml"
_HTML = ("text/html", "application/xhtml+xml")
_WML_PHONES = ("Noki", "Eric", "UP.B", "WapI", "MC21", "R380", "R320", "MOT-", "Alca")
_QUALITY = re.compile(r"q=(?:1(?:\.0{1,3})?|0(?:\.\d{1,3})?)")


class Kind(Enum):
    """What pages are written in."""

    WML = "WML 1.1"
    XHTML_MP = "XHTML Mobile Profile 1.0"
    HTML = "HTML 3.2"


def kind_for(headers: Mapping[str, str]) -> Kind:
    """Return the kind of page for a request's headers."""
    wanted = qualities(headers.get("accept", ""))
    wml, xhtml = wanted.get(_WML, 0), wanted.get(_XHTML_MP, 0)
    html = max(wanted.get(kind, 0) for kind in _HTML)
    if xhtml and xhtml >= max(wml, html):
        return Kind.XHTML_MP
    if wml and wml >= html:
        return Kind.WML
    if not (wml or html) and headers.get("user-agent", "").startswith(_WML_PHONES):
        return Kind.WML
    return Kind.HTML


def qualities(accept: str) -> Mapping[str, int]:
    """Return the thousandths of quality of each media type that an Accept header names.

    RFC 9110 section 12.5.1; a quality that cannot be read is a full one. What is behind the first
    `MAX_HEADER_CHARS` is not looked at.
    """
    found: dict[str, int] = {}
    for item in accept[:MAX_HEADER_CHARS].lower().split(","):
        media_type, *parameters = map(str.strip, item.split(";"))
        quality = next((each for each in parameters if _QUALITY.fullmatch(each)), "q=1")
        found[media_type] = _thousandths(quality.removeprefix("q="))
    return found


def _thousandths(quality: str) -> int:
    whole, _, fraction = quality.partition(".")
    return int(whole) * 1000 + int(fraction.ljust(3, "0"))
