"""Text messages over HTTP, read and written."""

import contextlib
from urllib.parse import parse_qsl, quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.errors import ParseError
from parsers.sms_webhook import (
    ADDRESS_CHARS_LIMIT,
    FIELDS_LIMIT,
    FORM_BYTES_LIMIT,
    ID_CHARS_LIMIT,
    STATUS_CHARS_LIMIT,
    DeliveryStatus,
    TextMessage,
    decode_form,
    decode_kannel,
    decode_kannel_report,
    decode_twilio,
    decode_twiml,
    encode_kannel,
    encode_twilio,
    encode_twiml,
    plain_text,
)

TEXTS = st.text(alphabet=st.characters(codec="utf-8"), max_size=200)
WORDS = st.text(alphabet=st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8"), min_size=1), TEXTS), max_size=9))
def test_forms_are_read_as_they_were_written(fields: list[tuple[str, str]]) -> None:
    """Order, blanks and every character survive."""
    assert decode_form(urlencode(fields).encode()) == fields


@pytest.mark.parametrize(
    ("data", "fields"),
    [
        (b"", []),
        (b"a", [("a", "")]),
        (b"a=&b", [("a", ""), ("b", "")]),
        (b"a=b=c&&d=+", [("a", "b=c"), ("d", " ")]),
        (b"a=%zz%4", [("a", "%zz%4")]),
        ("a=\u00e9".encode(), [("a", "\u00e9")]),
    ],
)
def test_odd_forms_are_read_all_the_same(data: bytes, fields: list[tuple[str, str]]) -> None:
    """As a browser's form would be, nothing is dropped."""
    assert decode_form(data) == fields


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"a=" + b"x" * (FORM_BYTES_LIMIT - 2), ""),
        (b"a=" + b"x" * (FORM_BYTES_LIMIT - 1), "sms_too_large"),
        (b"a&" * FIELDS_LIMIT, ""),
        (b"a&" * (FIELDS_LIMIT + 1), "sms_too_large"),
        (b"a=%ff", "sms_unreadable"),
        (b"%ff=a", "sms_unreadable"),
    ],
)
def test_forms_have_limits(data: bytes, code: str) -> None:
    """At the limit they are read, one past it refused."""
    if not code:
        assert decode_form(data)
        return
    with pytest.raises(ParseError) as raised:
        decode_form(data)
    assert raised.value.code == code


# --- Twilio -------------------------------------------------------------------------------------


@given(WORDS, TEXTS, st.sampled_from(["", "STOP", "START", "HELP"]))
def test_a_message_survives_twilios_form(sid: str, text: str, consent: str) -> None:
    """Written and read it is the same, but for control characters in the text."""
    message = TextMessage(sid[:90], "+12125550101", "+12025550143", text, consent=consent)
    read = decode_twilio(decode_form(urlencode(encode_twilio(message, "AC1")).encode()))
    assert read == TextMessage(
        sid[:90], "+12125550101", "+12025550143", plain_text(text), consent=consent
    )


@pytest.mark.parametrize(
    ("status", "error_code"), [("delivered", 0), ("undelivered", 30003), ("failed", 21610)]
)
def test_a_status_survives_twilios_form(status: str, error_code: int) -> None:
    """Written and read it is the same."""
    report = DeliveryStatus("SM1", "+12125550101", status, error_code)
    assert decode_twilio(encode_twilio(report, "AC1")) == report


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"MessageSid": "S" * ID_CHARS_LIMIT}, ""),
        ({"MessageSid": "S" * (ID_CHARS_LIMIT + 1)}, "sms_unreadable"),
        ({"MessageSid": ""}, "sms_unreadable"),
        ({"MessageSid": "S\nM"}, "sms_unreadable"),
        ({"From": "1" * ADDRESS_CHARS_LIMIT}, ""),
        ({"From": "1" * (ADDRESS_CHARS_LIMIT + 1)}, "sms_unreadable"),
        ({"From": ""}, "sms_unreadable"),
        ({"MessageStatus": "s" * STATUS_CHARS_LIMIT}, ""),
        ({"MessageStatus": "s" * (STATUS_CHARS_LIMIT + 1)}, "sms_unreadable"),
        ({"MessageStatus": "failed", "ErrorCode": "x"}, ""),
        ({"MessageStatus": "failed", "ErrorCode": "9" * 9}, ""),
        ({"MessageStatus": "received"}, ""),
    ],
)
def test_webhooks_have_limits(changes: dict[str, str], code: str) -> None:
    """Identifiers and addresses are short and printable, and there is one."""
    fields = {"MessageSid": "SM1", "From": "+1", "To": "+2", "Body": "a", **changes}
    if not code:
        assert decode_twilio(list(fields.items())).id == fields["MessageSid"]
        return
    with pytest.raises(ParseError) as raised:
        decode_twilio(list(fields.items()))
    assert raised.value.code == code


def test_what_is_neither_a_message_nor_a_status_is_unreadable() -> None:
    """A form without a text."""
    with pytest.raises(ParseError):
        decode_twilio([("MessageSid", "SM1"), ("From", "+1"), ("To", "+2")])


def test_the_first_of_several_values_counts_and_older_names_are_known() -> None:
    """As Twilio's own package reads them."""
    fields = [("SmsSid", "SM1"), ("From", "+1"), ("To", "+2"), ("Body", "a"), ("Body", "b")]
    assert decode_twilio(fields) == TextMessage("SM1", "+1", "+2", "a")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("", ""),
        ("<&\"'$()]]>", "<&\"'$()]]>"),
        ("a\r\nb\rc\nd\te", "a\r\nb\rc\nd\te"),
        ("a\x00b\x1b\x7f\ufffe", "a b   "),
        ("&amp;<Say>", "&amp;<Say>"),
        ("\u20ac \U0001f600", "\u20ac \U0001f600"),
    ],
)
def test_text_survives_twiml(text: str, read: str) -> None:
    """Markup is text, and what XML cannot carry is a space."""
    assert decode_twiml(encode_twiml(text).encode()) == read


@given(st.text(st.characters(codec="utf-8")))
def test_twiml_is_always_well_formed(text: str) -> None:
    """Any text at all."""
    assert len(decode_twiml(encode_twiml(text).encode())) == len(text)


@pytest.mark.parametrize("data", [b"", b"<a", b"<Other/>", b"Not found."])
def test_what_is_no_twiml_is_unreadable(data: bytes) -> None:
    """A proxy's error page is not an answer."""
    with pytest.raises(ParseError):
        decode_twiml(data)


# --- Kannel -------------------------------------------------------------------------------------


@given(WORDS, TEXTS, st.none() | st.integers(0, 10**10))
def test_a_message_survives_kannels_query(identifier: str, text: str, seconds: int | None) -> None:
    """Written as smsbox does and read, it is the same, but for control characters."""
    sent_ms = None if seconds is None else seconds * 1000
    message = TextMessage(identifier[:90], "+1", "12345", text, sent_ms=sent_ms)
    read = decode_kannel(encode_kannel(message).encode())
    assert read == TextMessage(identifier[:90], "+1", "12345", plain_text(text), sent_ms=sent_ms)


@pytest.mark.parametrize(
    ("text", "charset", "coding", "read"),
    [
        ("call  mom äö@".encode(), "UTF-8", "0", "call  mom äö@"),
        ("мама\U0001f600".encode("utf-16-be"), "UTF-16BE", "2", "мама\U0001f600"),
        ("naïve\u20ac".encode("cp1252"), "windows-1252", "0", "naïve\u20ac"),
        (b"conf mom\nbob", "8-BIT", "1", "conf mom\nbob"),
        (b"\x02\x4a\x3a\x00", "8-BIT", "1", ""),
        (b"\xd8", "UTF-16BE", "2", ""),
        (b"\xff", "UTF-8", "0", ""),
        (b"abc", "KLINGON", "0", ""),
        (b"abc", "", "", "abc"),
    ],
)
def test_alphabets_of_kannel(text: bytes, charset: str, coding: str, read: str) -> None:
    """What Kannel names is read, and what is no text is empty."""
    query = f"id=1&from=%2B1&text={quote_from_bytes(text)}&charset={charset}&coding={coding}"
    assert decode_kannel(query.encode()).text == read


def test_a_posted_text_is_the_body() -> None:
    """The rest stays in the query."""
    message = decode_kannel(b"id=1&from=%2B1&charset=UTF-8", "call mom é".encode())
    assert (message.id, message.text) == ("1", "call mom é")
    assert decode_kannel(b"id=1&from=%2B1", b"x" * FORM_BYTES_LIMIT).text
    with pytest.raises(ParseError) as raised:
        decode_kannel(b"id=1&from=%2B1", b"x" * (FORM_BYTES_LIMIT + 1))
    assert raised.value.code == "sms_too_large"


@pytest.mark.parametrize("query", [b"", b"id=1", b"from=1", b"id=&from=1", b"id=a%0Ab&from=1"])
def test_a_message_has_an_id_and_a_sender(query: bytes) -> None:
    """Without them nothing could be claimed."""
    with pytest.raises(ParseError):
        decode_kannel(query)


@pytest.mark.parametrize("time", ["", "now", "1.5", "-1", "9" * 12, "\u0661"])
def test_an_odd_time_is_none(time: str) -> None:
    """A message without a time is as good."""
    assert decode_kannel(urlencode({"id": 1, "from": 1, "time": time}).encode()).sent_ms is None


def test_a_report_is_read() -> None:
    """Our id, the number, and Kannel's word."""
    message, status = decode_kannel_report(b"message=msg_1&to=%2B1&dlr=16&id=00ae")
    assert (message, status) == ("msg_1", DeliveryStatus("00ae", "+1", "16"))
    for query in (b"message=msg_1", b"dlr=1", b"message=&dlr=1"):
        with pytest.raises(ParseError):
            decode_kannel_report(query)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Never another exception."""
    for decode in (decode_form, decode_kannel, decode_kannel_report, decode_twiml):
        with contextlib.suppress(ParseError):
            decode(data)


@given(st.text(max_size=100))
def test_any_fields_are_read_or_refused(text: str) -> None:
    """Never another exception."""
    pairs = parse_qsl(text, keep_blank_values=True)
    with contextlib.suppress(ParseError):
        decode_twilio([*pairs, ("Body", text), ("From", text), ("MessageSid", text)])
