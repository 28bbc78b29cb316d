"""A real Asterisk keeps the contract of a switch.

The cases run in real time, so they run side by side on one Asterisk: each has an application, ids
and telephone numbers of its own. Not run here is only what Asterisk cannot do: tell an event twice.
"""

import asyncio
import inspect
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from call_core.contracts import LiveLeg, Order, Prompt, SwitchEvent, SwitchHealth
from call_core.switches.asterisk_ari import AsteriskSwitch
from call_core.switches.asterisk_client import AriClient
from call_core.switches.simulator_phone import PhoneScript
from gateway.clocks import WallClock
from tests.contracts.test_switch import SwitchBench, SwitchContract
from tests.support.asterisk import PASSWORD, Asterisk, running_asterisk

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(300)]
NOT_HERE = {"test_a_repeated_event_has_the_same_id": "the socket is TCP, and tells once"}
AT_ONCE = 8
CROWD = "(64,"
WAIT_S = 60.0
LOOK_S = 0.02
SELDOM_S = 0.2
"""Eighty telephones that all speak are more than one process of Python can be."""


class Named:
    """A switch whose legs have other names and numbers than its user gives them.

    Args:
        inner: the switch.
        app: what stands before ids.
        number: what E.164 numbers become.
    """

    def __init__(self, inner: AsteriskSwitch, app: str, number: Callable[[str], str]) -> None:
        self.name = inner.name
        self.cut_guard_ms = inner.cut_guard_ms
        self.trunk = "main"
        self._inner = inner
        self._app = app
        self._number = number

    async def originate(self, order: Order) -> None:
        """Ring another number."""
        renamed = replace(
            order,
            leg_id=self._in(order.leg_id),
            call_id=self._in(order.call_id),
            number=self._number(order.number),
            trunk=self.trunk,
        )
        await self._inner.originate(renamed)

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """As the switch does."""
        await self._inner.bridge(self._in(bridge_id), [self._in(each) for each in leg_ids])

    async def mute(self, leg_id: str, *, muted: bool) -> None:
        """As the switch does."""
        await self._inner.mute(self._in(leg_id), muted=muted)

    async def play(self, leg_id: str, prompt: Prompt, words: Mapping[str, str]) -> None:
        """As the switch does."""
        await self._inner.play(self._in(leg_id), prompt, words)

    async def stop(self, leg_id: str) -> None:
        """As the switch does."""
        await self._inner.stop(self._in(leg_id))

    async def limit(self, leg_id: str, until_call_ms: int) -> None:
        """As the switch does."""
        await self._inner.limit(self._in(leg_id), until_call_ms)

    async def hang_up(self, leg_id: str, cause: int) -> None:
        """As the switch does."""
        await self._inner.hang_up(self._in(leg_id), cause)

    async def live_legs(self) -> Sequence[LiveLeg]:
        """As the switch does."""
        return [
            replace(
                leg,
                leg_id=self._out(leg.leg_id),
                call_id=self._out(leg.call_id),
                bridge=self._out(leg.bridge),
            )
            for leg in await self._inner.live_legs()
        ]

    async def ended_leg(self, leg_id: str) -> SwitchEvent | None:
        """As the switch does."""
        ended = await self._inner.ended_leg(self._in(leg_id))
        return None if ended is None else self._told(ended)

    async def health(self) -> SwitchHealth:
        """As the switch does."""
        return await self._inner.health()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """As the switch does."""
        async for event in self._inner.events():
            yield self._told(event)

    def _told(self, event: SwitchEvent) -> SwitchEvent:
        return replace(event, leg_id=self._out(event.leg_id), call_id=self._out(event.call_id))

    def _in(self, name: str) -> str:
        return f"{self._app}.{name}"

    def _out(self, name: str) -> str:
        return name.removeprefix(f"{self._app}.")


class AsteriskBench(SwitchBench):
    """The switch on a real Asterisk; time passes by itself."""

    switch: Named
    slack_ms = 3_000
    minutes_ms = 10_000

    def __init__(self, asterisk: Asterisk, serial: int) -> None:
        super().__init__()
        self._asterisk = asterisk
        self._serial = serial
        self._wall = WallClock()

    async def start(self) -> None:
        """Be a fresh process, and wait until the switch is there."""
        self._client = AriClient(self._asterisk.url, "callgate", PASSWORD)
        app = f"case{self._serial}"
        switch = AsteriskSwitch(
            name="asterisk",
            client=self._client,
            wall=self._wall,
            app=app,
            trunks={"main", "gone"},
            ports=100,
            plus=True,
            media={},
        )
        self.switch = Named(switch, app, self._number)
        before = len(self.told)
        self.listen()
        await self.until(lambda: len(self.told) > before, 0)

    async def close(self) -> None:
        """Leave without a word."""
        await self.deafen()
        await self._client.aclose()

    def _number(self, number: str) -> str:
        """Return a number that only this case rings."""
        return f"+1{300 + self._serial}{number[-7:]}"

    def now_ms(self) -> int:
        """Return the machine's time, which is Asterisk's."""
        return self._wall.now_ms()

    def script(self, number: str, script: PhoneScript) -> None:
        """Write the telephones' book."""
        self._asterisk.phones.scripts[self._number(number)] = script

    async def pass_ms(self, by_ms: int) -> None:
        """Wait."""
        await asyncio.sleep(by_ms / 1000)

    async def until(self, true: Callable[[], bool], within_ms: int) -> None:
        """Look again and again; a machine under load may take longer than was meant."""
        async with asyncio.timeout(WAIT_S + within_ms / 1000):
            while not true():  # noqa: ASYNC110  (it looks at another program)
                await asyncio.sleep(LOOK_S)

    async def restart(self, dead_for_ms: int) -> None:
        """Let our side die, and start it again."""
        await self.close()
        await self.pass_ms(dead_for_ms)
        await self.start()

    async def repeat_and_delay(self) -> None:
        """Asterisk tells once."""
        raise AssertionError(NOT_HERE)

    async def refuse_orders(self) -> None:
        """Order by a trunk that this Asterisk does not have."""
        self.switch.trunk = "gone"


Case = Callable[[SwitchBench], Coroutine[Any, Any, None]]


def cases() -> Iterator[tuple[str, Case]]:
    """Yield every case of the contract, with its parameters put in."""
    contract = SwitchContract()
    for name, method in inspect.getmembers(contract, inspect.iscoroutinefunction):
        if name in NOT_HERE:
            continue
        marks = getattr(method, "pytestmark", [])
        rows = [mark.args for mark in marks if mark.name == "parametrize"] or [("", [()])]
        for names, values in rows:
            for value in values:
                many = value if isinstance(value, tuple) else (value,)
                keys = [names] if isinstance(names, str) and names else list(names)
                given = dict(zip(keys, many, strict=True))
                yield f"{name}{many}", _bound(method, given)


def _bound(method: Callable[..., Coroutine[Any, Any, None]], given: Mapping[str, Any]) -> Case:
    return lambda bench: method(bench, **given)


async def _hold(case: Case, asterisk: Asterisk, serial: int, places: asyncio.Semaphore) -> None:
    async with places:
        bench = AsteriskBench(asterisk, serial)
        await bench.start()
        bench.told.clear()  # that the switch is there
        try:
            await case(bench)
        finally:
            await bench.close()


async def test_asterisk_keeps_the_contract(subtests: pytest.Subtests) -> None:
    """Every case of the contract, but what is in NOT_HERE; a crowd has Asterisk for itself."""
    serials, places = itertools.count(), asyncio.Semaphore(AT_ONCE)
    made = sorted(cases(), key=lambda case: CROWD in case[0])
    found: list[BaseException | None] = []
    async with running_asterisk() as asterisk:
        asterisk.phones.packet_s = SELDOM_S
        for _, some in itertools.groupby(made, key=lambda case: CROWD in case[0]):
            holding = [_hold(case, asterisk, next(serials), places) for _, case in some]
            found += await asyncio.gather(*holding, return_exceptions=True)
    assert len(found) > len(NOT_HERE)
    for (name, _), result in zip(made, found, strict=True):
        with subtests.test(name):
            if result is not None:
                raise result


def test_what_is_left_out_exists() -> None:
    """A case that is renamed is not left out by mistake."""
    assert all(hasattr(SwitchContract, name) for name in NOT_HERE)
