"""A leg whose first work comes when its ringing time is over: the switch was never asked for it."""

import asyncio

import pytest

from call_core.engine.live_call import LiveCall
from tests.support.world import UK, Bill, World

pytestmark = pytest.mark.anyio
STALL_S = 70
PATIENCE_S = 30


async def _until_the_sweep_has_acted(world: World) -> None:
    """Let the sweep come by, which keeps real time; the world's own stands still."""
    async with asyncio.timeout(PATIENCE_S):
        while world.engine.driver.live:  # noqa: ASYNC110  (there is nothing to be woken by)
            await asyncio.sleep(0.05)
    await world.settle()


async def test_a_leg_that_nobody_asked_for_ends_at_once(world: World) -> None:
    """Its hold and its port are free again without waiting for reconcile, and the user is told."""
    acme = await world.customer()
    ada = await world.user(acme)
    world.engine.driver.may_act = lambda: False  # its lease may run out
    await world.say(ada, f"call {UK}", channel="smtp")
    await world.advance(STALL_S)
    assert (await world.account(acme)).debits_pending > 0

    world.engine.driver.may_act = lambda: True
    await _until_the_sweep_has_acted(world)

    assert world.sim.ordered == []
    assert (await world.account(acme)).debits_pending == 0
    assert await world.bill() == [
        Bill("A", 0, 0, "NOT_DIALLED", "service"),
        Bill("B", 0, 0, "NOT_DIALLED", "service"),
    ]
    assert [row.kind for row in world.sent].count("notice") == 1


async def test_it_ends_though_the_switch_fails_at_something_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another leg that cannot be tended for hours must not keep its hold and port."""

    async def fail(*_: object) -> None:
        raise ConnectionError("not now")

    monkeypatch.setattr(world.engine.driver.actuator, "_bridge", fail)
    acme = await world.customer()
    ada = await world.user(acme)
    world.engine.driver.may_act = lambda: False  # its lease may run out
    await world.say(ada, f"call {UK}")
    await world.advance(STALL_S)
    world.engine.driver.may_act = lambda: True
    await _until_the_sweep_has_acted(world)
    assert (await world.account(acme)).debits_pending == 0


async def test_a_leg_that_a_dead_process_asked_for_is_ended_by_the_switch(world: World) -> None:
    """Who has read a leg from the store cannot know that it is not there, and asks."""
    ada = await world.user(await world.customer())
    world.script("+12125550101", ring_s=50)
    await world.say(ada, f"call {UK}")
    await world.advance(1)
    [ringing] = await world.sim.live_legs()
    await world.kill()
    await world.advance(10)
    await world.start()

    live = world.engine.driver.live[ringing.call_id]
    world.engine.driver.live[ringing.call_id] = LiveCall(live.call)  # as before it reconciled
    await world.say(ada, "hangup")

    assert await world.sim.live_legs() == []
    [a_leg, _] = await world.bill()
    assert (a_leg.hangup_cause, a_leg.hangup_by) == ("CALL_ENDED", "service")


async def test_a_leg_whose_order_got_lost_is_not_said_to_be_absent(world: World) -> None:
    """It may ring although the answer broke off, so the switch is asked to end it."""
    ada = await world.user(await world.customer())
    world.sim.disconnect()
    await world.say(ada, f"call {UK}")
    [live] = world.engine.driver.live.values()
    assert [asked.fresh for asked in live.asked.values()] == [False]
    world.sim.reconnect()
    await world.run_out()
