import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parsers.wctp import (
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
from parsers.wctp_write import (
    client_reply,
    client_success,
    confirmation,
    document,
    failure,
    location_response,
    lookup_response,
    message,
    multi_response,
    operation,
    poll_response,
    refusal,
    success,
    version_response,
)
from parsers.wctp_xml import attribute, below, first, local_name, read_tree, text_of

AT_MS = 1_795_201_200_000
CONTROL = Control(
    "42",
    "t",
    "back@x",
    allow_response=False,
    notify=frozenset({"QUEUED", "READ"}),
    deliver_after_ms=AT_MS,
    deliver_before_ms=AT_MS,
)
QUESTION = Payload("which <mom>?", (Choice("mom & cell", "4F7 1"), Choice("No")))
OPERATIONS: list[Operation] = [
    Message("SubmitRequest", "a", "s", ("b",), QUESTION, CONTROL, AT_MS, misc_info="m"),
    Message("SubmitClientMessage", "a", "s", ("b",), Payload("x"), Control(), AT_MS),
    Message("SendMsgMulti", "a", "s", ("b", "c"), Payload("x"), Control("1")),
    Message("MessageReply", "a", "s", ("b",), Payload("y"), Control("1"), AT_MS, "7", True),  # noqa: FBT003  (a row)
    StatusInfo("a", "s", "b", "42", "9", "DELIVERED"),
    StatusInfo("a", "s", "b", "42", "9", "", 501, "too late"),
    Poll("a", "s", 7, (("1", True), ("2", False))),
    ClientQuery("a", "b", "123"),
    Lookup("LookupSubscriber", "a", "s", "b", "1", "2"),
    Lookup("DeviceLocation", "a", "s", "b", "1", "", "precise"),
    VersionQuery("a", "2026-11-20T19:00:00"),
    ReturnToService("a@b"),
]


@pytest.mark.parametrize("sent", OPERATIONS)
@pytest.mark.parametrize("bare", [False, True])
def test_what_is_written_is_read_back(sent: Operation, bare: bool) -> None:  # noqa: FBT001  (a column)
    """Every operation, with and without DOCTYPE."""
    body = document(operation(sent), Version.V1_3, "tok", bare=bare)
    assert read_document(body) == Document(sent, Version.V1_3, "tok")
    assert (b"DOCTYPE" in body) is not bare
    assert b"\r\n" in body


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=60)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS)
def test_any_words_are_read_back(text: str, message_id: str) -> None:
    """Whatever signs they have; what XML cannot carry becomes a question mark."""
    sent = Message("SubmitRequest", "a", "", ("b",), Payload(text), Control(message_id))
    found = read_document(document(operation(sent))).operation
    assert isinstance(found, Message)
    assert found.payload.text == text.replace("\ufffe", "?").replace("\uffff", "?")
    assert found.control.message_id == message_id.replace("\ufffe", "?").replace("\uffff", "?")


def test_line_breaks_in_ids_survive() -> None:
    """An id is echoed byte for byte."""
    sent = Message("SubmitRequest", "a", "", ("b",), Payload("x\r\ny"), Control("1\r\n2\t3"))
    assert read_document(document(operation(sent))).operation == sent
    odd = Message("SubmitRequest", "a", "", ("b",), Payload("\0\x1b"), Control("1"))
    assert "??" in message(odd)


def test_the_order_is_that_of_the_dtd() -> None:
    """Strict peers need Originator, MessageControl, Recipient; the priority is always said."""
    tree = read_tree(document(operation(OPERATIONS[0])))
    header = first(tree, "submitheader")
    assert header is not None
    assert [local_name(each) for each in header] == ["originator", "messagecontrol", "recipient"]
    assert attribute(first(tree, "messagecontrol"), "deliveryPriority") == "NORMAL"


@pytest.mark.parametrize("version", [Version.V1_0, Version.V1_1])
def test_old_versions_have_no_pairs_and_no_mark(version: Version) -> None:
    """Choice pairs and MCRMessageReply came with 1.2."""
    reply = Message("MessageReply", "a", "", ("b",), QUESTION, Control("1"), is_choice=True)
    written = message(reply, version)
    assert "ChoicePair" not in written
    assert "MCRMessageReply" not in written
    assert written.count("<wctp-Choice>") == 2


def answer(content: str) -> Result:
    """Return what a client reads in an answer."""
    return read_result(document(content, Version.V1_1))


def test_texts_stand_in_both_places() -> None:
    """Some clients read the attribute, some the text, one fails without text."""
    for content in (confirmation(success("Accepted")), client_success("Accepted", "77")):
        tree = read_tree(document(content))
        found = first(tree, "success", "clientsuccess")
        assert attribute(found, "successText") == text_of(found) == "Accepted"
    assert text_of(first(read_tree(document(client_success("", "77"))), "clientsuccess")) == "-"
    assert answer(client_success("x", "77")) == Result(200, "x", "77")
    assert answer(confirmation(failure(Code.SENDER, "who?"))) == Result(401, "who?")


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("SubmitRequest", "confirmation"),
        ("", "confirmation"),
        ("SubmitClientMessage", "submitclientresponse"),
        ("ClientQuery", "clientqueryresponse"),
        ("PollForMessages", "pollresponse"),
        ("VersionQuery", "versionresponse"),
        ("SendMsgMulti", "sendmsgmultiresponse"),
        ("DeviceLocation", "devicelocationresponse"),
    ],
)
def test_a_refusal_is_in_the_element_that_fits(name: str, element: str) -> None:
    """With its code, wherever it is."""
    body = document(refusal(WctpError(Code.INVALID, "no", name), "us"))
    assert local_name(read_tree(body)[0]) == element
    assert read_result(body) == Result(302, "no")


def test_answers_say_what_was_asked() -> None:
    """Polls, queries, look-ups, versions, many recipients."""
    assert 'successCode="200"' in multi_response(1, [("x", Code.RECIPIENT, "no")], 16, success("a"))
    tree = read_tree(document(multi_response(1, [("x", Code.RECIPIENT, "no")], 16, success("a"))))
    assert attribute(first(tree, "failedrecipient"), "errorCode") == "403"
    nothing = read_tree(document(poll_response([], 10)))
    assert first(nothing, "nomessages") is not None
    one = read_tree(document(poll_response([(3, operation(OPERATIONS[3]))], 10)))
    assert attribute(first(one, "message"), "sequenceNo") == "3"
    assert attribute(first(one, "pollresponse"), "minNextPollInterval") == "10"
    lookup = Lookup("LookupSubscriber", "a", "s", "b", "1", "2")
    found = read_tree(document(lookup_response(lookup, 500)))
    assert attribute(first(found, "lookupdata"), "maxMessageLength") == "500"
    assert attribute(first(found, "recipient"), "recipientID") == "a"
    nowhere = location_response(lookup, failure(Code.FUNCTION, "no"))
    assert answer(nowhere).code == 400
    query = ClientQuery("a", "b", "123")
    replied = read_tree(document(client_reply(query, "Calling", AT_MS, 10)))
    assert text_of(first(replied, "alphanumeric")) == "Calling"
    versions = read_tree(document(version_response(VersionQuery("a"), "us", AT_MS)))
    assert [attribute(row, "dtdName") for row in below(versions, "dtdsupport")] == list(Version)
