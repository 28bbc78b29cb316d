"""The packet channel over real UDP: loss, replay, silence, wrong clocks, floods."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from call_core.commands import Call
from call_core.contracts import CallCore, Clock
from call_core.errors import StoreUnavailable
from call_core.requests import Evidence
from channels.kit.contract import Environment, Identity
from channels.packet.channel import PacketChannel
from channels.packet.client import PacketClient, Server
from channels.packet.errors import NoAnswerError
from channels.packet.flood import MOST_REMEMBERED, Flood
from channels.packet.settings import PacketSettings
from gateway.clocks import WallClock
from parsers import packet
from parsers.packet import CallState, PacketRequest, Status
from tests.support.scripted_core import CALL_TOKEN, ScriptedCore

pytestmark = pytest.mark.anyio

KEYS = packet.keys_of(packet.token_hash(CALL_TOKEN))
LAUNCHES = 200
WALL = WallClock()


@contextlib.asynccontextmanager
async def served(
    core: ScriptedCore,
    **settings: Any,  # noqa: ANN401  (settings as in a file)
) -> AsyncIterator[tuple[PacketChannel, Server]]:
    """Start the channel on a free port of loopback."""
    clock = cast("Clock", WALL)
    environment = Environment(cast("CallCore", core), clock, clock, "", None)
    channel = PacketChannel(PacketSettings.model_validate({"port": 0} | settings), environment)
    await channel.start()
    try:
        yield channel, Server("127.0.0.1", int(channel.listening()[0].rpartition(":")[2]))
    finally:
        await channel.stop()


@dataclass
class Line(asyncio.DatagramProtocol):
    """A raw client that keeps what came back."""

    got: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Keep it."""
        del addr
        self.got.put_nowait(data)


async def exchange(server: Server, *datagrams: bytes, wait_s: float = 0.3) -> list[bytes]:
    """Send datagrams as they are; return what came back in time."""
    loop = asyncio.get_running_loop()
    where = (server.host, server.port)
    transport, line = await loop.create_datagram_endpoint(Line, remote_addr=where)
    try:
        for datagram in datagrams:
            transport.sendto(datagram)
        await asyncio.sleep(wait_s)
    finally:
        transport.close()
    return [line.got.get_nowait() for _ in range(line.got.qsize())]


def sealed(text: str, *, at_ms: int | None = None, keys: packet.Keys = KEYS) -> bytes:
    """Return a request's datagram."""
    request = PacketRequest(b"i" * 12, WALL.now_ms() if at_ms is None else at_ms, text)
    return packet.seal_request(request, keys, random.SystemRandom().randbytes(12))


class Lossy(asyncio.DatagramProtocol):
    """Between one client and the server: loses 5 % each way and takes 100 ms each way."""

    def __init__(self, server: Server, rng: random.Random) -> None:
        self._server, self._rng = (server.host, server.port), rng
        self._client: tuple[str, int] | None = None
        self.transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass a datagram on, late or never."""
        if addr != self._server:
            self._client = addr
        target = self._client if addr == self._server else self._server
        if self._rng.random() >= 0.05 and self.transport is not None:
            asyncio.get_running_loop().call_later(0.1, self.transport.sendto, data, target)


async def test_a_lossy_line_launches_each_call_once() -> None:
    """Of 200 commands over 5 % loss and 200 ms each is launched exactly once, and answered."""
    core, loop, lines = ScriptedCore(), asyncio.get_running_loop(), []

    async def launch(number: int) -> Status:
        transport, _ = await loop.create_datagram_endpoint(
            lambda: Lossy(server, random.Random(number)),  # noqa: S311  (a fault, not a secret)
            local_addr=("127.0.0.1", 0),
        )
        lines.append(transport)
        host, port = transport.get_extra_info("sockname")
        client = PacketClient(Server(host, port), CALL_TOKEN, WALL.now_ms)
        return (await client.ask(f"call +4420794{number:05}")).status

    async with served(core, per_second_per_peer=10_000) as (_, server):
        told = await asyncio.gather(*(launch(number) for number in range(LAUNCHES)))
        for line in lines:
            line.close()
    assert told == [Status.LAUNCHED] * LAUNCHES
    assert len(core.asked) == len({each.text for each in core.asked}) == LAUNCHES


async def test_a_replayed_datagram_gets_the_same_words_and_launches_nothing() -> None:
    """The id of the command decides, wherever and how often it comes from."""
    core, datagram = ScriptedCore(), sealed("call mom")
    async with served(core) as (_, server):
        got = await exchange(server, datagram)
        got += await exchange(server, datagram, datagram)
    answers = [packet.open_answer(each, KEYS) for each in got]
    assert len(answers) == 3
    assert {each.text for each in answers if each} == {answers[0].text if answers[0] else ""}
    [request] = core.asked
    assert isinstance(request.command, Call)
    assert request.evidence is Evidence.PROVEN
    assert (request.in_session, request.user_id) == (True, "usr_anna")


async def test_whoever_is_no_device_hears_nothing() -> None:
    """Wrong key, unknown device, noise, too long: silence and nothing asked."""
    core, stranger = ScriptedCore(), packet.keys_of(packet.token_hash("cg_stranger"))
    forged = packet.Keys(KEYS.device, stranger.request, stranger.answer)
    bad = [sealed("call mom", keys=stranger), sealed("call mom", keys=forged), b"", b"x" * 512]
    async with served(core) as (_, server):
        assert await exchange(server, *bad, sealed("call mom") + b"x") == []
    assert core.asked == []


async def test_a_wrong_clock_is_told_the_time_and_corrects_itself() -> None:
    """The first datagram does nothing; the client sends the same command by the server's time."""
    core = ScriptedCore()
    async with served(core) as (_, server):
        [told] = await exchange(server, sealed("call mom", at_ms=WALL.now_ms() - 3_600_000))
        answer = packet.open_answer(told, KEYS)
        assert answer is not None
        assert answer.status is Status.CLOCK
        assert abs(answer.server_wall_ms - WALL.now_ms()) < 5000
        assert core.asked == []
        client = PacketClient(server, CALL_TOKEN, lambda: WALL.now_ms() + 7_200_000)
        assert (await client.ask("call mom")).state is CallState.LIVE
    assert len(core.asked) == 1
    assert abs(client.clock_ahead_ms - 7_200_000) < 5000


async def test_our_own_failure_is_said_and_tried_again() -> None:
    """The client goes on with the same id until the core works again."""
    core = ScriptedCore(fault=StoreUnavailable())
    async with served(core) as (channel, server):
        [told] = await exchange(server, sealed("call mom"))
        answer = packet.open_answer(told, KEYS)
        assert answer is not None
        assert answer.status is Status.LATER
        asyncio.get_running_loop().call_later(0.5, setattr, core, "fault", None)
        assert await channel.probe(Identity("", "", token=CALL_TOKEN), "call mom")
    assert len(core.asked) == 1


async def test_a_silent_server_is_said_to_be_silent() -> None:
    """Nobody waits for ever."""
    async with served(ScriptedCore()) as (_, server):
        client = PacketClient(server, "cg_stranger", WALL.now_ms, give_up_s=0.2)
        with pytest.raises(NoAnswerError, match="does not answer"):
            await client.ask("call mom")


async def test_a_flood_from_one_address_gets_silence() -> None:
    """A second's worth at once is answered, the rest is not."""
    async with served(ScriptedCore(), per_second_per_peer=5) as (_, server):
        got = await exchange(server, *[sealed("balance")] * 8, wait_s=0.15)
    assert len(got) == 5


def test_the_bucket_at_its_limit_and_one_past() -> None:
    """One address is limited, others are not, and it fills again."""
    flood = Flood(3)
    assert [flood.allows("a", 0) for _ in range(4)] == [True, True, True, False]
    assert flood.allows("b", 0)
    assert [flood.allows("a", 333), flood.allows("a", 334)] == [False, True]
    for number in range(MOST_REMEMBERED):
        flood.allows(str(number), 400)
    assert flood.allows("a", 400), "the oldest address was forgotten"
