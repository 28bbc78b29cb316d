"""The packet channel itself: one UDP socket, and a client for the parity test."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar, cast

import structlog

from call_core.errors import DeliveryError
from channels.kit.contract import Channel, ChannelSettings, Environment, Identity
from channels.packet.answering import Answering
from channels.packet.client import PacketClient, Server
from channels.packet.errors import NoAnswerError
from channels.packet.flood import Flood
from channels.packet.settings import PacketSettings
from parsers.packet import MAX_ANSWER_BYTES

log = structlog.get_logger(__name__)


class _Socket(asyncio.DatagramProtocol):
    """Takes datagrams in, one task each, and sends their answers back where they came from."""

    def __init__(self, settings: PacketSettings, environment: Environment) -> None:
        self._answering = Answering(settings, environment)
        self._wall = environment.wall
        self._flood = Flood(settings.per_second_per_peer)
        self._max_pending = settings.max_pending
        self._transport: asyncio.DatagramTransport | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.is_draining = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        # uvloop's transport of datagrams is not asyncio's class, but does the same.
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Begin with a datagram, unless there are too many."""
        if self.is_draining or len(self._tasks) >= self._max_pending:
            return
        if not self._flood.allows(addr[0], self._wall.now_ms()):
            return
        task = asyncio.get_running_loop().create_task(self._answer(data, addr))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, data: bytes, addr: tuple[str, int]) -> None:
        try:
            answer = await self._answering.answer(data)
        except Exception:
            log.exception("packet.failed")
            return
        if answer is not None and self._transport is not None:
            assert len(answer) <= MAX_ANSWER_BYTES, len(answer)
            self._transport.sendto(answer, addr)

    async def drain(self, drain_s: float) -> None:
        """Take nothing new; finish what was begun."""
        self.is_draining = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=drain_s)
        for task in self._tasks:
            task.cancel()


class PacketChannel(Channel):
    """Desktop clients by small sealed datagrams."""

    name = "packet"
    id_space = "packet"
    about = "One sealed datagram of a desktop client (`callgate dial`), answered by one."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "live status"}
    )
    Settings = PacketSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, PacketSettings)
        self._packet_settings = settings
        self._socket = _Socket(settings, environment)
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken.
        """
        where = (self._packet_settings.host, self._packet_settings.port)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self._socket, local_addr=where
        )

    async def stop(self) -> None:
        """Answer what came in, then close."""
        await self._socket.drain(self._packet_settings.drain_s)
        if self._transport is not None:
            self._transport.close()

    def listening(self) -> Sequence[str]:
        """Return the listener with its real port."""
        server = self._server()
        return () if server is None else (f"udp://{server.host}:{server.port}",)

    def _server(self) -> Server | None:
        if self._transport is None:
            return None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return Server(str(host), int(port))

    async def probe(self, identity: Identity, text: str) -> str:
        """Ask as `callgate dial` does; `identity.token` is the device's."""
        server = self._server()
        assert server is not None, "the channel is not started"
        client = PacketClient(server, identity.token, self.environment.wall.now_ms)
        try:
            return (await client.ask(text)).text
        except NoAnswerError as error:
            raise DeliveryError(str(error), retryable=True) from error
