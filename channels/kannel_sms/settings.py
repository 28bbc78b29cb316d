"""Settings of text messages by Kannel."""

import ipaddress
from typing import Final

from pydantic import Field, SecretStr

from channels.kit.contract import ChannelSettings
from channels.kit.sms_out import SEGMENTS_LIMIT

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK: Final = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


class KannelSettings(ChannelSettings):
    """Settings of text messages by Kannel."""

    secret: SecretStr = Field(
        default=SecretStr(""),
        description="last part of the path that smsbox asks for: `/sms/kannel/SECRET`",
    )
    networks: tuple[Network, ...] = Field(
        default=_LOOPBACK, description="where smsbox may ask from, straight and not by a proxy"
    )
    country: str = Field(
        default="", pattern="^([A-Z]{2})?$", description="whose national numbers come in without +"
    )
    sent_times: bool = Field(
        default=True, description="believe the message centre's time, so that old texts ask first"
    )
    sendsms_url: str = Field(
        default="", description="smsbox's sendsms; empty sends nothing (answers go elsewhere)"
    )
    username: str = Field(default="callgate", description="of the sendsms-user group")
    password: SecretStr = Field(default=SecretStr(""), description="of the sendsms-user group")
    from_number: str = Field(default="", description="our number or short code, for what we send")
    smsc: str = Field(default="", description="smsc-id that sends for us; empty lets Kannel choose")
    report_url: str = Field(
        default="",
        description="our base address as smsbox reaches it, for delivery reports; none if empty",
    )
    timeout_s: float = Field(default=10.0, gt=0, description="longest wait for sendsms's answer")
    max_segments: int = Field(
        default=1, ge=1, le=SEGMENTS_LIMIT, description="parts of one answer that may be paid for"
    )
