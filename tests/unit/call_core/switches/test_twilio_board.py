"""The board: legs by both names, events for one reader, ends remembered for a while."""

import asyncio

import pytest

from call_core.contracts import EventKind
from call_core.switches import twilio_board
from call_core.switches.twilio_board import Addresses, Board
from call_core.switches.twilio_callbacks import Token
from call_core.switches.twilio_leg import Leg
from tests.support.clocks import FakeClock

pytestmark = pytest.mark.anyio


def a_leg(n: int, ended_call_ms: int | None = None) -> Leg:
    """Return the n-th leg."""
    leg = Leg(Token("callgate", f"leg_{n}", "call_1", 0, 60), 0, 60, sid=f"CA{n}")
    if ended_call_ms is not None:
        leg.end(ended_call_ms, 16, None)
    return leg


def buried(board: Board, leg: Leg) -> None:
    """Put a leg on the board and bury it."""
    board.add(leg)
    board.bury(leg)


@pytest.mark.parametrize("older_ms", [0, 1])
def test_an_end_is_remembered_for_its_time(older_ms: int) -> None:
    """To the last millisecond, under both names."""
    clock = FakeClock()
    board = Board(clock)
    buried(board, a_leg(1, clock.now_ms() - twilio_board.KEEP_ENDED_MS + 1 - older_ms))
    assert (board.leg("leg_1") is None) == bool(older_ms)
    assert (board.leg_of("CA1") is None) == bool(older_ms)


def test_no_more_ends_are_remembered_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes first."""
    monkeypatch.setattr(twilio_board, "KEEP_ENDED_LEGS", 2)
    clock = FakeClock()
    board = Board(clock)
    for n in range(3):
        buried(board, a_leg(n, clock.now_ms()))
    assert [board.leg(f"leg_{n}") is not None for n in range(3)] == [False, True, True]


async def test_events_have_one_reader_and_an_end() -> None:
    """A second reader would take what the first needs."""
    board = Board(FakeClock())
    board.tell_of_itself(EventKind.SWITCH_LOST)
    reader = board.events()
    assert (await anext(reader)).kind is EventKind.SWITCH_LOST
    with pytest.raises(RuntimeError):
        await anext(board.events())
    waiting = asyncio.ensure_future(anext(reader, None))
    await asyncio.sleep(0)
    board.close()
    assert await waiting is None


def test_a_bridge_has_the_same_name_both_ways() -> None:
    """A conference of another deployment is none of ours."""
    here = Addresses("https://calls.example/voice/twilio", "callgate")
    assert here.bridge_of(here.room("call_1")) == "call_1"
    assert here.bridge_of("staging-call_1") == ""
