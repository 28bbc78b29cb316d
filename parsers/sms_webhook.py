"""Text messages over HTTP, decoded and encoded: Twilio's webhooks and Kannel's requests.

Twilio posts a form; the answer is TwiML, whose `<Message>` is sent back to the sender:

    MessageSid=SM1…&AccountSid=AC1…&From=%2B12125550101&To=%2B12025550143&Body=call+mom&NumMedia=0
    <?xml version="1.0" encoding="UTF-8"?><Response><Message>Calling mom.</Message></Response>

Kannel's smsbox gets a URL that its configuration builds (`deploy/kannel/kannel.conf`), or posts the
text as the body; the answer's text is sent back, and an empty one sends nothing:

    GET /sms/kannel/SECRET?id=7d15…&from=%2B12125550101&to=12345&text=call+mom&charset=UTF-8
        &coding=0&time=1795405626&smsc=fake

Both tell later what became of a message that we sent, with the id that we gave it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes, urlencode
from xml.sax.saxutils import escape

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from call_core.errors import ParseError

FORM_BYTES_LIMIT: Final = 32_768
FIELDS_LIMIT: Final = 200  # ten pictures and the places of both numbers are not half of it
ID_CHARS_LIMIT: Final = 100
ADDRESS_CHARS_LIMIT: Final = 64
STATUS_CHARS_LIMIT: Final = 32

_RECEIVED: Final = frozenset({"received", "receiving"})
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\ufffe\uffff]")
_NEWLINE: Final = re.compile(r"\r\n?")
_CODING_8_BIT: Final = "1"
_CHARSETS: Final[Mapping[str, str]] = {
    # Kannel's %C: what it is, and how the bytes of %b are read.
    "": "utf-8",
    "UTF-8": "utf-8",
    "GSM": "utf-8",  # the alphabet on the air; smsbox has made UTF-8 of it
    "UTF-16BE": "utf-16-be",
    "ISO-10646-UCS-2": "utf-16-be",
    "WINDOWS-1252": "cp1252",
    "ISO-8859-1": "latin-1",
    "US-ASCII": "ascii",
    "8-BIT": "latin-1",
    "BINARY": "latin-1",
}

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class TextMessage:
    """One text message that came in.

    Attributes:
        id: the gateway's own id.
        sender, receiver: as written; E.164 with `+` where the carrier does so.
        text: newlines as LF, no other control characters; "" for what is no text.
        sent_ms: when the message centre had it, None where it is not told.
        consent: STOP, START or HELP when the carrier has already answered that word, else "".
    """

    id: str
    sender: str
    receiver: str
    text: str
    sent_ms: int | None = None
    consent: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """What became of a message that we sent.

    Attributes:
        id: the gateway's own id of it.
        receiver: who should get it.
        status: the gateway's word or number for it, lower case.
        error_code: why not, 0 if it is not said.
    """

    id: str
    receiver: str
    status: str
    error_code: int = 0


def decode_form(data: bytes) -> list[tuple[str, str]]:
    """Return the fields of a form or a query in their order, blank ones included.

    Raises:
        ParseError: `sms_too_large`, `sms_unreadable` (not UTF-8).
    """
    return [
        (_utf8(name), _utf8(value))
        for name, value in _raw_fields(data)  # the signature covers every field as it was sent
    ]


def _raw_fields(data: bytes) -> list[tuple[bytes, bytes]]:
    if len(data) > FORM_BYTES_LIMIT:
        raise ParseError("sms_too_large")
    pieces = [piece.replace(b"+", b" ") for piece in data.split(b"&") if piece]
    if len(pieces) > FIELDS_LIMIT:
        raise ParseError("sms_too_large")
    pairs = (piece.partition(b"=") for piece in pieces)
    return [(unquote_to_bytes(name), unquote_to_bytes(value)) for name, _, value in pairs]


def _utf8(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ParseError("sms_unreadable") from error


# --- Twilio -------------------------------------------------------------------------------------


def decode_twilio(fields: Pairs) -> TextMessage | DeliveryStatus:
    """Read a webhook: a message that came in, or the status of one that we sent.

    Raises:
        ParseError: `sms_unreadable` when it is neither.
    """
    said = dict(reversed(fields))  # the first of several values
    status = said.get("MessageStatus", "").lower()
    identifier = _limited(_first(said, "MessageSid", "SmsMessageSid", "SmsSid"), ID_CHARS_LIMIT)
    receiver = _limited(said.get("To", ""), ADDRESS_CHARS_LIMIT)
    if status and status not in _RECEIVED:
        code = said.get("ErrorCode", "")
        number = int(code) if code.isascii() and code.isdigit() and len(code) <= 6 else 0  # noqa: PLR2004  (codes have five)
        return DeliveryStatus(
            identifier, receiver, _limited(status, STATUS_CHARS_LIMIT), error_code=number
        )
    if "Body" not in said:
        raise ParseError("sms_unreadable")
    return TextMessage(
        identifier,
        _limited(said.get("From", ""), ADDRESS_CHARS_LIMIT),
        receiver,
        plain_text(said["Body"]),
        consent=said.get("OptOutType", "").upper(),
    )


def encode_twilio(message: TextMessage | DeliveryStatus, account_sid: str) -> list[tuple[str, str]]:
    """Return the fields of the webhook that says so."""
    fields = [("MessageSid", message.id), ("AccountSid", account_sid), ("To", message.receiver)]
    if isinstance(message, DeliveryStatus):
        code = [("ErrorCode", str(message.error_code))] if message.error_code else []
        return [*fields, ("MessageStatus", message.status), *code]
    consent = [("OptOutType", message.consent)] if message.consent else []
    rest = [("From", message.sender), ("Body", message.text), ("NumMedia", "0")]
    return [*fields, *rest, ("SmsStatus", "received"), *consent]


def encode_twiml(text: str = "") -> str:
    """Return the answer to a webhook; an empty one sends nothing."""
    head = '<?xml version="1.0" encoding="UTF-8"?>'
    if not text:
        return f"{head}<Response/>"
    # XML cannot carry control characters at all, and reads a bare CR as a newline.
    safe = escape(_CONTROL.sub(" ", text), {"\r": "&#13;"})
    return f"{head}<Response><Message>{safe}</Message></Response>"


def decode_twiml(data: bytes) -> str:
    """Return the text that an answer sends, "" for none.

    Raises:
        ParseError: `sms_unreadable`, it is no TwiML.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    try:
        response = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise ParseError("sms_unreadable") from error
    if response.tag != "Response":
        raise ParseError("sms_unreadable")
    return "".join("".join(message.itertext()) for message in response.findall("Message"))


# --- Kannel -------------------------------------------------------------------------------------


def decode_kannel(query: bytes, body: bytes | None = None) -> TextMessage:
    """Read what smsbox was told to send for a message.

    Args:
        query: behind the `?`, as it arrived.
        body: the text itself when it was posted, in the charset that the query names.

    Raises:
        ParseError: `sms_too_large`, or `sms_unreadable` (no id, no sender).
    """
    fields = dict(reversed(_raw_fields(query)))
    if body is not None and len(body) > FORM_BYTES_LIMIT:
        raise ParseError("sms_too_large")
    said = {_utf8(name): value for name, value in fields.items()}
    text = said.get("text", b"") if body is None else body
    charset = _utf8(said.get("charset", b"")).upper()
    coding = _utf8(said.get("coding", b""))
    return TextMessage(
        _limited(_utf8(said.get("id", b"")), ID_CHARS_LIMIT),
        _limited(_utf8(said.get("from", b"")), ADDRESS_CHARS_LIMIT),
        _limited(_utf8(said.get("to", b"")), ADDRESS_CHARS_LIMIT, needed=False),
        plain_text(_decoded(text, charset, coding)),
        sent_ms=_milliseconds(_utf8(said.get("time", b""))),
    )


def encode_kannel(message: TextMessage) -> str:
    """Return the query that smsbox makes of a message."""
    fields = {
        "id": message.id,
        "from": message.sender,
        "to": message.receiver,
        "text": message.text,
        "coding": "0",
        "charset": "UTF-8",
        "time": "" if message.sent_ms is None else str(message.sent_ms // 1000),
    }
    return urlencode(fields)


def decode_kannel_report(query: bytes) -> tuple[str, DeliveryStatus]:
    """Read a delivery report: our own id of the message, and what became of it.

    Raises:
        ParseError: `sms_too_large`, `sms_unreadable`.
    """
    said = dict(reversed(decode_form(query)))
    message = _limited(said.get("message", ""), ID_CHARS_LIMIT)
    status = _limited(said.get("dlr", ""), STATUS_CHARS_LIMIT)
    identifier = _limited(said.get("id", ""), ID_CHARS_LIMIT, needed=False)
    receiver = _limited(said.get("to", ""), ADDRESS_CHARS_LIMIT, needed=False)
    return message, DeliveryStatus(identifier, receiver, status)


def _decoded(text: bytes, charset: str, coding: str) -> str:
    """Return the words, "" when the bytes are none: a ring tone, a picture, settings."""
    try:
        decoded = text.decode(_CHARSETS[charset])
    except (KeyError, UnicodeDecodeError):
        return ""
    printable = coding != _CODING_8_BIT or "".join(decoded.split()).isprintable()
    return decoded if printable else ""


def _milliseconds(seconds: str) -> int | None:
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 11):  # noqa: PLR2004  (digits of a far future)
        return None
    return int(seconds) * 1000


# --- both ---------------------------------------------------------------------------------------


def plain_text(text: str) -> str:
    """Return the text with newlines as LF and other control characters as spaces."""
    return _CONTROL.sub(" ", _NEWLINE.sub("\n", text))


def _first(said: Mapping[str, str], *names: str) -> str:
    return next(filter(None, (said.get(name) for name in names)), "")


def _limited(value: str, limit: int, *, needed: bool = True) -> str:
    """Return a value that is there, is not too long and is printable."""
    if len(value) > limit or not value.isprintable() or (needed and not value):
        raise ParseError("sms_unreadable")
    return value
