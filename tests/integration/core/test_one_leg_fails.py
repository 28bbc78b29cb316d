"""One leg that the switch cannot tend now must not keep the others from being tended."""

from typing import Any

import pytest

from call_core.switches.simulator import Simulator
from tests.integration.core.test_conference import talking
from tests.support.world import World, guests

pytestmark = pytest.mark.anyio


async def _seconds(world: World, seconds: int) -> None:
    for _ in range(seconds):
        await world.advance(1)
        for live in list(world.engine.driver.live.values()):  # the sweep keeps real time
            if live.unfinished:
                world.engine.driver._kick(live)  # noqa: SLF001  (as the sweep does)
        await world.settle()


async def test_a_leg_that_cannot_be_muted_keeps_nobody_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twilio: NotInConference as long as one participant-join was lost."""
    ada = await world.user(await world.customer())
    people = guests(world, 3)
    await world.say(ada, f"conf {people[0]}, {people[1]} for 30 min")
    await world.advance(20)
    assert talking(world) == [0, 1, 2]
    [live] = world.engine.driver.live.values()
    bad = live.call.parties[1].last_leg.id

    async def mute(leg_id: str, *, muted: bool) -> None:
        if leg_id == bad:
            raise ConnectionError(f"{leg_id} is on its way")
        await Simulator.mute(world.sim, leg_id, muted=muted)

    monkeypatch.setattr(world.sim, "mute", mute)
    limits: list[str] = []
    plain: Any = world.sim.limit

    async def limit(leg_id: str, until: int) -> None:
        limits.append(leg_id)
        await plain(leg_id, until)

    monkeypatch.setattr(world.sim, "limit", limit)
    await world.say(ada, "mute 1")
    await _seconds(world, 3)
    await world.say(ada, f"add {people[2]}")
    await _seconds(world, 20)
    added = live.call.parties[3].last_leg
    assert added.accepted_call_ms is not None, "hears the prompt and keys 1"
    assert added.id in limits, "its end is armed in the switch"
    there = {leg.leg_id: leg.bridge for leg in await world.sim.live_legs()}
    assert there[added.id], "hears the others, and is billed for it"


async def test_a_leg_that_cannot_be_hung_up_keeps_no_other_leg_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first leg's request fails; the others are ended all the same."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(20)
    [live] = world.engine.driver.live.values()
    bad = live.call.first.last_leg.id

    async def hang_up(leg_id: str, cause: int) -> None:
        if leg_id == bad:
            raise ConnectionError("500")
        await Simulator.hang_up(world.sim, leg_id, cause)

    with monkeypatch.context() as patched:
        patched.setattr(world.sim, "hang_up", hang_up)
        await world.say(ada, "hangup")
        await _seconds(world, 5)
        up = {leg.leg_id for leg in await world.sim.live_legs()}
    await _seconds(world, 3)
    assert up == {bad}
