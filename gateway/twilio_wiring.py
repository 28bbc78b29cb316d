"""The Twilio switch as the settings describe it, and the routes that Twilio calls."""

from dataclasses import dataclass

from fastapi import APIRouter

from call_core.contracts import Clock
from call_core.switches.twilio_launch import Pace
from call_core.switches.twilio_rest import Account
from call_core.switches.twilio_tones import NAMES, tone
from call_core.switches.twilio_voice import TwilioFigures, TwilioVoice
from channels.kit.twilio_door import TwilioDoor, keys_of
from gateway.settings import TWILIO_VOICE, Settings
from gateway.settings_file import SettingsError
from gateway.twilio_voice_route import PATH, twilio_voice_router


@dataclass(frozen=True, slots=True)
class OpenedTwilio:
    """The switch, and the routes that belong to it."""

    switch: TwilioVoice
    router: APIRouter


def open_twilio(settings: Settings, clock: Clock, name: str = TWILIO_VOICE) -> OpenedTwilio:
    """Return the switch; nothing is asked of Twilio yet.

    Args:
        settings: what was configured.
        clock: the world's: Twilio's times are the world's too.
        name: the switch's name.

    Raises:
        SettingsError: something that it cannot do without is not set.
    """
    mine = settings.twilio_voice
    missing = [name for name in ("account_sid", "auth_tokens") if not getattr(mine, name)]
    if missing:
        raise SettingsError(f"{TWILIO_VOICE}.{missing[0]} is not set; Twilio cannot be used.")
    if not (mine.webhook_url or settings.public_url):
        raise SettingsError(
            "public_url is not set; Twilio must know where to ask what a call shall do."
        )
    base = (mine.webhook_url or f"{settings.base_url()}{PATH}").rstrip("/")
    secret = mine.api_secret.get_secret_value() or mine.auth_tokens[0].get_secret_value()
    account = Account(
        mine.account_sid, mine.api_key or mine.account_sid, secret, mine.api_url, mine.timeout_s
    )
    pace = Pace(
        float(mine.calls_per_second), mine.queue_s, mine.from_number or settings.numbers.service
    )
    switch = TwilioVoice(
        name=name,
        clock=clock,
        account=account,
        figures=TwilioFigures(base, mine.deployment, mine.ports, pace),
    )
    door = TwilioDoor(base, PATH, keys_of(mine.auth_tokens, {}))
    tones = {name: tone(name) for name in NAMES}
    return OpenedTwilio(switch, twilio_voice_router(switch, door, tones))
