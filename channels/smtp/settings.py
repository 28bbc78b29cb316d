"""Settings of the SMTP listener."""

import ipaddress
from pathlib import Path

from pydantic import Field

from channels.kit.contract import ChannelSettings
from parsers.email_message import MESSAGE_SIZE_LIMIT

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SmtpSettings(ChannelSettings):
    """Settings of the SMTP listener."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=2525, ge=0, le=65535, description="port; 0 takes a free one")
    reuse_port: bool = Field(
        default=False, description="let several processes listen on one port (Linux)"
    )
    hostname: str = Field(default="localhost", description="our name in the greeting")
    domains: tuple[str, ...] = Field(
        default=(), description="domains whose every address is ours; none accepts any domain"
    )
    tls_certificate: Path | None = Field(default=None, description="PEM chain; offers STARTTLS")
    tls_key: Path | None = Field(default=None, description="PEM key, when not in the chain's file")
    require_auth: bool = Field(default=False, description="take mail only after AUTH")
    auth_without_tls: bool = Field(
        default=False, description="offer AUTH on an open line; only for loopback"
    )
    trusted_networks: tuple[Network, ...] = Field(
        default=(), description="peers that may be any sender, proven (`127.0.0.0/8`)"
    )
    relay_networks: tuple[Network, ...] = Field(
        default=(), description="our border mail servers; needs `authserv_id`"
    )
    authserv_id: str = Field(
        default="", description="the id in the Authentication-Results that they write"
    )
    verify: bool = Field(
        default=False, description="evaluate DKIM, SPF and DMARC here (extra mailauth)"
    )
    max_message_bytes: int = Field(
        default=MESSAGE_SIZE_LIMIT,
        ge=1024,
        le=MESSAGE_SIZE_LIMIT,
        description="size that is announced; a larger mail is refused (552)",
    )
    max_recipients: int = Field(default=10, ge=1, description="recipients of one mail")
    max_messages: int = Field(default=100, ge=1, description="mails in one connection")
    max_connections: int = Field(default=500, ge=1, description="connections open at once")
    max_connections_per_peer: int = Field(default=50, ge=1, description="and from one address")
    idle_s: float = Field(
        default=300.0, gt=0, description="longest time from one command to the next"
    )
