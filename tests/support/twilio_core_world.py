"""The world of the core's tests with Twilio as its switch: the twin and the routes on loopback."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any, cast

from call_core.calls.rules import Rules
from call_core.storage.runner_inline import InlineBackend, InlineDatabase
from tests.support.twilio_bench import TwilioWorld, twilio_world
from tests.support.world import CountedStore, World


class TwilioCoreWorld(World):
    """A world whose calls are Twilio's.

    Attributes:
        twilio: the twin, the routes and the switch.
    """

    twilio: TwilioWorld

    async def settle(self) -> None:
        """Let everything run that can on both sides, without time passing."""
        before = -1
        while before != (before := self._done()):
            await super().settle()
            await self.twilio.settle()
            await super().settle()

    def _done(self) -> int:
        return len(self.twilio.twin.requests) + len(self.twilio.twin.callbacks)


@contextlib.asynccontextmanager
async def opened_twilio_world(**how: Any) -> AsyncIterator[TwilioCoreWorld]:  # noqa: ANN401  (of World)
    """A world on the inline store whose switch is Twilio, stopped and checked at the end."""
    memory = InlineDatabase()

    async def open_store() -> CountedStore:
        return CountedStore(InlineBackend(memory, node="test"))

    world = TwilioCoreWorld(open_store, rules=Rules(cut_guard_ms=0), **how)
    async with twilio_world(world.scripts, world.call) as twilio:
        world.twilio = twilio
        # Every other use of `sim` is by tests of the simulator.
        world.sim = cast("Any", twilio.switch)
        await world.start()
        await world.deck()
        try:
            yield world
            await world.check()
        finally:
            await world.stop()
            memory.close()
