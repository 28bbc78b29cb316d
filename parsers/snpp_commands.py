"""What each SNPP command does to the transaction that is being entered (RFC 1861, section 4).

A command is a function of the draft and the words behind the verb. It returns the reply, or an
event that the server's host has to answer. The table `COMMANDS` is all that there is; any other
verb is not implemented.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from types import MappingProxyType
from typing import Final

from parsers.snpp import (
    MAX_CHOICE_CHARS,
    MAX_CHOICE_CODE_CHARS,
    MAX_CHOICES,
    MAX_EXPIRE_HOURS,
    MAX_ID_CHARS,
    MAX_MESSAGE_BYTES,
    MAX_RECIPIENTS,
    parse_hold,
)

LEVELS: Final = frozenset(str(level) for level in range(12))
HELP_LINES: Final = (
    "LOGI pager secret; PAGE id [secret]; MESS text or DATA; SEND; RESE; QUIT; HELP",
    "LEVE, ALER, COVE, CALL, SUBJ are taken; HOLD YYMMDDHHMMSS [+hhmm] calls later",
    "2WAY; PING id; EXPT hours; NOQU; ACKR 0|1; RTYP type; MCRE code text; MSTA and KTAG tag pass",
    "The message is the command: call mom",
)
REPLY_TYPES: Final = frozenset({"NONE", "YESNO", "SIMREPLY", "MULTICHOICE", "TEXT"})
MULTICHOICE: Final = "MULTICHOICE"
_TENTATIVE: Final = "1"
"""What Perl's Net::SNPP sends for every type; it is MULTICHOICE when choices follow."""


@dataclass(frozen=True, slots=True)
class Submission:
    """One message as SEND found it.

    Attributes:
        pagers: whom it is for, in order.
        text: the message, lines of DATA with line breaks between.
        hold_wall_ms: not before this instant; None for now.
        two_way: whether it is the message of a two-way transaction.
        reply_type: as the client said, "NONE" when it said nothing.
        choices: `(code, text)` of MCRE.
        expire_hours: how long its tag is wanted; None when not said.
    """

    pagers: tuple[str, ...]
    text: str
    hold_wall_ms: int | None = None
    two_way: bool = False
    reply_type: str = "NONE"
    choices: tuple[tuple[str, str], ...] = ()
    expire_hours: int | None = None
    subject: str = ""
    caller_id: str = ""


@dataclass(frozen=True, slots=True)
class LoginAsked:
    """LOGI: 250, or 550 (also for an empty secret: clients then ask their user for one)."""

    login: str
    secret: str


@dataclass(frozen=True, slots=True)
class PagerAsked:
    """PAGE: 250, inside 2WAY 850; 550 for an id that is not served, or for want of a login."""

    pager: str
    secret: str
    two_way: bool


@dataclass(frozen=True, slots=True)
class PingAsked:
    """PING: 821, or 550."""

    pager: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """SEND: 250, inside 2WAY 861 or so with tag and pass; 550 destroys it, 554 keeps it."""

    message: Submission


@dataclass(frozen=True, slots=True)
class StatusAsked:
    """MSTA: the status, or 550."""

    tag: str
    pass_code: str


@dataclass(frozen=True, slots=True)
class TagDropped:
    """KTAG: 250, or 550."""

    tag: str
    pass_code: str


Event = LoginAsked | PagerAsked | PingAsked | Submitted | StatusAsked | TagDropped


@dataclass(slots=True)
class Draft:
    """The transaction that is being entered."""

    two_way: bool = False
    pagers: list[str] = field(default_factory=list)
    text: str | None = None
    hold_wall_ms: int | None = None
    no_queue: bool = False
    reply_type: str = ""
    choices: dict[str, str] = field(default_factory=dict)
    expire_hours: int | None = None
    subject: str = ""
    caller_id: str = ""

    def is_begun(self) -> bool:
        """Whether RESE must come before 2WAY."""
        return bool(self.pagers) or self.text is not None

    def clear(self) -> None:
        """Forget everything, as RESE and SEND do."""
        fresh = Draft()
        for name in self.__slots__:
            setattr(self, name, getattr(fresh, name))

    def submission(self) -> Submission:
        """Return what SEND submits."""
        assert self.text is not None, "SEND looked"
        kind = self.reply_type or (MULTICHOICE if self.choices else "NONE")
        return Submission(
            pagers=tuple(self.pagers),
            text=self.text,
            hold_wall_ms=self.hold_wall_ms,
            two_way=self.two_way,
            reply_type=MULTICHOICE if kind == _TENTATIVE else kind,
            choices=tuple(self.choices.items()),
            expire_hours=self.expire_hours,
            subject=self.subject,
            caller_id=self.caller_id,
        )


Answer = tuple[int, str] | Event
Command = Callable[[Draft, str, tzinfo], Answer]


# --- level 1 --------------------------------------------------------------------------------


def _page(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    pager, _, secret = rest.partition(" ")
    if not pager or len(pager) > MAX_ID_CHARS or len(secret) > MAX_ID_CHARS:
        return 550, "PAGE needs a pager id"
    if draft.two_way and draft.pagers:
        return 503, "A two-way transaction has one pager, and it was entered"
    if len(draft.pagers) >= MAX_RECIPIENTS:
        return 552, f"At most {MAX_RECIPIENTS} pagers"
    return PagerAsked(pager, secret.strip(), draft.two_way)


def _mess(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    if draft.text is not None:
        return 503, "The message was entered already"
    return take_message(draft, rest)


def take_message(draft: Draft, text: str, *, too_long: bool = False) -> tuple[int, str]:
    """Put the message of MESS or DATA into the draft, and return the reply."""
    if too_long or len(text.encode("utf-8", "surrogatepass")) > MAX_MESSAGE_BYTES:
        return 550, f"Messages have at most {MAX_MESSAGE_BYTES} octets"
    if not text.strip():
        return 550, "The message is empty; write a command such as: call mom"
    draft.text = text
    return 250, "Message accepted"


def _rese(draft: Draft, _rest: str, _zone: tzinfo) -> Answer:
    draft.clear()
    return 250, "Reset"


def _send(draft: Draft, _rest: str, _zone: tzinfo) -> Answer:
    if not draft.pagers or draft.text is None:
        return 503, "Enter a pager (PAGE) and a message (MESS or DATA) first"
    if draft.reply_type == _TENTATIVE and not draft.choices:
        return 550, "RTYP 1 is no type; use NONE, YESNO, SIMREPLY, MULTICHOICE or TEXT"
    if draft.reply_type == MULTICHOICE and not draft.choices:
        return 550, "RTYP MULTICHOICE needs MCRE"
    return Submitted(draft.submission())


def _quit(_draft: Draft, _rest: str, _zone: tzinfo) -> Answer:
    return 221, "Goodbye"


def _help(_draft: Draft, _rest: str, _zone: tzinfo) -> Answer:
    return 250, "End of help"


# --- level 2 --------------------------------------------------------------------------------


def _data(draft: Draft, _rest: str, _zone: tzinfo) -> Answer:
    """Begin a message of lines; what stands behind the verb is not a part of it."""
    if draft.text is not None:
        return 503, "The message was entered already"
    return 354, "Begin input; end with a dot alone on a line"


def _logi(_draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    login, _, secret = rest.partition(" ")
    if not login or len(login) > MAX_ID_CHARS or len(secret) > MAX_ID_CHARS:
        return 550, "LOGI needs a login and a secret"
    return LoginAsked(login, secret.strip())


def _leve(_draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    return (250, "OK") if rest in LEVELS else (550, "Levels are 0 to 11")


def _aler(_draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    return (250, "OK") if rest in {"0", "1"} else (550, "0 or 1")


def _cove(_draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    return (250, "OK") if rest else (550, "COVE needs an area")


def _hold(draft: Draft, rest: str, zone: tzinfo) -> Answer:
    at = parse_hold(rest, zone)
    if at is None:
        return 550, "HOLD needs YYMMDDHHMMSS [+hhmm]"
    draft.hold_wall_ms = at
    return 250, "OK"


def _call(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    draft.caller_id = rest
    return (250, "OK") if rest else (550, "CALL needs a caller id")


def _subj(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    draft.subject = rest
    return (250, "OK") if rest else (550, "SUBJ needs a subject")


# --- level 3 --------------------------------------------------------------------------------


def _two_way(draft: Draft, _rest: str, _zone: tzinfo) -> Answer:
    if draft.is_begun() or draft.two_way:
        return 550, "A transaction is open; RESE first"
    draft.clear()
    draft.two_way = True
    return 250, "Two-way transaction begun"


def _ping(_draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    if not rest or len(rest) > MAX_ID_CHARS:
        return 550, "PING needs a pager id"
    return PingAsked(rest)


def _expt(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    if not draft.two_way or not rest.isascii() or not rest.isdigit():
        return 550, "EXPT needs hours, inside 2WAY"
    if len(rest) > MAX_CHOICE_CODE_CHARS or not 0 < int(rest) <= MAX_EXPIRE_HOURS:
        return 550, f"EXPT takes 1 to {MAX_EXPIRE_HOURS} hours"
    draft.expire_hours = int(rest)
    return 250, "OK"


def _noqu(draft: Draft, _rest: str, _zone: tzinfo) -> Answer:
    if not draft.two_way or draft.pagers:
        return 550, "NOQU stands inside 2WAY, before PAGE"
    draft.no_queue = True
    return 250, "OK"


def _ackr(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    if not draft.two_way or rest not in {"0", "1"}:
        return 550, "ACKR takes 0 or 1, inside 2WAY"
    return 250, "OK"


def _rtyp(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    kind = rest.upper()
    if not draft.two_way:
        return 550, "RTYP stands inside 2WAY"
    if draft.reply_type:
        return 503, "The reply type was set already"
    if kind not in REPLY_TYPES and kind != _TENTATIVE:
        return 550, "Types are NONE, YESNO, SIMREPLY, MULTICHOICE, TEXT"
    draft.reply_type = kind
    return 250, "OK"


def _mcre(draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    code, _, text = rest.partition(" ")
    text = text.strip()
    if not draft.two_way or draft.reply_type not in {"", _TENTATIVE, MULTICHOICE}:
        return 550, "MCRE needs 2WAY and RTYP MULTICHOICE"
    if not code.isalnum() or len(code) > MAX_CHOICE_CODE_CHARS:
        return 550, f"Codes have 1 to {MAX_CHOICE_CODE_CHARS} letters or digits"
    if not 0 < len(text) <= MAX_CHOICE_CHARS:
        return 550, f"Choices have 1 to {MAX_CHOICE_CHARS} characters"
    if code in draft.choices:
        return 502, "That code was used already"
    if len(draft.choices) >= MAX_CHOICES:
        return 552, f"At most {MAX_CHOICES} choices"
    draft.choices[code] = text
    return 250, "OK"


def _msta(_draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    tag, _, pass_code = rest.partition(" ")
    return StatusAsked(tag, pass_code.strip())


def _ktag(_draft: Draft, rest: str, _zone: tzinfo) -> Answer:
    tag, _, pass_code = rest.partition(" ")
    return TagDropped(tag, pass_code.strip())


COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "PAGE": _page,
        "MESS": _mess,
        "RESE": _rese,
        "SEND": _send,
        "QUIT": _quit,
        "HELP": _help,
        "DATA": _data,
        "LOGI": _logi,
        "LEVE": _leve,
        "ALER": _aler,
        "COVE": _cove,
        "HOLD": _hold,
        "CALL": _call,
        "SUBJ": _subj,
        "2WAY": _two_way,
        "PING": _ping,
        "EXPT": _expt,
        "NOQU": _noqu,
        "ACKR": _ackr,
        "RTYP": _rtyp,
        "MCRE": _mcre,
        "MSTA": _msta,
        "KTAG": _ktag,
    }
)
