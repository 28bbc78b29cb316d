"""Settings of the WCTP endpoint and of what we send ourselves."""

from pydantic import Field, SecretStr, field_validator

from channels.kit.contract import ChannelSettings
from channels.kit.pager_login import normal_address
from channels.kit.reply_choices import DEFAULT_AGAIN
from parsers.wctp import Version, version_of


class WctpSettings(ChannelSettings):
    """Settings of the WCTP endpoint and of what we send ourselves."""

    service_ids: tuple[str, ...] = Field(
        default=(), description="recipientIDs that mean this service; none takes any"
    )
    service_id: str = Field(
        default="callgate", min_length=1, max_length=128, description="our own senderID"
    )
    inbound_code: SecretStr = Field(
        default=SecretStr(""),
        description="securityCode by which a carrier vouches for its pagers; empty for none",
    )
    timestamps: bool = Field(
        default=True, description="believe submitTimestamp; false where senders write local time"
    )
    carrier_url: str = Field(
        default="", description="where messages to our users are POSTed; empty lets them be polled"
    )
    push: tuple[str, ...] = Field(
        default=(), description="`address=url`: senders that have an endpoint of their own"
    )
    carrier_security_code: SecretStr = Field(
        default=SecretStr(""), description="securityCode of what we send"
    )
    carrier_version: Version = Field(
        default=Version.V1_3, description="version of what we send (`1.1`, `wctp-dtd-v1r3`, …)"
    )
    carrier_bare: bool = Field(
        default=False, description="send no encoding and no DOCTYPE, for peers that refuse them"
    )
    timeout_s: float = Field(default=30.0, gt=0, description="longest wait for a peer's answer")
    poll_interval_s: int = Field(default=10, ge=0, description="what pollers are told to wait")
    keep_hours: int = Field(
        default=24, ge=1, le=168, description="how long answers wait to be polled (in memory)"
    )
    choices: tuple[str, ...] = Field(
        default=DEFAULT_AGAIN,
        description="choices under a call that failed, `label=command`; {to} and {ref} are filled",
    )

    @field_validator("carrier_version", mode="before")
    @classmethod
    def _version(cls, value: object) -> object:
        return version_of(value) or value if isinstance(value, str) else value

    @field_validator("push")
    @classmethod
    def _push(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for line in value:
            if not line.partition("=")[2].startswith(("http://", "https://")):
                raise ValueError(f"{line!r} is not address=url")
        return value

    def url_of(self, address: str) -> str:
        """Return where messages to an address are POSTed, "" when they wait to be polled."""
        wanted = normal_address(address)
        for line in self.push:
            known, _, url = line.partition("=")
            if normal_address(known) == wanted:
                return url
        return self.carrier_url
