"""Two writers of one call: who comes second with an old one is told so."""

import pytest

from call_core.errors import Fenced
from call_core.units.advance import lost_legs
from call_core.units.house import Stamp
from tests.support.world import UK, World

pytestmark = pytest.mark.anyio


async def test_who_settles_with_an_old_call_is_fenced(world: World) -> None:
    """The fence comes before the books: a hold that is gone is no defect of the ledger."""
    ada = await world.user(await world.customer())
    world.script(UK, talk_s=20)
    await world.say(ada, f"call {UK}")
    await world.advance(10)
    old = await world.only_call()
    await world.run_out()
    legs = frozenset(leg.id for leg in old.legs())
    now = world.call.now_ms()
    stamp = Stamp(world.wall.now_ms(), now, 1)
    with pytest.raises(Fenced):
        await world.store.run(lost_legs, world.house, old, legs, now, stamp)


async def test_a_call_that_was_read_before_it_ended_is_not_driven_again(world: World) -> None:
    """The read was on its way when the end was committed; nobody is rung a second time."""
    ada = await world.user(await world.customer())
    world.script(UK, talk_s=20)
    await world.say(ada, f"call {UK}")
    await world.advance(10)
    old = await world.only_call()
    await world.run_out()
    assert world.engine.driver.adopt(old) is None
    assert world.engine.driver.live == {}
    assert await world.sim.live_legs() == []
