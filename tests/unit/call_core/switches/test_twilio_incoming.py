"""What Twilio is answered about a leg; with a twin of it: tests/e2e/test_twilio_voice.py."""

from typing import cast

import pytest

from call_core.switches.twilio_board import Addresses, Board
from call_core.switches.twilio_callbacks import Token
from call_core.switches.twilio_incoming import Incoming
from call_core.switches.twilio_launch import Tasks
from call_core.switches.twilio_leg import Leg
from call_core.switches.twilio_recall import Recall
from call_core.switches.twilio_rest import TwilioRest
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio
TOKEN = Token("callgate", "leg_1", "call_1", 0, 60)


async def test_a_phone_answered_after_we_hung_up_hears_no_prompt() -> None:
    """Its end was asked for before Twilio had made the call, so that no request could carry it."""
    board, addresses = Board(FakeClock(1_000)), Addresses("https://calls.example", "callgate")
    leg = Leg(TOKEN, 1_000, 60)
    board.add(leg)
    incoming = Incoming(board, cast("TwilioRest", None), cast("Recall", None), addresses, Tasks())
    query = dict(pair.split("=", 1) for pair in TOKEN.query().split("&"))
    leg.hung_up = 16
    document = incoming.receive("twiml", query, {"CallSid": "CA1"})
    assert document is not None
    assert "<Hangup" in document
    leg.hung_up, leg.answered_call_ms = None, 1_000
    document = incoming.receive("twiml", query, {"CallSid": "CA1"})
    assert document is not None
    assert "<Hangup" not in document
