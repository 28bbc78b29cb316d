"""A text message as a request, and what is answered within its own session.

The sender's number is vouched for by the carrier, who can be lied to; nobody proved who wrote. So
the evidence is VOUCHED at best, and only behind a door that is authentic itself.
"""

import hashlib
from collections import OrderedDict

from call_core import numbering
from call_core.commands import Command, Menu, OptIn, OptOut
from call_core.errors import ParseError
from call_core.outcomes import Outcome, Refused
from call_core.requests import Evidence, Request
from channels.kit.render import Budget, render
from parsers.grammar import parse
from parsers.sms_webhook import TextMessage

ID_SPACE = "sms"  # every channel of text messages: a telephone number is one person's
STRANGER_PAUSE_MS = 600_000  # between two answers to a number that we do not know
STRANGERS_LIMIT = 10_000  # numbers remembered for that
FEWEST_DIGITS = 7  # shorter senders are services, and an answer to one could make a loop
MOST_DIGITS = 15  # ITU-T E.164

_WITHOUT_A_ROW = frozenset({"unknown_sender", "forged", "same_id_other_content"})
_FINGERPRINT_LENGTH = 32


def phone_address(written: str, country: str = "") -> str:
    """Return a sender's number as E.164 with `+`; what is no telephone number stays as it is.

    Args:
        written: as the carrier writes it: with `+`, with `00`, national, or international without
            a sign, which many message centres leave out.
        country: ISO code of the country whose national numbers come in; "" if none do.
    """
    compact = "".join(letter for letter in written if letter not in " -().")
    digits = compact.removeprefix("+").removeprefix("00")
    if not (digits.isascii() and digits.isdigit() and FEWEST_DIGITS <= len(digits) <= MOST_DIGITS):
        return written.strip()
    if country and not compact.startswith("+"):
        found = numbering.normalise(compact, numbering.Home(country))
        if isinstance(found, numbering.E164):
            return found.digits
    return f"+{digits}"


def request_of(
    message: TextMessage, *, channel: str, gateway: str, sender: str, received_wall_ms: int
) -> Request:
    """Return the request that a text message is.

    Args:
        message: decoded, from an authentic gateway.
        channel: the channel's registry name.
        gateway: stands before the gateway's own id, since channels share an id space.
        sender: `message.sender` as an address on file.
        received_wall_ms: when it came in.
    """
    content = f"{sender}\0{message.text}\0{message.consent}"
    return Request(
        channel=channel,
        id_space=ID_SPACE,
        external_id=f"{gateway}:{message.id}",
        sender=sender,
        evidence=Evidence.VOUCHED,
        received_wall_ms=received_wall_ms,
        sent_wall_ms=message.sent_ms,
        command=_command(message),
        text=message.text,
        fingerprint=hashlib.sha256(content.encode()).hexdigest()[:_FINGERPRINT_LENGTH],
        # The carrier has answered its own words; a second text would only cost.
        in_session=bool(message.consent),
    )


def opt_out_request(
    address: str, *, channel: str, external_id: str, received_wall_ms: int
) -> Request:
    """Return the request that records what a carrier tells us: this number wants no texts."""
    return Request(
        channel=channel,
        id_space=ID_SPACE,
        external_id=external_id,
        sender=address,
        evidence=Evidence.VOUCHED,
        received_wall_ms=received_wall_ms,
        command=OptOut("STOP"),
        in_session=True,
    )


def _command(message: TextMessage) -> Command | ParseError:
    match message.consent:
        case "STOP":
            return OptOut("STOP")
        case "START":
            return OptIn("START")
        case "HELP":
            return Menu()
        case _:
            return parse(message.text)


class SessionAnswers:
    """The texts that go back at once, because no outbox row can carry them.

    Those are the answers to numbers that nobody put on file, and the first answer to an emergency
    number, which is given before anything is read or written. Strangers are answered seldom: two
    machines must not talk to each other for ever at our cost.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[str, tuple[str, int]] = OrderedDict()

    def text(self, request: Request, outcome: Outcome, *, test: bool) -> str:
        """Return the words for the session, "" when the outbox has them or silence is right."""
        if isinstance(request.command, OptOut) or not isinstance(outcome, Refused):
            return ""
        urgent = _is_first_emergency(outcome)
        if not urgent and (outcome.code not in _WITHOUT_A_ROW or not self._may_tell(request)):
            return ""
        return render(outcome, Budget.SMS160, test=test)

    def _may_tell(self, request: Request) -> bool:
        """Whether a stranger is answered; the same message again is, as it was before."""
        digits = request.sender.removeprefix("+")
        if not (digits.isdigit() and len(digits) >= FEWEST_DIGITS):
            return False
        told_id, told_ms = self._told.get(request.sender, ("", 0))
        if told_id == request.external_id:
            return True
        if told_id and request.received_wall_ms - told_ms < STRANGER_PAUSE_MS:
            return False
        self._told[request.sender] = (request.external_id, request.received_wall_ms)
        self._told.move_to_end(request.sender)
        if len(self._told) > STRANGERS_LIMIT:
            self._told.popitem(last=False)
        return True


def _is_first_emergency(outcome: Refused) -> bool:
    """Whether the core answered before it looked anything up; later it uses the outbox."""
    digits = outcome.fields.get("digits", "")
    return outcome.code == "emergency" and numbering.is_emergency(str(digits))
