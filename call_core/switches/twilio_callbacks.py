"""What Twilio says of a call, in our words: states, times, causes.

    CallSid=CA1…&CallStatus=completed&SequenceNumber=3&Timestamp=Sat%2C+28+Nov+2026+05%3A55%3A18
    +%2B0000&CallDuration=42&SipResponseCode=200

Every status is a request of its own; they may arrive in any order and more than once. Times have
whole seconds.
"""

import re
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_tz
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

NORMAL_CLEARING: Final = 16
USER_BUSY: Final = 17
NO_ANSWER: Final = 19
INVALID_NUMBER: Final = 28
NO_CIRCUIT: Final = 34
TEMPORARY_FAILURE: Final = 41

_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class CallStatus(StrEnum):
    """The states of a Call."""

    QUEUED = "queued"
    INITIATED = "initiated"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    BUSY = "busy"
    FAILED = "failed"
    NO_ANSWER = "no-answer"
    CANCELED = "canceled"


TERMINAL: Final = frozenset(
    {
        CallStatus.COMPLETED,
        CallStatus.BUSY,
        CallStatus.FAILED,
        CallStatus.NO_ANSWER,
        CallStatus.CANCELED,
    }
)
LIVE: Final = (CallStatus.QUEUED, CallStatus.RINGING, CallStatus.IN_PROGRESS)

# SIP answers to Q.850 (RFC 3398, 7.2.4.1). Two differ from it because they say more of the phone
# than the number would: 480 is a phone that is away, 603 a person who declined.
_CAUSE_OF_SIP: Final[Mapping[int, int]] = {
    401: 21,
    403: 21,
    404: 1,
    407: 21,
    408: 18,
    410: 22,
    480: 20,
    484: 28,
    485: 1,
    486: 17,
    488: 58,
    500: 41,
    501: 29,
    502: 27,
    503: 41,
    504: 102,
    600: 17,
    603: 21,
    604: 1,
    606: 58,
}
_CAUSE_OF_STATUS: Final[Mapping[CallStatus, int]] = {
    CallStatus.COMPLETED: NORMAL_CLEARING,
    CallStatus.CANCELED: NORMAL_CLEARING,
    CallStatus.BUSY: USER_BUSY,
    CallStatus.NO_ANSWER: NO_ANSWER,
    CallStatus.FAILED: TEMPORARY_FAILURE,
}
# The network's own words win over these states; of the others the state says it better.
_SIP_SAYS_MORE: Final = frozenset({CallStatus.BUSY, CallStatus.FAILED})

# Errors of POST /Calls: certain, no call was made (twilio.com/docs/api/errors).
_CAUSE_OF_ERROR: Final[Mapping[int, int]] = {
    10004: 34,  # too many calls at once
    13223: 28,  # the number dialled is no number
    13224: 28,
    13225: 57,  # blocked by Twilio
    13226: 28,
    13227: 57,  # the country is not enabled
    20003: 21,  # wrong token or key
    20404: 21,  # no such account
    21201: 28,  # no To
    21211: 28,  # no valid To
    21214: 1,  # To cannot be reached
    21215: 57,  # the country is not enabled
    21216: 57,  # blocked by Twilio
    21217: 28,  # To is not formed as a number
    21219: 57,  # trial account, To is not verified
    21608: 57,
    32203: 57,
    32205: 57,
}
CALLER_ID_ERRORS: Final = frozenset({13214, 21210, 21212})
"""The From is not one that this account may show."""


@dataclass(frozen=True, slots=True)
class Token:
    """What names a leg in every address that we give to Twilio.

    Attributes:
        deployment: whose leg it is; other deployments may use the same account.
        limit_s: the longest duration with which it was created.
    """

    deployment: str
    leg_id: str
    call_id: str
    shard: int
    limit_s: int

    def query(self, **more: str) -> str:
        """Return it as a query."""
        return urlencode(
            {
                "d": self.deployment,
                "leg": self.leg_id,
                "call": self.call_id,
                "shard": self.shard,
                "limit": self.limit_s,
                **more,
            }
        )


def token_of(query: Mapping[str, str]) -> Token | None:
    """Return the leg that a query names, None when it names none."""
    texts = [query.get(name, "") for name in ("d", "leg", "call")]
    numbers = [query.get(name, "") for name in ("shard", "limit")]
    if not all(_ID.fullmatch(text) for text in texts):
        return None
    if not all(re.fullmatch(r"\d{1,9}", number) for number in numbers):
        return None
    shard, limit_s = map(int, numbers)
    return Token(texts[0], texts[1], texts[2], shard, limit_s)


def token_of_url(url: str) -> Token | None:
    """Return the leg that an address of ours names."""
    return token_of(dict(parse_qsl(urlsplit(url).query)))


def instant_ms(text: str | None) -> int | None:
    """Return `Sat, 28 Nov 2026 05:55:18 +0000` as milliseconds since 1970, None if it is none."""
    parts = None if not text else parsedate_tz(text)
    if parts is None:
        return None
    try:
        return (timegm(parts[:9]) - (parts[9] or 0)) * 1000
    except (ValueError, OverflowError):
        return None


def status_of(text: str | None) -> CallStatus | None:
    """Return a state, None for one that we do not know."""
    try:
        return CallStatus(text or "")
    except ValueError:
        return None


def seconds_of(text: str | None) -> int:
    """Return a duration, 0 when there is none."""
    return int(text) if text and re.fullmatch(r"\d{1,9}", text) else 0


def cause_of(status: CallStatus, sip_response: str | None) -> int:
    """Return the Q.850 cause of an end that was not ours."""
    sip = seconds_of(sip_response)
    if status in _SIP_SAYS_MORE and sip in _CAUSE_OF_SIP:
        return _CAUSE_OF_SIP[sip]
    if status is CallStatus.NO_ANSWER and sip in (480, 603):
        return _CAUSE_OF_SIP[sip]
    return _CAUSE_OF_STATUS[status]


def cause_of_error(code: int) -> int:
    """Return the Q.850 cause of a refused create."""
    return _CAUSE_OF_ERROR.get(code, TEMPORARY_FAILURE)
