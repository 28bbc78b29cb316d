"""Texts handed to Twilio's REST interface, and what its refusals mean."""

import logging
from collections.abc import Mapping
from enum import Enum
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import httpx2

from call_core.errors import DeliveryError
from channels.twilio_sms.settings import TwilioSettings

if TYPE_CHECKING:
    from twilio.rest import Client


class Verdict(Enum):
    """What follows from a refusal."""

    LATER = "the same message may be taken later"
    NEVER = "this number will never take it: the next address of the user"
    OPTED_OUT = "the person wants no texts: recorded, and the next address"
    OURS = "the operator's to mend: again later, then the next address"


# Twilio's error codes, of refusals and of status callbacks (twilio.com/docs/api/errors).
VERDICTS: Final[Mapping[int, Verdict]] = MappingProxyType(
    {
        20003: Verdict.OURS,  # wrong token or key
        20404: Verdict.OURS,  # no such account
        20429: Verdict.LATER,  # too many requests
        21211: Verdict.NEVER,  # no valid To
        21212: Verdict.OURS,  # no valid From
        21214: Verdict.NEVER,  # To cannot be reached
        21217: Verdict.NEVER,  # To does not look like a number
        21408: Verdict.NEVER,  # region is not enabled
        21603: Verdict.OURS,  # From is missing
        21606: Verdict.OURS,  # From is not ours, or cannot send texts
        21608: Verdict.NEVER,  # trial account, To is not verified
        21610: Verdict.OPTED_OUT,  # STOP was sent from To
        21611: Verdict.LATER,  # the queue of From is full
        21612: Verdict.NEVER,  # no route from From to To
        21614: Verdict.NEVER,  # To is not a mobile number
        21617: Verdict.NEVER,  # over 1,600 characters
        21619: Verdict.NEVER,  # neither text nor picture
        30001: Verdict.LATER,  # queue overflow
        30002: Verdict.OURS,  # account suspended
        30003: Verdict.NEVER,  # handset unreachable
        30004: Verdict.NEVER,  # blocked by the carrier or the person
        30005: Verdict.NEVER,  # unknown handset
        30006: Verdict.NEVER,  # landline, or a carrier that cannot be reached
        30007: Verdict.NEVER,  # filtered by the carrier
        30008: Verdict.LATER,  # unknown error
        30022: Verdict.LATER,  # over the rate of a registered campaign
        30034: Verdict.OURS,  # From is not registered with the US carriers
    }
)


class Refused(Exception):
    """Twilio did not take a message, and said why.

    Attributes:
        code: Twilio's number of the error, 0 if there is none.
        verdict: what follows.
    """

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"Twilio: {status}, error {code}")
        self.code = code
        self.verdict = VERDICTS.get(code, _verdict_of_status(status))


def _verdict_of_status(status: int) -> Verdict:
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Verdict.OURS
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        return Verdict.LATER
    return Verdict.NEVER


class Sender:
    """A client of one account."""

    def __init__(self, settings: TwilioSettings) -> None:
        self._settings = settings
        self._wire = httpx2.AsyncClient(timeout=settings.timeout_s)
        self._client = _client_of(settings, self._wire)

    async def close(self) -> None:
        """Close its connections."""
        await self._wire.aclose()

    # POST /2010-04-01/Accounts/AC…/Messages.json
    # To=%2B12125550101&From=%2B12025550143&Body=Calling+mom.&StatusCallback=https%3A%2F%2Fcalls…
    async def send(self, to: str, text: str, status_callback: str) -> None:
        """Hand one text over.

        Raises:
            Refused: it was certainly not taken.
            DeliveryError: no answer; `uncertain` when Twilio may have it all the same.
        """
        from twilio.base.exceptions import TwilioRestException  # noqa: PLC0415  (a quarter second)

        said: dict[str, Any] = {"body": text}
        if self._settings.messaging_service_sid:
            said["messaging_service_sid"] = self._settings.messaging_service_sid
        if self._settings.from_number:
            said["from_"] = self._settings.from_number
        if status_callback:
            said["status_callback"] = status_callback
        try:
            await self._client.messages.create_async(to, **said)
        except TwilioRestException as error:
            if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR and error.status != _NOT_NOW:
                raise DeliveryError(str(error), retryable=True, uncertain=True) from error
            raise Refused(error.status, error.code or 0) from error
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            raise DeliveryError(f"Twilio: {error!r}", retryable=True) from error
        except (httpx2.HTTPError, ValueError, KeyError) as error:
            # The connection broke, or the answer cannot be read: the message may be on its way.
            raise DeliveryError(f"Twilio: {error!r}", retryable=True, uncertain=True) from error


_NOT_NOW = HTTPStatus.SERVICE_UNAVAILABLE


def _client_of(settings: TwilioSettings, wire: httpx2.AsyncClient) -> "Client":
    """Return Twilio's client over our own HTTP; imported late because it takes half a second."""
    from twilio.http import AsyncHttpClient  # noqa: PLC0415  (see above)
    from twilio.http.response import Response  # noqa: PLC0415  (see above)
    from twilio.rest import Client  # noqa: PLC0415  (see above)

    target = urlsplit(settings.api_url)

    class OverOurWire(AsyncHttpClient):  # type: ignore[misc]  # the package has no types
        """Sends what Twilio's client asks for to the address of the settings, and logs nothing."""

        def __init__(self) -> None:
            super().__init__(logging.getLogger("twilio"), is_async=True)

        async def request(
            self,
            method: str,
            url: str,
            params: Mapping[str, Any] | None = None,
            data: Mapping[str, Any] | None = None,
            headers: Mapping[str, str] | None = None,
            auth: tuple[str, str] | None = None,
            timeout: float | None = None,  # noqa: ASYNC109, ARG002  (Twilio's signature)
            allow_redirects: bool = False,  # noqa: FBT001, FBT002  (as above)
        ) -> Response:
            parts = urlsplit(url)._replace(scheme=target.scheme, netloc=target.netloc)
            answer = await wire.request(
                method,
                urlunsplit(parts),
                params=params,
                data=data,
                headers=headers,
                auth=auth,
                follow_redirects=allow_redirects,
            )
            return Response(answer.status_code, answer.text, dict(answer.headers))

    token = settings.auth_tokens[0].get_secret_value() if settings.auth_tokens else ""
    return Client(
        settings.api_key or settings.account_sid,
        settings.api_secret.get_secret_value() or token,
        settings.account_sid,
        http_client=OverOurWire(),
        environment={"TWILIO_ACCOUNT_SID": ""},  # our settings alone say who we are
    )
