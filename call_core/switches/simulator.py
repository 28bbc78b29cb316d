"""The simulator: a switch whose telephones follow scripts.

It is the default switch, the demo's world and the tests' carrier. Every leg is computed
(`simulator_script`) from what is kept in a small file (`simulator_orders`), so legs go on while
the process is dead. Like a real switch it queues nothing for an owner who is away: after a restart
it says SWITCH_BACK, and `live_legs` and `ended_leg` answer what happened meanwhile.
"""

import asyncio
import random
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from pathlib import Path

from call_core.contracts import (
    Clock,
    EventKind,
    LiveLeg,
    Order,
    Prompt,
    SwitchEvent,
    SwitchHealth,
)
from call_core.switches.simulator_commands import (
    Command,
    HangUp,
    Key,
    Limit,
    Mute,
    PickUp,
    Play,
    PutDown,
    Stop,
)
from call_core.switches.simulator_exchange import Exchange
from call_core.switches.simulator_faults import Faults, hits
from call_core.switches.simulator_leg import PhoneStatus, SimulatedLeg
from call_core.switches.simulator_phone import KEYS, PhoneScript
from call_core.switches.simulator_script import NO_CIRCUIT, TEMPORARY_FAILURE

SHOW_ENDED_MS = 10_000  # how long `phones` shows a phone that was put down
NEVER_MS = 1 << 62
NO_FAULTS = Faults()


class Simulator:
    """A `Switch` without a telephone line.

    Args:
        name: as in CDRs.
        clock: the call clock; may run faster than the world.
        phones: scripts by E.164 number, looked up at each originate (so a page may change them).
        default: the script of every other number.
        orders_path: where running legs are kept; None keeps them in memory only.
        ports: how many legs at once.
        rng: source of the faults; the same seed makes the same faults.
        faults: what goes wrong on purpose.
        show_ended_ms: how long `phones` shows ended legs, on the call clock.

    Attributes:
        faults: as given; may be replaced while it runs.
        trunk_causes: trunks that are out of order, with the cause of every leg there; may be
            changed while it runs.

    Raises:
        OrdersDamaged: the file cannot be read.
    """

    cut_guard_ms = 0

    def __init__(
        self,
        *,
        name: str,
        clock: Clock,
        phones: Mapping[str, PhoneScript],
        default: PhoneScript,
        orders_path: Path | None,
        ports: int,
        rng: random.Random,
        faults: Faults = NO_FAULTS,
        show_ended_ms: int = SHOW_ENDED_MS,
    ) -> None:
        self.name = name
        self.faults = faults
        self.trunk_causes: dict[str, int] = {}
        self._clock = clock
        self._phones = phones
        self._default = default
        self._ports = ports
        self._rng = rng
        self._show_ended_ms = show_ended_ms
        self._told: deque[SwitchEvent] = deque()
        self._on_the_way: list[tuple[int, int, SwitchEvent]] = []  # due, order, event
        self._sent = 0
        self._breaks = 0
        self._connected = True
        self._closed = False
        self._consumed = False
        self._sleeper: asyncio.Task[None] | None = None
        self._sleeping_until = NEVER_MS
        now = clock.now_ms()
        self._exchange = Exchange(orders_path, now)
        if self._exchange.resumed:
            self._tell_of_itself(EventKind.SWITCH_BACK, now)

    # --- what every switch can do ---------------------------------------------------------------

    async def originate(self, order: Order) -> None:
        """Ring a number. A repeat of a leg id that the simulator knows does nothing.

        Raises:
            ConnectionError: disconnected on purpose, or closed; so for every command.
            OSError: the file cannot be written; nothing rings.
        """
        now = self._arrive()
        if self._exchange.knows(order.leg_id):
            return
        if hits(self.faults.lost_originate, self._rng):
            self._deliver(_failed(order, now, TEMPORARY_FAILURE, certain=False))
        elif hits(self.faults.originate_fail, self._rng):
            self._refuse(_failed(order, now, TEMPORARY_FAILURE, certain=True))
        elif order.trunk in self.trunk_causes:
            cause = self.trunk_causes[order.trunk]
            self._refuse(_failed(order, now, cause, certain=True))
        elif len(self._exchange.legs) >= self._ports:
            self._refuse(_failed(order, now, NO_CIRCUIT, certain=True))
        else:
            script = self._phones.get(order.number, self._default)
            self._exchange.ring(replace(order, at_call_ms=now), script)
            if hits(self.faults.lost_originate_answer, self._rng):
                self._deliver(_failed(order, now, TEMPORARY_FAILURE, certain=False))
        self._advance(now)
        self._wake()

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Let these answered legs, and those already there, hear each other.

        A leg that was not answered yet gets BRIDGE_FAILED; one that is gone is no error.
        """
        now = self._arrive()
        wanted = [leg for leg_id in leg_ids if (leg := self._leg(leg_id)) is not None]
        for leg in wanted:
            if leg.answered_call_ms is None:
                self._deliver(_bridge_failed(leg.order, now))
        answered = [leg for leg in wanted if leg.answered_call_ms is not None]
        self._exchange.join(bridge_id, answered, now)
        self._advance(now)
        self._wake()

    async def mute(self, leg_id: str, *, muted: bool) -> None:
        """Stop or let a leg's voice through."""
        now = self._arrive()
        leg = self._leg(leg_id)
        if leg is not None and leg.muted != muted:
            self._give(leg, Mute(now, muted))

    async def play(self, leg_id: str, prompt: Prompt, words: Mapping[str, str]) -> None:
        """Say something to one answered leg, instead of what it hears now."""
        now = self._arrive()
        self._give(self._answered(leg_id), Play(now, prompt, tuple(words.items())))

    async def stop(self, leg_id: str) -> None:
        """Stop what is being said to a leg."""
        now = self._arrive()
        self._give(self._answered(leg_id), Stop(now))

    async def limit(self, leg_id: str, until_call_ms: int) -> None:
        """Arm the leg's own end, replacing the last; an instant that has passed ends it now."""
        now = self._arrive()
        self._give(self._leg(leg_id), Limit(now, until_call_ms))

    async def hang_up(self, leg_id: str, cause: int) -> None:
        """End a leg; one that is not there (any more) is no error."""
        now = self._arrive()
        self._give(self._leg(leg_id), HangUp(now, cause))

    async def live_legs(self) -> Sequence[LiveLeg]:
        """Return every leg that exists now."""
        self._arrive()
        return [leg.live() for leg in self._exchange.legs.values()]

    async def ended_leg(self, leg_id: str) -> SwitchEvent | None:
        """Return how a leg ended, or that it was refused for certain; None when not known.

        Known for ten minutes on the call clock, of the last 20,000 legs.
        """
        self._arrive()
        return self._exchange.ended(leg_id)

    async def health(self) -> SwitchHealth:
        """Return whether it takes calls."""
        self._advance(self._clock.now_ms())
        up = self._connected and not self._closed
        detail = "Simulated telephones." if up else "The simulator is disconnected."
        return SwitchHealth(up, detail, len(self._exchange.legs), self._ports)

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield events when their instant has come, until closed.

        Raises:
            RuntimeError: somebody else is reading already.
        """
        if self._consumed:
            raise RuntimeError("the events of a switch have one consumer")
        self._consumed = True
        try:
            while not self._closed:
                self._advance(self._clock.now_ms())
                while self._told:
                    yield self._told.popleft()
                if not self._closed:
                    await self._sleep()
        finally:
            self._consumed = False

    # --- a person at the phones (the demo's page) -----------------------------------------------

    def phones(self) -> list[PhoneStatus]:
        """Return the phones that ring, are answered, or were put down a moment ago."""
        now = self._clock.now_ms()
        self._advance(now)
        return self._exchange.statuses(now, self._show_ended_ms)

    def pick_up(self, leg_id: str) -> bool:
        """Answer a ringing phone by hand; False when it does not ring."""
        now = self._arrive()
        leg = self._leg(leg_id)
        ringing = leg is not None and leg.ringing_call_ms is not None
        if leg is None or not ringing or leg.answered_call_ms is not None:
            return False
        return self._give(leg, PickUp(now))

    def put_down(self, leg_id: str) -> bool:
        """Hang up or reject by hand; False when there is no such leg."""
        now = self._arrive()
        return self._give(self._leg(leg_id), PutDown(now))

    def keypress(self, leg_id: str, digit: str) -> bool:
        """Press one key by hand; False when the phone is not answered or has no such key."""
        now = self._arrive()
        return digit in KEYS and self._give(self._answered(leg_id), Key(now, digit))

    # --- its own end, and faults on purpose -----------------------------------------------------

    def disconnect(self) -> None:
        """Break our wire to the switch: legs go on, what happens meanwhile is not told."""
        if self._connected:
            now = self._arrive()
            self._connected = False
            self._told.clear()
            self._tell_of_itself(EventKind.SWITCH_LOST, now)

    def reconnect(self) -> None:
        """Mend the wire; what was missed stays missed."""
        if not self._connected:
            now = self._clock.now_ms()
            self._advance(now)
            self._connected = True
            self._tell_of_itself(EventKind.SWITCH_BACK, now)

    def close(self) -> None:
        """End `events` and let the file go; legs stay in it. Harmless twice."""
        self._closed = True
        self._exchange.close()
        if self._sleeper is not None:
            self._sleeper.cancel()

    # --- commands -------------------------------------------------------------------------------

    def _arrive(self) -> int:
        """Return now, after everything that is due by now has happened."""
        if not self._connected or self._closed:
            raise ConnectionError(f"switch {self.name} is disconnected")
        now = self._clock.now_ms()
        self._advance(now)
        return now

    def _leg(self, leg_id: str) -> SimulatedLeg | None:
        return self._exchange.legs.get(leg_id)

    def _answered(self, leg_id: str) -> SimulatedLeg | None:
        """Return a leg that somebody answered; nothing can be said to another."""
        leg = self._leg(leg_id)
        return None if leg is None or leg.answered_call_ms is None else leg

    def _give(self, leg: SimulatedLeg | None, command: Command) -> bool:
        """Do something to a leg, if it is there; return whether it is."""
        if leg is None:
            return False
        self._exchange.give([(leg, command)])
        self._advance(command.at_call_ms)
        self._wake()
        return True

    def _refuse(self, event: SwitchEvent) -> None:
        self._exchange.refuse(event)
        self._deliver(event)

    # --- telling --------------------------------------------------------------------------------

    def _advance(self, now: int) -> None:
        """Let everything happen that is due by now, and tell what has arrived of it."""
        for event in self._exchange.advance(now):
            self._deliver(event)
        while self._on_the_way and self._on_the_way[0][0] <= now:
            self._tell(heappop(self._on_the_way)[2])

    def _deliver(self, event: SwitchEvent) -> None:
        """Send an event on its way, as well as the faults let us."""
        for delay_ms in self.faults.delays_ms(self._rng):
            if delay_ms == 0 and not self._on_the_way:
                self._tell(event)
            else:
                self._sent += 1
                due = event.at_call_ms + delay_ms
                heappush(self._on_the_way, (due, self._sent, event))

    def _tell(self, event: SwitchEvent) -> None:
        if self._connected:
            self._told.append(event)

    def _tell_of_itself(self, kind: EventKind, now: int) -> None:
        self._breaks += 1
        event_id = f"{self.name}:{kind.value}:{now}:{self._breaks}"
        self._told.append(SwitchEvent(event_id, kind, "", "", now))
        self._wake()

    def _next_due(self) -> int:
        """Return when something happens or arrives next."""
        happens = self._exchange.next_due_call_ms()
        arrives = self._on_the_way[0][0] if self._on_the_way else NEVER_MS
        return arrives if happens is None else min(happens, arrives)

    def _wake(self) -> None:
        """Wake the reader when there is something to read or an earlier instant to wait for."""
        if self._sleeper is not None and (self._told or self._next_due() < self._sleeping_until):
            self._sleeper.cancel()

    async def _sleep(self) -> None:
        """Wait for the next instant, or until `_wake`."""
        due = self._next_due()
        sleeper = asyncio.create_task(self._sleep_until(due))
        self._sleeper, self._sleeping_until = sleeper, due
        try:
            await asyncio.wait({sleeper})
            if not sleeper.cancelled():
                sleeper.result()
        finally:
            sleeper.cancel()
            self._sleeper, self._sleeping_until = None, NEVER_MS

    async def _sleep_until(self, due_call_ms: int) -> None:
        await self._clock.sleep_until(due_call_ms)


def _failed(order: Order, now: int, cause: int, *, certain: bool) -> SwitchEvent:
    """Return the answer that an order did not become a leg, or that nobody knows."""
    return SwitchEvent(
        f"{order.leg_id}:originate_failed",
        EventKind.ORIGINATE_FAILED,
        order.leg_id,
        order.call_id,
        now,
        cause=cause,
        certain=certain,
    )


def _bridge_failed(order: Order, now: int) -> SwitchEvent:
    """Return the answer that a leg could not be bridged, having nobody at the phone."""
    return SwitchEvent(
        f"{order.leg_id}:bridge_failed:{now}",
        EventKind.BRIDGE_FAILED,
        order.leg_id,
        order.call_id,
        now,
    )
