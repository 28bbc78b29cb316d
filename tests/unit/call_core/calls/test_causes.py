"""Hangup causes and what they mean for people."""

import pytest

from call_core.calls.causes import ROUTE_FAILURES, Cause, Result, cause_of, result_of
from call_core.routing.trunks import ROUTE_FAILURES as ROUTING_FAILURES

RESULTS = """
    BAD_NUMBER    UNALLOCATED_NUMBER NUMBER_CHANGED INVALID_NUMBER
    BUSY          BUSY
    NO_ANSWER     NO_USER_RESPONSE NO_ANSWER
    UNREACHABLE   ABSENT
    REJECTED      REJECTED
    BARRED        NOT_SUBSCRIBED OUTGOING_BARRED INCOMING_BARRED NOT_AUTHORISED
    LINES_BUSY    NO_CIRCUIT SWITCH_CONGESTION
    NOT_ACCEPTED  NOT_ACCEPTED
    NOT_DIALLED   NOT_DIALLED EXPIRED
    CANCELLED     NORMAL_CLEARING CALL_ENDED DROPPED MOVED MONEY_ENDED TIME_ENDED STOPPED
    FAILED        UNKNOWN NO_ROUTE_TRANSIT NO_ROUTE ANSWERED_ELSEWHERE OUT_OF_ORDER
    FAILED        FACILITY_REJECTED NORMAL_UNSPECIFIED NETWORK_OUT_OF_ORDER TEMPORARY_FAILURE
    FAILED        CHANNEL_UNAVAILABLE BEARER_UNAVAILABLE INCOMPATIBLE TIMER_EXPIRY
    FAILED        PROTOCOL_ERROR INTERWORKING LOST
"""
ROWS = [
    (Result[result], Cause[name])
    for result, *names in (row.split() for row in RESULTS.strip().splitlines())
    for name in names
]


@pytest.mark.parametrize(("result", "cause"), ROWS)
def test_what_an_unanswered_attempt_came_to(result: Result, cause: Cause) -> None:
    """Every cause of an attempt that nobody answered has its result."""
    assert result_of(cause, answered=False) is result


def test_every_cause_is_in_the_table() -> None:
    """The table above leaves none out and names none twice."""
    assert sorted(cause for _, cause in ROWS) == sorted(Cause)


@pytest.mark.parametrize("cause", list(Cause))
def test_an_answered_attempt_was_completed_or_not_accepted(cause: Cause) -> None:
    """Once answered only the missing key matters."""
    expected = Result.NOT_ACCEPTED if cause is Cause.NOT_ACCEPTED else Result.COMPLETED
    assert result_of(cause, answered=True) is expected


@pytest.mark.parametrize(("number", "cause"), [(17, Cause.BUSY), (201, Cause.NOT_ACCEPTED)])
def test_known_numbers(number: int, cause: Cause) -> None:
    """A switch's number becomes its cause."""
    assert cause_of(number) is cause


@pytest.mark.parametrize("number", [-1, 4, 128, 200, 999])
def test_unknown_numbers(number: int) -> None:
    """A number that is not in the table is UNKNOWN, never an error."""
    assert cause_of(number) is Cause.UNKNOWN


def test_ours_are_beyond_q850() -> None:
    """Q.850 ends at 127; what is ours can never be taken for a switch's word."""
    assert all(cause <= 127 or cause > 200 for cause in Cause)


def test_routing_agrees_which_failures_are_the_routes() -> None:
    """The causes after which another trunk is tried are the same everywhere."""
    assert ROUTE_FAILURES == ROUTING_FAILURES
