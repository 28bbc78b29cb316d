"""The SMTP channel itself: listener, shutdown, answers, and a client for the parity test."""

import asyncio
import logging
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import make_msgid
from typing import ClassVar

import aiosmtplib

from channels.kit.contract import Channel, ChannelSettings, Environment, Identity, Outgoing
from channels.kit.mail_in import ID_SPACE
from channels.kit.mail_out import MailOutSettings, deliver_mail
from channels.kit.server_tls import server_tls
from channels.smtp.handler import MailHandler, Verifier
from channels.smtp.protocol import ConnectionLimits, SmtpProtocol
from channels.smtp.replies import STOPPING
from channels.smtp.settings import SmtpSettings


class SmtpChannel(Channel):
    """Mail in by SMTP, answers by mail through the relay."""

    name = "smtp"
    id_space = ID_SPACE
    about = "Mail a command, or anything to NUMBER@ our domain."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "receipts"}
    )
    Settings = SmtpSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, SmtpSettings)
        self._smtp = settings
        self._mail_out: MailOutSettings = environment.mail
        self._server: asyncio.Server | None = None
        self._pattern: SmtpProtocol | None = None
        self._handler = MailHandler(settings, environment, _verifier(settings, environment))

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or a TLS file cannot be read.
        """
        # aiosmtpd writes every line of every session there, addresses and passwords included.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        self._pattern = SmtpProtocol(
            self._handler,
            self.core,
            _limits(self._smtp),
            hostname=self._smtp.hostname,
            tls=server_tls(self.name, self._smtp.tls_certificate, self._smtp.tls_key),
            require_auth=self._smtp.require_auth,
            auth_without_tls=self._smtp.auth_without_tls,
        )
        self._server = await asyncio.get_running_loop().create_server(
            self._pattern.connection,
            self._smtp.host,
            self._smtp.port,
            reuse_port=self._smtp.reuse_port or None,
            backlog=1024,
        )

    async def stop(self) -> None:
        """Close the listener, finish the mails that were sent completely, close connections."""
        if self._server is None or self._pattern is None:
            return
        self._server.close()
        await self._handler.finish()
        for connection in list(self._pattern.connections.open):
            connection.dismiss(STOPPING)
        await self._server.wait_closed()
        self._server = None

    def listening(self) -> Sequence[str]:
        """Return the listener with its real port."""
        if self._server is None:
            return ()
        names = [socket.getsockname() for socket in self._server.sockets]
        return tuple(f"smtp://{name[0]}:{name[1]}" for name in names)

    async def deliver(self, message: Outgoing) -> None:
        """Send one mail through the relay."""
        await deliver_mail(self._mail_out, message)

    async def probe(self, identity: Identity, text: str) -> str:
        """Mail `text` as a person's mail program would; the answer comes by mail."""
        assert self._server is not None, "started"
        host, port = self._server.sockets[0].getsockname()[:2]
        mail = EmailMessage()
        mail["From"] = identity.address
        mail["To"] = f"call@{(*self._smtp.domains, self._smtp.hostname)[0]}"
        mail["Message-ID"] = make_msgid(domain="probe.invalid")
        mail.set_content(text)
        credentials = (identity.address, identity.password) if identity.password else (None, None)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is ourselves
        await aiosmtplib.send(
            mail,
            hostname=host,
            port=port,
            username=credentials[0],
            password=credentials[1],
            tls_context=context,
        )
        return ""


def _verifier(settings: SmtpSettings, environment: Environment) -> Verifier | None:
    """Return the check of senders, None when it is not asked for.

    Raises:
        ImportError: it is asked for, and the extra mailauth is not installed.
    """
    if not settings.verify:
        return None
    from channels.kit.mail_verify import evidence_in_thread, look_up  # noqa: PLC0415  (an extra)

    given = environment.extras.get("dns")
    return evidence_in_thread(given if callable(given) else look_up)


def _limits(settings: SmtpSettings) -> ConnectionLimits:
    return ConnectionLimits(
        message_bytes=settings.max_message_bytes,
        recipients=settings.max_recipients,
        messages=settings.max_messages,
        connections=settings.max_connections,
        connections_per_peer=settings.max_connections_per_peer,
        idle_s=settings.idle_s,
    )
