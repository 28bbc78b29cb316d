"""The simulator's inside: legs, bridges, what is due next, and what is remembered of the past.

It reads no clock and tells nobody: its owner says what time it is and passes on what happened.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from pathlib import Path

from call_core.contracts import EventKind, Order, SwitchEvent
from call_core.switches.simulator_commands import Command, Join, Talk
from call_core.switches.simulator_leg import PhoneState, PhoneStatus, SimulatedLeg
from call_core.switches.simulator_orders import REWRITE_AFTER_LINES, OrdersFile, read
from call_core.switches.simulator_phone import PhoneScript

KEEP_ENDED_MS = 600_000  # how long it is known how a leg ended
KEEP_ENDED_LEGS = 20_000  # and of how many legs at most


@dataclass(frozen=True, slots=True)
class _Gone:
    """A leg that has ended: the last word about it, and its number while that is known."""

    event: SwitchEvent
    number: str


class Exchange:
    """All legs of one simulator.

    Args:
        orders_path: where they are kept; None keeps them in memory only.
        now_call_ms: what was due in the file by now has happened and is not told any more.

    Attributes:
        legs: every leg that exists, by id; read only.
        resumed: whether the file held anything.

    Raises:
        OrdersDamaged: the file cannot be read.
    """

    def __init__(self, orders_path: Path | None, now_call_ms: int) -> None:
        self.legs: dict[str, SimulatedLeg] = {}
        self.resumed = False
        self._gone: dict[str, _Gone] = {}  # oldest first
        self._bridges: dict[str, dict[str, SimulatedLeg]] = {}
        # When to look at which leg again; a leg may stand in it more than once, too early.
        self._appointments: list[tuple[int, int, str]] = []
        self._appointment_count = 0
        self._file = None if orders_path is None else self._resume(orders_path, now_call_ms)

    def knows(self, leg_id: str) -> bool:
        """Whether the leg exists or its end is still remembered."""
        return leg_id in self.legs or leg_id in self._gone

    def ended(self, leg_id: str) -> SwitchEvent | None:
        """Return the last word about a leg that is gone."""
        gone = self._gone.get(leg_id)
        return None if gone is None else gone.event

    def next_due_call_ms(self) -> int | None:
        """Return when `advance` is worth calling, None when nothing is due at all."""
        return self._appointments[0][0] if self._appointments else None

    def advance(self, now_call_ms: int) -> list[SwitchEvent]:
        """Let everything happen that is due by now; return it in the order of the instants."""
        happened: list[SwitchEvent] = []
        while self._appointments and self._appointments[0][0] <= now_call_ms:
            at_call_ms, _, leg_id = heappop(self._appointments)
            leg = self.legs.get(leg_id)
            if leg is None:
                continue
            if leg.wake_call_ms == at_call_ms:
                leg.wake_call_ms = None
            events = leg.take(at_call_ms)
            if events and events[-1].kind is EventKind.ENDED:
                self._bury(leg, events[-1])
            happened += events
            self._appoint(leg)
        return happened

    def ring(self, order: Order, script: PhoneScript) -> None:
        """Take a new leg; `order.at_call_ms` is now."""
        if self._file is not None:
            self._file.order(order, script)
        leg = SimulatedLeg(order, script, [])
        self.legs[order.leg_id] = leg
        self._appoint(leg)
        self._rewrite_when_long(order.at_call_ms)

    def refuse(self, event: SwitchEvent) -> None:
        """Remember that an order did not become a leg, so that a repeat gets no other answer."""
        if self._file is not None:
            self._file.ended(event)
        self._gone[event.leg_id] = _Gone(event, "")
        self._forget(event.at_call_ms)

    def give(self, given: Sequence[tuple[SimulatedLeg, Command]]) -> None:
        """Keep commands, then let them work. `advance` tells what comes of them."""
        if not given:
            return
        if self._file is not None:
            self._file.commands([(leg.order.leg_id, command) for leg, command in given])
        for leg, command in given:
            leg.give(command)
            self._appoint(leg)
        self._rewrite_when_long(given[0][1].at_call_ms)

    def join(self, bridge_id: str, joining: Sequence[SimulatedLeg], now_call_ms: int) -> None:
        """Put answered legs into a bridge; whoever is there with another talks from now."""
        new = {leg.order.leg_id: leg for leg in joining if leg.bridge != bridge_id}
        members = {**self._bridges.get(bridge_id, {}), **new}
        given: list[tuple[SimulatedLeg, Command]] = [
            (leg, Join(now_call_ms, bridge_id)) for leg in new.values()
        ]
        if len(members) > 1:
            given += [
                (leg, Talk(now_call_ms))
                for leg_id, leg in members.items()
                if leg_id in new or leg.talking_call_ms is None
            ]
        for leg in new.values():
            self._leave(leg)
        if new:
            self._bridges[bridge_id] = members
        self.give(given)

    def statuses(self, now_call_ms: int, show_ended_ms: int) -> list[PhoneStatus]:
        """Return how all phones look, those that were put down a moment ago last."""
        shown: list[PhoneStatus] = []
        for leg in self.legs.values():
            alone = len(self._bridges.get(leg.bridge, {})) <= 1
            status = leg.status(now_call_ms, alone=alone)
            if status is not None:
                shown.append(status)
        for gone in reversed(self._gone.values()):
            if gone.event.at_call_ms + show_ended_ms <= now_call_ms:
                break
            if gone.number:
                shown.append(_put_down(gone))
        return shown

    def close(self) -> None:
        """Let the file go; legs stay in it. Harmless twice."""
        if self._file is not None:
            self._file.close()

    def _appoint(self, leg: SimulatedLeg) -> None:
        """See to it that the leg is looked at when its next event is due."""
        due = leg.due_call_ms()
        if due is not None and (leg.wake_call_ms is None or due < leg.wake_call_ms):
            leg.wake_call_ms = due
            self._appointment_count += 1
            heappush(self._appointments, (due, self._appointment_count, leg.order.leg_id))

    def _bury(self, leg: SimulatedLeg, event: SwitchEvent) -> None:
        del self.legs[event.leg_id]
        self._leave(leg)
        self._gone[event.leg_id] = _Gone(event, leg.order.number)
        self._forget(event.at_call_ms)

    def _leave(self, leg: SimulatedLeg) -> None:
        """Take a leg out of its bridge."""
        members = self._bridges.get(leg.bridge)
        if members is not None:
            members.pop(leg.order.leg_id, None)
            if not members:
                del self._bridges[leg.bridge]

    def _forget(self, now_call_ms: int) -> None:
        """Drop what nobody will ask for any more."""
        while self._gone:
            leg_id, oldest = next(iter(self._gone.items()))
            known_until = oldest.event.at_call_ms + KEEP_ENDED_MS
            if known_until > now_call_ms and len(self._gone) <= KEEP_ENDED_LEGS:
                return
            del self._gone[leg_id]

    def _resume(self, path: Path, now_call_ms: int) -> OrdersFile:
        """Go on with the legs of the file."""
        kept = read(path)
        self.resumed = bool(kept.legs or kept.ended)
        gone = [_Gone(event, "") for event in kept.ended]
        for leg_id, (order, script, commands) in list(kept.legs.items()):
            leg = SimulatedLeg(order, script, commands)
            happened = leg.take(now_call_ms)
            if happened and happened[-1].kind is EventKind.ENDED:
                gone.append(_Gone(happened[-1], order.number))
                del kept.legs[leg_id]
                continue
            self.legs[leg_id] = leg
            if leg.bridge:
                self._bridges.setdefault(leg.bridge, {})[leg_id] = leg
            self._appoint(leg)
        gone.sort(key=lambda each: each.event.at_call_ms)
        self._gone = {each.event.leg_id: each for each in gone}
        self._forget(now_call_ms)
        kept.ended = [each.event for each in self._gone.values()]
        return OrdersFile.opened(path, kept)

    def _rewrite_when_long(self, now_call_ms: int) -> None:
        """Write the file anew when most of it is history."""
        if self._file is None or self._file.lines < REWRITE_AFTER_LINES:
            return
        self._forget(now_call_ms)
        kept = len(self._gone) + sum(1 + len(leg.commands) for leg in self.legs.values())
        if self._file.lines >= 4 * kept:
            legs = [(leg.order, leg.script, leg.commands) for leg in self.legs.values()]
            with suppress(OSError):  # the disk is full: the old file is whole, the next try soon
                self._file.rewrite(legs, [gone.event for gone in self._gone.values()])


def _put_down(gone: _Gone) -> PhoneStatus:
    """Return how a phone looks that was put down a moment ago."""
    event = gone.event
    return PhoneStatus(gone.number, event.leg_id, event.call_id, PhoneState.ENDED, event.at_call_ms)
