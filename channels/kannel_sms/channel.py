"""The Kannel channel itself: routes for smsbox, answers, and a client for the parity test."""

import hmac
import ipaddress
import uuid
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import ClassVar, Final
from urllib.parse import urlsplit

import httpx2
import structlog
from fastapi import APIRouter, Request, Response

from call_core.contracts import DeliveryReport
from call_core.errors import DeliveryError, ParseError
from channels.kannel_sms.sending import PATH, Dlr, Sendsms, path_of
from channels.kannel_sms.settings import KannelSettings, Network
from channels.kit.contract import (
    Channel,
    ChannelSettings,
    Environment,
    Identity,
    Outgoing,
    fault_of,
)
from channels.kit.http_body import read_limited
from channels.kit.sms_in import ID_SPACE, SessionAnswers, phone_address, request_of
from parsers.sms_webhook import (
    FORM_BYTES_LIMIT,
    TextMessage,
    decode_kannel,
    decode_kannel_report,
    encode_kannel,
)

# smsbox talks to us itself. Behind a proxy every peer would look like the proxy's own machine.
_FORWARDING: Final = ("forwarded", "via", "x-forwarded-for", "x-real-ip")
_PLAIN: Final = "text/plain; charset=utf-8"
_log = structlog.get_logger(__name__)


class KannelChannel(Channel):
    """Text messages in and out by Kannel."""

    name = "kannel_sms"
    id_space = ID_SPACE
    about = "Text a command, by an SMPP carrier or a GSM modem."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "receipts"}
    )
    Settings = KannelSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, KannelSettings)
        self._kannel = settings
        self._answers = SessionAnswers()
        self._is_private = _is_loopback(urlsplit(environment.public_url).hostname or "")
        self._sendsms: Sendsms | None = None
        # smsbox asks from one address, many times a second.
        self._listed = lru_cache(maxsize=16)(partial(_is_listed, settings.networks))

    def routers(self) -> Sequence[APIRouter]:
        """Return the routes; with a secret, only those that have it."""
        routes = APIRouter()
        secret = self._kannel.secret.get_secret_value()
        path = f"{PATH}/{{secret}}" if secret else PATH
        routes.add_route(path, self._receive, methods=["GET", "POST"], include_in_schema=False)
        routes.add_route(f"{path}/report", self._report, methods=["GET"], include_in_schema=False)
        return (routes,)

    async def start(self) -> None:
        """Make the client that sends, when there is a place to send to."""
        if self._kannel.sendsms_url:
            self._sendsms = Sendsms(self._kannel)

    async def stop(self) -> None:
        """Close it."""
        if self._sendsms is not None:
            await self._sendsms.close()
            self._sendsms = None

    async def deliver(self, message: Outgoing) -> None:
        """Hand one text to smsbox.

        Raises:
            DeliveryError: it was not taken, or nobody knows.
        """
        if not self._kannel.sendsms_url:
            raise DeliveryError("kannel_sms.sendsms_url is not set", retryable=False)
        if self._sendsms is None:
            raise DeliveryError("kannel_sms is not open", retryable=True)
        await self._sendsms.send(message)

    async def probe(self, identity: Identity, text: str) -> str:
        """Ask as smsbox does for a message of `text`; return the text that it would send back."""
        now_ms = self.environment.wall.now_ms()
        message = TextMessage(str(uuid.uuid4()), identity.address, "12345", text, sent_ms=now_ms)
        url = f"{self.environment.public_url}{path_of(self._kannel)}?{encode_kannel(message)}"
        async with httpx2.AsyncClient(headers={"User-Agent": "Kannel/1.4.5"}) as client:
            answer = await client.get(url)
        if answer.status_code != httpx2.codes.OK:
            raise DeliveryError(f"{answer.status_code} for Kannel's request", retryable=True)
        return answer.text

    # --- in -------------------------------------------------------------------------------------

    # GET /sms/kannel/SECRET?id=7d15…&from=%2B12125550101&to=12345&text=call+mom&charset=UTF-8
    #     &coding=0&time=1795405626
    async def _receive(self, request: Request) -> Response:
        if not self._is_smsbox(request):
            return _plain("Forbidden.", 403)
        body = None
        if request.method == "POST":
            body = await read_limited(request, FORM_BYTES_LIMIT)
            if body is None:
                return _plain("Too long.", 413)
        try:
            message = decode_kannel(request.scope["query_string"], body)
        except ParseError as error:
            _log.warning("sms_unreadable", code=error.code)
            return _plain("Unreadable.", 413 if error.code == "sms_too_large" else 400)
        believed = message if self._kannel.sent_times else replace(message, sent_ms=None)
        return await self._answer(believed)

    async def _answer(self, message: TextMessage) -> Response:
        asked = request_of(
            message,
            channel=self.name,
            gateway="kannel",
            sender=phone_address(message.sender, self._kannel.country),
            received_wall_ms=self.environment.wall.now_ms(),
        )
        try:
            outcome = await self.core.accept(asked)
        except Exception as error:  # noqa: BLE001  (whatever it is, smsbox shall ask again)
            return _failed(error)
        if outcome is None:
            return _plain("")
        return _plain(self._answers.text(asked, outcome, test=self.environment.test_texts))

    # GET /sms/kannel/SECRET/report?message=msg_01J9…&to=%2B12125550101&dlr=1&id=00ae…
    async def _report(self, request: Request) -> Response:
        if not self._is_smsbox(request):
            return _plain("Forbidden.", 403)
        try:
            message_id, status = decode_kannel_report(request.scope["query_string"])
        except ParseError:
            return _plain("Unreadable.", 400)
        delivered = status.status == Dlr.DELIVERED
        failed = status.status in {Dlr.NOT_DELIVERED, Dlr.REJECTED_BY_SMSC}
        if delivered or failed:
            report = DeliveryReport(
                message_id, self.name, status.receiver, delivered, f"dlr {status.status}"
            )
            try:
                await self.core.report_delivery(report)
            except Exception as error:  # noqa: BLE001  (as above)
                return _failed(error)
        return _plain("")

    def _is_smsbox(self, request: Request) -> bool:
        """Whether a request comes from where smsbox runs, and knows the secret."""
        expected = self._kannel.secret.get_secret_value()
        if not expected and not self._is_private:
            _log.error("kannel_sms.secret is not set, and public_url is not on this machine")
            return False
        given = str(request.path_params.get("secret", ""))
        knows = hmac.compare_digest(given.encode(), expected.encode())
        direct = not any(name in request.headers for name in _FORWARDING)
        if knows and direct and request.client and self._listed(request.client.host):
            return True
        _log.warning("sms_forbidden", secret_is_right=knows, direct=direct)
        return False


def _is_listed(networks: Sequence[Network], host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _plain(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type=_PLAIN)


def _failed(error: Exception) -> Response:
    """Tell a failure of ours: smsbox asks again, and tells the sender when it has given up."""
    fault = fault_of(error)
    _log.warning("sms_not_taken", error=repr(error))
    return Response(
        fault.text, fault.http, {"retry-after": str(fault.retry_after_s)}, media_type=_PLAIN
    )
