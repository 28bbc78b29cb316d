"""The demo's phones as a wall to look at: the simulator's legs with the names of their owners."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

_LINES: Mapping[str, str] = {
    "accept": "You asked to call {destination}. Press 1.",
    "accept_invited": "{caller} invites you to a conference. Press 1.",
    "verify": "Key the four digits that you see.",
    "no_answer": "Nobody answers.",
    "busy": "The line is busy.",
    "failed": "The call could not be connected.",
    "ending_soon": "One minute is left.",
    "opted_out": "You asked us not to write to you any more.",
    "join_tone": "(somebody joins)",
    "hold_tone": "(please wait)",
}


@runtime_checkable
class SimulatedPhones(Protocol):
    """What the simulator offers to a hand (`call_core.switches.simulator.Simulator`)."""

    def phones(self) -> Sequence[Any]:
        """Return every phone that has a leg or had one lately."""

    def pick_up(self, leg_id: str) -> bool:
        """Answer a ringing phone."""

    def put_down(self, leg_id: str) -> bool:
        """Hang up or refuse."""

    def keypress(self, leg_id: str, digit: str) -> bool:
        """Press a key."""


class ManyPhones:
    """The phones of several switches as one; a leg is on one of them."""

    def __init__(self, switches: Sequence[SimulatedPhones]) -> None:
        self._switches = switches

    def phones(self) -> Sequence[Any]:
        """Return every phone, those of the first switch first."""
        return [status for switch in self._switches for status in switch.phones()]

    def pick_up(self, leg_id: str) -> bool:
        """Answer a ringing phone, wherever it rings."""
        return any(switch.pick_up(leg_id) for switch in self._switches)

    def put_down(self, leg_id: str) -> bool:
        """Hang up or refuse."""
        return any(switch.put_down(leg_id) for switch in self._switches)

    def keypress(self, leg_id: str, digit: str) -> bool:
        """Press a key."""
        return any(switch.keypress(leg_id, digit) for switch in self._switches)


@dataclass(frozen=True, slots=True)
class WallPhone:
    """One phone; `leg_id` is "" when it is idle, `heard` what it says now."""

    number: str
    label: str
    state: str
    leg_id: str
    heard: str


class PhoneWall:
    """All phones of the demo's phone book, and those that were rung besides."""

    def __init__(self, simulator: SimulatedPhones, labels: Mapping[str, str]) -> None:
        self._simulator = simulator
        self._labels = labels

    def phones(self) -> list[WallPhone]:
        """Return every phone, those with a call first."""
        seen = {status.number: _phone(status, self._labels) for status in self._simulator.phones()}
        idle = [
            WallPhone(number, label, "idle", "", "")
            for number, label in self._labels.items()
            if number not in seen
        ]
        return [*seen.values(), *idle]

    async def pick_up(self, leg_id: str) -> None:
        """Answer a ringing phone."""
        self._simulator.pick_up(leg_id)

    async def keypress(self, leg_id: str, digit: str) -> None:
        """Press a key on an answered phone."""
        self._simulator.keypress(leg_id, digit)

    async def put_down(self, leg_id: str) -> None:
        """Hang up, or refuse a ringing call."""
        self._simulator.put_down(leg_id)


def _phone(status: Any, labels: Mapping[str, str]) -> WallPhone:  # noqa: ANN401  (the simulator's)
    over = status.state.value in ("idle", "ended", "down")
    heard = ""
    if status.prompt is not None:
        words = dict(status.words)
        line = _LINES.get(status.prompt.value, "")
        heard = line.format_map(_Missing(words))
    label = labels.get(status.number, "Somebody")
    return WallPhone(status.number, label, status.state.value, "" if over else status.leg_id, heard)


class _Missing(dict[str, str]):
    """Leaves out a word that the prompt was not given."""

    def __missing__(self, key: str) -> str:
        return "…"
