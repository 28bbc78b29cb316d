"""The simulator's own small file: orders and commands, one JSON line each, and its clock's base.

    {"clock": [1700000000000, 1700000000000, "60"]}
    {"order": {"leg_id": "leg_01", "number": "+442079460018", …}, "script": {"ring_ms": 3000, …}}
    {"leg": "leg_01", "do": "Play", "with": [1700000004000, "accept", []]}
    {"ended": {"event_id": "leg_01:ended", "cause": 16, …}}

Each line is one `write` to the kernel before anything is done about it, so that a `kill -9` loses
nothing; only a power failure may, and simulated phones do not outlive that either. The file is
written anew at each start and whenever most of it is history, so it does not grow with the past.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

from call_core.contracts import EventKind, Order, Prompt, SwitchEvent
from call_core.switches.simulator_commands import (
    Command,
    HangUp,
    Join,
    Key,
    Limit,
    Mute,
    PickUp,
    Play,
    PutDown,
    Stop,
    Talk,
)
from call_core.switches.simulator_phone import PhoneResult, PhoneScript

REWRITE_AFTER_LINES = 50_000  # and four times what would be kept
OWNER_ONLY = 0o600  # the file holds telephone numbers
_COMMANDS: dict[str, type[Command]] = {
    kind.__name__: kind
    for kind in (Play, Stop, Join, Talk, Mute, Limit, HangUp, Key, PickUp, PutDown)
}


class OrdersDamaged(ValueError):
    """The file holds a line that this version cannot read. Ours, or somebody edited it."""


@dataclass(frozen=True, slots=True)
class ClockBase:
    """Where simulated time stands: `base_call_ms` was reached at `base_wall_ms`.

    Attributes:
        speed: simulated seconds per second.
    """

    base_wall_ms: int
    base_call_ms: int
    speed: Fraction

    def call_ms(self, wall_ms: int) -> int:
        """Return the simulated instant at a real one; before the base, the base itself."""
        elapsed_ms = max(0, wall_ms - self.base_wall_ms)
        return self.base_call_ms + elapsed_ms * self.speed.numerator // self.speed.denominator


@dataclass(slots=True)
class Kept:
    """What the file says.

    Attributes:
        legs: order, script and commands by leg id, oldest first.
        ended: the last word about legs that are gone, oldest first.
        last_call_ms: the latest instant in it, 0 when there is none.
    """

    clock: ClockBase | None = None
    legs: dict[str, tuple[Order, PhoneScript, list[Command]]] = field(default_factory=dict)
    ended: list[SwitchEvent] = field(default_factory=list)
    last_call_ms: int = 0

    def _reach(self, at_call_ms: int) -> None:
        self.last_call_ms = max(self.last_call_ms, at_call_ms)

    def add(self, line: dict[str, Any]) -> None:
        """Take in one line.

        Raises:
            KeyError, TypeError, ValueError: it is not a line of this file.
        """
        if "clock" in line:
            wall_ms, call_ms, speed = line["clock"]
            self.clock = ClockBase(wall_ms, call_ms, Fraction(speed))
        elif "order" in line:
            order = Order(**line["order"])
            self.legs[order.leg_id] = (order, _script(line["script"]), [])
            self._reach(order.at_call_ms)
        elif "ended" in line:
            event = SwitchEvent(**{**line["ended"], "kind": EventKind(line["ended"]["kind"])})
            self.ended.append(event)
            self._reach(event.at_call_ms)
        else:
            command = _command(line["do"], line["with"])
            self.legs[line["leg"]][2].append(command)
            self._reach(command.at_call_ms)


def read(path: Path) -> Kept:
    """Return what the file says; nothing when there is none.

    A last line without its end was being written when the process died: it never counted.

    Raises:
        OrdersDamaged: another line cannot be read.
    """
    kept = Kept()
    if not path.exists():
        return kept
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            kept.add(json.loads(line))
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            raise OrdersDamaged(
                f"{path} line {number} cannot be read ({error!r}); "
                "remove the file to start with no simulated call running"
            ) from error
    return kept


def resume_clock(path: Path | None, wall_now_ms: int, speed: Fraction) -> ClockBase:
    """Return where the call clock starts, and keep it in the file.

    Simulated time went on while the process was away and never jumps back, whatever the wall clock
    or the new speed say. Call this before the simulator opens the same file.
    """
    if path is None:
        return ClockBase(wall_now_ms, wall_now_ms, speed)
    kept = read(path)
    at_ms = wall_now_ms if kept.clock is None else kept.clock.call_ms(wall_now_ms)
    base = ClockBase(wall_now_ms, max(at_ms, kept.last_call_ms), speed)
    kept.clock = base
    with OrdersFile.opened(path, kept):
        return base


def shared_clock(path: Path, wall_now_ms: int, speed: Fraction) -> ClockBase:
    """Return where the call clock of several processes stands; whoever comes first begins it.

    The file holds nothing but this line; a new speed begins a new base, so all must be started with
    one speed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(path.name + ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = read(path).clock
        if kept is not None and kept.speed == speed:
            return kept
        return resume_clock(path, wall_now_ms, speed)


class OrdersFile:
    """The file while the simulator runs. One writer."""

    def __init__(self, path: Path, clock: ClockBase | None) -> None:
        self._path = path
        self._clock = clock
        self._descriptor = -1
        self._size = 0
        self.lines = 0

    @classmethod
    def opened(cls, path: Path, kept: Kept) -> Self:
        """Return the file, written anew with what was read of it."""
        file = cls(path, kept.clock)
        file.rewrite(kept.legs.values(), kept.ended)
        return file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def order(self, order: Order, script: PhoneScript) -> None:
        """Keep a new leg."""
        self._append([_order_line(order, script)])

    def commands(self, given: Sequence[tuple[str, Command]]) -> None:
        """Keep what is done to legs, all of it or nothing."""
        self._append([_command_line(leg_id, command) for leg_id, command in given])

    def ended(self, event: SwitchEvent) -> None:
        """Keep the last word about a leg that never was."""
        self._append([_ended_line(event)])

    def rewrite(
        self,
        legs: Iterable[tuple[Order, PhoneScript, Sequence[Command]]],
        ended: Iterable[SwitchEvent],
    ) -> None:
        """Write the file anew with only this; a death in between leaves the old one.

        Raises:
            OSError: the old file is still in use, and whole.
        """
        lines = [] if self._clock is None else [_clock_line(self._clock)]
        lines += [_ended_line(event) for event in ended]
        for order, script, commands in legs:
            lines.append(_order_line(order, script))
            lines += [_command_line(order.leg_id, command) for command in commands]
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(self._path.name + ".new")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        descriptor = os.open(fresh, flags, OWNER_ONLY)
        try:
            size = _write(descriptor, lines)
            fresh.replace(self._path)
        except OSError:
            os.close(descriptor)
            raise
        self.close()
        self._descriptor, self.lines = descriptor, len(lines)
        self._size = size

    def close(self) -> None:
        """Let the file go. Harmless twice."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _append(self, lines: Sequence[str]) -> None:
        try:
            self._size += _write(self._descriptor, lines)
        except OSError:  # the disk is full: half a line would spoil the next one
            os.ftruncate(self._descriptor, self._size)
            raise
        self.lines += len(lines)


def _write(descriptor: int, lines: Sequence[str]) -> int:
    """Hand whole lines to the kernel, however many calls that takes; return their bytes."""
    rest = text = "".join(f"{line}\n" for line in lines).encode()
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    return len(text)


def _values(item: Order | PhoneScript | SwitchEvent) -> dict[str, object]:
    return {entry.name: getattr(item, entry.name) for entry in fields(item)}


def _clock_line(base: ClockBase) -> str:
    return json.dumps({"clock": [base.base_wall_ms, base.base_call_ms, str(base.speed)]})


def _order_line(order: Order, script: PhoneScript) -> str:
    return json.dumps({"order": _values(order), "script": _values(script)})


def _ended_line(event: SwitchEvent) -> str:
    return json.dumps({"ended": _values(event)})


def _command_line(leg_id: str, command: Command) -> str:
    values = [getattr(command, entry.name) for entry in fields(command)]
    return json.dumps({"leg": leg_id, "do": type(command).__name__, "with": values})


def _script(values: dict[str, Any]) -> PhoneScript:
    return PhoneScript(**{**values, "result": PhoneResult(values["result"])})


def _command(name: str, values: list[Any]) -> Command:
    if name == Play.__name__:
        at_call_ms, prompt, words = values
        return Play(at_call_ms, Prompt(prompt), tuple((key, word) for key, word in words))
    return _COMMANDS[name](*values)
