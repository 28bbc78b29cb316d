"""Outgoing mail: answers, receipts and notices, handed to one relay.

RFC 5321 by aiosmtplib, RFC 3834 for what an automatic mail must look like. The envelope sender is
`<>`, so nobody bounces to us, and delivery reports are declined where the relay offers them
(RFC 3461). The Message-ID is made from the outbox id: a repeat after a lost answer is one mail to
the reader's program.
"""

import contextlib
from typing import Literal

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from call_core.errors import DeliveryError
from channels.kit.contract import Outgoing
from channels.kit.render import Budget, render, render_title
from parsers.email_compose import compose_reply, own_message_id

_PERMANENT = range(500, 600)
_TEST_MARK = "TEST "


class MailOutSettings(BaseModel):
    """Settings of the relay and of how our mail names itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="", description="mail relay; empty lets mail wait in the outbox")
    port: int = Field(default=25, ge=1, le=65535, description="port of the relay")
    tls: Literal["opportunistic", "required", "implicit", "never"] = Field(
        default="opportunistic",
        description="STARTTLS if offered, whatever the certificate; STARTTLS or nothing; TLS from "
        "the start; or never",
    )
    username: str = Field(default="", description="name at the relay; empty sends no AUTH")
    password: SecretStr = Field(default=SecretStr(""), description="password at the relay")
    from_address: str = Field(
        default="callgate@localhost",
        pattern=r"^[^@\s<>]+@[^@\s<>]+$",
        description="From of what we send; answers to it must reach the smtp or imap channel",
    )
    from_name: str = Field(default="Callgate", description="display name beside it")
    timeout_s: float = Field(default=30.0, gt=0, description="longest wait for the relay's answer")

    @property
    def domain(self) -> str:
        """The domain of our From address, lower case; our Message-IDs carry it."""
        return self.from_address.rpartition("@")[2].lower()


async def deliver_mail(settings: MailOutSettings, message: Outgoing) -> None:
    """Hand one message to the relay.

    Raises:
        DeliveryError: retryable unless the relay refused this recipient or content for good;
            `uncertain` when the content was sent and no answer came.
    """
    if not settings.host:
        raise DeliveryError("no mail relay is set (mail_out.host)", retryable=True)
    content = compose(settings, message)
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        timeout=settings.timeout_s,
        use_tls=settings.tls == "implicit",
        # Without a certificate that is known it is still better than clear text (RFC 7435).
        validate_certs=settings.tls != "opportunistic",
        start_tls={"required": True, "never": False, "implicit": False}.get(settings.tls),
        username=settings.username or None,
        password=settings.password.get_secret_value() or None,
        local_hostname=settings.domain,
    )
    try:
        await client.connect()
        try:
            await _send(client, message.address, content)
        finally:
            await _quit(client)
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise _delivery_error(error, uncertain=False) from error


def compose(settings: MailOutSettings, message: Outgoing) -> bytes:
    """Return the octets of the mail.

    Raises:
        DeliveryError: it cannot be written as a mail; not retryable.
    """
    mark = _TEST_MARK if message.test else ""
    words = render(message.content, Budget.FULL, message.timezone, test=message.test)
    try:
        return compose_reply(
            message_id=own_message_id(message.id, message.ref, settings.domain),
            date_ms=message.created_wall_ms,
            from_address=settings.from_address,
            from_name=settings.from_name,
            to_address=message.address,
            subject=mark + render_title(message.content),
            text=f"{words}\n",
            ref=message.ref,
            thread=message.thread,
        )
    except ValueError as error:
        raise DeliveryError(f"cannot be written as a mail: {error}", retryable=False) from error


async def _send(client: aiosmtplib.SMTP, address: str, content: bytes) -> None:
    await client.mail("")
    declined = ["NOTIFY=NEVER"] if client.supports_extension("dsn") else []
    await client.rcpt(address, options=declined)
    try:
        await client.data(content)
    except (aiosmtplib.SMTPServerDisconnected, TimeoutError, OSError) as error:
        raise _delivery_error(error, uncertain=True) from error


async def _quit(client: aiosmtplib.SMTP) -> None:
    """Say good-bye; what the relay took is taken, whatever it says now."""
    with contextlib.suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        await client.quit()
    client.close()


def _delivery_error(error: Exception, *, uncertain: bool) -> DeliveryError:
    permanent = isinstance(error, aiosmtplib.SMTPResponseException) and error.code in _PERMANENT
    # A wrong password is the operator's to mend; the mail waits.
    misconfigured = isinstance(
        error, (aiosmtplib.SMTPAuthenticationError, aiosmtplib.SMTPHeloError)
    )
    return DeliveryError(
        f"relay: {error}", retryable=not permanent or misconfigured, uncertain=uncertain
    )
