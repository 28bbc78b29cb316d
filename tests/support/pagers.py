"""What the tests of pager channels share: a core that knows one pager, clients, a carrier."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

from call_core.contracts import CallCore, Clock, Principal
from call_core.outcomes import Outcome, Refused
from call_core.requests import Evidence, Request
from channels.kit.contract import Environment, Outgoing
from channels.kit.pager_login import token_text
from tests.support.scripted_core import ANNA, NOW_MS, ScriptedCore

PAGER = "5551000"
SECRET = "0f3kq7m2c9vx1b5n"
READ_S = 10.0


class Frozen:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW_MS

    def now_ms(self) -> int:
        """Return the instant that the test set."""
        return self.now

    async def sleep_until(self, at_ms: int) -> None:
        """Return at once."""


@dataclass
class PagerCore(ScriptedCore):
    """A scripted core that knows Anna's pager, and treats strangers as the real one does.

    Attributes:
        slow: `handle` waits for it.
    """

    slow: asyncio.Event | None = None
    pagers: dict[str, Principal] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for channel in ("snpp", "wctp"):
            self.pagers[token_text(channel, PAGER, SECRET)] = ANNA
            other = replace(ANNA, user_id="usr_bob", user_name="Bob")
            self.pagers[token_text(channel, "5552000", SECRET)] = other

    async def principal_of_token(self, token: str, now_wall_ms: int) -> Principal | None:
        """Know the pagers' secrets."""
        if self.fault is not None:
            raise self.fault
        return self.pagers.get(token) or await super().principal_of_token(token, now_wall_ms)

    async def handle(self, request: Request) -> Outcome:
        """Answer emergencies to anybody, nothing else to strangers."""
        if self.slow is not None:
            await self.slow.wait()
        if request.text == "911" and self.fault is None:
            return Refused("emergency", fields={"digits": "911"})
        if request.evidence is Evidence.FORGED and self.fault is None:
            return Refused("unknown_sender")
        return await super().handle(request)


def environment(core: PagerCore, clock: Frozen | None = None, url: str = "") -> Environment:
    """Return what a channel is given."""
    given = cast("Clock", clock or Frozen())
    return Environment(
        core=cast("CallCore", core), wall=given, call=given, public_url=url, mail=None
    )


def outgoing(content: Any, **changes: Any) -> Outgoing:  # noqa: ANN401  (any outcome, fields by name)
    """Return a message to Anna's pager."""
    ref = getattr(content, "ref", "")
    message = Outgoing("msg_1", PAGER, content, ref, "", NOW_MS, "Europe/London")
    return replace(message, **changes)


class Wire:
    """A client that writes octets and reads lines."""

    opened: ClassVar[list["Wire"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.opened.append(self)

    @classmethod
    async def close_all(cls) -> None:
        """Hang up whatever a test left open."""
        while cls.opened:
            await cls.opened.pop().close()

    @classmethod
    async def open(cls, port: int) -> "Wire":
        """Connect; the greeting is not read yet."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def read(self) -> str:
        """Return one line, "" at the end."""
        line = await asyncio.wait_for(self.reader.readline(), READ_S)
        return line.decode("ascii").rstrip("\r\n")

    async def say(self, line: str) -> str:
        """Send a line and return the reply."""
        self.writer.write(f"{line}\r\n".encode())
        return await self.read()

    async def codes(self, *lines: str) -> list[str]:
        """Say lines one after the other; return the codes."""
        return [(await self.say(line))[:3] for line in lines]

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


class Carrier:
    """A paging carrier's SNPP server that is written down.

    Attributes:
        replies: by verb; what is not there is answered 250.
        said: every line that a client said.
        hang_up_at: the verb at which the line breaks.
    """

    def __init__(self, replies: dict[str, str]) -> None:
        self.replies = replies
        self.said: list[str] = []
        self.hang_up_at = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        """Listen; yield the port."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 carrier\r\n")
            while line := (await reader.readline()).decode().strip():
                self.said.append(line)
                verb = line.split(" ")[0]
                if verb == self.hang_up_at:
                    break
                writer.write(f"{self.replies.get(verb, '250 OK')}\r\n".encode())
        except ConnectionError:  # the client closed first
            return
        finally:
            writer.close()
