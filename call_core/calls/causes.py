"""Why a leg ended: Q.850 causes as switches report them, and the causes that are ours.

Q.850 numbers are below 128 (ITU-T Q.850 table 1; the SIP origins are in RFC 3398). Ours begin at
200: they say which rule of the call ended the leg, where Q.850 would only say "normal clearing".
"""

from enum import IntEnum, StrEnum


class Cause(IntEnum):
    """A hangup cause. The name is what CDRs show."""

    UNKNOWN = 0
    UNALLOCATED_NUMBER = 1
    NO_ROUTE_TRANSIT = 2
    NO_ROUTE = 3
    NORMAL_CLEARING = 16
    BUSY = 17
    NO_USER_RESPONSE = 18
    NO_ANSWER = 19
    ABSENT = 20
    REJECTED = 21
    NUMBER_CHANGED = 22
    ANSWERED_ELSEWHERE = 26
    OUT_OF_ORDER = 27
    INVALID_NUMBER = 28
    FACILITY_REJECTED = 29
    NORMAL_UNSPECIFIED = 31
    NO_CIRCUIT = 34
    NETWORK_OUT_OF_ORDER = 38
    TEMPORARY_FAILURE = 41
    SWITCH_CONGESTION = 42
    CHANNEL_UNAVAILABLE = 44
    NOT_SUBSCRIBED = 50
    OUTGOING_BARRED = 52
    INCOMING_BARRED = 54
    NOT_AUTHORISED = 57
    BEARER_UNAVAILABLE = 58
    INCOMPATIBLE = 88
    TIMER_EXPIRY = 102
    PROTOCOL_ERROR = 111
    INTERWORKING = 127
    NOT_ACCEPTED = 201  # answered, but nobody pressed the key
    NOT_DIALLED = 202  # the call ended before this leg was originated
    MONEY_ENDED = 203  # paid_until was reached
    TIME_ENDED = 204  # the stated length or the minute limit was reached
    CALL_ENDED = 205  # another party's leaving, or the user's word, ended the call
    DROPPED = 206  # one party was dropped
    MOVED = 207  # the party goes on with another phone
    EXPIRED = 208  # waited too long to be launched
    LOST = 209  # the switch no longer knows the leg; the end is estimated
    STOPPED = 210  # the operator froze the customer, the user or the prefix


class Result(StrEnum):
    """What became of the attempt, for prompts, notices and the state x cause table."""

    COMPLETED = "completed"
    CANCELLED = "cancelled"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    BAD_NUMBER = "bad_number"
    BARRED = "barred"
    NOT_ACCEPTED = "not_accepted"
    NOT_DIALLED = "not_dialled"
    LINES_BUSY = "lines_busy"
    FAILED = "failed"


ROUTE_FAILURES = frozenset(
    {
        Cause.NO_ROUTE_TRANSIT,
        Cause.NO_ROUTE,
        Cause.OUT_OF_ORDER,
        Cause.NO_CIRCUIT,
        Cause.NETWORK_OUT_OF_ORDER,
        Cause.TEMPORARY_FAILURE,
        Cause.SWITCH_CONGESTION,
        Cause.CHANNEL_UNAVAILABLE,
    }
)
"""Causes after which another trunk may succeed."""

_RESULTS: dict[Cause, Result] = {
    Cause.UNALLOCATED_NUMBER: Result.BAD_NUMBER,
    Cause.NUMBER_CHANGED: Result.BAD_NUMBER,
    Cause.INVALID_NUMBER: Result.BAD_NUMBER,
    Cause.BUSY: Result.BUSY,
    Cause.NO_USER_RESPONSE: Result.NO_ANSWER,
    Cause.NO_ANSWER: Result.NO_ANSWER,
    Cause.ABSENT: Result.UNREACHABLE,
    Cause.REJECTED: Result.REJECTED,
    Cause.NOT_SUBSCRIBED: Result.BARRED,
    Cause.OUTGOING_BARRED: Result.BARRED,
    Cause.INCOMING_BARRED: Result.BARRED,
    Cause.NOT_AUTHORISED: Result.BARRED,
    Cause.NO_CIRCUIT: Result.LINES_BUSY,
    Cause.SWITCH_CONGESTION: Result.LINES_BUSY,
    Cause.NOT_ACCEPTED: Result.NOT_ACCEPTED,
    Cause.NOT_DIALLED: Result.NOT_DIALLED,
    Cause.EXPIRED: Result.NOT_DIALLED,
    # Taken back before anybody answered: neither a failure nor a conversation.
    Cause.NORMAL_CLEARING: Result.CANCELLED,
    Cause.MONEY_ENDED: Result.CANCELLED,
    Cause.TIME_ENDED: Result.CANCELLED,
    Cause.CALL_ENDED: Result.CANCELLED,
    Cause.DROPPED: Result.CANCELLED,
    Cause.MOVED: Result.CANCELLED,
    Cause.STOPPED: Result.CANCELLED,
}


def cause_of(number: int) -> Cause:
    """Return the cause of a switch's number; one that we do not know is UNKNOWN."""
    try:
        return Cause(number)
    except ValueError:
        return Cause.UNKNOWN


def result_of(cause: Cause, *, answered: bool) -> Result:
    """Return what became of an attempt that ended with `cause`."""
    if cause is Cause.NOT_ACCEPTED:
        return Result.NOT_ACCEPTED
    if answered:
        return Result.COMPLETED
    return _RESULTS.get(cause, Result.FAILED)
