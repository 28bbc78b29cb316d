"""Our pages to a paging carrier, and the answers that pagers give to them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from call_core.commands import Call, Choose, Last, Name
from call_core.errors import DeliveryError, StoreUnavailable
from call_core.notices import Notice
from call_core.outcomes import Asked, Done, Outcome, Phrase
from call_core.requests import Evidence, Request
from channels.snpp import carrier as snpp_carrier
from channels.snpp.channel import SnppChannel
from channels.snpp.settings import SnppSettings
from tests.support.pagers import PAGER, Carrier, PagerCore, environment, outgoing

pytestmark = pytest.mark.anyio
BUSY = Notice("b_busy", "4F7", {"to": "mom", "total": "$0", "reason": "busy", "talk": "0"})
RECEIPT = Done("hung_up", "4F7", "call_1", {"with": "mom"})
QUESTION = Asked(
    "which_name",
    "4F7",
    (Phrase("choice_name", {"name": "mom cell"}), Phrase("choice_name", {"name": "mom work"})),
    {"name": "mom"},
)
STATUS = "261120120000+0"


@contextlib.asynccontextmanager
async def paging(
    carrier: Carrier,
    core: PagerCore,
    **settings: Any,  # noqa: ANN401  (settings as in a file)
) -> AsyncIterator[SnppChannel]:
    """Start the channel with a carrier."""
    async with carrier.running() as port:
        made = {
            "port": 0,
            "carrier_host": "127.0.0.1",
            "carrier_port": port,
            "carrier_login": "us",
            "carrier_secret": "pw",
            "carrier_poll_s": 0.05,
            **settings,
        }
        channel = SnppChannel(SnppSettings.model_validate(made), environment(core))
        await channel.start()
        try:
            yield channel
        finally:
            await channel.stop()


async def until(core: PagerCore, requests: int) -> None:
    """Wait until the core was asked."""
    async with asyncio.timeout(10):
        while len(core.asked) < requests:  # noqa: ASYNC110  (two programs do it together)
            await asyncio.sleep(0.01)


async def test_a_message_without_choices_is_a_plain_page() -> None:
    """Login, pager, words, send."""
    carrier = Carrier({})
    async with paging(carrier, PagerCore()) as channel:
        await channel.deliver(outgoing(RECEIPT))
        await asyncio.sleep(0.05)
    login, page, words, *rest = carrier.said
    assert (login, page, rest) == ("LOGI us pw", f"PAGE {PAGER}", ["SEND", "QUIT"])
    assert words.startswith("MESS ")
    assert len(words) <= len("MESS ") + 80


@pytest.mark.parametrize(
    ("content", "status", "command"),
    [
        (QUESTION, f"888 3 {STATUS} 2", Choose(2, "4F7")),
        (QUESTION, f"888 3 {STATUS} 0002 mom work", Choose(2, "4F7")),
        (QUESTION, f"889 3 {STATUS} call dad", Call(Name("dad"))),
        (BUSY, f"888 3 {STATUS} 1 Call back now", Last()),
    ],
)
async def test_what_a_pager_picks_becomes_a_request(
    content: Any,  # noqa: ANN401  (any outcome or notice)
    status: str,
    command: object,
) -> None:
    """One request of that pager's user, vouched for by the carrier; then the tag is dropped."""
    carrier, core = Carrier({"SEND": "861 123 456 sent", "MSTA": status}), PagerCore()
    async with paging(carrier, core) as channel:
        await channel.deliver(outgoing(content))
        await until(core, 1)
        await asyncio.sleep(0.3)
    (request,) = core.asked
    assert (request.command, request.sender, request.user_id) == (command, PAGER, None)
    assert (request.evidence, request.external_id) == (Evidence.VOUCHED, "answer.msg_1")
    assert not request.in_session
    assert [line for line in carrier.said if line.startswith(("MSTA", "KTAG"))] == [
        "MSTA 123 456",
        "KTAG 123 456",
    ]
    assert "2WAY" in carrier.said
    assert "RTYP MULTICHOICE" in carrier.said
    assert any(line.startswith("MCRE 2 ") for line in carrier.said)


async def test_it_is_asked_with_growing_pauses_until_it_is_final() -> None:
    """Queued, delivered, read, then chosen; a failure of ours asks again."""
    carrier, core = Carrier({"SEND": "960 1 2 queued", "MSTA": f"960 1 {STATUS} q"}), PagerCore()
    async with paging(carrier, core) as channel:
        await channel.deliver(outgoing(BUSY))
        await asyncio.sleep(0.4)
        asked = sum(line.startswith("MSTA") for line in carrier.said)
        assert 2 <= asked <= 4
        core.fault = StoreUnavailable()
        carrier.replies["MSTA"] = f"888 2 {STATUS} 1"
        await asyncio.sleep(0.8)
        assert not any(line.startswith("KTAG") for line in carrier.said)
        core.fault = None
        await until(core, 1)


@pytest.mark.parametrize("status", [f"780 2 {STATUS} expired", "550 unknown", f"888 2 {STATUS} 7"])
async def test_an_end_without_an_answer_asks_nothing(status: str) -> None:
    """Expired, forgotten by the carrier, a choice that was never offered."""
    carrier, core = Carrier({"SEND": "861 1 2 sent", "MSTA": status}), PagerCore()
    async with paging(carrier, core) as channel:
        await channel.deliver(outgoing(BUSY))
        await asyncio.sleep(0.4)
    assert core.asked == []
    assert carrier.said.count("MSTA 1 2") == 1


async def test_an_answer_is_not_awaited_for_ever() -> None:
    """After its time the tag is dropped."""
    carrier, core = Carrier({"SEND": "861 1 2 sent", "MSTA": f"861 1 {STATUS} x"}), PagerCore()
    async with paging(carrier, core, carrier_answer_s=0.1) as channel:
        await channel.deliver(outgoing(BUSY))
        await asyncio.sleep(0.5)
    assert "KTAG 1 2" in carrier.said


async def test_a_carrier_without_level_3_gets_a_plain_page() -> None:
    """The words name the choices too."""
    carrier, core = Carrier({"2WAY": "500 what?"}), PagerCore()
    async with paging(carrier, core) as channel:
        await channel.deliver(outgoing(QUESTION))
        await asyncio.sleep(0.2)
    assert carrier.said[1:3] == ["2WAY", f"PAGE {PAGER}"]
    assert not any(line.startswith("MSTA") for line in carrier.said)


@pytest.mark.parametrize(
    ("replies", "hang_up_at", "retryable", "uncertain"),
    [
        ({"PAGE": "550 no such pager"}, "", False, False),
        ({"SEND": "554 later"}, "", True, False),
        ({"LOGI": "421 full"}, "", True, False),
        ({}, "MESS", True, False),
        ({}, "SEND", True, True),
    ],
)
async def test_failures_say_whether_to_try_again(
    replies: dict[str, str],
    hang_up_at: str,
    retryable: bool,  # noqa: FBT001  (a column)
    uncertain: bool,  # noqa: FBT001  (a column)
) -> None:
    """A line that breaks after SEND leaves open whether the page went out."""
    carrier = Carrier(replies)
    carrier.hang_up_at = hang_up_at
    async with paging(carrier, PagerCore()) as channel:
        with pytest.raises(DeliveryError) as failed:
            await channel.deliver(outgoing(RECEIPT))
    assert (failed.value.retryable, failed.value.uncertain) == (retryable, uncertain)


async def test_a_carrier_that_is_not_there_is_temporary() -> None:
    """And without one the message goes to the user's next address."""
    core = PagerCore()
    nowhere = SnppSettings(carrier_host="127.0.0.1", carrier_port=1, carrier_timeout_s=5)
    for settings, retryable in ((nowhere, True), (SnppSettings(), False)):
        channel = SnppChannel(settings, environment(core))
        with pytest.raises(DeliveryError) as failed:
            await channel.deliver(outgoing(RECEIPT))
        assert failed.value.retryable is retryable


async def test_a_carrier_that_says_nothing_is_temporary() -> None:
    """After the time that is set."""
    left = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = SnppSettings(carrier_host="127.0.0.1", carrier_port=port, carrier_timeout_s=0.2)
    with pytest.raises(DeliveryError) as failed:
        await SnppChannel(settings, environment(PagerCore())).deliver(outgoing(RECEIPT))
    assert failed.value.retryable
    await asyncio.wait_for(left.wait(), 5)
    server.close()
    await server.wait_closed()


class Tired(Carrier):
    """Gives each page a tag of its own, and hangs up after a few questions."""

    patience = 15
    sent = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 carrier\r\n")
        asked = 0
        while line := (await reader.readline()).decode().strip():
            verb = line.partition(" ")[0]
            reply = self.replies.get(verb, "250 OK")
            if verb == "SEND":
                self.sent += 1
                reply = f"861 {self.sent} {self.sent} sent"
            asked += verb == "MSTA"
            if asked > self.patience:
                break
            writer.write(f"{reply}\r\n".encode())
        writer.close()


def an_hour_later(channel: SnppChannel) -> None:
    """Let every page be due."""
    for waiting in channel._carrier._waiting.values():  # noqa: SLF001  (what its clock does)
        waiting.due_s = 0
    channel._carrier._wake.set()  # noqa: SLF001  (as above)


async def test_answers_are_heard_however_many_pages_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few are asked for in each connection; one that breaks puts off no other."""
    monkeypatch.setattr(snpp_carrier, "MOST_ASKED", 10)
    core, pages = PagerCore(), 60
    tired = Tired({"MSTA": f"888 2 {STATUS} 1"})
    async with paging(tired, core, carrier_poll_s=3_600) as channel:
        for n in range(pages):
            await channel.deliver(outgoing(BUSY, id=f"msg_{n}"))
        an_hour_later(channel)
        await until(core, pages)


async def test_a_defect_in_one_answer_loses_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged, and tried again with the next question."""
    core = PagerCore()
    usual = core.handle

    async def handle(request: Request) -> Outcome:
        if request.external_id == "answer.msg_0":
            raise RuntimeError("a defect")
        return await usual(request)

    monkeypatch.setattr(core, "handle", handle)
    tired = Tired({"MSTA": f"888 2 {STATUS} 1"})
    async with paging(tired, core, carrier_poll_s=3_600) as channel:
        for n in range(5):
            await channel.deliver(outgoing(BUSY, id=f"msg_{n}"))
        an_hour_later(channel)
        await until(core, 4)
