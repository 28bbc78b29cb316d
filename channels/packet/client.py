"""The client: asks, sends again until it is answered, and sets its idea of the time right."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from channels.packet.errors import NoAnswerError
from parsers import packet
from parsers.packet import Asked, Keys, PacketAnswer, PacketRequest, Status

FIRST_WAIT_S = 0.75
LONGEST_WAIT_S = 4.0
GIVE_UP_S = 30.0
MOST_CLOCK_ANSWERS = 3
MOST_NAMES = 5000


@dataclass(frozen=True, slots=True)
class Server:
    """Where to ask."""

    host: str
    port: int


class _Answers(asyncio.DatagramProtocol):
    """What came in and opened; everything else is somebody else's noise."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self.queue: asyncio.Queue[PacketAnswer] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Keep an answer that the server sealed."""
        del addr
        answer = packet.open_answer(data, self._keys)
        if answer is not None:
            self.queue.put_nowait(answer)

    def error_received(self, _exc: Exception) -> None:
        """Nobody listens there now; sending again may find somebody."""


class PacketClient:
    """One device.

    Args:
        server: where to ask.
        token: the device's API token.
        now_wall_ms: this machine's clock.
        give_up_s: how long one command is sent again.
    """

    def __init__(
        self,
        server: Server,
        token: str,
        now_wall_ms: Callable[[], int],
        give_up_s: float = GIVE_UP_S,
    ) -> None:
        self._server = server
        self._keys = packet.keys_of(packet.token_hash(token))
        self._now_wall_ms = now_wall_ms
        self._give_up_s = give_up_s
        self.clock_ahead_ms = 0

    async def ask(self, text: str, asked: Asked = Asked.COMMAND) -> PacketAnswer:
        """Ask until there is an answer; every datagram of one command carries the same id.

        Raises:
            NoAnswerError: there is none; whether the command was done is not known.
            ParseError: `too_long`, the text does not fit a datagram.
            OSError: the server's name is unknown, or there is no network.
        """
        command_id = os.urandom(packet.ID_BYTES)
        self._datagram(command_id, text, asked)  # too long: said before a socket is opened
        loop = asyncio.get_running_loop()
        transport, answers = await loop.create_datagram_endpoint(
            lambda: _Answers(self._keys), remote_addr=(self._server.host, self._server.port)
        )

        async def send() -> None:
            transport.sendto(self._datagram(command_id, text, asked))

        try:
            async with asyncio.timeout(self._give_up_s):
                return await self._until_answered(send, answers.queue, command_id)
        except TimeoutError:
            raise NoAnswerError(self._server.host, self._server.port) from None
        finally:
            transport.close()

    async def names(self) -> list[str]:
        """Return the names of the directory, by as many packets as it takes.

        Raises:
            NoAnswerError, OSError: as `ask`.
        """
        found: list[str] = []
        while len(found) < MOST_NAMES:
            answer = await self.ask(found[-1] if found else "", Asked.NAMES)
            if answer.status is not Status.NAMES or not answer.text:
                break
            found += answer.text.split("\n")
        return found

    async def _until_answered(
        self,
        send: Callable[[], Awaitable[None]],
        answers: "asyncio.Queue[PacketAnswer]",
        command_id: bytes,
    ) -> PacketAnswer:
        wait_s, clocks = FIRST_WAIT_S, 0
        while True:
            await send()
            answer = await _next(answers, command_id, wait_s)
            wait_s = min(LONGEST_WAIT_S, wait_s * 2)
            if answer is None:
                continue
            if answer.status is Status.CLOCK and clocks < MOST_CLOCK_ANSWERS:
                clocks += 1
                self.clock_ahead_ms = self._now_wall_ms() - answer.server_wall_ms
            elif answer.status is Status.LATER:
                await asyncio.sleep(wait_s)
            else:
                return answer

    def _datagram(self, command_id: bytes, text: str, asked: Asked) -> bytes:
        sent_wall_ms = max(0, self._now_wall_ms() - self.clock_ahead_ms)
        request = PacketRequest(command_id, sent_wall_ms, text, asked)
        return packet.seal_request(request, self._keys, os.urandom(packet.NONCE_BYTES))


async def _next(
    answers: "asyncio.Queue[PacketAnswer]", command_id: bytes, wait_s: float
) -> PacketAnswer | None:
    """Return the next answer to this command; None when none came in time."""
    try:
        async with asyncio.timeout(wait_s):
            while True:
                answer = await answers.get()
                if answer.command_id == command_id:
                    return answer
    except TimeoutError:
        return None
