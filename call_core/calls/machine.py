"""The machine: what a call becomes when events arrive and time passes. Pure.

`advance` merges events into facts, starts the legs that are due, applies the rules of `plan.py`
and the deadlines, and settles nothing: money is the unit's business (`holds.py` has the
arithmetic), because it must be read from the ledger in the same transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from call_core.calls.causes import Cause
from call_core.calls.closing import closing_of_call
from call_core.calls.facts import Merge, merge
from call_core.calls.model import MS, Call, CallState, Leg, Reason
from call_core.calls.plan import due_legs, end_reason, time_limit_call_ms, with_grace
from call_core.calls.rules import Rules
from call_core.contracts import EventKind, Prompt, SwitchEvent
from call_core.evolve import evolve

_MS_PER_FURTHER_KEY = 10_000  # digits that must be read elsewhere; four fit into the free minute
_MS_PER_POST_DIAL_DIGIT = 400
_MS_PER_POST_DIAL_PAUSE = 2_000  # a comma
_ENDING_STATES = (CallState.ENDING, CallState.ENDED)

_REASON_CAUSES = {
    Reason.MONEY: Cause.MONEY_ENDED,
    Reason.TIME: Cause.TIME_ENDED,
    Reason.STOPPED: Cause.STOPPED,
    Reason.EXPIRED: Cause.EXPIRED,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What `advance` found.

    Attributes:
        call: the call afterwards.
        amended: legs whose facts changed after their settlement, each once, as they are now.
        quarantined: events that the table has no row for.
        ignored: how many events changed nothing.
    """

    call: Call
    amended: tuple[Leg, ...] = ()
    quarantined: tuple[SwitchEvent, ...] = ()
    ignored: int = 0


def _as_it_is(call: Call) -> Call:
    return call


def advance(
    call: Call,
    events: Sequence[SwitchEvent],
    now_call_ms: int,
    rules: Rules,
    tried_again: Callable[[Call], Call] = _as_it_is,
) -> Step:
    """Merge events, then let rules and deadlines act until nothing changes any more.

    Args:
        call: as it was.
        events: what the switch told.
        now_call_ms: now.
        rules: the figures of the plan.
        tried_again: adds attempts by other trunks for legs whose route failed, before the plan
            takes their parties for gone.
    """
    step = _merge_all(call, events)
    call = _close_after_prompt(tried_again(step.call), events, rules)
    # The rules settle long before; the bound keeps a defect of ours from turning for ever.
    for _ in range(len(call.parties) + 8):  # pragma: no branch
        changed = _settle_rules(call, now_call_ms, rules)
        if changed is call or changed == call:
            break
        call = changed
    return Step(call, step.amended, step.quarantined, step.ignored)


def _merge_all(call: Call, events: Sequence[SwitchEvent]) -> Step:
    amended: dict[str, Leg] = {}
    quarantined: list[SwitchEvent] = []
    ignored = 0
    for event in events:
        leg = call.leg(event.leg_id)
        if leg is None:
            quarantined.append(event)
            continue
        merged = merge(leg, event)
        call = call.with_leg(merged.leg) if merged.leg is not leg else call
        ignored += merged.merge is Merge.IGNORED
        if merged.merge is Merge.AMENDS:
            amended[merged.leg.id] = merged.leg
        elif merged.merge is Merge.QUARANTINED:
            quarantined.append(event)
    return Step(call, tuple(amended.values()), tuple(quarantined), ignored)


def _close_after_prompt(call: Call, events: Sequence[SwitchEvent], rules: Rules) -> Call:
    """End the grace of the closing prompt when the switch has said it.

    What was said before the call began to end (the question for the key) closes nothing, however
    late its end is told.
    """
    if call.state is not CallState.ENDING or call.grace_call_ms is None:
        return call
    began_call_ms = call.grace_call_ms - rules.closing_s * MS
    said = any(
        event.kind is EventKind.PROMPT_ENDED
        and event.at_call_ms > began_call_ms
        and any(event.leg_id == leg.id for leg in call.first.legs)
        for event in events
    )
    return evolve(call, grace_call_ms=None) if said else call


def _settle_rules(call: Call, now_call_ms: int, rules: Rules) -> Call:
    if call.state in (CallState.ENDED, CallState.SCHEDULED, CallState.ASKED):
        return call
    call = _note_talk(call)
    call = with_grace(call, now_call_ms, rules)
    reason = end_reason(call, now_call_ms, rules)
    if reason is not None:
        call = end(call, reason, now_call_ms, rules)
    # After the reason: what somebody did counts before a deadline that has passed since.
    call = _overdue_legs(call, now_call_ms, rules)
    call = _originate_due(call, now_call_ms)
    call = _finish_ending(call, now_call_ms)
    state = _state(call)
    return call if state is call.state else evolve(call, state=state)


def _note_talk(call: Call) -> Call:
    """Keep the first answer of anybody but A; it moves only when that answer itself does."""
    starts = [
        leg.accepted_call_ms
        for party in call.others
        for leg in party.legs
        if leg.accepted_call_ms is not None
    ]
    if not starts or min(starts) == call.talk_call_ms:
        return call
    return evolve(call, talk_call_ms=min(starts))


def _originate_due(call: Call, now_call_ms: int) -> Call:
    for leg in due_legs(call):
        call = call.with_leg(evolve(leg, originated_call_ms=now_call_ms))
    return call


def leg_deadline(leg: Leg, rules: Rules) -> tuple[int, Cause] | None:
    """Return when a leg must be hung up by us, and with which cause; None when never."""
    if leg.ended or leg.hangup_asked or leg.originated_call_ms is None:
        return None
    if leg.answered_call_ms is None:
        limit = leg.originated_call_ms + (rules.ring_timeout_s + rules.ring_guard_s) * MS
        return limit, Cause.NO_ANSWER
    cut = leg.answered_call_ms + leg.paid_seconds * MS - rules.cut_guard_ms
    if leg.accepted_call_ms is not None:
        return cut, Cause.MONEY_ENDED
    more_keys_ms = (len(leg.keys) - 1) * _MS_PER_FURTHER_KEY
    wait = rules.accept_timeout_s * MS + more_keys_ms + _post_dial_ms(leg.post_dial)
    return min((leg.answered_call_ms + wait, Cause.NOT_ACCEPTED), (cut, Cause.MONEY_ENDED))


def _post_dial_ms(digits: str) -> int:
    pauses = digits.count(",")
    return pauses * _MS_PER_POST_DIAL_PAUSE + (len(digits) - pauses) * _MS_PER_POST_DIAL_DIGIT


def _overdue_legs(call: Call, now_call_ms: int, rules: Rules) -> Call:
    for leg in call.legs():
        deadline = leg_deadline(leg, rules)
        if deadline is not None and now_call_ms >= deadline[0]:
            call = call.with_leg(evolve(leg, hangup_asked=int(deadline[1])))
    return _after_moves(call)


def _after_moves(call: Call) -> Call:
    """Hang up the legs that a party moved away from, once the new one was accepted.

    That is the one it talked on, and an earlier move that still rings.
    """
    for party in call.parties:
        newest = party.talking_leg if len(party.legs) > 1 else None
        if newest is None or not newest.moves:
            continue
        for leg in party.legs:
            up = leg.originated_call_ms is not None and not leg.ended and not leg.hangup_asked
            if up and leg.attempt < newest.attempt:
                call = call.with_leg(evolve(leg, hangup_asked=int(Cause.MOVED)))
    return call


def end(call: Call, reason: Reason, now_call_ms: int, rules: Rules) -> Call:
    """Return the call on its way to the end: every leg asked to hang up, nobody rung any more.

    A hears the closing prompt first when the table has one for this reason and A is there.
    """
    if call.state in _ENDING_STATES:
        return call
    closing = closing_of_call(call, reason)
    speak = closing.prompt is not None and call.first.talking_leg is not None
    grace = now_call_ms + rules.closing_s * MS if speak else None
    call = evolve(call, state=CallState.ENDING, reason=str(reason), grace_call_ms=grace)
    return _finish_ending(call, now_call_ms)


def _finish_ending(call: Call, now_call_ms: int) -> Call:
    if call.state is not CallState.ENDING:
        return call
    waiting = (
        call.grace_call_ms is not None
        and now_call_ms < call.grace_call_ms
        and call.first.talking_leg is not None
    )
    if not waiting and call.grace_call_ms is not None:
        call = evolve(call, grace_call_ms=None)
    cause = _REASON_CAUSES.get(Reason(call.reason), Cause.CALL_ENDED)
    for leg in call.legs():
        if leg.ended or leg.hangup_asked or (waiting and leg.n == call.first.n):
            continue
        if leg.originated_call_ms is None:
            call = call.with_leg(
                evolve(leg, ended_call_ms=now_call_ms, cause=int(Cause.NOT_DIALLED))
            )
        else:
            call = call.with_leg(evolve(leg, hangup_asked=int(cause)))
    if all(leg.ended for leg in call.legs()):
        ends = [leg.ended_call_ms for leg in call.legs() if leg.ended_call_ms is not None]
        return evolve(call, state=CallState.ENDED, ended_call_ms=max(ends, default=now_call_ms))
    return call


def _state(call: Call) -> CallState:
    if call.state in _ENDING_STATES:
        return call.state
    if call.talk_call_ms is not None:
        return CallState.CONNECTED
    started = any(leg.originated_call_ms is not None for leg in call.legs())
    return CallState.LAUNCHING if started else CallState.QUEUED


def next_deadline(call: Call, rules: Rules) -> int | None:
    """Return the next instant (call time) at which `advance` or money must look again."""
    if call.state is CallState.ENDED:
        return None
    times: list[int | None] = [call.grace_call_ms]
    times += [found[0] for leg in call.legs() if (found := leg_deadline(leg, rules)) is not None]
    if call.state is not CallState.ENDING:
        times.append(time_limit_call_ms(call, rules))
    return min((at for at in times if at is not None), default=None)


def closing_prompt(call: Call) -> Prompt | None:
    """Return what A should hear now because the call ends, None when nothing."""
    if call.state is not CallState.ENDING or call.grace_call_ms is None:
        return None
    return closing_of_call(call, call.reason).prompt
