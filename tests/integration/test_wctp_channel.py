"""The WCTP endpoint as senders use it: every operation, who is believed, what comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from call_core.commands import Call, Choose, Name, When
from call_core.errors import CommitUnknown, DeliveryError, Overloaded, ParseError, StoreUnavailable
from call_core.notices import Notice
from call_core.outcomes import Asked, Launched, Phrase, Refused
from call_core.requests import Evidence
from channels.wctp.channel import WctpChannel
from channels.wctp.sender import Thread
from channels.wctp.settings import WctpSettings
from parsers.wctp import (
    MAX_BODY_BYTES,
    ClientQuery,
    Control,
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
)
from parsers.wctp_read import read_document, read_result
from parsers.wctp_write import document, operation
from parsers.wctp_xml import attribute, below, first, local_name, read_tree, text_of
from tests.support.pagers import PAGER, SECRET, Frozen, PagerCore, environment, outgoing
from tests.support.scripted_core import ANNA, NOW_MS

pytestmark = pytest.mark.anyio
SUBMIT = Message(
    operation="SubmitRequest",
    sender_id=PAGER,
    security_code=SECRET,
    recipients=("callgate",),
    payload=Payload("call mom"),
    control=Control("42"),
)
TRANSIENT = replace(SUBMIT, operation="SubmitClientMessage", control=Control())
QUESTION = Asked(
    "which_name",
    "4F7",
    (Phrase("choice_name", {"name": "mom cell"}), Phrase("choice_name", {"name": "mom work"})),
    {"name": "mom"},
)


class Peer:
    """A sender: posts documents to the channel in this process."""

    def __init__(self, channel: WctpChannel, client: httpx2.AsyncClient) -> None:
        self.channel = channel
        self.client = client

    async def raw(self, body: bytes, **headers: str) -> bytes:
        """Post octets; whatever they are, the answer is 200 with a length."""
        answer = await self.client.post("/wctp", content=body, headers=headers)
        assert answer.status_code == 200
        assert answer.headers["content-length"] == str(len(answer.content))
        assert answer.headers["content-type"].startswith("text/xml")
        return answer.content

    async def post(self, sent: Operation, version: Version = Version.V1_3) -> bytes:
        """Post an operation."""
        return await self.raw(document(operation(sent, version), version))

    async def result(self, sent: Operation) -> Result:
        """Post an operation; return success or failure."""
        return read_result(await self.post(sent))

    async def poll(self, *received: str) -> list[tuple[str, Message | StatusInfo]]:
        """Fetch what waits, acknowledging earlier ones; return numbers and operations."""
        poll = Poll(PAGER, SECRET, 10, tuple((number, True) for number in received))
        tree = read_tree(await self.post(poll))
        found = []
        for each in below(tree, "message"):
            inside = document(_text(each[0]))
            found.append((attribute(each, "sequenceNo"), read_document(inside).operation))
        assert all(isinstance(sent, Message | StatusInfo) for _, sent in found)
        return [(n, sent) for n, sent in found if isinstance(sent, Message | StatusInfo)]


def _text(element: Any) -> str:  # noqa: ANN401  (an XML element)
    from xml.etree.ElementTree import tostring  # noqa: PLC0415  (one use)

    return tostring(element, encoding="unicode")


@contextlib.asynccontextmanager
async def served(
    core: PagerCore,
    clock: Frozen | None = None,
    **settings: Any,  # noqa: ANN401  (settings as in a file)
) -> AsyncIterator[Peer]:
    """Serve the channel's routes in this process."""
    channel = WctpChannel(WctpSettings.model_validate(settings), environment(core, clock))
    app = FastAPI()
    for router in channel.routers():
        app.include_router(router)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://us") as client:
        yield Peer(channel, client)
    await channel.stop()


# --- messages -----------------------------------------------------------------------------------


async def test_a_message_becomes_one_request_and_then_200() -> None:
    """Everything the core needs is there; the answer goes out later, by the thread."""
    core = PagerCore()
    sent = replace(SUBMIT, submitted_ms=NOW_MS // 1000 * 1000)
    async with served(core) as peer:
        assert await peer.result(sent) == Result(200, "Accepted 2F7")
    (request,) = core.asked
    assert (request.channel, request.id_space, request.sender) == ("wctp", "wctp", PAGER)
    assert (request.user_id, request.evidence) == (ANNA.user_id, Evidence.VOUCHED)
    assert (request.command, request.text) == (Call(Name("mom")), "call mom")
    assert request.sent_wall_ms == NOW_MS // 1000 * 1000
    assert Thread.read(request.thread) == Thread("42", PAGER, "callgate")
    assert not request.in_session


async def test_a_repeat_gets_the_same_answer_and_launches_nothing() -> None:
    """The id counts for one sender, whatever the words; other words under it are refused."""
    core = PagerCore()
    async with served(core) as peer:
        assert await peer.post(SUBMIT) == await peer.post(SUBMIT)
        assert len(core.asked) == 1
        other = await peer.result(replace(SUBMIT, payload=Payload("call dad")))
        assert (other.code, len(core.asked)) == (302, 1)
        again = replace(SUBMIT, control=Control("43"))
        assert (await peer.result(again)).code == 200
        assert (await peer.result(replace(SUBMIT, sender_id="5552000"))).code == 200
    assert len(core.asked) == 3


async def test_a_transient_client_is_answered_at_once_and_may_ask_again() -> None:
    """The words are in the answer, with a tracking number; a repeat has the same one."""
    core, clock = PagerCore(), Frozen()
    async with served(core, clock, keep_hours=1) as peer:
        first_answer = await peer.result(TRANSIENT)
        assert first_answer.code == 200
        assert first_answer.text.startswith("Calling")
        assert len(first_answer.tracking_number) <= 16
        assert await peer.result(TRANSIENT) == first_answer
        assert core.asked[0].in_session
        clock.now += 89_000
        assert await peer.result(TRANSIENT) == first_answer
        clock.now += 2_000
        assert (await peer.result(TRANSIENT)).tracking_number != first_answer.tracking_number
        dated = replace(TRANSIENT, submitted_ms=NOW_MS // 1000 * 1000)
        assert await peer.result(dated) == await peer.result(dated)
        assert len(core.asked) == 3
        query = ClientQuery(PAGER, "callgate", first_answer.tracking_number)
        told = read_tree(await peer.post(query))
        assert text_of(first(told, "alphanumeric")) == first_answer.text
        for wrong in (replace(query, tracking_number="1"), replace(query, sender_id="5552000")):
            assert (await peer.result(wrong)).code == 504
        clock.now += 3_600_001
        assert (await peer.result(query)).code == 504


async def test_who_takes_no_response_gets_the_words_at_once() -> None:
    """AllowResponse is false: there will be no other way to tell."""
    core = PagerCore()
    sent = replace(SUBMIT, control=Control("42", allow_response=False))
    async with served(core) as peer:
        assert (await peer.result(sent)).text.startswith("Calling")
    assert core.asked[0].in_session


@pytest.mark.parametrize("sent", [SUBMIT, TRANSIENT])
@pytest.mark.parametrize(("sender", "code"), [(PAGER, "wrong"), (PAGER, ""), ("5559999", SECRET)])
async def test_a_stranger_learns_nothing(sent: Message, sender: str, code: str) -> None:
    """Unknown senders and wrong codes get the same words."""
    core = PagerCore()
    async with served(core) as peer:
        refused = await peer.result(replace(sent, sender_id=sender, security_code=code))
    assert refused == Result(401, "Unknown sender or wrong security code")
    assert core.asked == []


async def test_an_emergency_is_answered_to_anybody() -> None:
    """As a failure, so that every client shows it."""
    sent = replace(SUBMIT, security_code="wrong", payload=Payload("911"))
    async with served(PagerCore()) as peer:
        answer = await peer.result(sent)
    assert not answer.is_success
    assert "911" in answer.text


@pytest.mark.parametrize("sent", [SUBMIT, TRANSIENT, replace(SUBMIT, operation="SendMsgMulti")])
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Overloaded(), 605),
        (StoreUnavailable(), 605),
        (CommitUnknown(), 605),
        (ValueError("x"), 604),
    ],
)
async def test_every_failure_of_ours_is_temporary(
    sent: Message, fault: Exception, code: int
) -> None:
    """6xx inside HTTP 200, in the element that the operation wants."""
    async with served(PagerCore(fault=fault)) as peer:
        answer = await peer.result(sent)
        assert (answer.code, answer.is_temporary) == (code, True)


async def test_a_refused_command_is_an_answer() -> None:
    """The message was taken and is not tried again; its words say why it was not done."""
    core = PagerCore(answers=[Refused("no_route")])
    async with served(core) as peer:
        answer = await peer.result(TRANSIENT)
    assert answer.is_success
    assert not answer.text.startswith("Calling")


async def test_text_that_says_nothing_is_a_request_all_the_same() -> None:
    """The core answers why not."""
    core = PagerCore()
    async with served(core) as peer:
        await peer.result(replace(SUBMIT, payload=Payload("call")))
    assert isinstance(core.asked[0].command, ParseError)


async def test_delivery_times_are_the_time_of_a_call() -> None:
    """After is when the call is due; before, when it is past, is too late."""
    core = PagerCore()
    later, sooner = NOW_MS + 3_600_000, NOW_MS - 1000
    async with served(core) as peer:
        for number, (text, control) in enumerate(
            [
                ("call mom", Control(deliver_after_ms=later)),
                ("hangup", Control(deliver_after_ms=later)),
                ("call mom", Control(deliver_before_ms=sooner)),
            ]
        ):
            named = replace(control, message_id=str(number))
            sent = replace(SUBMIT, payload=Payload(text), control=named)
            assert (await peer.result(sent)).code == (200, 400, 408)[number]
    assert isinstance(core.asked[0].command, Call)
    assert isinstance(core.asked[0].command.at, When)


async def test_timestamps_may_be_distrusted() -> None:
    """One client writes local time; its messages would all be stale."""
    core = PagerCore()
    async with served(core, timestamps=False) as peer:
        await peer.result(replace(SUBMIT, submitted_ms=1_000_000))
    assert core.asked[0].sent_wall_ms is None


async def test_only_our_ids_are_served_when_they_are_set() -> None:
    """In a message for many, the others are named in the answer."""
    core = PagerCore()
    many = replace(SUBMIT, operation="SendMsgMulti", recipients=("callgate", "other"))
    async with served(core, service_ids=["callgate"]) as peer:
        assert (await peer.result(replace(SUBMIT, recipients=("other",)))).code == 403
        tree = read_tree(await peer.post(many))
        failed = first(tree, "failedrecipient")
        assert (attribute(failed, "recipientID"), attribute(failed, "errorCode")) == (
            "other",
            "403",
        )
        assert attribute(first(tree, "sendmsgmultiresponse"), "numValidRecips") == "1"
    assert len(core.asked) == 1


async def test_a_carrier_may_vouch_for_its_pagers() -> None:
    """By its own code; whose pager it is the core knows, and polling is not for the carrier."""
    core = PagerCore()
    async with served(core, inbound_code="carrier-code") as peer:
        sent = replace(SUBMIT, sender_id="5557000", security_code="carrier-code")
        assert (await peer.result(sent)).code == 200
        assert (await peer.result(Poll("5557000", "carrier-code", 5))).code == 432
    (request,) = core.asked
    assert (request.user_id, request.sender, request.evidence) == (
        None,
        "5557000",
        Evidence.VOUCHED,
    )


async def test_guessing_is_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """After three wrong codes the next one waits, from any peer for that login."""
    waits: list[float] = []

    async def note(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr("channels.wctp.service.asyncio.sleep", note)
    async with served(PagerCore()) as peer:
        for _ in range(5):
            await peer.result(replace(SUBMIT, security_code="wrong"))
        assert (await peer.result(SUBMIT)).code == 200
        assert (await peer.result(SUBMIT)).code == 200
    assert waits == [0.5, 1.0, 2.0]


# --- the other operations -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "element", "code"),
    [
        (StatusInfo(PAGER, "", "callgate", "msg_1", "1", "READ"), "confirmation", 200),
        (ReturnToService(PAGER), "confirmation", 200),
        (Lookup("LookupSubscriber", PAGER, "", "other", "1"), "confirmation", 403),
        (Lookup("DeviceLocation", PAGER, "", "callgate", "1"), "devicelocationresponse", 400),
        (Poll(PAGER, "wrong", 5), "pollresponse", 432),
    ],
)
async def test_every_operation_is_answered(sent: Operation, element: str, code: int) -> None:
    """In its own element."""
    async with served(PagerCore(), service_ids=["callgate"]) as peer:
        body = await peer.post(sent)
    assert local_name(read_tree(body)[0]) == element
    assert read_result(body).code == code


async def test_versions_and_abilities_are_told() -> None:
    """VersionQuery and LookupSubscriber need no login."""
    async with served(PagerCore()) as peer:
        versions = read_tree(await peer.post(VersionQuery("them"), Version.V1_1))
        assert len(list(below(versions, "dtdsupport"))) == 4
        assert attribute(versions, "wctpVersion") == "wctp-dtd-v1r1"
        lookup = Lookup("LookupSubscriber", PAGER, "", "callgate", "1")
        told = read_tree(await peer.post(lookup))
        assert attribute(first(told, "lookupdata"), "canRespond") == "true"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", 301),
        (b"hello", 301),
        (b"<wctp-Operation/>", 300),
        (b'<wctp-Operation wctpVersion="9"><wctp-ReturnToSvc/></wctp-Operation>', 303),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><wctp-Operation>&x;</wctp-Operation>', 302),
        (b"x" * (MAX_BODY_BYTES + 1), 411),
    ],
)
async def test_nonsense_and_attacks_are_refused_inside_200(body: bytes, code: int) -> None:
    """Some clients look no further than the status."""
    async with served(PagerCore()) as peer:
        assert read_result(await peer.raw(body)).code == code


@pytest.mark.parametrize(
    "media_type", ["text/xml", "application/xml", "application/x-www-form-urlencoded", ""]
)
@pytest.mark.parametrize("front", [b"", b"param=", b"\xff\xfe"])
async def test_the_body_counts_and_not_its_type(media_type: str, front: bytes) -> None:
    """Whatever a client says that it sends."""
    core, written = PagerCore(), document(operation(SUBMIT), bare=True)
    body = front + (written.decode().encode("utf-16-le") if front == b"\xff\xfe" else written)
    async with served(core) as peer:
        assert read_result(await peer.raw(body, **{"Content-Type": media_type})).is_success


# --- answers to pollers -------------------------------------------------------------------------


async def test_an_answer_waits_until_it_is_fetched() -> None:
    """At least once: it comes again until its number is acknowledged, and the outbox hears."""
    async with served(PagerCore()) as peer:
        message = outgoing(
            Launched("call_launched", "4F7", "call_1"), thread=Thread("42", "back@x", "us").text()
        )
        assert await peer.poll() == []
        number = ""
        for _ in range(2):
            with pytest.raises(DeliveryError) as waits:
                await peer.channel.deliver(message)
            assert waits.value.retryable
            ((number, reply),) = await peer.poll()
            assert isinstance(reply, Message)
            assert (reply.operation, reply.response_to, reply.sender_id) == (
                "MessageReply",
                "42",
                "us",
            )
            assert (reply.recipients, reply.control.message_id) == (("back@x",), "msg_1")
            assert reply.payload.text.startswith("Calling")
        assert await peer.poll(number) == []
        await peer.channel.deliver(message)
        assert await peer.poll() == []


async def test_a_question_offers_its_choices_and_takes_the_answer() -> None:
    """As multiple choice with tokens; the label alone, of old versions, means the same."""
    core = PagerCore()
    async with served(core) as peer:
        with pytest.raises(DeliveryError):
            await peer.channel.deliver(outgoing(QUESTION))
        ((_, question),) = await peer.poll()
        assert isinstance(question, Message)
        assert question.operation == "SubmitRequest"
        assert [choice.reply for choice in question.payload.choices] == ["4F7 1", "4F7 2"]
        label = question.payload.choices[1].shown
        reply = Message(
            "MessageReply",
            PAGER,
            SECRET,
            ("callgate",),
            Payload(""),
            response_to="msg_1",
            is_choice=True,
        )
        for number, words in enumerate(("4F7 2", label, label.upper())):
            said = replace(reply, payload=Payload(words), control=Control(str(number)))
            assert (await peer.result(said)).is_success
        unknown = replace(reply, response_to="msg_0", control=Control("9"), payload=Payload("2"))
        assert (await peer.result(unknown)).is_success
    assert [request.command for request in core.asked] == [Choose(2, "4F7")] * 3 + [Choose(2)]
    assert [request.reply_to_ref for request in core.asked] == ["4F7"] * 3 + [None]


async def test_receipts_are_sent_when_they_are_asked_for() -> None:
    """Queued, delivered and read, each once, though the message is repeated."""
    kinds = frozenset({"QUEUED", "DELIVERED", "READ"})
    sent = replace(SUBMIT, control=Control("42", notify=kinds))
    async with served(PagerCore()) as peer:
        await peer.result(sent)
        await peer.result(sent)
        await asyncio.sleep(0.05)
        found = [status for _, status in await peer.poll()]
    assert all(isinstance(status, StatusInfo) for status in found)
    assert {status.notification for status in found if isinstance(status, StatusInfo)} == kinds
    assert len(found) == 3


async def test_a_queue_has_an_end_and_a_time() -> None:
    """Two hundred wait, for a day; one more is tried later."""
    core, clock = PagerCore(), Frozen()
    notice = Notice("receipt", "4F7", {"to": "mom"})
    async with served(core, clock, keep_hours=1) as peer:
        for number in range(201):
            with pytest.raises(DeliveryError) as waits:
                await peer.channel.deliver(outgoing(notice, id=f"msg_{number}"))
            assert ("too many" in str(waits.value)) is (number == 200)
        assert len(await peer.poll()) == 10
        clock.now += 3_600_001
        assert await peer.poll() == []


@pytest.mark.parametrize("text", ["", "x", "[1]", '{"a": 1}'])
def test_a_thread_that_is_none_is_empty(text: str) -> None:
    """Other channels' threads, and none."""
    assert Thread.read(text) == Thread()


def test_settings_are_checked_at_the_start() -> None:
    """Versions in any of their forms; URLs that can be posted to."""
    assert WctpSettings.model_validate({"carrier_version": "1.1"}).carrier_version is Version.V1_1
    with pytest.raises(ValueError, match="carrier_version"):
        WctpSettings.model_validate({"carrier_version": "7"})
    with pytest.raises(ValueError, match="address=url"):
        WctpSettings(push=("5551000",))
