"""What every WCTP operation is answered with: the table `_answer`, one method for each."""

import asyncio
import hmac

import structlog

from call_core.errors import CallCoreError
from call_core.outcomes import Outcome, Refused
from channels.kit.contract import Environment, fault_of
from channels.kit.mail_in import SENDER_REFUSALS
from channels.kit.pager_login import Guessing, normal_address, principal_of_pager
from channels.kit.render import Budget, render
from channels.kit.repeats import digest_of
from channels.wctp.requests import CHANNEL, Caller, Requests
from channels.wctp.sender import Sender
from channels.wctp.settings import WctpSettings
from channels.wctp.waiting import Waiting
from parsers import wctp_write as write
from parsers.lexer import MAX_TEXT_CHARS
from parsers.wctp import (
    MAX_BODY_BYTES,
    MAX_RECIPIENTS,
    ClientQuery,
    Code,
    Document,
    Lookup,
    Message,
    Poll,
    ReturnToService,
    StatusInfo,
    Version,
    VersionQuery,
    WctpError,
)
from parsers.wctp_read import read_document

UNKNOWN_SENDER = "Unknown sender or wrong security code"
TOO_LONG = bytes(MAX_BODY_BYTES + 1)  # stands for a body that was not read to its end
RECEIPTS = ("QUEUED", "DELIVERED", "READ")
MOST_RECEIPTS = 500
"""On their way at once; a peer that does not answer gets no more."""

_log = structlog.get_logger(__name__)


class Service:
    """Answers documents."""

    def __init__(
        self, settings: WctpSettings, environment: Environment, waiting: Waiting, sender: Sender
    ) -> None:
        self._settings = settings
        self._environment = environment
        self._waiting = waiting
        self._sender = sender
        self._guessing = Guessing()
        self._requests = Requests(settings, waiting)
        self._at_work: set[asyncio.Task[None]] = set()

    async def finish(self) -> None:
        """Wait for the receipts that are on their way."""
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=self._settings.timeout_s)

    async def answer(self, body: bytes | None, peer: str) -> bytes:
        """Return the answer to a body, None for one that was too long; never raises."""
        version, token, name = Version.V1_1, "", ""
        try:
            asked = read_document(TOO_LONG if body is None else body)
            version, token, name = asked.version, asked.token, _name_of(asked)
            content = await self._answer(asked, peer)
        except WctpError as error:
            version = error.version if version is Version.V1_1 else version
            refused = WctpError(error.code, error.text, error.operation or name)
            content = write.refusal(refused, self._settings.service_id)
        except CallCoreError as error:
            _log.warning("message_not_taken", code=error.code)
            content = self._fault(Code.UNAVAILABLE, error, name)
        except Exception as error:  # noqa: BLE001  (a defect of ours must not end in silence)
            _log.error("wctp_failed", exc_info=error)
            content = self._fault(Code.INTERNAL, error, name)
        return write.document(content, version, token)

    def _fault(self, code: Code, error: Exception, name: str) -> str:
        return write.refusal(WctpError(code, fault_of(error).text, name), self._settings.service_id)

    async def _answer(self, asked: Document, peer: str) -> str:
        now_ms = self._environment.wall.now_ms()
        match asked.operation:
            case Message() as message:
                return await self._message(message, peer)
            case Poll() as poll:
                return await self._poll(poll, peer)
            case ClientQuery() as query:
                return self._query(query, now_ms)
            case Lookup() as lookup:
                return self._lookup(lookup)
            case VersionQuery() as query:
                return write.version_response(query, self._settings.service_id, now_ms)
            case StatusInfo() as status:
                _log.info("wctp_status", kind=status.notification, code=status.error)
                return write.confirmation(write.success("Noted"))
            case ReturnToService():
                return write.confirmation(write.success("Noted"))

    # --- who ------------------------------------------------------------------------------------

    async def _caller(self, sender_id: str, code: str, peer: str) -> Caller:
        """Return who it is; slow for those who guessed wrong before."""
        address = normal_address(sender_id)
        vouched = self._settings.inbound_code.get_secret_value()
        now_ms = self._environment.wall.now_ms()
        delay_ms = self._guessing.delay_ms(peer, address, now_ms)
        if delay_ms:
            await asyncio.sleep(delay_ms / 1000)
        if vouched and hmac.compare_digest(code.encode(), vouched.encode()):
            return Caller(address, None, is_known=True)
        who = await principal_of_pager(self._environment.core, CHANNEL, address, code, now_ms)
        if who is None:
            self._guessing.failed(peer, address, now_ms)
        else:
            self._guessing.succeeded(peer, address)
        return Caller(address, who, is_known=who is not None)

    def _is_served(self, recipient: str) -> bool:
        served = {*map(normal_address, self._settings.service_ids)}
        return not served or normal_address(recipient) in served

    # --- messages -------------------------------------------------------------------------------

    async def _message(self, message: Message, peer: str) -> str:
        now_ms = self._environment.wall.now_ms()
        before = message.control.deliver_before_ms
        if before is not None and before < now_ms:
            raise WctpError(Code.PAST, "deliveryBefore is past", message.operation)
        served = [each for each in message.recipients if self._is_served(each)]
        if message.recipients and not served:
            raise WctpError(Code.RECIPIENT, "No such recipient here", message.operation)
        caller = await self._caller(message.sender_id, message.security_code, peer)
        now_call_ms = self._environment.call.now_ms()
        request = self._requests.request(message, caller, now_ms, now_call_ms)
        outcome = await self._environment.core.handle(request)
        zone = caller.who.timezone if caller.who else "UTC"
        words = render(outcome, Budget.PAGER80, zone, test=self._environment.test_texts)
        self._refuse(message, outcome, words)
        if message.operation == "SubmitClientMessage":
            number = self._waiting.track(request.external_id, caller.address, words, now_ms)
            return write.client_success(words, number)
        self._send_receipts(message, caller)
        said = words if request.in_session else f"Accepted {outcome.ref}".rstrip()
        if message.operation != "SendMsgMulti":
            return write.confirmation(write.success(said))
        invalid = [
            (each, Code.RECIPIENT, "No such recipient here")
            for each in message.recipients
            if each not in served
        ]
        return write.multi_response(len(served), invalid, MAX_RECIPIENTS, write.success(said))

    @staticmethod
    def _refuse(message: Message, outcome: Outcome, words: str) -> None:
        """Raise for the refusals that have nobody to write to; the others are answers."""
        if not isinstance(outcome, Refused):
            return
        if outcome.code in SENDER_REFUSALS:
            raise WctpError(Code.SENDER, UNKNOWN_SENDER, message.operation)
        if outcome.code == "emergency":
            raise WctpError(Code.FUNCTION, words, message.operation)
        if outcome.code == "same_id_other_content":
            raise WctpError(Code.INVALID, words, message.operation)

    def _send_receipts(self, message: Message, caller: Caller) -> None:
        """Send what was asked for: a committed message is queued, delivered and read."""
        for kind in RECEIPTS:
            if kind not in message.control.notify or len(self._at_work) >= MOST_RECEIPTS:
                continue
            status = StatusInfo(
                sender_id=message.recipients[0] if message.recipients else "",
                security_code=self._settings.carrier_security_code.get_secret_value(),
                recipient_id=message.control.send_responses_to or message.sender_id,
                response_to=message.control.message_id,
                message_id=f"{kind[0]}{digest_of(caller.address, message.control.message_id)[:30]}",
                notification=kind,
            )
            task = asyncio.create_task(self._sender.receipt(caller.address, status))
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

    # --- the rest -------------------------------------------------------------------------------

    async def _poll(self, poll: Poll, peer: str) -> str:
        caller = await self._caller(poll.poller_id, poll.security_code, peer)
        if caller.who is None:  # what is private to one address is not the carrier's to fetch
            raise WctpError(Code.POLLER, UNKNOWN_SENDER, "PollForMessages")
        for number, _well in poll.received:
            self._waiting.acknowledge(caller.address, number)
        now_ms = self._environment.wall.now_ms()
        found = self._waiting.poll(caller.address, poll.most, now_ms)
        return write.poll_response(found, self._settings.poll_interval_s)

    def _query(self, query: ClientQuery, now_ms: int) -> str:
        sender = normal_address(query.sender_id)
        found = self._waiting.answer(query.tracking_number, sender, now_ms)
        if found is None:
            raise WctpError(Code.UNKNOWN_REFERENCE, "Unknown tracking number", "ClientQuery")
        return write.client_reply(query, found[0], found[1], self._settings.poll_interval_s)

    def _lookup(self, lookup: Lookup) -> str:
        if lookup.operation == "DeviceLocation":
            inside = write.failure(Code.FUNCTION, "There is no device here to be located")
            return write.location_response(lookup, inside)
        if not self._is_served(lookup.recipient_id):
            raise WctpError(Code.RECIPIENT, "No such recipient here", "LookupSubscriber")
        return write.lookup_response(lookup, MAX_TEXT_CHARS)


def _name_of(asked: Document) -> str:
    match asked.operation:
        case Message(operation=name) | Lookup(operation=name):
            return name
        case Poll():
            return "PollForMessages"
        case ReturnToService():
            return "ReturnToSvc"
        case ClientQuery() | VersionQuery() | StatusInfo():
            return type(asked.operation).__name__
