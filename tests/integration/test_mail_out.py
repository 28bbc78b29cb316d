"""Answers handed to a real relay on loopback, and what its refusals mean for the outbox."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from call_core.errors import DeliveryError
from call_core.notices import Notice
from call_core.outcomes import Launched
from channels.kit.contract import Outgoing
from channels.kit.mail_out import MailOutSettings, compose, deliver_mail

NOW_MS = 1_795_201_200_000
ANSWER = Launched("call_launched", "4F7", "call_1")

pytestmark = pytest.mark.anyio


def outgoing(content: Launched | Notice = ANSWER, **changes: Any) -> Outgoing:  # noqa: ANN401  (fields)
    """Return a message to Ann about call 4F7."""
    made: dict[str, Any] = {"ref": "4F7", "thread": "1@x.example", "address": "ann@x.example"}
    return Outgoing(
        id="obx_1", content=content, created_wall_ms=NOW_MS, timezone="UTC", **made | changes
    )


@dataclass
class Relay:
    """A mail server in memory.

    Attributes:
        rcpt, data: its replies; data "" hangs up instead of answering.
        taken: envelopes that it took.
        options: the parameters of RCPT that it saw.
    """

    rcpt: str = "250 OK"
    data: str = "250 OK"
    dsn: bool = False
    taken: list[Envelope] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_EHLO(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, lines: list[str]
    ) -> list[str]:
        """Offer delivery reports."""
        del server, envelope
        session.host_name = hostname
        return [*lines[:-1], *(["250-DSN"] if self.dsn else []), lines[-1]]

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer as set."""
        del server, session
        self.options += options
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Answer as set, or hang up."""
        del session
        if not self.data:
            transport: Any = server.transport  # a loop's own class
            transport.abort()
        if self.data.startswith("250"):
            self.taken.append(envelope)
        return self.data or "250 never seen"


class DsnServer(SMTP):
    """aiosmtpd knows no RCPT parameters; a relay with DSN takes them."""

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802  (aiosmtpd's name)
        """Take NOTIFY off before aiosmtpd sees it."""
        kept, _, option = (arg or "").partition(" NOTIFY=")
        self.event_handler.options += [f"NOTIFY={option}"] if option else []
        await super().smtp_RCPT(kept)


@contextlib.asynccontextmanager
async def running(relay: Relay, **options: Any) -> AsyncIterator[MailOutSettings]:  # noqa: ANN401  (aiosmtpd's)
    """Start the relay; yield settings that reach it."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: DsnServer(relay, loop=loop, hostname="relay", **options), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    try:
        yield MailOutSettings(host="127.0.0.1", port=port, from_address="call@GW.example.org")
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0.02)


async def test_an_answer_is_handed_over() -> None:
    """Threaded, from nobody, named after the outbox row, and without delivery reports."""
    relay = Relay(dsn=True)
    async with running(relay) as settings:
        await deliver_mail(settings, outgoing())
    (envelope,) = relay.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == ("<>", ["ann@x.example"])
    assert relay.options == ["NOTIFY=NEVER"]
    message = message_from_bytes(envelope.original_content or b"", policy=default)
    assert message["Message-ID"] == "<callgate.obx_1.4F7@gw.example.org>"
    assert message["In-Reply-To"] == "<1@x.example>"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["Subject"].startswith("[4F7] ")
    assert message.get_content().strip()


async def test_reports_are_not_declined_where_none_are_offered() -> None:
    """A relay without DSN would refuse the parameter."""
    relay = Relay()
    async with running(relay) as settings:
        await deliver_mail(settings, outgoing())
    assert (len(relay.taken), relay.options) == (1, [])


def test_texts_of_a_simulator_say_so() -> None:
    """TEST stands before subject and text."""
    message = message_from_bytes(compose(MailOutSettings(), outgoing(test=True)), policy=default)
    assert message["Subject"].startswith("[4F7] TEST ")
    assert message.get_content().startswith("TEST ")


@pytest.mark.parametrize(
    ("relay", "retryable", "uncertain"),
    [
        (Relay(rcpt="550 5.1.1 nobody"), False, False),
        (Relay(rcpt="450 4.2.0 greylisted"), True, False),
        (Relay(data="554 5.7.1 no"), False, False),
        (Relay(data="451 4.3.0 later"), True, False),
        (Relay(data=""), True, True),
    ],
)
async def test_a_refusal_says_whether_to_try_again(
    relay: Relay, *, retryable: bool, uncertain: bool
) -> None:
    """5xx is for good; a connection lost after the content leaves it open."""
    async with running(relay) as settings:
        with pytest.raises(DeliveryError) as refused:
            await deliver_mail(settings, outgoing())
    assert (refused.value.retryable, refused.value.uncertain) == (retryable, uncertain)
    assert relay.taken == []


async def test_a_relay_that_is_not_there_is_tried_again() -> None:
    """No relay set, or nobody listening: the mail waits."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        for settings in (
            MailOutSettings(),
            MailOutSettings(host="127.0.0.1", port=unused.getsockname()[1]),
        ):
            with pytest.raises(DeliveryError) as refused:
                await deliver_mail(settings, outgoing())
            assert (refused.value.retryable, refused.value.uncertain) == (True, False)


@pytest.mark.parametrize(("password", "taken"), [("secret", 1), ("wrong", 0)])
async def test_a_password_is_given_when_one_is_set(password: str, taken: int) -> None:
    """A wrong one is for the operator to mend, so the mail waits."""
    relay = Relay()

    def check(*arguments: Any) -> AuthResult:  # noqa: ANN401  (aiosmtpd's)
        given = arguments[-1]
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given.password == b"secret", handled=False)

    async with running(relay, authenticator=check, auth_require_tls=False) as settings:
        named = settings.model_dump() | {"username": "callgate", "password": password}
        with contextlib.nullcontext() if taken else pytest.raises(DeliveryError) as refused:
            await deliver_mail(MailOutSettings.model_validate(named), outgoing())
        assert refused is None or refused.value.retryable
    assert len(relay.taken) == taken


@pytest.mark.parametrize(("tls", "taken"), [("opportunistic", 1), ("required", 0)])
async def test_a_certificate_that_nobody_knows_is_better_than_clear_text(
    tmp_path: Path, tls: str, taken: int
) -> None:
    """Debian's Postfix has such a one; whoever requires TLS requires a known one (RFC 7435)."""
    path = tmp_path / "tls.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(path))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    relay = Relay()
    async with running(relay, tls_context=context, require_starttls=True) as settings:
        asked = MailOutSettings.model_validate(settings.model_dump() | {"tls": tls})
        with contextlib.nullcontext() if taken else pytest.raises(DeliveryError) as refused:
            await deliver_mail(asked, outgoing())
        assert refused is None or refused.value.retryable
    assert len(relay.taken) == taken


async def test_an_address_that_is_none_is_never_tried_again() -> None:
    """A line break in an address cannot be written as a mail."""
    with pytest.raises(DeliveryError) as refused:
        await deliver_mail(MailOutSettings(host="127.0.0.1"), outgoing(address="a@b\r\nBcc: c@d"))
    assert not refused.value.retryable


def test_the_password_of_the_relay_hides_itself() -> None:
    """Settings are printed and logged."""
    settings = MailOutSettings.model_validate({"password": "hunter2"})
    assert "hunter2" not in f"{settings!r} {settings}"
