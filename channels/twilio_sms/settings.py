"""Settings of text messages by Twilio."""

from pydantic import Field, SecretStr

from channels.kit.contract import ChannelSettings
from channels.kit.sms_out import SEGMENTS_LIMIT

TOKENS_LIMIT = 2  # the old and the new one while Twilio changes over


class TwilioSettings(ChannelSettings):
    """Settings of text messages by Twilio."""

    auth_tokens: tuple[SecretStr, ...] = Field(
        default=(),
        max_length=TOKENS_LIMIT,
        description="what Twilio signs with; the primary one first, two while rotating",
    )
    shared_keys: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="secrets of shared keys (HMAC_SHA256) by their id; a webhook that names one is "
        "checked by it alone",
    )
    webhook_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s#]+)?$",
        description="the address exactly as Twilio was given it, without `#…`; "
        "`public_url` + `/sms/twilio` if empty",
    )
    account_sid: str = Field(
        default="",
        pattern="^(AC[0-9a-zA-Z]+)?$",
        description="account that sends; empty sends nothing (answers go elsewhere)",
    )
    api_key: str = Field(default="", description="API key to send with instead of the token")
    api_secret: SecretStr = Field(default=SecretStr(""), description="secret of the API key")
    from_number: str = Field(default="", description="our number at Twilio, E.164 or short code")
    messaging_service_sid: str = Field(
        default="", description="messaging service that chooses our number instead"
    )
    api_url: str = Field(
        default="https://api.twilio.com",
        pattern=r"^https?://[^\s/]+$",
        description="scheme and host of the REST interface, for a region or a test",
    )
    status_callbacks: bool = Field(
        default=True, description="have Twilio say whether a message arrived"
    )
    timeout_s: float = Field(default=10.0, gt=0, description="longest wait for the REST answer")
    max_segments: int = Field(
        default=1, ge=1, le=SEGMENTS_LIMIT, description="parts of one answer that may be paid for"
    )
