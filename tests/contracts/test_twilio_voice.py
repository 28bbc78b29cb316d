"""Twilio Voice keeps the contract of a switch, against our twin of Twilio."""

from collections.abc import AsyncIterator

import pytest

from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.twilio_voice import TwilioVoice
from tests.contracts.test_switch import SwitchBench, SwitchContract
from tests.support.clocks import FakeClock
from tests.support.twilio_bench import TwilioWorld, twilio_world


class TwilioBench(SwitchBench):
    """The switch and the twin, with one clock moved by hand."""

    switch: TwilioVoice

    def __init__(self, world: TwilioWorld, phones: dict[str, PhoneScript]) -> None:
        super().__init__()
        self._world = world
        self._phones = phones
        self.switch = world.switch

    def now_ms(self) -> int:
        """Return the time of both."""
        return self._world.clock.now_ms()

    def script(self, number: str, script: PhoneScript) -> None:
        """Write the twin's phone book."""
        self._phones[number] = script

    async def pass_ms(self, by_ms: int) -> None:
        """Move the clock, and let every request be answered."""
        await self._world.pass_ms(by_ms)

    async def restart(self, dead_for_ms: int) -> None:
        """Let our side die with all that it knew, and start it again."""
        await self.deafen()
        await self._world.kill()
        await self._world.pass_ms(dead_for_ms)
        self.switch = self._world.start()
        self.listen()

    async def repeat_and_delay(self) -> None:
        """Twilio repeats its callbacks, and some come late."""
        self._world.twin.faults.repeat = True

    async def refuse_orders(self) -> None:
        """The country is not enabled for this account."""
        self._world.twin.faults.refuse = (400, 21215)


class TestTwilioVoice(SwitchContract):
    """Twilio keeps the contract."""

    @pytest.fixture
    async def bench(self) -> AsyncIterator[SwitchBench]:
        """A switch of its own, at a twin of its own."""
        phones: dict[str, PhoneScript] = {}
        async with twilio_world(phones, FakeClock()) as world:
            bench = TwilioBench(world, phones)
            bench.listen()
            await world.settle()
            try:
                yield bench
            finally:
                await bench.deafen()
