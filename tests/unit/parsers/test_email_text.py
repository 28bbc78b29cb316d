"""Which part of a mail is read, and which characters come out."""

from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

import pytest

from call_core.errors import ParseError
from parsers.email_text import (
    HEADER_TEXT_LIMIT,
    body_text,
    decode_field,
    decode_octets,
    lookalike_digit,
    plain,
    unflow,
)


def parsed(content: str) -> Message:
    """Return a message from text whose characters are octets."""
    return BytesParser(policy=compat32).parsebytes(content.encode("latin-1"))


def multipart(*parts: str, kind: str = "mixed") -> Message:
    """Return a multipart of complete parts."""
    body = "".join(f"--b\n{part}\n" for part in parts)
    return parsed(f"Content-Type: multipart/{kind}; boundary=b\n\n{body}--b--\n")


PLAIN = "Content-Type: text/plain\n\nplain"
BLANK = "Content-Type: text/plain\n\n \n"
HTML = "Content-Type: text/html\n\n<p>html</p>"
QUOTE = "Content-Type: text/html\n\n<p>html</p><blockquote>old</blockquote>"
ATTACHED = "Content-Type: message/rfc822\n\nFrom: a@b\n\nold"


@pytest.mark.parametrize(
    ("message", "text", "quote", "attached"),
    [
        (parsed("\nbare"), "bare", False, False),
        (multipart(PLAIN, HTML, kind="alternative"), "plain", False, False),
        (multipart(HTML, PLAIN), "plain", False, False),
        (multipart(BLANK, HTML), "html", False, False),
        (multipart(QUOTE, HTML), "html", True, False),
        (multipart(ATTACHED, PLAIN), "plain", False, True),
        (multipart(PLAIN, ATTACHED), "plain", False, True),
        (multipart(ATTACHED), "", False, True),
        (multipart(f"Content-Disposition: attachment\n{PLAIN}", HTML), "html", False, False),
        (multipart(f"Content-Disposition: inline; filename=x.txt\n{PLAIN}"), "", False, False),
        (multipart('Content-Type: text/plain; name="x.txt"\n\nx'), "", False, False),
        (multipart("Content-Type: image/png\n\nx"), "", False, False),
        (parsed("Content-Type: multipart/mixed; boundary=b\n\nno parts at all"), "", False, False),
        (parsed("Content-Type: text/plain; format*=utf-8''flowed\n\na \nb"), "a \nb", False, False),
    ],
)
def test_the_first_readable_part_that_is_no_attachment_counts(
    message: Message, text: str, *, quote: bool, attached: bool
) -> None:
    """Plain before HTML; never an attachment, never a mail inside the mail."""
    body = body_text(message)
    assert (body.text.strip(), body.quote_removed, body.message_attached) == (text, quote, attached)


def test_nesting_is_refused_past_its_limit() -> None:
    """A tree of one part each, built by hand as deep as wanted."""
    inner = parsed("\nbare")
    for _ in range(19):
        outer = Message()
        outer["Content-Type"] = "multipart/mixed"
        outer.attach(inner)
        inner = outer
    assert body_text(inner).text == "bare"
    outer = Message()
    outer["Content-Type"] = "multipart/mixed"
    outer.attach(inner)
    with pytest.raises(ParseError, match="mail_nested_too_deep"):
        body_text(outer)


@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        (b"Zo\xc3\xab", "utf-8", "Zoë"),
        (b"Zo\xeb", "iso-8859-1", "Zoë"),
        (b"Zo\xeb", "utf-8", "Zoë"),
        (b"Zo\xc3\xab", "x-unknown", "Zoë"),
        (b"Zo\xc3\xab", "us-ascii", "Zoë"),
        (b"Zo\xc3\xab", "a\0b", "Zoë"),
        (b"\\x41", "unicode_escape", "\\x41"),
        (b"x", "undefined", "x"),
        (b"x", "base64", "x"),
        (b"\x93x\x94", "utf-8", "“x”"),
        (b"\x81", "utf-8", "\ufffd"),
    ],
)
def test_a_charset_is_only_a_hint(octets: bytes, charset: str, text: str) -> None:
    """Declared, then UTF-8, then Windows-1252; escapes of Python are no charset."""
    assert decode_octets(octets, charset) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("call mom", "call mom"),
        ("=?utf-8?Q?call_Zo=C3=AB?=", "call Zoë"),
        ("=?iso-8859-1?Q?call?= =?iso-8859-1?B?IFpv6w==?=", "call Zoë"),
        ("call =?utf-8?Q?Zo=C3=AB?= now", "call Zoë now"),
        ("=?x-unknown?Q?Zo=C3=AB?=", "Zoë"),
        ("=?utf-8?B?A?=", "=?utf-8?B?A?="),
        ("=?utf-8?Q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        ("folded\r\n\t subject", "folded subject"),
        ("Zo\udcc3\udcab", "Zoë"),
        ("Zo\udceb", "Zoë"),
        ("616\udcc2\udca0977", "616 977"),
        ("a" * (HEADER_TEXT_LIMIT + 1), "a" * HEADER_TEXT_LIMIT),
    ],
)
def test_fields_are_read_as_a_person_reads_them(value: str, text: str) -> None:
    """Encoded words, raw octets, folding; a line break cannot be encoded in."""
    assert decode_field(value) == text


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("616\u00a0977\u20079933\u202f1", "616 977 9933 1"),
        ("616\u2010977\u20119933\u20121\u20132\u20143\u20154\u22125", "616-977-9933-1-2-3-4-5"),
        ("6\u200b1\u200e6\u202a\u2060\ufeff\u00ad", "616"),
        ("\u201cmom\u201d \u2018x\u2019", "\"mom\" 'x'"),
        ("a\r\nb\rc\u2028d\x85e\x0cf", "a\nb\nc\nd\ne\nf"),
        ("a\tb\x07c\x7f", "a bc"),
        ("Zoe\u0308", "Zoë"),
        ("４１٥", "４１٥"),  # noqa: RUF001  (full-width and Arabic digits)
    ],
)
def test_typographers_characters_become_plain(text: str, made: str) -> None:
    """Blanks, dashes and quotes; marks vanish; digits stay what they are."""
    assert plain(text) == made


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("call 415", ""),
        ("Zoë 415", ""),
        ("call 4٤5", "٤"),
        ("４", "４"),  # noqa: RUF001  (full-width)
        ("x²", "²"),
        ("①", "①"),
        ("𝟜", "𝟜"),  # noqa: RUF001  (mathematical)
    ],
)
def test_other_digits_are_seen(text: str, found: str) -> None:
    """Everything that looks like a digit and is not 0 to 9."""
    assert lookalike_digit(text) == found


@pytest.mark.parametrize(
    ("text", "delete_space", "lines"),
    [
        ("a \nb", False, "a b"),
        ("a \nb", True, "ab"),
        ("a\nb", False, "a\nb"),
        ("a \n b", False, "a b"),
        ("  a", False, " a"),
        ("-- \nBob", False, "-- \nBob"),
        ("a \n-- \nBob", False, "a \n-- \nBob"),
        ("> a \n> b\nc", False, "> a b\nc"),
        (">> a \n> b", False, ">> a \n> b"),
        ("a \n", False, "a "),
    ],
)
def test_soft_line_breaks_are_undone(text: str, *, delete_space: bool, lines: str) -> None:
    """RFC 3676: same quote depth goes on, stuffing goes, a signature never flows."""
    assert unflow(text, delete_space=delete_space) == lines
