"""Settings of the SNPP listener and of the carrier that pages our users."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr

from channels.kit.contract import ChannelSettings
from channels.kit.reply_choices import DEFAULT_AGAIN


def _zone(name: str) -> str:
    """Refuse a name that is no zone, at the start rather than at the first HOLD."""
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(f"{name!r} is no IANA time zone") from error
    return name


class SnppSettings(ChannelSettings):
    """Settings of the SNPP listener and of the carrier that pages our users."""

    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=4444, ge=0, le=65535, description="port; 0 takes a free one")
    tls_certificate: Path | None = Field(
        default=None, description="PEM chain; the port then speaks TLS from the start"
    )
    tls_key: Path | None = Field(default=None, description="PEM key, when not in the chain's file")
    service_ids: tuple[str, ...] = Field(
        default=(), description="pager ids that mean this service; none takes any id"
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC", description="zone of HOLD times without an offset (HylaFAX sends UTC)"
    )
    max_connections: int = Field(default=2500, ge=1, description="connections open at once")
    max_connections_per_peer: int = Field(default=100, ge=1, description="and from one address")
    max_logins: int = Field(default=5, ge=1, description="wrong secrets in one connection")
    idle_s: float = Field(
        default=300.0, gt=0, description="longest time from one whole command to the next"
    )
    data_s: float = Field(
        default=60.0, gt=0, description="longest time for a message; some clients never end it"
    )
    tag_hours: int = Field(
        default=24, ge=1, le=168, description="how long two-way answers are kept (in memory)"
    )
    carrier_host: str = Field(
        default="", description="SNPP server that pages our users; empty sends no pages"
    )
    carrier_port: int = Field(default=444, ge=1, le=65535, description="its port")
    carrier_tls: bool = Field(default=False, description="whether it speaks TLS from the start")
    carrier_login: str = Field(default="", description="LOGI there; empty logs in nowhere")
    carrier_secret: SecretStr = Field(default=SecretStr(""), description="and its password")
    carrier_no_queue: bool = Field(
        default=False, description="refuse rather than wait for a pager that is out of reach"
    )
    carrier_timeout_s: float = Field(default=30.0, gt=0, description="longest wait for a reply")
    carrier_poll_s: float = Field(
        default=5.0, gt=0, description="first wait before asking for an answer; then it doubles"
    )
    carrier_answer_s: float = Field(
        default=3600.0, gt=0, description="how long answers are asked for"
    )
    choices: tuple[str, ...] = Field(
        default=DEFAULT_AGAIN,
        description="choices under a call that failed, `label=command`; {to} and {ref} are filled",
    )
