"""The one text of a mail that may hold a command: which part, which charset, which characters.

RFC 2045 to 2049 (MIME), RFC 2047 (encoded words), RFC 3676 (format=flowed). The first text part
that is no attachment counts, plain before HTML; forwarded messages and attachments are never read.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message

from call_core.errors import ParseError
from parsers.email_html import html_to_text

NESTING_LIMIT = 20
HEADER_TEXT_LIMIT = 998  # characters of an unstructured field such as Subject

_FOLD = re.compile(r"[\r\n]+[ \t]*")
# Codecs of Python that are no charsets of mail: they interpret escapes or are slow on purpose.
_NO_CHARSETS = frozenset({"unicode_escape", "raw_unicode_escape", "raw-unicode-escape"})
_NO_CHARSETS |= {"unicode-escape", "idna", "punycode", "undefined"}

# Phones write numbers with typographer's blanks and dashes, and with marks that show nothing.
_PLAIN: dict[int, str | None] = {
    **dict.fromkeys((0x00A0, 0x2007, 0x202F, 0x3000, 0x0009), " "),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212, 0xFE63, 0xFF0D), "-"),
    **dict.fromkeys((0x2018, 0x2019, 0x201A, 0x201B), "'"),
    **dict.fromkeys((0x201C, 0x201D, 0x201E, 0x201F), '"'),
    **dict.fromkeys((0x00AD, 0x2060, 0xFEFF, *range(0x2066, 0x206A)), None),
    **dict.fromkeys((*range(0x200B, 0x2010), *range(0x202A, 0x202F)), None),
    **dict.fromkeys((*range(9), *range(14, 32), 0x7F), None),
    0xFF0B: "+",
}


@dataclass(frozen=True, slots=True)
class BodyText:
    """The chosen text.

    Attributes:
        text: decoded, plain characters, lines ended by a newline.
        quote_removed: an HTML quote was taken out.
        message_attached: a whole other message is attached.
    """

    text: str
    quote_removed: bool = False
    message_attached: bool = False


def body_text(message: Message) -> BodyText:
    """Return the text of the first readable part that is no attachment.

    Raises:
        ParseError: `mail_nested_too_deep` above `NESTING_LIMIT` levels.
    """
    parts = list(_leaves(message))
    attached = any(part.get_content_maintype() == "message" for part in parts)
    inline = [part for part in parts if not _is_attachment(part)]
    for part in inline:
        if part.get_content_type() == "text/plain" and (text := plain(_plain_part(part))).strip():
            return BodyText(text, message_attached=attached)
    for part in inline:
        if part.get_content_type() == "text/html":
            text, quote_removed = html_to_text(_decoded(part))
            return BodyText(plain(text), quote_removed, attached)
    return BodyText("", message_attached=attached)


def _is_attachment(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or part.get_filename() is not None


def plain(text: str) -> str:
    """Return text with typographer's blanks, dashes and quotes made plain and marks removed.

    Accents are composed (NFC), so that a name compares equal whoever typed it.

    Digits are left alone on purpose: see `lookalike_digit`.
    """
    return unicodedata.normalize("NFC", "\n".join(_lines(text)).translate(_PLAIN))


def _lines(text: str) -> list[str]:
    """Return the lines, the last of them without an end, whatever Unicode calls the end of one."""
    lines = f"{text}|".splitlines()
    lines[-1] = lines[-1][:-1]
    return lines


def lookalike_digit(text: str) -> str:
    """Return the first digit that is not 0 to 9 (Arabic-Indic, full-width, superscript), else "".

    They are refused, not converted: a number must mean the same to the eye and to the switch.
    """
    if text.isascii():
        return ""
    digits = (one for one in text if unicodedata.digit(one, None) is not None)
    return next((digit for digit in digits if not digit.isascii()), "")


def decode_octets(octets: bytes, charset: str) -> str:
    """Return text in the declared charset, else UTF-8, else Windows-1252; never fails."""
    for name in (charset, "utf-8", "cp1252"):
        try:
            if codecs.lookup(name).name not in _NO_CHARSETS:
                return octets.decode(name)
        except (LookupError, ValueError):
            continue
    return octets.decode("cp1252", errors="replace")


def decode_field(value: str) -> str:
    """Return an unstructured field as a person reads it: unfolded, encoded words decoded.

    Sample: `=?utf-8?Q?call_Zo=C3=AB?=` is `call Zoë`. Octets above 127 are tried as UTF-8 and as
    Windows-1252; an encoded word that cannot be decoded stays as it is.
    """
    line = _FOLD.sub(" ", value[:HEADER_TEXT_LIMIT])
    raw = line.encode("ascii", "surrogateescape") if not line.isascii() else b""
    if raw:
        line = decode_octets(raw, "utf-8")
    if "=?" not in line:
        return plain(line).strip()
    try:
        pieces = decode_header(line)
    except HeaderParseError:
        return plain(line).strip()
    words = (
        piece if isinstance(piece, str) else decode_octets(piece, charset or "utf-8")
        for piece, charset in pieces
    )
    return _FOLD.sub(" ", plain("".join(words))).strip()


def _leaves(message: Message) -> Iterator[Message]:
    """Yield the parts that hold no parts, in reading order; attached messages are not entered."""
    waiting = [(message, 1)]
    while waiting:
        part, depth = waiting.pop()
        if depth > NESTING_LIMIT:
            raise ParseError("mail_nested_too_deep", limit=NESTING_LIMIT)
        # Asked for as text it may fail: the library stumbles over `charset*=` (RFC 2231).
        inner = part.get_payload() if part.is_multipart() else None
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            children = [child for child in reversed(inner) if isinstance(child, Message)]
            waiting.extend((child, depth + 1) for child in children)
        else:
            yield part


def _decoded(part: Message) -> str:
    octets = part.get_payload(decode=True)
    assert isinstance(octets, bytes)  # a part without parts has octets, however few
    return decode_octets(octets, part.get_content_charset() or "utf-8")


def _plain_part(part: Message) -> str:
    text = _decoded(part)
    if _parameter(part, "format") == "flowed":
        return unflow(text, delete_space=_parameter(part, "delsp") == "yes")
    return text


def _parameter(part: Message, name: str) -> str:
    value = part.get_param(name, "")
    return value.strip().lower() if isinstance(value, str) else ""


def unflow(text: str, *, delete_space: bool) -> str:
    """Return format=flowed text with its soft line breaks undone (RFC 3676 section 4).

    Args:
        text: lines; one that ends in a space goes on in the next of the same quote depth.
        delete_space: `DelSp=yes`, the space at a soft break is not part of the text.
    """
    lines: list[str] = []
    open_depth: int | None = None  # quote depth of the last line while it is still going on
    for line in _lines(text):
        content = line.lstrip(">")
        depth = len(line) - len(content)
        content = content.removeprefix(" ")
        flows = content.endswith(" ") and content != "-- "
        if flows and delete_space:
            content = content[:-1]
        if open_depth == depth and content != "-- ":
            lines[-1] += content
        else:
            lines.append(f"{'>' * depth}{' ' if depth else ''}{content}")
        open_depth = depth if flows else None
    return "\n".join(lines)
