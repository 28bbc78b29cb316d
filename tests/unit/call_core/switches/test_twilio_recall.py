"""What the Events of a call tell of a leg that this process has forgotten."""

from typing import Any

import pytest

from call_core.switches.twilio_board import Addresses
from call_core.switches.twilio_callbacks import Token
from call_core.switches.twilio_recall import Facts, facts_of

HERE = Addresses("https://calls.example/voice/twilio", "callgate")
TOKEN = Token("callgate", "leg_1", "call_1", 0, 60)
API = "https://api.twilio.com/2010-04-01/Accounts/AC1/Calls"


def request(address: str, **parameters: str) -> dict[str, Any]:
    """Return one entry."""
    return {"request": {"method": "POST", "url": address, "parameters": parameters}}


CREATED = request(f"{API}.json", url=HERE.of("twiml", TOKEN), time_limit="60", to="+12025550101")


@pytest.mark.parametrize(
    ("events", "facts"),
    [
        ([], Facts()),
        ([{"request": None}, {}], Facts()),
        ([CREATED], Facts(TOKEN, time_limit_s=60)),
        ([request(HERE.of("status", TOKEN), call_status="ringing")], Facts(TOKEN)),
        (
            [CREATED, request(f"{API}/CA1.json", TimeLimit="300")],
            Facts(TOKEN, time_limit_s=300),
        ),
        (
            [CREATED, request(f"{API}/CA1.json", status="completed")],
            Facts(TOKEN, time_limit_s=60, ended_by_us=True),
        ),
        (
            [
                CREATED,
                request(
                    HERE.of("status", TOKEN),
                    CallStatus="in-progress",
                    Timestamp="Tue, 14 Nov 2023 22:13:20 +0000",
                ),
            ],
            Facts(TOKEN, time_limit_s=60, answered_call_ms=1_700_000_000_000),
        ),
    ],
)
def test_events_say_whose_a_call_is(events: list[dict[str, Any]], facts: Facts) -> None:
    """The leg, its limit, its answer, and whether we ended it."""
    assert facts_of(events, HERE) == facts


def test_calls_of_others_are_left_alone() -> None:
    """Another deployment's, and another program's, in the same account."""
    other = Addresses(HERE.base, "staging").of("twiml", Token("staging", "leg_1", "call_1", 0, 60))
    assert facts_of([request(f"{API}.json", url=other)], HERE).token is None
    foreign = "https://shop.example/ivr?d=callgate&leg=l&call=c&shard=0&limit=1"
    assert facts_of([request(f"{API}.json", url=foreign)], HERE).token is None


def test_a_leg_of_another_node_is_ours_but_not_here() -> None:
    """Its callbacks must be led to this node."""
    there = Addresses("https://other.example/voice/twilio", "callgate")
    facts = facts_of([request(f"{API}.json", url=there.of("twiml", TOKEN))], HERE)
    assert (facts.token, facts.here) == (TOKEN, False)
