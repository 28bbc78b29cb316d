import base64
import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.wctp import (
    MAX_ADDRESS_CHARS,
    MAX_CHOICES,
    MAX_CODE_CHARS,
    MAX_MESSAGE_ID_CHARS,
    MAX_RECIPIENTS,
    MAX_TEXT_CHARS,
    Choice,
    ClientQuery,
    Code,
    Control,
    Document,
    Lookup,
    Message,
    Operation,
    Payload,
    Poll,
    Result,
    ReturnToService,
    StatusInfo,
    Version,
    VersionQuery,
    WctpError,
)
from parsers.wctp_read import read_document, read_result

AT_MS = 1_795_201_200_000
SUBMIT = """
<wctp-SubmitRequest>
  <wctp-SubmitHeader submitTimestamp="2026-11-20T19:00:00">
    <wctp-Originator senderID="5550100001" securityCode="secret"/>
    <wctp-MessageControl messageID="42" transactionID="t1" sendResponsesToID="back@x"
      allowResponse="false" notifyWhenDelivered="true" deliveryPriority="HIGH"
      deliveryAfter="2026-11-20T19:00:00"/>
    <wctp-Recipient recipientID="callgate"/>
  </wctp-SubmitHeader>
  <wctp-Payload><wctp-Alphanumeric>call mom</wctp-Alphanumeric></wctp-Payload>
</wctp-SubmitRequest>"""
SUBMITTED = Message(
    operation="SubmitRequest",
    sender_id="5550100001",
    security_code="secret",
    recipients=("callgate",),
    payload=Payload("call mom"),
    control=Control(
        "42",
        "t1",
        "back@x",
        allow_response=False,
        notify=frozenset({"DELIVERED"}),
        deliver_after_ms=AT_MS,
    ),
    submitted_ms=AT_MS,
)
# As one PHP library writes it: children in another order, another case, a boolean for a priority.
PHP = """
<wctp-SubmitRequest><wctp-SubmitHeader>
  <wctp-Originator senderID="a" securityCode="s" MiscInfo="m"/>
  <wctp-Recipient recipientID="b"/>
  <wctp-MessageControl messageID="1" deliveryPriority="true"/>
</wctp-SubmitHeader><wctp-Payload>call mom</wctp-Payload></wctp-SubmitRequest>"""
TRANSIENT = """
<wctp-SubmitClientMessage><wctp-SubmitClientHeader submitTimestamp="nonsense">
  <wctp-ClientOriginator senderID="a" miscInfo="secret"/>
  <wctp-ClientMessageControl notifyWhenQueued="TRUE"/><wctp-Recipient recipientID="b"/>
</wctp-SubmitClientHeader><wctp-Payload><wctp-Alphanumeric>x</wctp-Alphanumeric></wctp-Payload>
</wctp-SubmitClientMessage>"""
REPLY = """
<wctp-MessageReply MCRMessageReply="true"><wctp-ResponseHeader responseToMessageID="msg_1">
  <wctp-Originator senderID="a" securityCode="s"/><wctp-MessageControl messageID="9"/>
  <wctp-Recipient recipientID="callgate"/></wctp-ResponseHeader>
  <wctp-Payload><wctp-Alphanumeric>4F7 2</wctp-Alphanumeric></wctp-Payload>
</wctp-MessageReply>"""
# One gateway says everything in attributes of the operation.
ODD_REPLY = """
<wctp-MessageReply responseToMessageID="msg_1" responseText="yes">
  <wctp-Originator senderID="a"/></wctp-MessageReply>"""
STATUS = """
<wctp-StatusInfo><wctp-ResponseHeader responseToMessageID="msg_1">
  <wctp-Originator senderID="a"/><wctp-MessageControl messageID="9"/>
  <wctp-Recipient recipientID="callgate"/></wctp-ResponseHeader>
  <wctp-Notification type="delivered"/></wctp-StatusInfo>"""
LATE_FAILURE = STATUS.replace(
    '<wctp-Notification type="delivered"/>', '<wctp-Failure errorCode="501" errorText="late"/>'
)
POLL = """
<wctp-PollForMessages pollerID="a" securityCode="s" maxMessagesInBatch="5">
  <wctp-MessageReceived sequenceNo="1"><wctp-Success successCode="200"/></wctp-MessageReceived>
  <wctp-MessageReceived sequenceNo="2"><wctp-Failure errorCode="604"/></wctp-MessageReceived>
</wctp-PollForMessages>"""
LOOKUP = """
<wctp-LookupSubscriber><wctp-Originator senderID="a"/>
  <wctp-LookupMessageControl messageID="1" transactionID="2"/>
  <wctp-Recipient recipientID="b"/></wctp-LookupSubscriber>"""
MULTI = """
<wctp-SendMsgMulti><wctp-MsgMultiHeader><wctp-Originator senderID="a"/>
  <wctp-MsgMultiControl messageID="1"/><wctp-Recipient recipientID="b"/>
  <wctp-Recipient recipientID="c"/></wctp-MsgMultiHeader>
  <wctp-Payload><wctp-Alphanumeric>x</wctp-Alphanumeric></wctp-Payload></wctp-SendMsgMulti>"""


def wrapped(inside: str, version: str = "wctp-dtd-v1r3") -> bytes:
    """Return a document around an operation."""
    named = f' wctpVersion="{version}"' if version else ""
    return f"<wctp-Operation{named}>{inside}</wctp-Operation>".encode()


def read(inside: str, version: str = "wctp-dtd-v1r3") -> Operation:
    """Return the operation."""
    return read_document(wrapped(inside, version)).operation


def refused(inside: str, version: str = "wctp-dtd-v1r3") -> WctpError:
    """Return why it is refused."""
    with pytest.raises(WctpError) as error:
        read(inside, version)
    return error.value


@pytest.mark.parametrize(
    ("inside", "operation"),
    [
        (SUBMIT, SUBMITTED),
        (
            PHP,
            Message(
                "SubmitRequest", "a", "s", ("b",), Payload("call mom"), Control("1"), misc_info="m"
            ),
        ),
        (
            TRANSIENT,
            Message(
                "SubmitClientMessage",
                "a",
                "secret",
                ("b",),
                Payload("x"),
                Control(notify=frozenset({"QUEUED"})),
            ),
        ),
        (
            REPLY,
            Message(
                "MessageReply",
                "a",
                "s",
                ("callgate",),
                Payload("4F7 2"),
                Control("9"),
                response_to="msg_1",
                is_choice=True,
            ),
        ),
        (ODD_REPLY, Message("MessageReply", "a", "", (), Payload("yes"), response_to="msg_1")),
        (MULTI, Message("SendMsgMulti", "a", "", ("b", "c"), Payload("x"), Control("1"))),
        (STATUS, StatusInfo("a", "", "callgate", "msg_1", "9", "DELIVERED")),
        (LATE_FAILURE, StatusInfo("a", "", "callgate", "msg_1", "9", "", 501, "late")),
        (POLL, Poll("a", "s", 5, (("1", True), ("2", False)))),
        ('<wctp-PollForMessages pollerID="a" maxMessagesInBatch="0"/>', Poll("a", "", 500)),
        ('<wctp-PollForMessages pollerID="a" maxMessagesInBatch="501"/>', Poll("a", "", 500)),
        (LOOKUP, Lookup("LookupSubscriber", "a", "", "b", "1", "2")),
        (
            LOOKUP.replace("LookupSubscriber", "DeviceLocation").replace(
                "LookupMessageControl", 'DeviceLocationControl fixType="PRECISE"'
            ),
            Lookup("DeviceLocation", "a", "", "b", "1", "2", "precise"),
        ),
        ('<wctp-VersionQuery inquirer="a" dateTime="now"/>', VersionQuery("a", "now")),
        ("<wctp-ReturnToSvc> a@b </wctp-ReturnToSvc>", ReturnToService("a@b")),
        (
            '<wctp-ClientQuery senderID="a" recipientID="b" trackingNumber="1"/>',
            ClientQuery("a", "b", "1"),
        ),
    ],
)
def test_operations_are_read_by_names(inside: str, operation: Operation) -> None:
    """In whatever order the elements stand."""
    assert read(inside) == operation


def test_the_document_says_version_and_token() -> None:
    """The answer is written in the same version; a long token is cut."""
    body = wrapped(SUBMIT, 'WCTP-DTD-V1R2" wctpToken="12345678901234567')
    assert read_document(body) == Document(SUBMITTED, Version.V1_2, "1234567890123456")
    assert read_document(wrapped(SUBMIT, "")).version is Version.V1_1


@pytest.mark.parametrize(
    ("inside", "version", "code", "operation"),
    [
        ("", "1.3", Code.NOT_SUPPORTED, ""),
        ("<wctp-BindDomainAlias/>", "1.0", Code.NOT_SUPPORTED, ""),
        (SUBMIT, "1.7", Code.VERSION, "SubmitRequest"),
        ("<wctp-ReturnToSvc/>", "1.3", Code.INVALID, "ReturnToSvc"),
        ("<wctp-VersionQuery/>", "1.3", Code.INVALID, "VersionQuery"),
        ("<wctp-PollForMessages/>", "1.3", Code.POLLER, "PollForMessages"),
        ("<wctp-ClientQuery/>", "1.3", Code.SENDER, "ClientQuery"),
        ('<wctp-ClientQuery senderID="a"/>', "1.3", Code.RECIPIENT, "ClientQuery"),
        (SUBMIT.replace("senderID", "x"), "1.3", Code.SENDER, "SubmitRequest"),
        (SUBMIT.replace("recipientID", "x"), "1.3", Code.RECIPIENT, "SubmitRequest"),
        (SUBMIT.replace("wctp-Recipient", "x"), "1.3", Code.RECIPIENT, "SubmitRequest"),
        (SUBMIT.replace("messageID", "x"), "1.3", Code.INVALID, "SubmitRequest"),
        (SUBMIT.replace("wctp-Payload", "x"), "1.3", Code.INVALID, "SubmitRequest"),
        (SUBMIT.replace('"2026-11-20T19:00:00"/>', '"6pm"/>'), "1.3", Code.DATE, "SubmitRequest"),
    ],
)
def test_refusals_have_a_code_and_an_operation(
    inside: str, version: str, code: Code, operation: str
) -> None:
    """So that the answer can be written in the right element."""
    error = refused(inside, version)
    assert (error.code, error.operation) == (code, operation)


def test_another_root_is_refused() -> None:
    """It is no WCTP."""
    with pytest.raises(WctpError) as error:
        read_document(b"<html/>")
    assert error.value.code is Code.INVALID


@pytest.mark.parametrize(
    ("name", "most", "code"),
    [
        ("5550100001", MAX_ADDRESS_CHARS, Code.SENDER),
        ("callgate", MAX_ADDRESS_CHARS, Code.RECIPIENT),
        ('"secret"', MAX_CODE_CHARS, Code.SECURITY_CODE),
        ('"42"', MAX_MESSAGE_ID_CHARS, Code.INVALID),
        ("call mom", MAX_TEXT_CHARS, Code.TOO_LONG),
    ],
)
def test_every_part_has_a_limit(name: str, most: int, code: Code) -> None:
    """At the limit it is read, one past it is refused."""
    quote = '"' if name.startswith('"') else ""
    read(SUBMIT.replace(name, f"{quote}{'x' * most}{quote}"))
    assert refused(SUBMIT.replace(name, f"{quote}{'x' * (most + 1)}{quote}")).code is code


def test_a_message_for_many_has_sixteen_recipients() -> None:
    """And any other message has one."""
    one = '<wctp-Recipient recipientID="c"/>'
    assert isinstance(read(MULTI.replace(one, one * (MAX_RECIPIENTS - 1))), Message)
    assert refused(MULTI.replace(one, one * MAX_RECIPIENTS)).code is Code.RECIPIENT
    single = '<wctp-Recipient recipientID="callgate"/>'
    assert refused(SUBMIT.replace(single, single * 2)).code is Code.RECIPIENT


def test_ids_are_kept_as_they_are() -> None:
    """Hospitals send 80 characters with signs and a line break."""
    odd = "a:b~c@d" * 12 + "&#10;x"
    message = read(SUBMIT.replace('"42"', f'"{odd}"'))
    assert isinstance(message, Message)
    assert message.control.message_id == "a:b~c@d" * 12 + "\nx"


def mcr(inside: str) -> str:
    """Return a message with choices."""
    text = f"<wctp-MCR><wctp-MessageText>which?</wctp-MessageText>{inside}</wctp-MCR>"
    return SUBMIT.replace("<wctp-Alphanumeric>call mom</wctp-Alphanumeric>", text)


def test_choices_are_read_in_both_forms() -> None:
    """Plain ones of 1.1 and pairs of 1.2, mixed."""
    pair = "<wctp-SendChoice>B</wctp-SendChoice><wctp-ReplyChoice>b</wctp-ReplyChoice>"
    inside = f"<wctp-Choice>A</wctp-Choice><wctp-ChoicePair>{pair}</wctp-ChoicePair>"
    message = read(mcr(inside))
    assert isinstance(message, Message)
    assert message.payload == Payload("which?", (Choice("A"), Choice("B", "b")))
    assert isinstance(read(mcr("<wctp-Choice>A</wctp-Choice>" * MAX_CHOICES)), Message)
    many = mcr("<wctp-Choice>A</wctp-Choice>" * (MAX_CHOICES + 1))
    assert refused(many).code is Code.TOO_MANY_CHOICES


def data(content: str, named: str = "") -> str:
    """Return a message that is data."""
    inside = f"<wctp-TransparentData{named}>{content}</wctp-TransparentData>"
    return SUBMIT.replace("<wctp-Alphanumeric>call mom</wctp-Alphanumeric>", inside)


ENCODED = base64.b64encode(b"call mom").decode()


@pytest.mark.parametrize(
    ("inside", "version"),
    [
        (data(ENCODED), "1.3"),
        (data(f"{ENCODED[:4]}\n {ENCODED[4:]}"), "1.3"),
        (data(ENCODED, ' encoding="base64"'), "1.0"),
        (data("call mom"), "1.0"),
        (data("call mom", ' encoding="standard"'), "1.3"),
    ],
)
def test_words_may_come_as_data(inside: str, version: str) -> None:
    """Base64 by default, plain in 1.0."""
    message = read(inside, version)
    assert isinstance(message, Message)
    assert message.payload.text == "call mom"


@pytest.mark.parametrize("content", ["%", base64.b64encode(b"\xff\x00").decode(), "AAEC"])
def test_binary_data_is_refused(content: str) -> None:
    """Only words can be read here."""
    assert refused(data(content)).code is Code.BINARY


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (
            '<Confirmation><wctp-Success successCode="200" successText="ok"/></Confirmation>',
            Result(200, "ok"),
        ),
        (
            '<wctp-ClientSuccess successCode="200" trackingNumber="7">sent</wctp-ClientSuccess>',
            Result(200, "sent", "7"),
        ),
        (
            '<wctp-Confirmation><wctp-Failure errorCode="606" errorText="no"/></wctp-Confirmation>',
            Result(606, "no"),
        ),
    ],
)
def test_answers_are_read_wherever_their_code_is(body: str, result: Result) -> None:
    """Some gateways answer in another element than the DTD says."""
    assert read_result(wrapped(body)) == result


def test_blanks_around_a_code_are_no_part_of_it() -> None:
    """However many."""
    body = f'<wctp-Success successCode="{" " * 12}200 "/>'
    assert read_result(wrapped(body)).code == 200


@pytest.mark.parametrize("body", ["", "<wctp-Failure/>", '<wctp-Success successCode="x"/>'])
def test_an_answer_without_a_code_is_none(body: str) -> None:
    """Nobody knows then what became of the message."""
    with pytest.raises(WctpError):
        read_result(wrapped(body))


NAMES = st.sampled_from(
    [
        "Operation",
        "SubmitRequest",
        "SubmitHeader",
        "Originator",
        "MessageControl",
        "Recipient",
        "Payload",
        "Alphanumeric",
        "MCR",
        "MessageText",
        "Choice",
        "ChoicePair",
        "TransparentData",
        "PollForMessages",
        "MessageReceived",
        "ClientQuery",
        "MessageReply",
        "ResponseHeader",
        "StatusInfo",
        "Failure",
        "VersionQuery",
        "LookupSubscriber",
    ]
)
KEYS = st.sampled_from(
    [
        "senderID",
        "recipientID",
        "messageID",
        "securityCode",
        "wctpVersion",
        "errorCode",
        "encoding",
        "type",
        "pollerID",
        "maxMessagesInBatch",
        "deliveryAfter",
        "sequenceNo",
    ]
)
VALUES = st.one_of(
    st.sampled_from(["1.3", "a", "base64", "200", "2026-11-20T19:00:00", "9" * 400]),
    st.text("abc01 &;<>\"'\u00e9\n", max_size=20),
)


@st.composite
def elements(draw: st.DrawFn, depth: int = 0) -> str:
    """Return some element of the protocol with any content."""
    escaped = [
        (k, draw(VALUES).replace("&", "&amp;").replace("<", "&lt;").replace('"', ""))
        for k in draw(st.lists(KEYS, max_size=4, unique=True))
    ]
    named = "".join(f' {key}="{value}"' for key, value in escaped)
    inside = draw(st.lists(elements(depth + 1), max_size=3)) if depth < 4 else []
    name = draw(NAMES)
    return f"<wctp-{name}{named}>{''.join(inside)}</wctp-{name}>"


@settings(max_examples=100, deadline=None)
@given(elements())
def test_nothing_breaks_the_reader(inside: str) -> None:
    """An operation or a refusal, nothing else."""
    for body in (inside.encode(), wrapped(inside)):
        for reader in (read_document, read_result):
            with contextlib.suppress(WctpError):
                reader(body)
