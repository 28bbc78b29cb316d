"""A mailbox for the demo: takes every mail that is sent to it and shows the latest.

It is an SMTP server on loopback that the demo sets as relay, so that answers and receipts can be
read without a mail system. Nothing is kept on disk.
"""

import asyncio
import email
import email.policy
from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, Envelope, Session

from call_core.contracts import Clock

MAX_MESSAGES = 200
MAX_MESSAGE_BYTES = 262_144
MAX_TEXT_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class MailboxMessage:
    """One mail as a person would see it.

    Attributes:
        id: its Message-ID, or a number of ours where it has none.
        sender: the envelope's; to: its recipients, separated by commas.
        body: the text, HTML only where there is no plain part.
        sent_wall_ms: when it was handed over.
    """

    id: str
    sender: str
    to: str
    subject: str
    body: str
    sent_wall_ms: int


class Mailbox:
    """The server and what it took."""

    def __init__(self, wall: Clock) -> None:
        self._wall = wall
        self._kept: deque[MailboxMessage] = deque(maxlen=MAX_MESSAGES)
        self._count = 0
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen; return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                self, data_size_limit=MAX_MESSAGE_BYTES, enable_SMTPUTF8=True, ident="Mailbox"
            ),
            host,
            port,
        )
        address = self._server.sockets[0].getsockname()
        return int(address[1])

    async def stop(self) -> None:
        """Close the listener."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def messages(self) -> list[MailboxMessage]:
        """Return what was taken, oldest first."""
        return list(self._kept)

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name for it)
        self,
        server: SMTP,  # noqa: ARG002  (aiosmtpd's signature)
        session: Session,  # noqa: ARG002  (as above)
        envelope: Envelope,
    ) -> str:
        """Keep one mail."""
        content = envelope.original_content or b""
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self._count += 1
        self._kept.append(
            MailboxMessage(
                id=str(parsed.get("message-id", self._count)),
                sender=envelope.mail_from or "",
                to=", ".join(envelope.rcpt_tos),
                subject=str(parsed.get("subject", "")),
                body=_text(parsed),
                sent_wall_ms=self._wall.now_ms(),
            )
        )
        return "250 2.0.0 Kept"


def _text(parsed: EmailMessage) -> str:
    part = parsed.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        content = part.get_content()
    except (LookupError, ValueError):
        return ""
    return str(content)[:MAX_TEXT_CHARACTERS]
