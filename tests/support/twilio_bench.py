"""A Twilio switch with its routes on loopback and the twin behind it, time moved by hand."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from fastapi import APIRouter
from pydantic import SecretStr

from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.twilio_launch import Pace
from call_core.switches.twilio_rest import Account
from call_core.switches.twilio_tones import NAMES, tone
from call_core.switches.twilio_voice import TwilioFigures, TwilioVoice
from channels.kit.twilio_door import TwilioDoor, keys_of
from gateway.twilio_voice_route import PATH, twilio_voice_router
from tests.support.clocks import FakeClock, settle
from tests.support.twilio_voice_calls import ACCOUNT, SERVICE, TOKEN, quiet
from tests.support.twilio_voice_server import TwilioTwin


def account_at(url: str) -> Account:
    """Return who we are at a twin."""
    return Account(ACCOUNT, ACCOUNT, TOKEN, url, timeout_s=10)


def figures(base: str, calls_per_second: float = 100, queue_s: int = 30) -> TwilioFigures:
    """Return how the switch is used in tests."""
    return TwilioFigures(base, "callgate", 100, Pace(calls_per_second, queue_s, SERVICE))


class _Handed:
    """Hands callbacks to whichever switch runs; while none does, they are refused."""

    def __init__(self) -> None:
        self.switch: TwilioVoice | None = None

    def receive(self, what: str, query: object, fields: object) -> str | None:
        """Hand one on."""
        assert self.switch is not None
        return self.switch.receive(what, query, fields)  # type: ignore[arg-type]


@dataclass
class TwilioWorld:
    """A twin, a switch, a clock.

    Attributes:
        base: where the twin reaches the switch.
    """

    clock: FakeClock
    twin: TwilioTwin
    base: str
    handed: _Handed
    calls_per_second: float = 100
    queue_s: int = 30

    def start(self, base: str = "") -> TwilioVoice:
        """Start our side."""
        self.twin.faults.unreached = False
        self.handed.switch = TwilioVoice(
            name="twilio",
            clock=self.clock,
            account=account_at(self.twin.url),
            figures=figures(base or self.base, self.calls_per_second, self.queue_s),
        )
        return self.handed.switch

    @property
    def switch(self) -> TwilioVoice:
        """The switch that runs."""
        assert self.handed.switch is not None
        return self.handed.switch

    async def kill(self) -> None:
        """Let our side die."""
        switch, self.handed.switch = self.switch, None
        self.twin.faults.unreached = True
        await switch.aclose()

    async def settle(self) -> None:
        """Wait until only time brings more."""
        await quiet(self.twin, self._pending, settle)

    async def pass_ms(self, by_ms: int) -> None:
        """Let time pass, and whatever happens in it."""
        until = self.clock.now_ms() + by_ms
        await self.settle()
        while (due := self.clock.next_sleeper_ms()) is not None and due <= until:
            await self.clock.advance(max(0, due - self.clock.now_ms()))
            await self.settle()
        await self.clock.advance(until - self.clock.now_ms())

    def _pending(self) -> int:
        switch = self.handed.switch
        return 0 if switch is None else switch.rest.pending


@contextlib.asynccontextmanager
async def twilio_world(
    phones: dict[str, PhoneScript], clock: FakeClock, calls_per_second: float = 100
) -> AsyncIterator[TwilioWorld]:
    """Run both sides until the test is over."""
    twin = TwilioTwin(clock, phones, PhoneScript(), calls_per_second)
    handed = _Handed()
    async with twin.running(lambda url: _routes(f"{url}{PATH}", handed)):
        world = TwilioWorld(clock, twin, f"{twin.url}{PATH}", handed, calls_per_second)
        world.start()
        try:
            yield world
        finally:
            if handed.switch is not None:
                await handed.switch.aclose()


def _routes(base: str, handed: _Handed) -> APIRouter:
    """Return the gateway's routes."""
    door = TwilioDoor(base, PATH, keys_of((SecretStr(TOKEN),), {}))
    return twilio_voice_router(handed, door, {name: tone(name) for name in NAMES})
