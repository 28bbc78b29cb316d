"""A WCTP message as a request: its id, its words, what an answer to it must carry."""

from dataclasses import dataclass

from call_core.commands import Command
from call_core.contracts import Principal
from call_core.errors import ParseError
from call_core.requests import Evidence, Request
from channels.kit.put_off import put_off
from channels.kit.repeats import Repeats, digest_of
from channels.wctp.sender import Thread
from channels.wctp.settings import WctpSettings
from channels.wctp.waiting import Waiting
from parsers.grammar import parse
from parsers.lexer import MAX_TEXT_CHARS
from parsers.wctp import Code, Message, WctpError

CHANNEL = "wctp"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a message: a user by the own secret, an address that the carrier vouches for."""

    address: str
    who: Principal | None
    is_known: bool


class Requests:
    """Makes requests; remembers what was said lately, for messages without an id."""

    def __init__(self, settings: WctpSettings, waiting: Waiting) -> None:
        self._settings = settings
        self._waiting = waiting
        self._repeats = Repeats()

    def request(self, message: Message, caller: Caller, now_ms: int, now_call_ms: int) -> Request:
        """Return the request; an unknown sender's is nobody's: only emergencies are answered.

        Raises:
            WctpError: it shall be delivered later, and is nothing that can be put off.
        """
        sent = self._waiting.sent(message.response_to)
        text = sent.command(message.payload.text)
        ref = sent.ref or None
        is_client = message.operation == "SubmitClientMessage"
        who = caller.who
        return Request(
            channel=CHANNEL,
            id_space=CHANNEL,
            external_id=self._external_id(message, caller.address, now_ms),
            # Who takes no responses gets no news either.
            sender=caller.address if who is None or message.control.allow_response else "",
            user_id=who.user_id if who else None,
            evidence=Evidence.VOUCHED if caller.is_known else Evidence.FORGED,
            received_wall_ms=now_ms,
            sent_wall_ms=message.submitted_ms if self._settings.timestamps else None,
            command=_command(message, text, ref, now_call_ms),
            text=text[:MAX_TEXT_CHARS],
            fingerprint=digest_of(text, str(message.control.deliver_after_ms)),
            reply_to_ref=ref,
            thread="" if is_client else _thread(message),
            scopes=who.scopes if who else ("read", "call"),
            in_session=is_client or not message.control.allow_response,
        )

    def _external_id(self, message: Message, address: str, now_ms: int) -> str:
        """Return the message's own id, or what a repeat of the same words has as well."""
        if message.control.message_id:
            return f"m.{digest_of(address, message.control.message_id)}"
        parts = (address, *message.recipients, message.payload.text, message.response_to)
        if message.submitted_ms is not None:
            return f"t.{digest_of(*parts, str(message.submitted_ms))}"
        return f"w.{self._repeats.external_id(digest_of(*parts), now_ms)}"


def _command(
    message: Message, text: str, ref: str | None, now_call_ms: int
) -> Command | ParseError:
    read = parse(text, reply_to_ref=ref)
    command = put_off(read, message.control.deliver_after_ms, now_call_ms)
    if command is None:
        raise WctpError(Code.FUNCTION, "deliveryAfter goes with a call only", message.operation)
    return command


def _thread(message: Message) -> str:
    service = message.recipients[0] if message.recipients else ""
    back = message.control.send_responses_to or message.sender_id
    return Thread(message.control.message_id, back, service).text()
