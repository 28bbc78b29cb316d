"""Settings of the mailboxes that are read over IMAP."""

import ipaddress
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from channels.kit.contract import ChannelSettings

LONGEST_IDLE_S = 1740  # RFC 2177: re-issue IDLE before 29 minutes, or the server may hang up
_IMPLICIT_PORT, _PLAIN_PORT = 993, 143


class MailboxSettings(BaseModel):
    """One mailbox, `[imap.mailboxes.NAME]`. It belongs to Callgate: what comes in is moved away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(description="the IMAP server")
    port: int = Field(default=0, ge=0, le=65535, description="0 is 993 with implicit TLS, else 143")
    tls: Literal["implicit", "required", "never"] = Field(
        default="implicit", description="TLS from the start, STARTTLS or nothing, or never"
    )
    username: str = Field(description="whose mailbox it is")
    password: SecretStr = Field(description="the password, of the application where there is one")
    folder: str = Field(default="INBOX", description="where mail comes in")
    done_folder: str = Field(default="Done", description="where mail goes that was answered")
    failed_folder: str = Field(
        default="Failed", description="where mail goes that nothing could be done for"
    )
    domains: tuple[str, ...] = Field(
        default=(), description="domains whose every address is ours, beside that of `mail_out`"
    )
    authserv_id: str = Field(
        default="", description="the id in the Authentication-Results that this server writes"
    )
    verify: bool = Field(default=False, description="evaluate DKIM and DMARC here (extra mailauth)")
    trusted: bool = Field(
        default=False, description="every sender is proven; a server on loopback only, for tests"
    )
    poll_s: float = Field(
        default=60.0, ge=1, le=LONGEST_IDLE_S, description="look at least so often, IDLE or not"
    )
    timeout_s: float = Field(
        default=30.0, gt=0, le=300, description="longest wait for the server's answer"
    )

    @property
    def server_port(self) -> int:
        """The port that is connected to."""
        return self.port or (_IMPLICIT_PORT if self.tls == "implicit" else _PLAIN_PORT)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        """Refuse what would read its own answers or believe strangers."""
        if len({self.folder, self.done_folder, self.failed_folder}) < 3:  # noqa: PLR2004  (three)
            raise ValueError("folder, done_folder and failed_folder must be three folders")
        if self.trusted and not _is_loopback(self.host):
            raise ValueError("trusted is only for a server on loopback; set authserv_id or verify")
        if self.trusted + self.verify + bool(self.authserv_id) > 1:
            raise ValueError("set one of authserv_id, verify and trusted")
        return self


class ImapSettings(ChannelSettings):
    """Settings of the channel; without a mailbox it reads nothing."""

    mailboxes: dict[str, MailboxSettings] = Field(
        default_factory=dict, description="one table for each mailbox"
    )
    retry_first_s: float = Field(
        default=1.0, gt=0, description="first pause after a failure; each further one is doubled"
    )
    retry_longest_s: float = Field(default=60.0, gt=0, description="longest pause after a failure")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
