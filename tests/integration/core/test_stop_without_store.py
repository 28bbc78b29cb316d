"""A process that is told to stop while the database is away stops."""

import asyncio

import pytest

from call_core.errors import StoreUnavailable
from tests.support.world import UK, World, guests

pytestmark = pytest.mark.anyio
PATIENCE_S = 30


async def test_a_process_stops_though_the_store_is_away(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its calls are the next owner's, who learns what has become of them."""
    ada = await world.user(await world.customer())
    guests(world, 1)
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    assert len(await world.sim.live_legs()) == 2
    [live] = world.engine.driver.live.values()

    async def away(*_: object, **__: object) -> None:
        raise StoreUnavailable("no database")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "run", away)
        world.sim.put_down(live.call.first.last_leg.id)
        while live.task is None:  # noqa: ASYNC110  (there is nothing to be woken by)
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE_S):
            await world.stop()
    await world.start()
    await world.run_out()
    assert await world.sim.live_legs() == []
