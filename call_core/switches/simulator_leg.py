"""One running leg of the simulator, and how its phone looks to somebody who watches it."""

from dataclasses import dataclass, replace
from enum import StrEnum

from call_core.contracts import EventKind, LiveLeg, Order, Prompt, SwitchEvent
from call_core.switches.simulator_commands import Command, Join, Limit, Mute, Play, Talk
from call_core.switches.simulator_hearing import prompt_end
from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.simulator_script import (
    CHANGES_THE_END,
    CHANGES_WHAT_HAPPENS,
    ended,
    happenings,
    until_end,
)


class PhoneState(StrEnum):
    """What a phone is doing."""

    RINGING = "ringing"
    ANSWERED = "answered"
    TALKING = "talking"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class PhoneStatus:
    """One phone as the demo's page shows it.

    Attributes:
        since_call_ms: when it came into this state.
        prompt: what is being said to it now; `words` fill the prompt.
    """

    number: str
    leg_id: str
    call_id: str
    state: PhoneState
    since_call_ms: int
    prompt: Prompt | None = None
    words: tuple[tuple[str, str], ...] = ()
    muted: bool = False


class SimulatedLeg:
    """The life of one leg: what has happened of it, and what is due.

    Args:
        order: `at_call_ms` is when the simulator took it.
        script: how the called phone behaves; kept with the leg, so that a change of the phone book
            does not rewrite its past.
        commands: what was done to it so far.
    """

    __slots__ = (
        "_ended",
        "_happenings",
        "answered_call_ms",
        "bridge",
        "commands",
        "happened",
        "muted",
        "order",
        "ringing_call_ms",
        "script",
        "talking_call_ms",
        "timeline",
        "wake_call_ms",
    )

    def __init__(self, order: Order, script: PhoneScript, commands: list[Command]) -> None:
        self.order = order
        self.script = script
        self.commands: list[Command] = []
        self.timeline: list[SwitchEvent] = []
        self.happened = 0  # how many events of the timeline lie in the past
        self.ringing_call_ms: int | None = None
        self.answered_call_ms: int | None = None
        self.talking_call_ms: int | None = None  # since when it is with others
        self.bridge = ""
        self.muted = False
        self.wake_call_ms: int | None = None  # the owner's earliest appointment with this leg
        self._happenings: list[SwitchEvent] = []
        for command in commands:
            self._note(command)
        self._ended = ended(order, script, self.commands)
        self._recompute(happens=True, ends=False)

    def give(self, command: Command) -> None:
        """Do something to the leg; what has happened stays, what is due may change."""
        self._note(command)
        happens = type(command) in CHANGES_WHAT_HAPPENS
        ends = type(command) in CHANGES_THE_END
        if happens or ends:
            self._recompute(happens=happens, ends=ends)

    def due_call_ms(self) -> int | None:
        """Return when the next thing happens, None after the end."""
        if self.happened == len(self.timeline):
            return None
        return self.timeline[self.happened].at_call_ms

    def take(self, until_call_ms: int) -> list[SwitchEvent]:
        """Return what has happened since the last time, up to and with this instant."""
        first = self.happened
        while (due := self.due_call_ms()) is not None and due <= until_call_ms:
            event = self.timeline[self.happened]
            if event.kind is EventKind.RINGING:
                self.ringing_call_ms = event.at_call_ms
            elif event.kind is EventKind.ANSWERED:
                self.answered_call_ms = event.at_call_ms
            self.happened += 1
        return self.timeline[first : self.happened]

    def live(self) -> LiveLeg:
        """Return the leg as reconcile sees it."""
        return LiveLeg(
            self.order.leg_id,
            self.order.call_id,
            self.order.shard,
            self.answered_call_ms,
            self.bridge,
            self.order.at_call_ms,
        )

    def status(self, now_call_ms: int, *, alone: bool) -> PhoneStatus | None:
        """Return how the phone looks now, None while it does not ring yet.

        Args:
            now_call_ms: now.
            alone: whether nobody else is in its bridge (any more).
        """
        if self.talking_call_ms is not None and not alone:
            state, since = PhoneState.TALKING, self.talking_call_ms
        elif self.answered_call_ms is not None:
            state, since = PhoneState.ANSWERED, self.answered_call_ms
        elif self.ringing_call_ms is not None:
            state, since = PhoneState.RINGING, self.ringing_call_ms
        else:
            return None
        heard = self._heard(now_call_ms)
        return PhoneStatus(
            self.order.number,
            self.order.leg_id,
            self.order.call_id,
            state,
            since,
            heard.prompt if heard else None,
            heard.words if heard else (),
            self.muted,
        )

    def _heard(self, now_call_ms: int) -> Play | None:
        """Return what is being said to the leg now."""
        for index in range(len(self.commands) - 1, -1, -1):
            command = self.commands[index]
            if isinstance(command, Play):
                end = prompt_end(self.commands, index)
                return command if end is None or end[0] > now_call_ms else None
        return None

    def _note(self, command: Command) -> None:
        """Keep a command and what it says about the leg now."""
        if isinstance(command, Limit) and self._replaces_limit(command):
            return
        self.commands.append(command)
        if isinstance(command, Join):
            self.bridge, self.talking_call_ms = command.bridge_id, None
        elif isinstance(command, Talk):
            self.talking_call_ms = command.at_call_ms
        elif isinstance(command, Mute):
            self.muted = command.muted

    def _replaces_limit(self, limit: Limit) -> bool:
        """Let a limit take the place of the one before, which it replaced in time.

        A long call has a new one every few minutes; what counts of the old ones is that the leg was
        never without, so the new one stands there as if it had been armed when the first was.
        """
        for index in range(len(self.commands) - 1, -1, -1):
            before = self.commands[index]
            if isinstance(before, Limit):
                in_time = limit.at_call_ms <= min(before.until_call_ms, limit.until_call_ms)
                if in_time:
                    self.commands[index] = replace(limit, at_call_ms=before.at_call_ms)
                return in_time
        return False

    def _recompute(self, *, happens: bool, ends: bool) -> None:
        """Compute the leg's life again, as much of it as changed; the past stays as it was."""
        past = self.timeline[: self.happened]
        if happens:
            self._happenings = happenings(self.order, self.script, self.commands)
        if ends:
            self._ended = ended(self.order, self.script, self.commands)
        self.timeline = until_end(self._happenings, self._ended)
        assert self.timeline[: self.happened] == past, "a command changed a leg's past"
