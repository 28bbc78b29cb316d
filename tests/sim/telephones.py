"""The switch of the simulated world: what really happened, and each process's own wire to it."""

import asyncio
import random
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from call_core.contracts import (
    EventKind,
    LiveLeg,
    Order,
    Prompt,
    SwitchEvent,
    SwitchHealth,
)
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_phone import PhoneResult, PhoneScript

_RESULTS = (
    *[PhoneResult.ANSWER] * 14,
    PhoneResult.BUSY,
    PhoneResult.NO_ANSWER,
    PhoneResult.REJECT,
    PhoneResult.VOICEMAIL,
    PhoneResult.UNREACHABLE,
    PhoneResult.MANUAL,
)
_KEYS = ("1", "1", "1", "1", "1", "1", "", "5", "51", "#")


class RandomPhones(dict[str, PhoneScript]):
    """A phone book in which every ring finds somebody in another mood.

    Args:
        rng: the mood.
    """

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._rng = rng

    def get(self, number: str, default: Any = None) -> Any:  # noqa: ANN401, ARG002  (of dict)
        """Return how the phone behaves this time."""
        rng = self._rng
        return PhoneScript(
            ring_ms=rng.choice((0, 1, 1_000, 3_000, 8_000, rng.randint(0, 60_000))),
            result=rng.choice(_RESULTS),
            press=rng.choice(_KEYS),
            press_after_ms=rng.choice((0, 1_000, 1_000, rng.randint(0, 25_000))),
            talk_ms=rng.choice((0, 1, rng.randint(1, 20_000), rng.randint(1, 300_000))),
        )


class TruthfulSimulator(Simulator):
    """The simulator, which remembers every answer and end as it was, whatever we are told of it.

    Attributes:
        arrived, answered, ended: by leg id; the end is the switch's own last word.
    """

    def __init__(self, **how: Any) -> None:  # noqa: ANN401  (of Simulator)
        self.arrived: dict[str, int] = {}
        self.answered: dict[str, int] = {}
        self.ended: dict[str, SwitchEvent] = {}
        super().__init__(**how)

    async def originate(self, order: Order) -> None:
        """Ring a number, and remember since when it was known."""
        now = self._clock.now_ms()
        await super().originate(order)
        if self._exchange.knows(order.leg_id):
            self.arrived.setdefault(order.leg_id, now)

    def bridge_refused(self, call_id: str, leg_id: str) -> SwitchEvent:
        """Return the answer that a leg cannot be bridged now."""
        now = self._clock.now_ms()
        event_id = f"{leg_id}:refused:{now}"
        return SwitchEvent(event_id, EventKind.BRIDGE_FAILED, leg_id, call_id, now)

    def apart(self, leg_ids: Sequence[str]) -> list[str]:
        """Return which of these legs are up and hear none of the others."""
        up = [leg for leg_id in leg_ids if (leg := self._exchange.legs.get(leg_id)) is not None]
        if len(up) < 2:
            return []
        bridges = Counter(leg.bridge for leg in up)
        return [leg.order.leg_id for leg in up if not leg.bridge or bridges[leg.bridge] < 2]

    def _deliver(self, event: SwitchEvent) -> None:
        if event.kind is EventKind.ANSWERED:
            self.answered[event.leg_id] = event.at_call_ms
        elif event.kind is EventKind.ENDED:
            self.ended[event.leg_id] = event
        super()._deliver(event)


class Wire:
    """One process's way to the switch; it breaks with its process.

    Args:
        switch: the real one.
        pause: awaited before and after every command: the wire has a length.
        note: told what is asked, for the trace; may look at the store.
        answers_get_lost: whether the answer to this command is lost.
        not_yet: whether a leg cannot be bridged yet, though it is answered.

    Attributes:
        cut: its process is dead.
        on_the_way: orders that have not reached the switch; they may, also when the process is
            dead.
        ordering: set when there is one.
    """

    name = "simulator"
    cut_guard_ms = 0

    def __init__(
        self,
        switch: TruthfulSimulator,
        pause: Callable[[], Awaitable[None]],
        note: Callable[[str, str], None],
        answers_get_lost: Callable[[], bool],
        not_yet: Callable[[str], bool],
    ) -> None:
        self._switch = switch
        self._pause = pause
        self._note = note
        self._answers_get_lost = answers_get_lost
        self._not_yet = not_yet
        self._told: deque[SwitchEvent] = deque()
        self._bell = asyncio.Event()
        self.cut = False
        self.on_the_way: dict[str, Order] = {}
        self.ordering = asyncio.Event()

    def tell(self, event: SwitchEvent) -> None:
        """Bring one event of the switch."""
        self._told.append(event)
        self._bell.set()

    async def _asked(self, what: str, subject: str) -> None:
        await self._pause()
        if self.cut:
            raise ConnectionError("the process is dead")
        self._note(what, subject)

    async def _answered(self) -> None:
        await self._pause()
        if self._answers_get_lost():
            raise ConnectionError("the answer of the switch was lost")

    async def originate(self, order: Order) -> None:
        """Ring a number."""
        self.on_the_way[order.leg_id] = order
        self.ordering.set()
        await self._asked("originate", order.leg_id)
        del self.on_the_way[order.leg_id]
        await self._switch.originate(order)
        await self._answered()

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Join legs; who cannot be joined yet is refused while the rest is under way."""
        await self._asked("bridge", ",".join(leg_ids))
        early = [leg_id for leg_id in leg_ids if self._not_yet(leg_id)]
        for leg_id in early:
            self._note("bridge refused", leg_id)
            self.tell(self._switch.bridge_refused(bridge_id, leg_id))
            await self._pause()
        await self._switch.bridge(bridge_id, [each for each in leg_ids if each not in early])
        await self._answered()

    async def mute(self, leg_id: str, *, muted: bool) -> None:
        """Mute or unmute."""
        await self._asked("mute", leg_id)
        await self._switch.mute(leg_id, muted=muted)

    async def play(self, leg_id: str, prompt: Prompt, words: Mapping[str, str]) -> None:
        """Say something."""
        await self._asked(f"play {prompt}", leg_id)
        await self._switch.play(leg_id, prompt, words)

    async def stop(self, leg_id: str) -> None:
        """Stop saying it."""
        await self._asked("stop", leg_id)
        await self._switch.stop(leg_id)

    async def limit(self, leg_id: str, until_call_ms: int) -> None:
        """Arm the switch's own limit."""
        await self._asked(f"limit {until_call_ms}", leg_id)
        await self._switch.limit(leg_id, until_call_ms)
        await self._answered()

    async def hang_up(self, leg_id: str, cause: int) -> None:
        """End a leg."""
        await self._asked(f"hang_up {cause}", leg_id)
        await self._switch.hang_up(leg_id, cause)
        await self._answered()

    async def live_legs(self) -> Sequence[LiveLeg]:
        """Return every leg that exists."""
        await self._asked("live_legs", "")
        return await self._switch.live_legs()

    async def ended_leg(self, leg_id: str) -> SwitchEvent | None:
        """Return how a leg ended."""
        await self._asked("ended_leg", leg_id)
        return await self._switch.ended_leg(leg_id)

    async def health(self) -> SwitchHealth:
        """Return the switch's state."""
        return await self._switch.health()

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield what the switch tells, while the process lives."""
        while not self.cut:
            self._bell.clear()
            while self._told:
                yield self._told.popleft()
            await self._bell.wait()
