"""Timers stop when they are told to, whatever they are doing."""

import asyncio

import pytest

from call_core.engine.timers import Timers
from tests.support.clocks import FakeClock, settle

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("turns", range(10))
async def test_a_cancellation_during_a_change_is_not_lost(turns: int) -> None:
    """Cancelled at any turn after an earlier instant was set, the task ends."""
    clock = FakeClock()
    timers = Timers(clock, lambda _: None)
    task = asyncio.create_task(timers.run())
    timers.set("late", clock.now_ms() + 60_000)
    await settle()
    timers.set("early", clock.now_ms() + 1_000)
    await settle(turns)
    task.cancel()
    await settle()
    assert task.cancelled()
