"""What a simulated telephone does: pure arithmetic over an order, a script and commands.

`events(order, script, commands)` is the whole life of one leg as far as it is known. Its past
never changes: a command given at instant `t` may add, move or remove only what happens after `t`.
That is what lets the simulator die at any moment and go on as if nothing had happened: it keeps
orders and commands, and computes the rest again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from call_core.contracts import EventKind, Order, SwitchEvent
from call_core.switches.simulator_commands import (
    Command,
    HangUp,
    Key,
    Limit,
    PickUp,
    Play,
    PutDown,
    Stop,
    Talk,
)
from call_core.switches.simulator_hearing import event_of, heard
from call_core.switches.simulator_phone import PhoneResult, PhoneScript

RINGING_AFTER_MS = 100  # from the order to the first ring, or to the network's refusal

# --- Q.850 causes ---------------------------------------------------------------------------------

NORMAL_CLEARING = 16
USER_BUSY = 17
NO_ANSWER = 19
SUBSCRIBER_ABSENT = 20
CALL_REJECTED = 21
NO_CIRCUIT = 34
TEMPORARY_FAILURE = 41

# --- what comes of ringing ------------------------------------------------------------------------

PICKS_UP = frozenset({PhoneResult.ANSWER, PhoneResult.VOICEMAIL})
NEVER_RINGS = {
    PhoneResult.BUSY: USER_BUSY,
    PhoneResult.UNREACHABLE: SUBSCRIBER_ABSENT,
}

# --- which commands change which part of a leg's life ---------------------------------------------

CHANGES_WHAT_HAPPENS: frozenset[type[Command]] = frozenset({Play, Stop, Talk, Key, PickUp})
CHANGES_THE_END: frozenset[type[Command]] = frozenset({Talk, Limit, HangUp, PutDown, PickUp})


class _End(NamedTuple):
    """How a leg ends."""

    at_call_ms: int
    cause: int
    by_us: bool = False


def events(order: Order, script: PhoneScript, commands: Sequence[Command]) -> list[SwitchEvent]:
    """Return everything that happens to a leg, in the order of the instants.

    Args:
        order: `at_call_ms` is when the switch took it.
        script: how the called phone behaves.
        commands: what was done to the leg so far, oldest first, each when it was possible (nothing
            is said or keyed before the answer, nothing at all after the end).

    Returns:
        Events with stable ids (`leg:answered`, `leg:digit:1`). The last is the leg's one ENDED;
        what lies ahead is what will happen if nothing more is done.
    """
    return until_end(happenings(order, script, commands), ended(order, script, commands))


def happenings(order: Order, script: PhoneScript, commands: Sequence[Command]) -> list[SwitchEvent]:
    """Return what would happen to a leg if nothing ended it once it is answered."""
    if script.result in NEVER_RINGS:
        return []
    rings = _ringing_at(order)
    found = [(rings, -1, event_of(order, "ringing", EventKind.RINGING, rings))]
    answered = _answered_at(order, script, commands)
    if answered is not None:
        found.append((answered, -1, event_of(order, "answered", EventKind.ANSWERED, answered)))
        found += heard(order, script, commands)
        found.sort(key=lambda dated: dated[:2])
    return [event for _, _, event in found]


def ended(order: Order, script: PhoneScript, commands: Sequence[Command]) -> SwitchEvent:
    """Return the leg's last event, which carries the switch's own answer time."""
    picked_up = _answered_at(order, script, commands)
    ends = _commanded(order, script, commands, picked_up)
    if picked_up is None:
        ends = [_unanswered_end(order, script), *ends]
    # At a tie, what was due by itself comes before what was commanded.
    end = min(ends, key=lambda each: each.at_call_ms)
    return SwitchEvent(
        f"{order.leg_id}:ended",
        EventKind.ENDED,
        order.leg_id,
        order.call_id,
        end.at_call_ms,
        answered_call_ms=None if picked_up is None or picked_up > end.at_call_ms else picked_up,
        cause=end.cause,
        by_us=end.by_us,
    )


def until_end(found: Sequence[SwitchEvent], end: SwitchEvent) -> list[SwitchEvent]:
    """Return what happens up to and with the end."""
    return [*(event for event in found if event.at_call_ms <= end.at_call_ms), end]


def _ringing_at(order: Order) -> int:
    """Return when a phone that can ring begins to ring."""
    return order.at_call_ms + RINGING_AFTER_MS


def _unanswered_end(order: Order, script: PhoneScript) -> _End:
    """Return how the leg ends if nobody picks up and nobody gives up before."""
    rings = _ringing_at(order)
    if script.result in NEVER_RINGS:
        return _End(rings, NEVER_RINGS[script.result])
    gives_up = rings + order.ring_timeout_s * 1000
    if script.result is PhoneResult.REJECT and rings + script.ring_ms < gives_up:
        return _End(rings + script.ring_ms, CALL_REJECTED)
    return _End(gives_up, NO_ANSWER)


def _answered_at(order: Order, script: PhoneScript, commands: Sequence[Command]) -> int | None:
    """Return when the phone is picked up, by script or by hand; None when that is too late."""
    instants = [command.at_call_ms for command in commands if isinstance(command, PickUp)]
    if script.result in PICKS_UP:
        instants.append(_ringing_at(order) + script.ring_ms)
    if not instants or min(instants) >= _unanswered_end(order, script).at_call_ms:
        return None
    return min(instants)


def _commanded(
    order: Order, script: PhoneScript, commands: Sequence[Command], answered: int | None
) -> list[_End]:
    """Return the ends that follow from commands, the order's own limit among them."""
    ends: list[_End] = []
    limit: Limit | None = None
    if answered is not None:
        limit = Limit(answered, answered + order.limit_s * 1000)
    talks = False
    for command in commands:
        at_call_ms = command.at_call_ms
        if isinstance(command, Limit):
            # A limit that was replaced in time does not count.
            if limit is not None and limit.until_call_ms < at_call_ms:
                ends.append(_by_limit(limit))
            limit = command
        elif isinstance(command, Talk) and script.talk_ms and not talks:
            ends.append(_End(at_call_ms + script.talk_ms, NORMAL_CLEARING))
            talks = True
        elif isinstance(command, HangUp):
            ends.append(_End(at_call_ms, command.cause, by_us=True))
        elif isinstance(command, PutDown):
            ends.append(_put_down(at_call_ms, answered))
    return ends if limit is None else [*ends, _by_limit(limit)]


def _by_limit(limit: Limit) -> _End:
    """Return the end by an armed limit; an instant that had passed means at once."""
    return _End(max(limit.until_call_ms, limit.at_call_ms), NORMAL_CLEARING, by_us=True)


def _put_down(at_call_ms: int, answered: int | None) -> _End:
    """Return the end by hand: of a phone that still rings, a rejection."""
    talking = answered is not None and answered <= at_call_ms
    return _End(at_call_ms, NORMAL_CLEARING if talking else CALL_REJECTED)
