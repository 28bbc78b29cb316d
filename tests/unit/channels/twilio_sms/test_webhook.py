"""The door of the webhooks: over which address, and with which key, a webhook is signed."""

from urllib.parse import urlencode

import pytest
from fastapi import Request

from call_core.errors import DeliveryError
from channels.kit.twilio_door import TwilioDoor
from channels.twilio_sms.settings import TwilioSettings
from channels.twilio_sms.webhook import webhook_door
from parsers.sms_webhook import TextMessage, encode_twilio

PUBLIC = "https://calls.example.com"
FIELDS = encode_twilio(TextMessage("SM1", "+12125550101", "+12025550143", "call mom"), "AC1")
BOTH = {"auth_tokens": ["token"], "shared_keys": {"k1": "shared"}}


def door(**settings: object) -> TwilioDoor:
    """Return the door of these settings."""
    return webhook_door(TwilioSettings.model_validate(settings), PUBLIC)


def posted(headers: dict[str, str], path: str = "/sms/twilio") -> Request:
    """Return a posted form as the server gives it to a route."""
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    raw.append((b"content-type", b"application/x-www-form-urlencoded"))
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": raw}
    scope |= {"server": ("10.0.0.7", 8080), "scheme": "http"}
    return Request(scope)


@pytest.mark.parametrize(
    ("webhook_url", "url"),
    [
        ("", f"{PUBLIC}/sms/twilio"),
        ("https://sms.example.com/7", "https://sms.example.com/7"),
        ("https://sms.example.com/7?a=b", "https://sms.example.com/7"),
    ],
)
def test_the_address_is_that_of_the_settings(webhook_url: str, url: str) -> None:
    """Not what the server was asked by; the query comes with each request."""
    assert door(webhook_url=webhook_url).url == url


@pytest.mark.parametrize("settings", [BOTH, {"shared_keys": {"k1": "shared"}}])
def test_what_is_signed_here_is_believed_here(settings: dict[str, object]) -> None:
    """By the token, and without one by a shared key."""
    made = door(**settings)
    body = urlencode(FIELDS).encode()
    headers = made.signature_headers(FIELDS)
    assert made.fields(posted(headers), body) == FIELDS
    assert door(auth_tokens=["other"]).fields(posted(headers), body) is None
    assert made.fields(posted(headers, "/sms/twilio/status"), body) is None


def test_nothing_is_signed_without_a_key() -> None:
    """An empty signature would be a lie."""
    with pytest.raises(DeliveryError):
        door().signature_headers(FIELDS)
