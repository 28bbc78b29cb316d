"""Facts, then state: how a switch event changes what is known of a leg.

Events come late, repeated, reordered, or not at all. They merge into facts that are never taken
back; the state follows from the facts. An instant that was only implied (a key proves an answer)
may still become earlier when the event itself arrives, never later, so that the order of arrival
does not matter to the bill.

`TRANSITIONS` says for every state and event what it amounts to when the event's guard holds,
`OTHERWISE` what it amounts to when it does not; late and repeated events are rows marked IGNORE. A
pair without a row is a defect of ours: `merge` says QUARANTINED, the call goes on and an alarm is
raised.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from call_core.calls.causes import Cause
from call_core.calls.model import Leg, LegState
from call_core.contracts import EventKind, SwitchEvent
from call_core.evolve import evolve

CUT_TOLERANCE_MS = 1_000
"""Switches count limits in whole seconds, and may cut so much earlier."""


class Merge(StrEnum):
    """What an event did."""

    MERGED = "merged"
    IGNORED = "ignored"
    AMENDS = "amends"
    QUARANTINED = "quarantined"


IGNORE = "IGNORE"
AMEND = "AMEND"

_S = LegState
_E = EventKind
_UNANSWERED = (_S.DIALING, _S.RINGING)
_ALIVE_AFTER_ANSWER = (_S.ANSWERED, _S.ACCEPTED, _S.BRIDGED)

TRANSITIONS: dict[tuple[LegState, EventKind], str] = {
    # A leg that was not asked for yet cannot have events, except its own failed originate.
    (_S.PLANNED, _E.ORIGINATE_FAILED): _S.ENDED,
    (_S.DIALING, _E.ORIGINATE_FAILED): _S.ENDED,
    (_S.ENDING, _E.ORIGINATE_FAILED): _S.ENDED,
    (_S.DIALING, _E.RINGING): _S.RINGING,
    **{(state, _E.ANSWERED): _S.ANSWERED for state in _UNANSWERED},
    **{(state, _E.DIGIT): _S.ACCEPTED for state in (*_UNANSWERED, _S.ANSWERED)},
    # Bridged can overtake the digit's event; only accepted legs are bridged, so it proves both.
    **{(state, _E.BRIDGED): _S.BRIDGED for state in (*_UNANSWERED, _S.ANSWERED, _S.ACCEPTED)},
    **{(state, _E.ENDED): _S.ENDED for state in (*_UNANSWERED, *_ALIVE_AFTER_ANSWER, _S.ENDING)},
    # Repeated and overtaken events move nothing, but one that happened earlier than what is known
    # or implied corrects the instant.
    **{(state, _E.RINGING): state for state in (_S.RINGING, *_ALIVE_AFTER_ANSWER, _S.ENDING)},
    **{(state, _E.ANSWERED): state for state in (*_ALIVE_AFTER_ANSWER, _S.ENDING)},
    **{(state, _E.DIGIT): state for state in (_S.ACCEPTED, _S.BRIDGED)},
    (_S.BRIDGED, _E.BRIDGED): _S.BRIDGED,
    # After the switch's last word only an answer that it forgot to tell can still matter, and
    # the true end where the first was our own estimate.
    (_S.ENDED, _E.ANSWERED): AMEND,
    (_S.ENDED, _E.ENDED): AMEND,
    # News that come too late to act on, and events that are not about a leg's facts.
    (_S.ENDED, _E.RINGING): IGNORE,
    **{(state, _E.DIGIT): IGNORE for state in (_S.ENDING, _S.ENDED)},
    **{(state, _E.BRIDGED): IGNORE for state in (_S.ENDING, _S.ENDED)},
    **{
        (state, _E.ORIGINATE_FAILED): IGNORE
        for state in (_S.RINGING, *_ALIVE_AFTER_ANSWER, _S.ENDED)
    },
    **{(state, _E.PROMPT_ENDED): IGNORE for state in _S if state is not _S.PLANNED},
    **{(state, _E.BRIDGE_FAILED): IGNORE for state in _S if state is not _S.PLANNED},
}
"""What an event amounts to: the next state, IGNORE, or AMEND."""

OTHERWISE: dict[tuple[LegState, EventKind], str] = {
    **{(state, _E.ANSWERED): _S.ACCEPTED for state in (*_UNANSWERED, _S.ANSWERED)},
    **{(state, _E.DIGIT): _S.ANSWERED for state in (*_UNANSWERED, _S.ANSWERED)},
    **{(state, _E.ORIGINATE_FAILED): IGNORE for state in (_S.PLANNED, _S.DIALING, _S.ENDING)},
}
"""The rows of guarded events whose guard does not hold."""


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition on a row, its words, and what the diagram calls the event either way."""

    words: str
    label: str
    other_label: str
    holds: Callable[[Leg, SwitchEvent], bool]


GUARDS: dict[EventKind, Guard] = {
    _E.ANSWERED: Guard(
        "a key is wanted after the answer",
        "answered (key wanted)",
        "answered (no key wanted)",
        lambda leg, _: leg.accept,
    ),
    _E.DIGIT: Guard(
        "it is the accept key (or the last of several), or none is wanted",
        "accept key",
        "another key",
        lambda leg, event: not leg.accept or _keyed(leg, event) == leg.keys,
    ),
    _E.ORIGINATE_FAILED: Guard(
        "the switch is certain, and the leg never rang",
        "originate_failed",
        "originate_failed (uncertain)",
        lambda leg, event: event.certain and not _was_alive(leg),
    ),
}
"""Conditions on events; an event that is not here has none."""


@dataclass(frozen=True, slots=True)
class Merged:
    """The leg after an event, and what the event did."""

    leg: Leg
    merge: Merge


def row_of(leg: Leg, event: SwitchEvent) -> str | None:
    """Return the table's word for this leg and event, None when there is none."""
    pair = (leg.state, event.kind)
    guard = GUARDS.get(event.kind)
    if guard is not None and pair in OTHERWISE and not guard.holds(leg, event):
        return OTHERWISE[pair]
    return TRANSITIONS.get(pair)


def merge(leg: Leg, event: SwitchEvent) -> Merged:
    """Merge one event of this leg into its facts.

    Returns:
        MERGED with the new leg; IGNORED for repeats and late news that change nothing; AMENDS for
        facts that arrive after settlement; QUARANTINED when the table has no row.
    """
    row = row_of(leg, event)
    if row is None:
        return Merged(leg, Merge.QUARANTINED)
    if row == IGNORE:
        return Merged(leg, Merge.IGNORED)
    made = (_LATE if row == AMEND else _FACTS)[event.kind](leg, event)
    if made == leg:
        return Merged(leg, Merge.IGNORED)
    return Merged(made, Merge.AMENDS if leg.settled else Merge.MERGED)


def _was_alive(leg: Leg) -> bool:
    return leg.ringing_call_ms is not None or leg.answered_call_ms is not None


def _earlier(known_call_ms: int | None, told_call_ms: int) -> int:
    return told_call_ms if known_call_ms is None else min(known_call_ms, told_call_ms)


def _ringing(leg: Leg, event: SwitchEvent) -> Leg:
    return evolve(leg, ringing_call_ms=_earlier(leg.ringing_call_ms, event.at_call_ms))


def _answered(leg: Leg, event: SwitchEvent) -> Leg:
    return _answered_at(leg, event.at_call_ms)


def _answered_at(leg: Leg, at_call_ms: int) -> Leg:
    answered = _earlier(leg.answered_call_ms, at_call_ms)
    # Where no key is wanted, to answer is to accept.
    accepted = leg.accepted_call_ms if leg.accept else answered
    return evolve(leg, answered_call_ms=answered, accepted_call_ms=accepted)


def _digit(leg: Leg, event: SwitchEvent) -> Leg:
    leg = _answered(leg, event)
    if not leg.accept:
        return leg
    keyed = _keyed(leg, event)
    if keyed == leg.keys:
        accepted = _earlier(leg.accepted_call_ms, event.at_call_ms)
        return evolve(leg, accepted_call_ms=accepted, keyed="")
    return leg if len(leg.keys) == 1 else evolve(leg, keyed=keyed)


def _keyed(leg: Leg, event: SwitchEvent) -> str:
    """Return the last keys, as many as are wanted: whoever mistypes just goes on."""
    return (leg.keyed + event.digit)[-len(leg.keys) :]


def _bridged(leg: Leg, event: SwitchEvent) -> Leg:
    leg = _answered(leg, event)
    accepted = _earlier(leg.accepted_call_ms, event.at_call_ms)
    bridged = _earlier(leg.bridged_call_ms, event.at_call_ms)
    return evolve(leg, accepted_call_ms=accepted, bridged_call_ms=bridged)


def _ended(leg: Leg, event: SwitchEvent) -> Leg:
    if event.answered_call_ms is not None:
        leg = _answered_at(leg, event.answered_call_ms)
    answered = leg.answered_call_ms
    end = event.at_call_ms if answered is None else max(event.at_call_ms, answered)
    cause, by = event.cause, "us" if event.by_us else "party"
    if event.by_us and leg.hangup_asked:
        cause = leg.hangup_asked
    elif event.by_us and answered is not None:
        cause, by = _cut_by_switch(leg, event, end)
    return evolve(leg, ended_call_ms=end, cause=cause, hangup_by=by, end_estimated=False)


def _cut_by_switch(leg: Leg, event: SwitchEvent, end_call_ms: int) -> tuple[int, str]:
    """Return cause and who, for a leg that the switch ended without having been asked just now.

    Its limit was armed with what was paid for, so a cut there is the money. One before it is not:
    nobody had told the switch of a later extension, or it had a reason of its own.
    """
    until = leg.paid_until_call_ms
    if until is not None and end_call_ms < until - CUT_TOLERANCE_MS:
        return event.cause, "switch"
    return int(Cause.MONEY_ENDED), "us"


def _originate_failed(leg: Leg, event: SwitchEvent) -> Leg:
    by = "us" if event.by_us else "switch"
    return evolve(leg, ended_call_ms=event.at_call_ms, cause=event.cause, hangup_by=by)


def _late_answer(leg: Leg, event: SwitchEvent) -> Leg:
    after_the_end = leg.ended_call_ms is not None and event.at_call_ms > leg.ended_call_ms
    return leg if after_the_end else _answered(leg, event)


def _late_end(leg: Leg, event: SwitchEvent) -> Leg:
    return _ended(leg, event) if leg.end_estimated else leg


_FACTS = {
    EventKind.RINGING: _ringing,
    EventKind.ANSWERED: _answered,
    EventKind.DIGIT: _digit,
    EventKind.BRIDGED: _bridged,
    EventKind.ENDED: _ended,
    EventKind.ORIGINATE_FAILED: _originate_failed,
}
_LATE = {EventKind.ANSWERED: _late_answer, EventKind.ENDED: _late_end}


def lost(leg: Leg, last_seen_call_ms: int) -> Leg:
    """Return the leg as ended at an unknown time: the switch no longer has it.

    The end is the earlier of when it was last seen and what was paid for. It is marked estimated,
    answered or not, so that the switch's own record may still correct it.
    """
    end = last_seen_call_ms
    paid_until = leg.paid_until_call_ms
    if paid_until is not None:
        end = min(end, paid_until)
    if leg.answered_call_ms is not None:
        end = max(end, leg.answered_call_ms)
    return evolve(
        leg,
        ended_call_ms=end,
        cause=int(Cause.LOST),
        hangup_by="switch",
        end_estimated=True,
    )
