"""Every parser of `parsers/` as a function of octets, with inputs to begin from.

A target takes any octets, turns them into what its caller would hand over, and returns; it may
raise the error type of its protocol and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from urllib.parse import quote

from call_core.errors import ParseError
from parsers import (
    email_authentication,
    email_command,
    email_compose,
    email_html,
    email_message,
    email_reply,
    email_text,
    email_tokens,
    grammar,
    gsm0338,
    lexer,
    markup,
    numbers,
    packet,
    page_form,
    small_html,
    small_screen,
    sms_webhook,
    snpp,
    snpp_client,
    snpp_server,
    targets,
    twilio_signature,
    verbs,
    wctp,
    wctp_read,
    wctp_write,
    when,
    wml,
)

WIRE = Path(__file__).parents[1] / "wire"
EXPECTED = (ParseError, wctp.WctpError)
KEYS = packet.keys_of(packet.token_hash("cg_fuzz"))


@dataclass(frozen=True, slots=True)
class Target:
    """One parser.

    Attributes:
        feed: gives it octets.
        seeds: what mutations begin from.
        covers: the modules of `parsers/` that it reaches.
        most_bytes: what its caller lets through at most, or as much as is worth trying.
    """

    feed: Callable[[bytes], object]
    seeds: Sequence[bytes]
    covers: Sequence[str]
    most_bytes: int = 65_536


def text_of(data: bytes) -> str:
    """Return octets as the text that a caller might have."""
    return data.decode("utf-8", "replace")


def _mail(data: bytes) -> None:
    message = email_message.decode_message(
        data,
        envelope_from=None,
        envelope_to=(),
        own_addresses=("call@gw.example.org",),
        own_domains=("gw.example.org",),
    )
    email_command.text_of(message)
    email_command.command_of(message)
    _ = message.thread


def _fields(data: bytes) -> None:
    text = text_of(data)
    email_authentication.parse_authentication_results(text, "mx.example.org")
    email_authentication.parse_dkim_signature(text)
    email_compose.parse_own_message_id(text, ("gw.example.org",))
    email_text.decode_field(data.decode("ascii", "surrogateescape"))  # as the library hands it over
    email_tokens.normalise_address(text)
    email_tokens.mailboxes_in(text)
    email_tokens.parse_mailbox(text)


def _mail_text(data: bytes) -> None:
    text = text_of(data)
    for charset in ("utf-7", "gb18030", "no-such", "iso-2022-jp"):
        email_text.decode_octets(data, charset)
    email_reply.new_words(email_text.plain(text))
    email_text.unflow(text, delete_space=True)


def _composed(data: bytes) -> None:
    try:
        email_compose.compose_reply(
            message_id="x.1@gw.example.org",
            date_ms=0,
            from_address="call@gw.example.org",
            to_address="ada@example.org",
            subject=text_of(data)[:200],
            text=text_of(data),
        )
    except ValueError:
        return  # documented: such a text is never composed


def _grammar(data: bytes) -> None:
    text = text_of(data)
    grammar.parse(text, reply_to_ref="4F7")
    grammar.is_saveable_name(text)
    verbs.carrier_command(text)
    for word in text.split()[:5]:
        verbs.suggest(word)
    page_form.decode({"participants": text, "at": text})
    page_form.decode({"to": text, "max_cost": text, "minutes": text})


def _words(data: bytes) -> None:
    text = lexer.normalise(text_of(data))
    numbers.split_numbers(text)
    numbers.looks_like_number(text)
    numbers.emergency_in(text.split())
    numbers.number_run(text.split())
    targets.parse_targets(text)
    targets.parse_target(text)
    when.parse_when(text)
    lexer.tokens_of(text)


def _sms(data: bytes) -> None:
    gsm0338.segments(text_of(data))
    sms_webhook.plain_text(text_of(data))
    for read in (_twilio, sms_webhook.decode_kannel, sms_webhook.decode_kannel_report):
        try:
            read(data)
        except ParseError:
            continue
    sms_webhook.decode_twiml(data)


def _twilio(data: bytes) -> None:
    fields = sms_webhook.decode_form(data)
    url = f"https://gw.example.org/x?{text_of(data)}"
    signed = twilio_signature.Signed(url, fields, data, text_of(data), text_of(data))
    twilio_signature.is_authentic(signed, twilio_signature.Keys(tokens=("secret",)))
    sms_webhook.decode_twilio(fields)


def _snpp(data: bytes) -> None:
    engine = snpp_server.ServerEngine(UTC)
    for at in range(0, len(data), 997):
        engine.receive_data(data[at : at + 997])
        while engine.events_received():
            engine.answer(250, "yes")
        engine.data_to_send()
    engine.receive_eof()


def _snpp_client(data: bytes) -> None:
    order = snpp_client.PageOrder("5550101", "hello", login="a", secret="b", choices=("1", "2"))
    client = snpp_client.ClientEngine(snpp_client.page_script(order))
    client.receive_data(data)
    client.data_to_send()
    client.receive_eof()
    text = snpp.line_text(data)
    snpp.split_command(text)
    snpp.parse_reply(text)
    snpp.parse_hold(text, UTC)


def _wctp(data: bytes) -> None:
    for read in (wctp_read.read_document, wctp_read.read_result):
        try:
            read(data)
        except wctp.WctpError:
            continue
    wctp.parse_time(text_of(data))
    wctp.version_of(text_of(data))


def _packet(data: bytes) -> None:
    packet.device_of(data)
    packet.open_request(data, KEYS)
    packet.open_answer(data, KEYS)


def _screen(data: bytes) -> None:
    small_screen.read_screen(text_of(data))


def _pages(data: bytes) -> None:
    text = text_of(data)
    deck = wml.deck(text[:40], wml.anchor(text, "/wap", {"n": text}), fields={"n": text})
    wml.compiled_bytes(deck)
    small_screen.read_screen(wml.write(deck))
    for dialect in small_html.Dialect:
        small_html.document(text[:40], dialect, markup.element("p", None, text))
    wctp_write.failure(500, text)
    wctp_write.client_success(text, "1")


_MAILS = tuple(file.read_bytes() for file in sorted((WIRE / "mail").glob("*.eml")))
_LINES = tuple(example.encode() for examples in verbs.grammar_table() for example in examples)
_FIELDS = (
    b'mx.example.org; dkim=pass (2048 bit) header.d=example.net header.b="aB/c"; spf=fail',
    b"v=1; a=rsa-sha256; d=example.net; s=x; h=from:to:subject; bh=aGk=; b=aGk=",
    b'=?utf-8?q?J=C3=B6rg?= (a (b) c) <"a b"@example.org>, List: b@example.org;',
)
_SNPP = (
    b"LOGI ada secret\r\nPAGE 5550101\r\nMESS call mom\r\nSEND\r\nQUIT\r\n",
    b"2WAY\r\nPAGE 1\r\nSUBJ x\r\nDATA\r\nhello\r\n.\r\nMCRE a\r\nEXPT 1\r\nSEND\r\nMSTA 1 2\r\n",
    b"220 ready\r\n250 ok\r\n214-x\r\n250 y\r\n860 1 2 Delivered\r\n889 1 2 yes\r\n421 bye\r\n",
    b"HOLD 261124140500 +0100\r\nLEVE 3\r\nCOVE 1\r\nALER 1\r\nNOQU\r\nKTAG 1 2\r\nPING 1\r\n",
)
_WCTP = tuple(
    wctp_write.document(
        wctp_write.operation(
            wctp.Message(
                operation="SubmitRequest",
                sender_id="a@x",
                security_code="s",
                recipients=("callgate",),
                payload=wctp.Payload("call mom & bob"),
                control=wctp.Control("m1"),
                submitted_ms=moment,
            )
        )
    )
    for moment in (None, 1_795_405_626_000)
)
_SMS = (
    b"MessageSid=SM1&AccountSid=AC1&From=%2B12125550101&To=%2B12025550143&Body=call+mom&NumMedia=0",
    b"id=7d15&from=%2B12125550101&to=12345&text=call+mom&charset=UTF-8&coding=0&time=1795405626",
    b"message=msg_1&to=%2B12125550101&dlr=1&id=00ae&charset=UTF-16BE&coding=2&text=%00c",
    b'<?xml version="1.0"?><Response><Message>Calling mom.</Message></Response>',
    quote("Grüße €[]").encode(),
)
_REQUEST = packet.PacketRequest(b"i" * packet.ID_BYTES, 1_795_405_626_000, "call mom")
_PAGES = (
    wml.write(wml.deck("Dial", wml.anchor("Call", "/wap", {"n": "$(n)"}))).encode(),
    small_html.document(
        "Home", small_html.Dialect.CLIPPING, markup.element("p", {"align": "left"}, "hello")
    ).encode(),
    b'<form action="/x" method=post><input name=a value=b><select name=c><option value=1>x</form>',
)

PARSERS: Mapping[str, Target] = {
    "mail": Target(
        _mail,
        _MAILS,
        ("email_message", "email_command", "email_signals", "email_text", "email_html"),
    ),
    "mail_fields": Target(
        _fields, _FIELDS, ("email_authentication", "email_tokens"), email_tokens.FIELD_LENGTH_LIMIT
    ),
    "mail_text": Target(_mail_text, _MAILS, ("email_reply",)),
    "mail_out": Target(_composed, _MAILS, ("email_compose",)),
    "html": Target(lambda data: email_html.html_to_text(text_of(data)), _PAGES, ("email_html",)),
    "grammar": Target(
        _grammar,
        _LINES,
        ("grammar", "verbs", "options", "shapes", "page_form", "command_text"),
        4 * lexer.MAX_TEXT_CHARS,
    ),
    "words": Target(
        _words, _LINES, ("lexer", "numbers", "targets", "when"), 4 * lexer.MAX_TEXT_CHARS
    ),
    "sms": Target(
        _sms,
        _SMS,
        ("sms_webhook", "gsm0338", "twilio_signature"),
        sms_webhook.FORM_BYTES_LIMIT,
    ),
    "snpp": Target(_snpp, _SNPP, ("snpp_server", "snpp_commands"), 16_384),
    "snpp_client": Target(_snpp_client, _SNPP, ("snpp_client", "snpp"), 4096),
    "wctp": Target(_wctp, _WCTP, ("wctp", "wctp_read", "wctp_xml"), wctp.MAX_BODY_BYTES),
    "packet": Target(_packet, (packet.seal_request(_REQUEST, KEYS, b"n" * 12),), ("packet",), 2048),
    "screen": Target(
        _screen, _PAGES, ("small_screen", "small_tags"), small_screen.MAX_SCREEN_CHARS
    ),
    "pages": Target(_pages, _LINES, ("markup", "small_html", "wml", "wctp_write"), 1024),
}
