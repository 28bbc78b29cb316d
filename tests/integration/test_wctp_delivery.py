"""What we push: to a carrier or a sender's own endpoint, and how their answers are taken."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from call_core.errors import DeliveryError
from call_core.outcomes import Asked, Done
from channels.kit.contract import Identity
from channels.wctp.channel import WctpChannel
from channels.wctp.settings import WctpSettings
from parsers.wctp import Message
from parsers.wctp_read import read_document
from parsers.wctp_write import confirmation, document, failure, success
from tests.support.pagers import PAGER, SECRET, PagerCore, environment, outgoing
from tests.support.scripted_core import ANNA

pytestmark = pytest.mark.anyio
RECEIPT = Done("hung_up", "4F7", "call_1", {"with": "mom"})
WELL = document(confirmation(success("taken")))


class Endpoint:
    """A peer's HTTP/1.0 server; keeps bodies, answers what it is told."""

    def __init__(self, answer: bytes, status: str = "200 OK") -> None:
        self.answer = answer
        self.status = status
        self.bodies: list[bytes] = []

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Listen; yield the URL."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/wctp"
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.split("content-length:")[1].split("\r\n")[0])
        self.bodies.append(await reader.readexactly(length))
        with contextlib.suppress(ConnectionError):  # a client that had enough closes first
            writer.write(f"HTTP/1.0 {self.status}\r\n\r\n".encode() + self.answer)
            await writer.drain()
        writer.close()


def channel_of(**settings: object) -> WctpChannel:
    """Return a channel with settings."""
    return WctpChannel(WctpSettings.model_validate(settings), environment(PagerCore()))


@pytest.mark.parametrize("by", ["carrier_url", "push"])
async def test_a_message_is_pushed_with_its_choices(by: str) -> None:
    """To the carrier, or to the address's own endpoint."""
    endpoint = Endpoint(WELL)
    async with endpoint.running() as url:
        settings: dict[str, object] = {by: url if by == "carrier_url" else [f"555-1000={url}"]}
        channel = channel_of(**settings, carrier_security_code="code", service_id="us")
        await channel.deliver(outgoing(Asked("stale", "4F7", (), {"minutes": 11})))
    (body,) = endpoint.bodies
    sent = read_document(body).operation
    assert isinstance(sent, Message)
    assert (sent.sender_id, sent.security_code, sent.recipients) == ("us", "code", (PAGER,))
    assert [choice.reply for choice in sent.payload.choices] == ["go 4F7", "No"]


async def test_all_messages_go_by_one_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that is made reads every certificate of the system, while everybody waits."""
    made: list[httpx2.AsyncClient] = []
    client = httpx2.AsyncClient

    def counted(**how: Any) -> httpx2.AsyncClient:  # noqa: ANN401  (httpx2's)
        made.append(client(**how))
        return made[-1]

    monkeypatch.setattr(httpx2, "AsyncClient", counted)
    endpoint = Endpoint(WELL)
    async with endpoint.running() as url:
        channel = channel_of(carrier_url=url)
        for _ in range(3):
            await channel.deliver(outgoing(RECEIPT))
    await channel.stop()
    assert (len(endpoint.bodies), len(made)) == (3, 1)
    assert made[0].is_closed


async def test_a_peer_may_want_a_bare_document() -> None:
    """No encoding, no DOCTYPE, an old version."""
    endpoint = Endpoint(WELL)
    async with endpoint.running() as url:
        channel = channel_of(carrier_url=url, carrier_version="1.1", carrier_bare=True)
        await channel.deliver(outgoing(RECEIPT))
    assert endpoint.bodies[0].startswith(b'<?xml version="1.0"?>\r\n<wctp-Operation wctpVersion=')
    assert b"DOCTYPE" not in endpoint.bodies[0]
    assert b"v1r1" in endpoint.bodies[0]


@pytest.mark.parametrize(
    ("answer", "status", "retryable"),
    [
        (document(confirmation(failure(403, "no such pager"))), "200 OK", False),
        (document(confirmation(failure(501, "expired"))), "200 OK", False),
        (document(confirmation(failure(606, "busy"))), "200 OK", True),
        (document(confirmation(failure(304, "poll first"))), "200 OK", True),
        (b"<html>oops</html>", "200 OK", True),
        (b"", "200 OK", True),
        (WELL, "503 Later", True),
        (b"x" * 200_000, "200 OK", True),
    ],
)
async def test_families_decide_whether_to_try_again(
    answer: bytes,
    status: str,
    retryable: bool,  # noqa: FBT001  (a column)
) -> None:
    """A repeat has the same messageID, so nothing is ever uncertain."""
    endpoint = Endpoint(answer, status)
    async with endpoint.running() as url:
        with pytest.raises(DeliveryError) as failed:
            await channel_of(carrier_url=url).deliver(outgoing(RECEIPT))
    assert (failed.value.retryable, failed.value.uncertain) == (retryable, False)


async def test_a_peer_that_is_not_there_is_temporary() -> None:
    """Nobody listens."""
    with pytest.raises(DeliveryError) as failed:
        await channel_of(carrier_url="http://127.0.0.1:1/").deliver(outgoing(RECEIPT))
    assert failed.value.retryable


async def test_a_receipt_that_is_not_taken_harms_nobody() -> None:
    """It is only a courtesy."""
    from parsers.wctp import Control, Payload  # noqa: PLC0415  (one use)
    from parsers.wctp_write import operation  # noqa: PLC0415  (as above)

    sent = Message(
        "SubmitRequest",
        PAGER,
        SECRET,
        ("callgate",),
        Payload("call mom"),
        Control("42", notify=frozenset({"READ"})),
    )
    channel = channel_of(push=[f"{PAGER}=http://127.0.0.1:1/"])
    answer = await channel._service.answer(document(operation(sent)), "peer")  # noqa: SLF001  (no HTTP here)
    await channel.stop()
    assert b'successCode="200"' in answer


async def test_the_probe_posts_as_a_host_does() -> None:
    """And returns the words of the confirmation."""
    endpoint = Endpoint(document(confirmation(success("Calling mom"))))
    async with endpoint.running() as url:
        made = environment(PagerCore(), url=url.removesuffix("/wctp"))
        channel = WctpChannel(WctpSettings(), made)
        assert await channel.probe(Identity(ANNA.user_id, PAGER, SECRET), "call mom") == (
            "Calling mom"
        )
    sent = read_document(endpoint.bodies[0]).operation
    assert isinstance(sent, Message)
    assert (sent.sender_id, sent.security_code, sent.payload.text) == (PAGER, SECRET, "call mom")
