"""Where Twilio's webhooks of text messages are, and their door."""

from typing import Final

from channels.kit.twilio_door import TwilioDoor, keys_of
from channels.twilio_sms.settings import TwilioSettings

PATH: Final = "/sms/twilio"
STATUS_PATH: Final = "/status"


def webhook_door(settings: TwilioSettings, public_url: str) -> TwilioDoor:
    """Return the door at the address that Twilio was given."""
    url = settings.webhook_url or f"{public_url}{PATH}"
    return TwilioDoor(url, PATH, keys_of(settings.auth_tokens, settings.shared_keys))
