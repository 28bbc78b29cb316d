"""WCTP, the Wireless Communications Transfer Protocol 1.0 to 1.3: versions, codes, operations.

    <wctp-Operation wctpVersion="wctp-dtd-v1r3">
      <wctp-SubmitRequest>
        <wctp-SubmitHeader submitTimestamp="2026-11-20T19:00:00">
          <wctp-Originator senderID="5550100001" securityCode="0f3kq7m2c9vx1b5n"/>
          <wctp-MessageControl messageID="42" allowResponse="true"/>
          <wctp-Recipient recipientID="callgate"/>
        </wctp-SubmitHeader>
        <wctp-Payload><wctp-Alphanumeric>call mom</wctp-Alphanumeric></wctp-Payload>
      </wctp-SubmitRequest>
    </wctp-Operation>

One document in the body of an HTTP POST, one in the answer, always with HTTP 200. The element and
attribute names are those of the DTDs; `parsers.wctp_read` reads, `parsers.wctp_write` writes.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

MAX_BODY_BYTES: Final = 131_072  # the longest message in use is 50,000 characters
MAX_ELEMENTS: Final = 2_000
MAX_ADDRESS_CHARS: Final = 255
MAX_MESSAGE_ID_CHARS: Final = 1_024  # senders in hospitals write 80 and more, line breaks included
MAX_CODE_CHARS: Final = 64
MAX_TEXT_CHARS: Final = 65_535
MAX_RECIPIENTS: Final = 16
MAX_CHOICES: Final = 9
MAX_CHOICE_CHARS: Final = 80
MAX_BATCH: Final = 500
MAX_TOKEN_CHARS: Final = 16

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION: Final = re.compile(r"(?:.*v)?1[.r-]([0-3])(?:\.dtd)?", re.IGNORECASE)


class Version(StrEnum):
    """`wctpVersion` as it is written in answers."""

    V1_0 = "1.0"
    V1_1 = "wctp-dtd-v1r1"
    V1_2 = "wctp-dtd-v1r2"
    V1_3 = "wctp-dtd-v1r3"


DTD_URLS: Final = {
    Version.V1_0: "http://wctp.arch.com/DTD/wctpv1-0.dtd",
    Version.V1_1: "http://dtd.wctp.org/wctp-dtd-v1r1.dtd",
    Version.V1_2: "http://www.wctp.org/wctp-dtd-v1r2.dtd",
    Version.V1_3: "http://dtd.wctp.org/wctp-dtd-v1r3.dtd",
}
"""System ids to write; nothing is ever read from there."""

_BY_DIGIT: Final = dict(zip("0123", Version, strict=True))


class Code(IntEnum):
    """Codes by family: 2 well, 3 protocol, 4 content, 5 for good, 6 try again."""

    ACCEPTED = 200
    NOT_SUPPORTED = 300
    UNREADABLE = 301
    INVALID = 302
    VERSION = 303
    FUNCTION = 400
    SENDER = 401
    SECURITY_CODE = 402
    RECIPIENT = 403
    DATE = 405
    PAST = 408
    TOO_LONG = 411
    TOO_MANY_CHOICES = 416
    BINARY = 430
    POLLER = 432
    UNKNOWN_REFERENCE = 504
    INTERNAL = 604
    UNAVAILABLE = 605


class WctpError(Exception):
    """A document that cannot be acted on.

    Attributes:
        code: as it is answered.
        operation: the operation's element name without `wctp-`, "" when it was not found.
        version: what the answer is written in.
    """

    def __init__(
        self, code: Code, text: str, operation: str = "", version: Version = Version.V1_1
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.operation = operation
        self.version = version


@dataclass(frozen=True, slots=True)
class Choice:
    """One line of a multiple-choice message: what is shown, and what comes back when it differs."""

    shown: str
    reply: str = ""


@dataclass(frozen=True, slots=True)
class Payload:
    """The words of a message; with `choices` they are a multiple-choice message."""

    text: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Control:
    """MessageControl, for whom it has one; instants are None when not said.

    Attributes:
        notify: of QUEUED, DELIVERED, READ, what the sender wants to be told.
    """

    message_id: str = ""
    transaction_id: str = ""
    send_responses_to: str = ""
    allow_response: bool = True
    notify: frozenset[str] = frozenset()
    deliver_after_ms: int | None = None
    deliver_before_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """SubmitRequest, SubmitClientMessage, SendMsgMulti or MessageReply: words from somebody.

    Attributes:
        operation: which of the four, without `wctp-`.
        security_code: for SubmitClientMessage what `miscInfo` says, as transient clients do.
        response_to: for MessageReply the message that it answers.
        is_choice: for MessageReply, whether the words are one of the choices (1.2 and later).
        submitted_ms: when the sender says it was sent.
    """

    operation: str
    sender_id: str
    security_code: str
    recipients: tuple[str, ...]
    payload: Payload
    control: Control = Control()
    submitted_ms: int | None = None
    response_to: str = ""
    is_choice: bool = False
    misc_info: str = ""


@dataclass(frozen=True, slots=True)
class StatusInfo:
    """A receipt or a late failure: `notification` is QUEUED, DELIVERED, READ or "" for `error`."""

    sender_id: str
    security_code: str
    recipient_id: str
    response_to: str
    message_id: str = ""
    notification: str = ""
    error: int = 0
    error_text: str = ""


@dataclass(frozen=True, slots=True)
class Poll:
    """PollForMessages; `received` are `(sequence number, taken well)` of earlier ones."""

    poller_id: str
    security_code: str
    most: int
    received: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class ClientQuery:
    """What became of the message of a transient client."""

    sender_id: str
    recipient_id: str
    tracking_number: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """LookupSubscriber or DeviceLocation."""

    operation: str
    sender_id: str
    security_code: str
    recipient_id: str
    message_id: str
    transaction_id: str = ""
    fix_type: str = "estimated"


@dataclass(frozen=True, slots=True)
class VersionQuery:
    """Which versions are spoken here?"""

    inquirer: str
    asked_at: str = ""


@dataclass(frozen=True, slots=True)
class ReturnToService:
    """An address is back in service."""

    address: str


Operation = Message | StatusInfo | Poll | ClientQuery | Lookup | VersionQuery | ReturnToService


@dataclass(frozen=True, slots=True)
class Document:
    """One operation with the version and token that it came in."""

    operation: Operation
    version: Version
    token: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """What a peer answered to an operation of ours; the family of the code decides."""

    code: int
    text: str = ""
    tracking_number: str = ""

    @property
    def is_success(self) -> bool:
        """Whether the peer took it."""
        return self.code // 100 == 2  # noqa: PLR2004  (families of codes)

    @property
    def is_temporary(self) -> bool:
        """Whether the same may go well later; 304 wants a poll first."""
        return self.code // 100 == 6 or self.code == 304  # noqa: PLR2004  (as above)


def version_of(text: str) -> Version | None:
    """Return the version that a `wctpVersion` means; a missing one is 1.1, an unknown one None."""
    if not text.strip():
        return Version.V1_1
    found = _VERSION.fullmatch(text.strip())
    return _BY_DIGIT[found[1]] if found else None


def parse_time(text: str) -> int | None:
    """Return a timestamp in milliseconds; UTC unless it says otherwise; None when it is none."""
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(milliseconds=1)


def format_time(at_ms: int) -> str:
    """Return `YYYY-MM-DDThh:mm:ss`, in UTC as the specification has it."""
    return f"{_EPOCH + timedelta(milliseconds=at_ms):%Y-%m-%dT%H:%M:%S}"
