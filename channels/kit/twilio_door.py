"""The door of Twilio's webhooks: what Twilio says, once it is sure that it is Twilio.

The address that Twilio was given is signed, not the one that arrives behind a proxy; so it is
configured, and only what follows the place where a door is mounted is taken from the request.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import Request
from pydantic import SecretStr

from call_core.errors import DeliveryError, ParseError
from parsers.sms_webhook import Pairs, decode_form
from parsers.twilio_signature import (
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    Keys,
    Signed,
    is_authentic,
    sign,
)

_JSON: Final = "application/json"


def keys_of(tokens: Sequence[SecretStr], shared: Mapping[str, SecretStr]) -> Keys:
    """Return what webhooks may be signed with, from settings."""
    return Keys(
        tuple(token.get_secret_value() for token in tokens),
        {name: secret.get_secret_value() for name, secret in shared.items()},
    )


class TwilioDoor:
    """Checks signatures over the address that Twilio was given, whatever proxies made of it.

    Args:
        url: that address of the place where the door is mounted; a query in it is left out.
        mount: that place in our own paths, `/sms/twilio`.
        keys: what may have signed.

    Attributes:
        url: as given, without a query.
    """

    def __init__(self, url: str, mount: str, keys: Keys) -> None:
        self.url = url.partition("?")[0]
        self._mount = mount
        self._keys = keys

    def fields(self, request: Request, body: bytes) -> Pairs | None:
        """Return what Twilio says, None when it is not Twilio who says it.

        Raises:
            ParseError: the fields cannot be read.
        """
        query: bytes = request.scope["query_string"]
        posted = request.method == "POST"
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        form: Pairs | None = ()
        if posted:
            form = None if kind == _JSON else decode_form(body)
        signed = Signed(
            self._url_of(request.url.path, query),
            form,
            body,
            request.headers.get(SIGNATURE_HEADER, ""),
            request.headers.get(SETTINGS_HEADER, ""),
        )
        if not is_authentic(signed, self._keys):
            return None
        if not posted:
            return decode_form(query)
        return _json_fields(body) if form is None else form

    def signature_headers(self, fields: Pairs) -> dict[str, str]:
        """Return the headers that sign a posted form with the first key there is.

        Raises:
            DeliveryError: there is none.
        """
        for token in self._keys.tokens:
            return {SIGNATURE_HEADER: sign(self.url, fields, token)}
        for name, secret in self._keys.shared.items():
            return {
                SIGNATURE_HEADER: sign(self.url, fields, secret, "sha256"),
                SETTINGS_HEADER: f"key={name},algorithm=HMAC_SHA256",
            }
        raise DeliveryError("twilio_sms.auth_tokens is not set", retryable=False)

    def _url_of(self, path: str, query: bytes) -> str:
        behind = path.rpartition(self._mount)[2] if self._mount in path else ""
        asked = f"?{query.decode('latin-1')}" if query else ""
        return f"{self.url}{behind}{asked}"


def _json_fields(body: bytes) -> Pairs:
    """Return the texts of a JSON object; what a webhook says of a message is text.

    Raises:
        ParseError: it is no JSON object.
    """
    try:
        said = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ParseError("sms_unreadable") from error
    if not isinstance(said, dict):
        raise ParseError("sms_unreadable")
    return [(name, value) for name, value in said.items() if isinstance(value, str)]
