"""What we send: answers and news to pagers, pushed to a peer or left to be polled.

    C: <wctp-MessageReply MCRMessageReply="false"><wctp-ResponseHeader responseToMessageID="42">…
       <wctp-Payload><wctp-MCR><wctp-MessageText>4F7: which mom?</wctp-MessageText>
       <wctp-ChoicePair><wctp-SendChoice>mom cell</wctp-SendChoice>
       <wctp-ReplyChoice>4F7 1</wctp-ReplyChoice></wctp-ChoicePair>…
    S: <wctp-Confirmation><wctp-Success successCode="200" …>

Nothing is ever POSTed to an address that a message names: only to URLs in the settings.
"""

import json
from dataclasses import dataclass

import httpx2
import structlog

from call_core.errors import DeliveryError
from channels.kit.contract import Environment, Outgoing
from channels.kit.pager_login import normal_address
from channels.kit.render import Budget, render
from channels.kit.reply_choices import reply_choices
from channels.wctp.settings import WctpSettings
from channels.wctp.waiting import Sent, Waiting
from parsers.wctp import (
    MAX_BODY_BYTES,
    Choice,
    Control,
    Message,
    Payload,
    Result,
    StatusInfo,
    WctpError,
)
from parsers.wctp_read import read_result
from parsers.wctp_write import document, operation

HTTP_OK = 200
MEDIA_TYPE = "text/xml"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Thread:
    """What an answer must carry to belong to its question; kept with the request as `thread`."""

    message_id: str = ""
    recipient: str = ""
    service: str = ""

    def text(self) -> str:
        """Return the form in which it is stored."""
        return json.dumps([self.message_id, self.recipient, self.service])

    @classmethod
    def read(cls, text: str) -> "Thread":
        """Undo `text`; an empty thread for anything else."""
        try:
            message_id, recipient, service = json.loads(text)
        except ValueError:
            return cls()
        return cls(str(message_id), str(recipient), str(service))


class Sender:
    """Sends by the settings: to the address's own URL, to the carrier, or into the queue."""

    def __init__(self, settings: WctpSettings, environment: Environment, waiting: Waiting) -> None:
        self._settings = settings
        self._environment = environment
        self._waiting = waiting
        # One for all: each that is made reads every certificate of the system. Without a limit
        # that all peers share: one that hangs must keep no page from another.
        limits = httpx2.Limits(max_connections=None)
        self._client = httpx2.AsyncClient(timeout=settings.timeout_s, limits=limits)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose()

    async def deliver(self, outgoing: Outgoing) -> None:
        """Send one message.

        Raises:
            DeliveryError: the peer did not take it, or nobody has fetched it yet.
        """
        choices = reply_choices(outgoing.content, outgoing.timezone, self._settings.choices)
        commands = tuple((choice.label, choice.command) for choice in choices)
        self._waiting.remember(outgoing.id, Sent(outgoing.ref, commands))
        text = render(outgoing.content, Budget.PAGER80, outgoing.timezone, test=outgoing.test)
        offered = tuple(Choice(each.label, each.command or each.label) for each in choices)
        message = self._message(outgoing, Payload(text, offered))
        url = self._settings.url_of(outgoing.address)
        if url:
            await self._push(url, operation(message, self._settings.carrier_version))
        elif not self._waiting.is_fetched(outgoing.id):
            self._leave(outgoing.address, outgoing.id, operation(message))
            raise DeliveryError("it waits to be polled", retryable=True)

    async def receipt(self, address: str, status: StatusInfo) -> None:
        """Tell a sender that a message of theirs was taken; nobody is worse off without it."""
        url = self._settings.url_of(address)
        try:
            if url:
                await self._push(url, operation(status, self._settings.carrier_version))
            else:
                self._leave(address, status.message_id, operation(status))
        except DeliveryError as error:
            _log.info("receipt_not_taken", reason=str(error))

    def _leave(self, address: str, message_id: str, element: str) -> None:
        now_ms = self._environment.wall.now_ms()
        if not self._waiting.put(normal_address(address), message_id, element, now_ms):
            raise DeliveryError("too many messages wait to be polled", retryable=True)

    def _message(self, outgoing: Outgoing, payload: Payload) -> Message:
        thread = Thread.read(outgoing.thread)
        settings = self._settings
        return Message(
            operation="MessageReply" if thread.message_id else "SubmitRequest",
            sender_id=thread.service or settings.service_id,
            security_code=settings.carrier_security_code.get_secret_value(),
            recipients=(thread.recipient or outgoing.address,),
            payload=payload,
            control=Control(message_id=outgoing.id, send_responses_to=settings.service_id),
            submitted_ms=outgoing.created_wall_ms,
            response_to=thread.message_id,
        )

    async def _push(self, url: str, element: str) -> None:
        """POST one document and read the answer.

        A repeat after a lost answer has the same messageID, so it is tried again, not uncertain.
        """
        settings = self._settings
        body = document(element, settings.carrier_version, bare=settings.carrier_bare)
        result = await post(self._client, url, body)
        if not result.is_success:
            raise DeliveryError(
                f"wctp peer: {result.code} {result.text[:200]}", retryable=result.is_temporary
            )


async def post(client: httpx2.AsyncClient, url: str, body: bytes) -> Result:
    """POST a document; return the peer's success or failure.

    Raises:
        DeliveryError: there was no such answer; retryable.
    """
    received = bytearray()
    headers = {"Content-Type": MEDIA_TYPE}
    try:
        async with client.stream("POST", url, content=body, headers=headers) as said:
            if said.status_code != HTTP_OK:
                raise DeliveryError(f"wctp peer: HTTP {said.status_code}", retryable=True)
            async for piece in said.aiter_bytes():
                received += piece
                if len(received) > MAX_BODY_BYTES:
                    break
        return read_result(bytes(received))
    except httpx2.HTTPError as error:
        raise DeliveryError(f"wctp peer: {error!r}", retryable=True) from error
    except WctpError as error:
        raise DeliveryError(f"wctp peer: {error.text}", retryable=True) from error
