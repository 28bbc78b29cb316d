import asyncio

import pytest

from tests.support.clocks import FakeClock, settle


@pytest.mark.anyio
async def test_sleepers_wake_in_the_order_of_their_instants() -> None:
    """Each sees the clock at its own instant, and what it waits for next counts too."""
    clock = FakeClock(0)
    woken: list[tuple[str, int]] = []

    async def sleeper(name: str, *instants: int) -> None:
        for at_ms in instants:
            await clock.sleep_until(at_ms)
            woken.append((name, clock.now_ms()))

    tasks = [
        asyncio.create_task(sleeper("late", 30)),
        asyncio.create_task(sleeper("twice", 10, 20)),
        asyncio.create_task(sleeper("far", 31)),
        asyncio.create_task(sleeper("past", 0)),
    ]
    await clock.advance(30)
    assert woken == [("past", 0), ("twice", 10), ("twice", 20), ("late", 30)]
    assert clock.now_ms() == 30
    clock.jump(5)
    await settle()
    assert woken[-1] == ("far", 35)
    await asyncio.wait(tasks)


@pytest.mark.anyio
async def test_a_cancelled_sleeper_is_forgotten() -> None:
    """Nobody waits for an instant that nobody waits for any more."""
    clock = FakeClock(0)
    task = asyncio.create_task(clock.sleep_until(10))
    await settle()
    assert clock.next_sleeper_ms() == 10
    task.cancel()
    await asyncio.wait({task})
    assert clock.next_sleeper_ms() is None
