"""Settings of the Twilio channel."""

import pytest
from pydantic import ValidationError

from channels.kit.sms_out import SEGMENTS_LIMIT
from channels.twilio_sms.settings import TOKENS_LIMIT, TwilioSettings


def test_secrets_hide_themselves() -> None:
    """None is in what is printed or logged."""
    secrets = {"auth_tokens": ["t0ken"], "shared_keys": {"k1": "sh4red"}, "api_secret": "4pi"}
    shown = repr(TwilioSettings.model_validate(secrets))
    assert not any(secret in shown for secret in ("t0ken", "sh4red", "4pi"))


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("auth_tokens", ["a"] * TOKENS_LIMIT, ["a"] * (TOKENS_LIMIT + 1)),
        ("max_segments", SEGMENTS_LIMIT, SEGMENTS_LIMIT + 1),
        ("webhook_url", "https://a.example/x?y=z", "https://a.example/x#rc=3"),
        ("webhook_url", "", "a.example"),
        ("account_sid", "AC0a", "SK0a"),
        ("api_url", "http://127.0.0.1:1", "https://api.twilio.com/"),
    ],
)
def test_settings_are_checked(key: str, good: object, bad: object) -> None:
    """At the limit they are taken, past it the start is refused."""
    TwilioSettings.model_validate({key: good})
    with pytest.raises(ValidationError):
        TwilioSettings.model_validate({key: bad})
