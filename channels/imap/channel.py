"""The IMAP channel itself: its mailboxes, answers, and a client for the parity test."""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import make_msgid
from typing import ClassVar

from imapclient import IMAPClient

from call_core.errors import DeliveryError
from call_core.outcomes import Outcome
from call_core.requests import Request
from channels.imap.backlog import Backoff
from channels.imap.reading import MailReader, verifier_of
from channels.imap.settings import ImapSettings, MailboxSettings
from channels.imap.watcher import Watcher
from channels.kit.contract import Channel, ChannelSettings, Environment, Identity, Outgoing
from channels.kit.mail_in import ID_SPACE
from channels.kit.mail_out import MailOutSettings, deliver_mail

_PROBE_LOOK_S = 0.02


class ImapChannel(Channel):
    """Mail in from mailboxes elsewhere, answers by mail through the relay."""

    name = "imap"
    id_space = ID_SPACE
    about = "Mail a command to a mailbox that is read over IMAP, with IDLE."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "receipts"}
    )
    Settings = ImapSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, ImapSettings)
        self._imap = settings
        self._mail_out: MailOutSettings = environment.mail
        self._watchers: list[Watcher] = []

    async def start(self) -> None:
        """Begin to read every mailbox; one that cannot be reached is tried again and again.

        Raises:
            ImportError: a mailbox has `verify`, and the extra mailauth is not installed.
        """
        # imapclient writes every line of every session there, mails included.
        logging.getLogger("imapclient").setLevel(logging.WARNING)
        rng = random.SystemRandom()
        for name, mailbox in self._imap.mailboxes.items():
            backoff = Backoff(self._imap.retry_first_s, self._imap.retry_longest_s, rng)
            reader = self._reader_maker(name, mailbox)
            watcher = Watcher(name, mailbox, self.core.handle, reader, backoff)
            self._watchers.append(watcher)
            watcher.start()

    def _reader_maker(
        self, name: str, mailbox: MailboxSettings
    ) -> Callable[[Callable[[Request], Outcome]], MailReader]:
        given = self.environment.extras.get("dns")
        verifier = verifier_of(given if callable(given) else None) if mailbox.verify else None
        wall = self.environment.wall
        return lambda ask: MailReader(name, mailbox, self._mail_out, wall, ask, verifier)

    async def stop(self) -> None:
        """Finish the mails at work and close, all mailboxes at once, within two seconds."""
        await asyncio.gather(*(watcher.stop() for watcher in self._watchers))
        self._watchers.clear()

    async def deliver(self, message: Outgoing) -> None:
        """Send one mail through the relay."""
        await deliver_mail(self._mail_out, message)

    def not_probed(self) -> str:
        """Return that there is nothing to read, when it is so."""
        return "" if self._imap.mailboxes else "no mailbox is configured"

    async def probe(self, identity: Identity, text: str) -> str:
        """Put a mail into the first mailbox's folder and wait until it was taken from there."""
        if not self._imap.mailboxes:
            raise DeliveryError(self.not_probed(), retryable=False)
        mailbox = next(iter(self._imap.mailboxes.values()))
        mail = EmailMessage()
        mail["From"] = identity.address
        mail["To"] = self._mail_out.from_address
        mail["Message-ID"] = make_msgid(domain="probe.invalid")
        mail.set_content(text)
        await asyncio.to_thread(_append, mailbox, mail.as_bytes())
        while await asyncio.to_thread(_is_there, mailbox, mail["Message-ID"]):  # noqa: ASYNC110  (a server does not say it)
            await asyncio.sleep(_PROBE_LOOK_S)
        return ""


def _client(mailbox: MailboxSettings) -> IMAPClient:
    client = IMAPClient(
        mailbox.host,
        mailbox.server_port,
        ssl=mailbox.tls == "implicit",
        ssl_context=ssl.create_default_context() if mailbox.tls == "implicit" else None,
        timeout=mailbox.timeout_s,
    )
    if mailbox.tls == "required":
        client.starttls(ssl.create_default_context())
    client.login(mailbox.username, mailbox.password.get_secret_value())
    return client


def _append(mailbox: MailboxSettings, content: bytes) -> None:
    with _client(mailbox) as client:
        client.append(mailbox.folder, content)


def _is_there(mailbox: MailboxSettings, message_id: str) -> bool:
    with _client(mailbox) as client:
        client.select_folder(mailbox.folder, readonly=True)
        return bool(client.search(["UNDELETED", "HEADER", "Message-ID", message_id]))
