"""The world of the core's tests with a real Asterisk as its switch, in real time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

from call_core.calls.rules import Rules
from call_core.storage.runner_inline import InlineBackend, InlineDatabase
from call_core.switches.asterisk_ari import AsteriskSwitch
from call_core.switches.asterisk_client import AriClient
from gateway.clocks import WallClock
from tests.support.asterisk import PASSWORD, Asterisk, running_asterisk
from tests.support.clocks import FakeClock
from tests.support.world import CountedStore, World

APP = "world"
WAIT_S = 60.0


class RealClock(FakeClock):
    """The machine's clock where tests expect one that is moved by hand: nobody moves it."""

    def __init__(self) -> None:
        super().__init__()
        self._machine = WallClock()

    def now_ms(self) -> int:
        """Return the machine's time."""
        return self._machine.now_ms()

    async def sleep_until(self, at_ms: int) -> None:
        """Wait."""
        await self._machine.sleep_until(at_ms)

    def jump(self, by_ms: int) -> None:
        """Leave it as it is."""


class AsteriskCoreWorld(World):
    """A world whose calls are Asterisk's.

    Attributes:
        asterisk: where they ring.
    """

    asterisk: Asterisk

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        """Wait for something."""
        async with asyncio.timeout(WAIT_S):
            while not await true():  # noqa: ASYNC110  (it looks at another program)
                await asyncio.sleep(0.05)

    async def bridged(self) -> bool:
        """Whether every leg of the only call hears the others."""
        legs = [leg for leg in (await self.only_call()).legs() if leg.ended_call_ms is None]
        return len(legs) > 1 and all(leg.bridged_call_ms is not None for leg in legs)

    async def over(self) -> bool:
        """Whether the only call has ended."""
        return (await self.only_call()).ended


@contextlib.asynccontextmanager
async def opened_asterisk_world() -> AsyncIterator[AsteriskCoreWorld]:
    """A world on the inline store whose switch is Asterisk, stopped and checked at the end."""
    memory = InlineDatabase()

    async def open_store() -> CountedStore:
        return CountedStore(InlineBackend(memory, node="test"))

    async with running_asterisk() as asterisk:
        client = AriClient(asterisk.url, "callgate", PASSWORD)
        world = AsteriskCoreWorld(open_store, rules=Rules(cut_guard_ms=0))
        world.asterisk = asterisk
        world.call = world.wall = RealClock()
        world.scripts = asterisk.phones.scripts
        switch = _switch(client, world.wall)
        world.sim = cast("Any", switch)
        try:
            await world.start()
            await world.until(_up(switch))
            await world.deck()
            yield world
            await world.check()
        finally:
            await world.stop()
            await client.aclose()
            memory.close()


def _switch(client: AriClient, wall: FakeClock) -> AsteriskSwitch:
    return AsteriskSwitch(
        name="asterisk",
        client=client,
        wall=wall,
        app=APP,
        trunks={"main"},
        ports=100,
        plus=True,
        media={},
    )


def _up(switch: AsteriskSwitch) -> Callable[[], Awaitable[bool]]:
    async def up() -> bool:
        return (await switch.health()).up

    return up
