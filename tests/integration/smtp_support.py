"""What the tests of the SMTP channel share: a core in memory, a served channel, clients."""

import asyncio
import contextlib
import smtplib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from call_core.contracts import CallCore, Clock, Principal
from call_core.outcomes import Launched, Outcome, Refused
from call_core.requests import Evidence, Request
from channels.kit.contract import Environment
from channels.kit.mail_out import MailOutSettings
from channels.smtp.channel import SmtpChannel
from channels.smtp.settings import SmtpSettings

NOW_MS = 1_795_201_200_000
LOOPBACK = ("127.0.0.0/8",)
T = TypeVar("T")


class Frozen:
    """A clock that stands still."""

    def now_ms(self) -> int:
        """Return the one instant there is."""
        return NOW_MS

    async def sleep_until(self, at_ms: int) -> None:
        """Return at once."""


@dataclass
class Core:
    """A core in memory: keeps what it was asked, and claims Message-IDs as the real one does.

    Attributes:
        fault: raised instead of an answer.
        slow: handling waits for this event.
        promises: whether a mail is taken before it is done, as in a burst.
    """

    requests: list[Request] = field(default_factory=list)
    fault: Exception | None = None
    slow: asyncio.Event | None = None
    promises: bool = False
    known: frozenset[str] = frozenset({"ann@x.example", ""})

    async def accept(self, request: Request) -> Outcome | None:
        """Answer, or with `promises` only keep it."""
        if not self.promises:
            return await self.handle(request)
        self.requests.append(request)
        return None

    async def handle(self, request: Request) -> Outcome:
        """Answer `launched`, and to a repeat the same again."""
        if self.slow is not None:
            await self.slow.wait()
        if self.fault is not None:
            raise self.fault
        if request.evidence is Evidence.FORGED:
            return Refused("forged")
        if request.sender not in self.known:
            return Refused("unknown_sender")
        if request.external_id not in {each.external_id for each in self.requests}:
            self.requests.append(request)
        return Launched("call_launched", "4F7", "call_1")

    async def verify_password(self, name: str, password: str) -> Principal | None:
        """Know one password."""
        if self.fault is not None:
            raise self.fault
        if (name, password) not in {("ann", "secret"), ("ann@x.example", "secret")}:
            return None
        return Principal(
            "usr_1", "Ann", "cus_1", "Acme", "member", "UTC", "US", "USD", ("read", "call"), ""
        )


@contextlib.asynccontextmanager
async def served(core: Core, **settings: Any) -> AsyncIterator[tuple[SmtpChannel, int]]:  # noqa: ANN401  (settings as in a file)
    """Start the channel on a free port of loopback; yield it and the port."""
    environment = Environment(
        core=cast("CallCore", core),
        wall=cast("Clock", Frozen()),
        call=cast("Clock", Frozen()),
        public_url="",
        mail=settings.pop("mail", MailOutSettings(from_address="call@gw.example.org")),
        extras=settings.pop("extras", {}),
    )
    made = SmtpSettings.model_validate({"port": 0, "trusted_networks": LOOPBACK, **settings})
    channel = SmtpChannel(made, environment)
    await channel.start()
    try:
        yield channel, int(channel.listening()[0].rpartition(":")[2])
    finally:
        await channel.stop()


async def in_thread(action: Callable[[], T]) -> T:
    """Run a blocking client."""
    return await asyncio.to_thread(action)


def mail(body: str = "call mom\n", message_id: str = "<1@x.example>", **fields: str) -> bytes:
    """Return a mail from Ann."""
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    head = ["From: Ann <ann@x.example>", f"Message-ID: {message_id}", *lines]
    return "\r\n".join([*head, "", body]).encode()


def send(
    port: int,
    content: bytes,
    recipients: tuple[str, ...] = ("call@gw.example.org",),
    sender: str = "ann@x.example",
) -> tuple[int, str]:
    """Send by smtplib; return the reply to DATA."""
    with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
        client.ehlo("client.example")
        client.mail(sender)
        for recipient in recipients:
            client.rcpt(recipient)
        code, text = client.data(content)
        return code, text.decode()


class Wire:
    """A client that writes octets and reads lines."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, port: int) -> "Wire":
        """Connect; the greeting is not read yet."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def reply(self) -> str:
        """Return the last line of one reply, "" at the end."""
        while True:
            line = (await asyncio.wait_for(self.reader.readline(), 10)).decode()
            if line[3:4] != "-":
                return line.rstrip("\r\n")

    async def say(self, line: str) -> str:
        """Send a line and return the reply."""
        self.writer.write(f"{line}\r\n".encode())
        return await self.reply()

    async def greet(self, *lines: str) -> None:
        """Read the greeting and say EHLO and more."""
        await self.reply()
        for line in ("EHLO client.example", *lines):
            await self.say(line)

    async def close(self) -> None:
        """Hang up."""
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()
