"""The ways out of this deployment: switches and trunks, which of them are up, what money is worth.

Settings name them once; what is known of their health changes while the process runs and is this
process's own opinion, since each node sees the switches for itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from call_core.calls.causes import ROUTE_FAILURES, cause_of
from call_core.calls.model import Call, Leg
from call_core.contracts import EventKind, SwitchEvent
from call_core.routing.trunks import PPM

FAILURES_BEFORE_REST = 5
REST_MS = 30_000
"""A trunk on which so many legs in a row failed by the route is left alone for so long; then one
more failure is enough."""


@dataclass(frozen=True, slots=True)
class TrunkLine:
    """A trunk: its switch, how many legs it carries at once, the tariff of what they cost us."""

    name: str
    switch: str
    ports: int
    tariff: str


@dataclass(frozen=True, slots=True)
class SwitchLine:
    """A switch and how many legs it carries at once."""

    name: str
    ports: int


@dataclass(slots=True)
class Health:
    """What this process has seen of switches and trunks.

    Attributes:
        down: names of switches that take no calls now.
        failures: by trunk, how many legs in a row failed by the route.
        rests_until_ms: by trunk, until when (call time) it is not used.
    """

    down: set[str] = field(default_factory=set)
    failures: dict[str, int] = field(default_factory=dict)
    rests_until_ms: dict[str, int] = field(default_factory=dict)

    def told(self, event: SwitchEvent) -> None:
        """Learn from an event that a switch was lost or is back."""
        if event.kind is EventKind.SWITCH_LOST:
            self.down.add(event.switch)
        elif event.kind is EventKind.SWITCH_BACK:
            self.down.discard(event.switch)

    def note(self, before: Call, after: Call, now_call_ms: int) -> None:
        """Learn from what became of a call's legs in one change of it."""
        for leg in after.legs():
            was = before.leg(leg.id)
            if leg.ended and not (was is not None and was.ended):
                self._note(leg, now_call_ms)

    def _note(self, leg: Leg, now_call_ms: int) -> None:
        if leg.answered_call_ms is not None or cause_of(leg.cause) not in ROUTE_FAILURES:
            self.failures.pop(leg.trunk, None)
            self.rests_until_ms.pop(leg.trunk, None)
            return
        failures = self.failures[leg.trunk] = self.failures.get(leg.trunk, 0) + 1
        if failures >= FAILURES_BEFORE_REST:
            self.rests_until_ms[leg.trunk] = now_call_ms + REST_MS

    def trunk_is_up(self, name: str, now_call_ms: int) -> bool:
        """Whether a trunk may be used now."""
        return self.rests_until_ms.get(name, 0) <= now_call_ms


@dataclass(frozen=True, slots=True)
class Lines:
    """Every way out.

    Attributes:
        trunks: of all switches; names are unique.
        switches: by which calls may leave.
        worth_ppm: what one unit of a currency is worth in the one that trunks are compared in, in
            millionths; a currency that is not in it counts as that one.
        below_cost_allowed: whether a leg may cost us more than the customer pays.
    """

    trunks: tuple[TrunkLine, ...]
    switches: tuple[SwitchLine, ...]
    worth_ppm: Mapping[str, int] = field(default_factory=dict)
    below_cost_allowed: bool = False
    health: Health = field(default_factory=Health)

    def switch_of(self, trunk: str) -> str | None:
        """Return the switch of a trunk, None when there is no such trunk (any more)."""
        return next((each.switch for each in self.trunks if each.name == trunk), None)

    def ppm(self, currency: str) -> int:
        """Return what a unit of a currency is worth for comparing."""
        return self.worth_ppm.get(currency, PPM)
