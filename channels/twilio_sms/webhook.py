"""The door of the webhooks: what Twilio says, once it is sure that it is Twilio."""

import json
from typing import Final

from fastapi import Request

from call_core.errors import DeliveryError, ParseError
from channels.twilio_sms.settings import TwilioSettings
from parsers.sms_webhook import Pairs, decode_form
from parsers.twilio_signature import (
    SETTINGS_HEADER,
    SIGNATURE_HEADER,
    Keys,
    Signed,
    is_authentic,
    sign,
)

PATH: Final = "/sms/twilio"
STATUS_PATH: Final = "/status"
_JSON: Final = "application/json"


class WebhookDoor:
    """Checks signatures over the address that Twilio was given, whatever proxies made of it.

    Attributes:
        url: that address, without a query.
    """

    def __init__(self, settings: TwilioSettings, public_url: str) -> None:
        self.url = (settings.webhook_url or f"{public_url}{PATH}").partition("?")[0]
        self._keys = Keys(
            tuple(token.get_secret_value() for token in settings.auth_tokens),
            {name: secret.get_secret_value() for name, secret in settings.shared_keys.items()},
        )

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
        suffix = STATUS_PATH if path.endswith(STATUS_PATH) else ""
        asked = f"?{query.decode('latin-1')}" if query else ""
        return f"{self.url}{suffix}{asked}"


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
