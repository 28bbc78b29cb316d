"""The Twilio channel itself: webhooks, texts out, and a client for the parity test."""

import secrets
from collections.abc import Sequence
from typing import ClassVar, Final
from urllib.parse import urlencode

import httpx2
import structlog
from fastapi import APIRouter, Request, Response

from call_core.contracts import DeliveryReport
from call_core.errors import CallCoreError, DeliveryError, ParseError
from call_core.outcomes import Refused as RefusedOutcome
from channels.kit.contract import (
    Channel,
    ChannelSettings,
    Environment,
    Identity,
    Outgoing,
    fault_of,
)
from channels.kit.http_body import read_limited
from channels.kit.render import Budget, render
from channels.kit.sms_in import (
    ID_SPACE,
    SessionAnswers,
    opt_out_request,
    phone_address,
    request_of,
)
from channels.kit.sms_out import sms_segments
from channels.twilio_sms.sending import VERDICTS, Refused, Sender, Verdict
from channels.twilio_sms.settings import TwilioSettings
from channels.twilio_sms.webhook import PATH, STATUS_PATH, webhook_door
from parsers.sms_webhook import (
    FORM_BYTES_LIMIT,
    DeliveryStatus,
    TextMessage,
    decode_twilio,
    decode_twiml,
    encode_twilio,
    encode_twiml,
)

_XML: Final = "text/xml; charset=utf-8"
_FORM: Final = "application/x-www-form-urlencoded"
_DELIVERED: Final = frozenset({"delivered", "read"})
_FAILED: Final = frozenset({"undelivered", "failed", "canceled"})
_PROBE_TIMEOUT_S: Final = 20.0
_log = structlog.get_logger(__name__)


class TwilioChannel(Channel):
    """Text messages in and out by Twilio."""

    name = "twilio_sms"
    id_space = ID_SPACE
    about = "Text a command to our number at Twilio."
    features: ClassVar[frozenset[str]] = frozenset(
        {"launch", "conference", "control", "schedule", "directory", "receipts"}
    )
    Settings = TwilioSettings

    def __init__(self, settings: ChannelSettings, environment: Environment) -> None:
        super().__init__(settings, environment)
        assert isinstance(settings, TwilioSettings)
        self._twilio = settings
        self._door = webhook_door(settings, environment.public_url)
        self._answers = SessionAnswers()
        self._sender: Sender | None = None

    def routers(self) -> Sequence[APIRouter]:
        """Return the webhooks: for messages, and for what became of ours."""
        routes = APIRouter()
        for path in (PATH, PATH + STATUS_PATH):
            routes.add_route(path, self._webhook, methods=["GET", "POST"], include_in_schema=False)
        return (routes,)

    async def start(self) -> None:
        """Make the client that sends, when there is an account."""
        if self._twilio.account_sid:
            self._sender = Sender(self._twilio)

    async def stop(self) -> None:
        """Close it."""
        if self._sender is not None:
            await self._sender.close()
            self._sender = None

    async def deliver(self, message: Outgoing) -> None:
        """Hand one text to Twilio.

        Raises:
            DeliveryError: it was not taken, or nobody knows.
        """
        if not self._twilio.account_sid:
            raise DeliveryError("twilio_sms.account_sid is not set", retryable=False)
        if self._sender is None:
            raise DeliveryError("twilio_sms is not open", retryable=True)
        made = sms_segments(message, self._twilio.max_segments)
        callback = f"{self._door.url}{STATUS_PATH}?{urlencode({'message': message.id})}"
        try:
            await self._sender.send(
                message.address,
                "".join(made.parts),
                callback if self._twilio.status_callbacks else "",
            )
        except Refused as error:
            if error.verdict is Verdict.OPTED_OUT:
                await self._record_opt_out(message.address, message.id)
            later = error.verdict in {Verdict.LATER, Verdict.OURS}
            raise DeliveryError(f"{error}: {error.verdict.value}", retryable=later) from error
        _log.info("sms_sent", outbox_id=message.id, parts=len(made.parts), alphabet=made.alphabet)

    async def probe(self, identity: Identity, text: str) -> str:
        """Post a webhook as Twilio does, signed; return the text that Twilio would send back."""
        message = TextMessage(f"SM{secrets.token_hex(16)}", identity.address, "+12025550143", text)
        fields = encode_twilio(message, self._twilio.account_sid or "AC0")
        headers = {"content-type": _FORM, **self._door.signature_headers(fields)}
        async with httpx2.AsyncClient(timeout=_PROBE_TIMEOUT_S) as client:
            answer = await client.post(
                f"{self.environment.public_url}{PATH}", content=urlencode(fields), headers=headers
            )
        if answer.status_code != httpx2.codes.OK:
            raise DeliveryError(f"{answer.status_code} for Twilio's webhook", retryable=True)
        return decode_twiml(answer.content)

    # --- in -------------------------------------------------------------------------------------

    # POST /sms/twilio HTTP/1.1
    # X-Twilio-Signature: RSOYDt4T1cUTdK1PDd93/VVr8B8=
    #
    # MessageSid=SM1…&AccountSid=AC1…&From=%2B12125550101&To=%2B12025550143&Body=call+mom&NumMedia=0
    async def _webhook(self, request: Request) -> Response:
        body = await read_limited(request, FORM_BYTES_LIMIT)
        if body is None:
            return Response("Too long.", 413)
        try:
            fields = self._door.fields(request, body)
            if fields is None:
                return _forged()
            said = decode_twilio(fields)
        except ParseError as error:
            _log.warning("sms_unreadable", code=error.code)
            return Response("Unreadable.", 400)
        try:
            if isinstance(said, TextMessage):
                return await self._message(said)
            return await self._status(said, request.query_params.get("message", ""))
        except Exception as error:  # noqa: BLE001  (whatever it is, Twilio shall try again)
            return _failed(error)

    async def _message(self, message: TextMessage) -> Response:
        asked = request_of(
            message,
            channel=self.name,
            gateway="twilio",
            sender=phone_address(message.sender),
            received_wall_ms=self.environment.wall.now_ms(),
        )
        outcome = await self.core.accept(asked)
        text = ""
        if outcome is not None:
            text = self._answers.text(asked, outcome, test=self.environment.test_texts)
        return Response(encode_twiml(text), media_type=_XML)

    # POST /sms/twilio/status?message=msg_01J9…
    # MessageSid=SM2…&MessageStatus=undelivered&ErrorCode=30003&To=%2B12125550101&From=…
    async def _status(self, status: DeliveryStatus, message_id: str) -> Response:
        if status.status in _DELIVERED | _FAILED and message_id:
            opted_out = VERDICTS.get(status.error_code) is Verdict.OPTED_OUT
            if opted_out:
                await self._record_opt_out(status.receiver, message_id)
            reason = f"{status.status} {status.error_code or ''}".rstrip()
            delivered = status.status in _DELIVERED
            await self.core.report_delivery(
                DeliveryReport(message_id, self.name, status.receiver, delivered, reason)
            )
        return Response(encode_twiml(), media_type=_XML)

    async def _record_opt_out(self, address: str, message_id: str) -> None:
        """Note that a person sent STOP, of which only Twilio heard."""
        asked = opt_out_request(
            address,
            channel=self.name,
            external_id=f"twilio:opted-out:{message_id}",
            received_wall_ms=self.environment.wall.now_ms(),
        )
        try:
            await self.core.handle(asked)
        except CallCoreError as error:
            _log.warning("opt_out_not_recorded", code=error.code)  # Twilio says it again next time


def _forged() -> Response:
    """Tell a forger what a stranger is told."""
    _log.warning("webhook_signature_wrong")
    words = render(RefusedOutcome("unknown_sender"), Budget.SMS160)
    return Response(words, 403, media_type="text/plain; charset=utf-8")


def _failed(error: Exception) -> Response:
    """Tell a failure of ours: temporary, so that Twilio tries again or asks the fallback URL."""
    fault = fault_of(error)
    _log.warning("sms_not_taken", error=repr(error))
    return Response(fault.text, fault.http, {"retry-after": str(fault.retry_after_s)})
