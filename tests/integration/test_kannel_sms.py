"""The Kannel channel and real Kannel: bearerbox, smsbox and fakesmsc on loopback."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from fastapi import FastAPI, Response
from starlette.types import Message, Receive, Scope, Send

from call_core.commands import Call, Number
from call_core.contracts import CallCore, Clock
from call_core.errors import StoreUnavailable
from call_core.outcomes import Refused
from call_core.requests import Evidence
from channels.kannel_sms.channel import KannelChannel
from channels.kannel_sms.settings import KannelSettings
from channels.kit.contract import Environment, Outgoing
from gateway.http_listener import HttpListener
from tests.support import kannel
from tests.support.kannel import Kannel
from tests.support.scripted_core import NOW_MS, ScriptedCore

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket, pytest.mark.timeout(90)]

ANNA = "+12125550101"
LAUNCHED = Outgoing(
    "msg_1", ANNA, Refused("unknown_sender"), ref="", thread="", created_wall_ms=0, timezone="UTC"
)


class Wall:
    """A clock that stands still."""

    def now_ms(self) -> int:
        """Return the one instant there is."""
        return NOW_MS

    async def sleep_until(self, at_ms: int) -> None:
        """Return at once."""


@dataclass
class Wire:
    """Between smsbox and the channel: keeps what was asked, spoils what it is told to.

    Attributes:
        asked: path and query of every request.
        spoil: for coming requests: a status to answer instead, 0 to hang up without an answer
            after the channel has done its work.
    """

    app: FastAPI
    asked: list[str] = field(default_factory=list)
    spoil: list[int] = field(default_factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
        status = self.spoil.pop(0) if self.spoil else 200
        if status == 200:
            await self.app(scope, receive, send)
        elif status:
            await Response("spoiled", status)(scope, receive, send)
        else:

            async def hang_up(message: Message) -> None:
                if message["type"] == "http.response.start":
                    raise ConnectionResetError

            with contextlib.suppress(ConnectionResetError):
                await self.app(scope, receive, hang_up)
            raise ConnectionResetError("the answer is lost on purpose")


@dataclass
class World:
    """Kannel, the wire, the channel and a core in memory."""

    kannel: Kannel
    wire: Wire
    core: ScriptedCore
    channel: KannelChannel

    async def until_asked(self, count: int, seconds: float = 15.0) -> list[str]:
        """Wait until smsbox has asked so often for messages; return the requests."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while len(self.wire.asked) < count:  # noqa: ASYNC110  (another process asks)
                    await asyncio.sleep(0.02)
        return self.wire.asked


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Run everything, as shipped."""
    kannel.skip_without_kannel()
    listener = HttpListener("127.0.0.1", 0)
    with kannel.running(tmp_path, listener.port) as boxes:
        core = ScriptedCore()
        url = f"http://127.0.0.1:{listener.port}"
        environment = Environment(
            core=cast("CallCore", core),
            wall=cast("Clock", Wall()),
            call=cast("Clock", Wall()),
            public_url=url,
            mail=None,
        )
        settings = KannelSettings.model_validate(
            {
                "secret": kannel.SECRET,
                "sendsms_url": boxes.sendsms_url,
                "password": kannel.PASSWORD,
                "from_number": "+12025550143",
                "report_url": url,
            }
        )
        channel = KannelChannel(settings, environment)
        app = FastAPI()
        for router in channel.routers():
            app.include_router(router)
        wire = Wire(app)
        await listener.start(cast("FastAPI", wire))
        await channel.start()
        try:
            yield World(boxes, wire, core, channel)
        finally:
            await channel.stop()
            await listener.stop()


async def test_a_text_becomes_one_request_and_is_not_answered_twice(world: World) -> None:
    """Everything the core needs is there; the answer in the session is empty, so nothing comes."""
    with world.kannel.telephone(f"{ANNA} 12345 text call +442079460018") as telephone:
        await world.until_asked(1)
        assert await asyncio.to_thread(telephone.wait_for_texts, 1, 1.0) == []
    (request,) = world.core.asked
    assert request.command == Call(Number("+442079460018"))
    assert (request.sender, request.evidence) == (ANNA, Evidence.VOUCHED)
    assert (request.channel, request.id_space) == ("kannel_sms", "sms")
    assert request.external_id.startswith("kannel:")
    assert request.sent_wall_ms is not None


@pytest.mark.parametrize(
    ("sent", "text"),
    [
        ("text call  mom & +44 @ äö", "call  mom & +44 @ äö"),
        ("text £$¥èéùìòÇØøÅå_ÆæßÉ^{}[~]|€\\", "£$¥èéùìòÇØøÅå_ÆæßÉ^{}[~]|€\\"),
        ("ucs2 %04%3C%04%30%04%3C%04%30%D8%3D%DE%00", "мама\U0001f600"),
        ("data conf%20mom%0Abob", "conf mom\nbob"),
    ],
)
async def test_alphabets_arrive_as_they_were_written(world: World, sent: str, text: str) -> None:
    """Whatever the coding on the air, the words are the same."""
    with world.kannel.telephone(f"{ANNA} 12345 {sent}"):
        await world.until_asked(1)
    assert [request.text for request in world.core.asked] == [text]


async def test_the_parts_of_a_long_text_are_one_request(world: World) -> None:
    """They may come in any order; bearerbox joins them."""
    parts = ("%05%00%03%2a%02%02 tomorrow", "%05%00%03%2a%02%01 callmomat")
    for part in parts:
        with world.kannel.telephone(f"{ANNA} 12345 udh-text {part}"):
            await asyncio.sleep(0.5)
    await world.until_asked(1)
    assert [request.text for request in world.core.asked] == ["callmomattomorrow"]


@pytest.mark.parametrize("failures", [[500], [503, 404, 500]])
async def test_smsbox_asks_again_until_200(world: World, failures: list[int]) -> None:
    """The same id every time, and one request."""
    world.wire.spoil = list(failures)
    with world.kannel.telephone(f"{ANNA} 12345 text call mom"):
        asked = await world.until_asked(len(failures) + 1)
    assert len(set(asked)) == 1
    assert len(asked) == len(failures) + 1
    assert len(world.core.asked) == 1


async def test_a_lost_answer_is_asked_for_again_and_launches_nothing_more(world: World) -> None:
    """The work was done when the line broke: the claim of the id makes the repeat harmless."""
    world.wire.spoil = [0]
    with world.kannel.telephone(f"{ANNA} 12345 text call mom"):
        assert len(await world.until_asked(2)) == 2
        await asyncio.sleep(0.3)
    assert len(world.core.asked) == 1


async def test_a_fault_of_ours_is_temporary(world: World) -> None:
    """While nothing can be written smsbox keeps the message, and it launches afterwards."""
    world.core.fault = StoreUnavailable()
    with world.kannel.telephone(f"{ANNA} 12345 text call mom"):
        await world.until_asked(2)
        assert world.core.asked == []
        world.core.fault = None
        await world.until_asked(3)
        await asyncio.sleep(0.3)
    assert len(world.core.asked) == 1


@pytest.mark.parametrize(
    ("outcome", "words"),
    [(Refused("emergency", fields={"digits": "911"}), "911"), (Refused("unknown_sender"), "")],
)
async def test_what_no_row_carries_is_answered_in_the_session(
    world: World, outcome: Refused, words: str
) -> None:
    """An emergency and a stranger get their answer by smsbox itself."""
    world.core.answers = [outcome]
    with world.kannel.telephone(f"{ANNA} 12345 text call 911") as telephone:
        texts = await asyncio.to_thread(telephone.wait_for_texts, 1)
    assert [(sender, receiver) for sender, receiver, _ in texts] == [("12345", ANNA)]
    assert words in texts[0][2]


async def test_a_text_goes_out_and_is_reported_delivered(world: World) -> None:
    """From the outbox to the telephone, and the message centre's word back to the core."""
    with world.kannel.telephone(count=0) as telephone:
        await asyncio.sleep(0.5)
        await world.channel.deliver(LAUNCHED)
        ((sender, receiver, text),) = await asyncio.to_thread(telephone.wait_for_texts, 1)
        await world.until_asked(1)
        await asyncio.sleep(0.2)
    assert (sender, receiver) == ("+12025550143", ANNA)
    assert text
    (report,) = world.core.reports
    assert (report.message_id, report.address, report.delivered) == ("msg_1", ANNA, True)


async def test_nothing_secret_or_personal_is_in_kannels_logs(world: World) -> None:
    """The shipped level writes neither words nor numbers nor passwords."""
    with world.kannel.telephone(f"{ANNA} 12345 text call mom"):
        await world.until_asked(1)
        await world.channel.deliver(LAUNCHED)
        await asyncio.sleep(0.3)
    for secret in (kannel.PASSWORD, kannel.SECRET, ANNA, "call mom"):
        assert secret not in world.kannel.log()
