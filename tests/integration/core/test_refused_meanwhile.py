"""What a switch says while it still answers a request: it counts, the answer does not undo it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from call_core.contracts import EventKind, SwitchEvent
from tests.support.world import UK, World

pytestmark = pytest.mark.anyio
PATIENCE_S = 30


@dataclass
class Refusing:
    """A bridge that takes no leg the first time, says so, and only then answers the request."""

    world: World
    asked: int = 0

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Be the simulator's from the second time on."""
        self.asked += 1
        if self.asked > 1:
            await type(self.world.sim).bridge(self.world.sim, bridge_id, leg_ids)
            return
        for leg_id in leg_ids:
            self.world.engine.driver.feed(
                SwitchEvent(
                    f"{leg_id}:not_yet",
                    EventKind.BRIDGE_FAILED,
                    leg_id,
                    bridge_id,
                    self.world.call.now_ms(),
                )
            )
        await asyncio.sleep(0)


async def test_a_bridge_refused_before_its_request_is_answered_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hear each other a second later, instead of silence that is billed."""
    ada = await world.user(await world.customer())
    refusing = Refusing(world)
    monkeypatch.setattr(world.sim, "bridge", refusing.bridge)
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    async with asyncio.timeout(PATIENCE_S):  # the sweep keeps real time
        while not all(leg.bridge for leg in await world.sim.live_legs()):  # noqa: ASYNC110  (as above)
            await asyncio.sleep(0.05)
    assert refusing.asked > 1
