"""The door that text messages and calls share: over which address a webhook is signed."""

import hashlib
import json

import pytest
from fastapi import Request
from pydantic import SecretStr

from call_core.errors import ParseError
from channels.kit.twilio_door import TwilioDoor, keys_of
from parsers.twilio_signature import sign

URL = "https://calls.example/voice/twilio"
DOOR = TwilioDoor(f"{URL}?ignored=1", "/voice/twilio", keys_of((SecretStr("token"),), {}))


def asked(path: str, query: str, signature: str, method: str = "GET", kind: str = "") -> Request:
    """Return a request as the server gives it to a route."""
    headers = [(b"x-twilio-signature", signature.encode()), (b"content-type", kind.encode())]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": headers,
        "server": ("10.0.0.7", 8080),
        "scheme": "http",
    }
    return Request(scope)


@pytest.mark.parametrize("path", ["/voice/twilio/status", "/behind/voice/twilio/status"])
def test_what_follows_the_mount_is_signed(path: str) -> None:
    """Whatever a proxy put in front of it."""
    signature = sign(f"{URL}/status?a=b%20c", (), "token")
    assert DOOR.fields(asked(path, "a=b%20c", signature), b"") == [("a", "b c")]
    assert DOOR.fields(asked(path, "a=b+c", signature), b"") is None


def test_a_path_elsewhere_is_signed_as_the_mount_itself() -> None:
    """Nothing of a foreign path gets into the address."""
    request = asked("/elsewhere", "", sign(URL, (), "token"))
    assert DOOR.fields(request, b"") == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"CallSid": "CA1", "Count": 2}', [("CallSid", "CA1")]),
        (b"[1]", None),
        (b"{", None),
    ],
)
def test_a_json_body_is_covered_by_its_hash(
    body: bytes, found: list[tuple[str, str]] | None
) -> None:
    """Its texts are the fields; what is no object cannot be read."""
    query = f"bodySHA256={hashlib.sha256(body).hexdigest()}"
    request = asked(
        "/voice/twilio", query, sign(f"{URL}?{query}", (), "token"), "POST", "application/json"
    )
    if found is None:
        with pytest.raises(ParseError):
            DOOR.fields(request, body)
    else:
        assert DOOR.fields(request, body) == found
    assert json.dumps(DOOR.url) == f'"{URL}"'
