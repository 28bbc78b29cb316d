"""The Twilio switch as the settings describe it."""

from typing import Any

import pytest

from gateway.clocks import WallClock
from gateway.settings import settings_model
from gateway.settings_file import SettingsError
from gateway.twilio_wiring import open_twilio

WHOLE = {"account_sid": "AC1", "auth_tokens": ["token"]}
PUBLIC = "https://calls.example"


@pytest.mark.anyio
async def test_the_number_of_the_service_is_shown_unless_another_is_named() -> None:
    """What is not set has a sound default."""
    settings = settings_model().model_validate({"public_url": PUBLIC, "twilio_voice": WHOLE})
    opened = open_twilio(settings, WallClock())
    assert opened.switch.name == "twilio_voice"
    await opened.switch.aclose()


@pytest.mark.parametrize(
    ("section", "public_url", "said"),
    [
        ({}, PUBLIC, "account_sid"),
        ({"account_sid": "AC1"}, PUBLIC, "auth_tokens"),
        (WHOLE, "", "public_url"),
    ],
)
def test_what_is_missing_is_named(section: dict[str, Any], public_url: str, said: str) -> None:
    """In one sentence."""
    settings = settings_model().model_validate({"public_url": public_url, "twilio_voice": section})
    with pytest.raises(SettingsError, match=said):
        open_twilio(settings, WallClock())
