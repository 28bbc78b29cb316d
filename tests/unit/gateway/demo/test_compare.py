"""When two bills are the same bill."""

import dataclasses
from typing import Any

import pytest

from call_core.contracts import Cdr
from gateway.demo.compare import Bill, Posting, differences

A = Cdr(
    id="cdr_1",
    call_id="call_1",
    ref="4F7",
    party=0,
    attempt=1,
    leg="A",
    channel="smtp",
    request_id="req_1",
    user="Caller smtp",
    from_number="+12025550143",
    to_number="+12125551000",
    destination="United States, New York",
    prefix="1212",
    rate_id="standard/1/1",
    setup_call_ms=1,
    answer_call_ms=2,
    end_call_ms=3,
    end_estimated=False,
    duration_s=45,
    billable_s=60,
    price_micros_per_minute=9_000,
    connect_fee_micros=0,
    charge_micros=9_000,
    tax_micros=0,
    total_micros=9_000,
    currency="USD",
    buy_cost_micros=0,
    buy_currency="USD",
    billing_code="",
    hangup_cause="normal clearing",
    hangup_by="system",
    switch="simulator",
    trunk="sim",
    explanation="…",
)
B = dataclasses.replace(A, id="cdr_2", party=1, leg="B", to_number="+442079460018")
POSTING = Posting("customer", "operator:revenue:USD", "post", 9_000)
REFERENCE = Bill("smtp", "4F7", (A, B), (POSTING, POSTING))


def bill(**changes: Any) -> Bill:  # noqa: ANN401  (fields of a record)
    """Return the reference bill with its B-leg changed."""
    return Bill("web", "5G8", (A, dataclasses.replace(B, **changes)), (POSTING, POSTING))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"id": "x", "call_id": "y", "ref": "5G8", "channel": "web", "request_id": "z"},
        {"user": "Caller web", "from_number": "+12125551001"},
        {"setup_call_ms": 10, "answer_call_ms": 20, "end_call_ms": 30, "duration_s": 41},
    ],
)
def test_who_when_and_which_channel_may_differ(changes: dict[str, object]) -> None:
    """The same call by somebody else, at another time, by another channel, is the same bill."""
    assert differences(REFERENCE, bill(**changes)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("billable_s", 90),
        ("charge_micros", 9_001),
        ("price_micros_per_minute", 1),
        ("prefix", "44"),
        ("to_number", "+442079460019"),
        ("currency", "GBP"),
        ("tax_micros", 1),
        ("hangup_cause", "busy"),
        ("trunk", "other"),
        ("end_estimated", True),
    ],
)
def test_everything_else_is_named(field: str, value: object) -> None:
    """A field that differs is named with both values."""
    (sentence,) = differences(REFERENCE, bill(**{field: value}))
    assert sentence == f"leg B: {field} {value} instead of {getattr(B, field)}"


def test_the_callers_own_number_may_differ_and_the_wanted_one_not() -> None:
    """Each caller has an own phone; the A-leg rings that."""
    other = Bill("web", "", (dataclasses.replace(A, to_number="+1"), B), (POSTING, POSTING))
    assert differences(REFERENCE, other) == []


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Bill("web", "", (), ()), "there is no record"),
        (Bill("web", "", (A,), (POSTING, POSTING)), "1 legs instead of 2"),
        (Bill("web", "", (A, B), (POSTING,)), "transfers: "),
        (
            Bill("web", "", (A, dataclasses.replace(B, answer_call_ms=None)), (POSTING,) * 2),
            "answered",
        ),
    ],
)
def test_what_is_missing_is_a_difference(other: Bill, words: str) -> None:
    """A leg, an answer or a transfer that is not there is no equal bill."""
    assert any(words in sentence for sentence in differences(REFERENCE, other))


def test_the_order_of_legs_and_transfers_does_not_matter() -> None:
    """Lists come in any order."""
    other = Posting("customer", "operator:revenue:USD", "pending", 1)
    left = Bill("smtp", "", (A, B), (POSTING, other))
    right = Bill("web", "", (B, A), (other, POSTING))
    assert differences(left, right) == []
    assert left.total_micros() == 18_000
