"""The plan: who is rung when, and what ends a call. Two-party and conference in one place.

Two-party: A first; B only after A was answered and accepted; either party gone ends the call.
Conference: the chair first; then everybody at once (the driver paces them); a failed party does
not end it; it ends when the chair is gone, after a grace with one redial unless the chair hung
up, or when one is left for a while and nobody is still to be rung.
"""

from call_core.calls.causes import Cause, Result, cause_of, result_of
from call_core.calls.model import (
    MS,
    VERIFICATION,
    Call,
    CallState,
    Leg,
    Party,
    Reason,
    leg_id,
)
from call_core.calls.rules import Rules
from call_core.evolve import evolve

CONFERENCE = "conference"


def gate_open(call: Call) -> bool:
    """Whether A (or the chair) is there, so that the others may be rung."""
    return call.first.talking_leg is not None


def due_legs(call: Call) -> list[Leg]:
    """Return the planned legs that should be originated now.

    A further attempt waits until the attempts before it have ended; a move rings beside them.
    """
    if call.state in (CallState.ENDING, CallState.ENDED, CallState.SCHEDULED, CallState.ASKED):
        return []
    opened = gate_open(call)
    return [
        leg
        for party in call.parties
        for leg in party.legs
        if leg.originated_call_ms is None
        and not leg.ended
        and (party.n == call.first.n or opened)
        and _is_its_turn(party, leg)
    ]


def _is_its_turn(party: Party, leg: Leg) -> bool:
    return leg.moves or all(other.ended for other in party.legs if other.attempt < leg.attempt)


def last_result(party: Party) -> Result:
    """Return what became of a party's newest attempt, or will once the switch has hung it up."""
    leg = party.last_leg
    return result_of(_cause(leg), answered=leg.answered_call_ms is not None)


def _cause(leg: Leg) -> Cause:
    """Return why a leg ended, or why we asked the switch to end it."""
    return cause_of(leg.cause if leg.ended else leg.hangup_asked)


def end_reason(call: Call, now_call_ms: int, rules: Rules) -> Reason | None:
    """Return why the call must end now, None while it goes on.

    Somebody's leaving comes before the clock: it is what happened first when both are true.
    """
    if call.state in (CallState.ENDING, CallState.ENDED):
        return None
    gone = _gone_reason(call, now_call_ms)
    until = time_limit_call_ms(call, rules)
    if gone is Reason.MONEY and until is not None and _cut_call_ms(call) >= until:
        # The money was held to the end of the asked length, and the switch cut there by itself.
        return Reason.TIME
    if gone is not None:
        return gone
    return Reason.TIME if until is not None and now_call_ms >= until else None


def time_limit_call_ms(call: Call, rules: Rules) -> int | None:
    """Return when the asked (or the longest) length is over; None before anybody talked."""
    if call.talk_call_ms is None:
        return None
    limits = (call.max_seconds, call.stated_seconds, rules.longest_call_s)
    return call.talk_call_ms + min(limit for limit in limits if limit is not None) * MS


def _gone_reason(call: Call, now_call_ms: int) -> Reason | None:
    if call.first.gone:
        return _first_gone(call, now_call_ms)
    if call.kind == CONFERENCE:
        return _conference_reason(call, now_call_ms)
    if call.kind == VERIFICATION:
        return Reason.VERIFIED if gate_open(call) else None
    return _b_gone(call) if _nobody_else(call) else None


def _nobody_else(call: Call) -> bool:
    """Whether A (or the chair) is alone and nobody is on the way."""
    return all(party.gone for party in call.others)


def deciding_leg(party: Party) -> Leg:
    """Return the leg by whose end a party went: the newest that was accepted, else the newest.

    A move or redial that nobody took says nothing about why somebody left.
    """
    accepted = (leg for leg in reversed(party.legs) if leg.accepted_call_ms is not None)
    return next(accepted, party.last_leg)


def _first_gone(call: Call, now_call_ms: int) -> Reason | None:
    leg = deciding_leg(call.first)
    cause = _cause(leg)
    if cause in (Cause.MONEY_ENDED, Cause.STOPPED):
        return Reason.MONEY if cause is Cause.MONEY_ENDED else Reason.STOPPED
    if leg.accepted_call_ms is None:
        return Reason.A_NOT_REACHED if leg.answered_call_ms is None else Reason.A_NOT_ACCEPTED
    if call.talk_call_ms is None:
        return Reason.HUNG_UP
    if call.kind != CONFERENCE:
        return Reason.COMPLETED
    waiting = call.grace_call_ms is not None and now_call_ms < call.grace_call_ms
    return None if waiting else Reason.CHAIR_LEFT


def _conference_reason(call: Call, now_call_ms: int) -> Reason | None:
    over = call.grace_call_ms is not None and now_call_ms >= call.grace_call_ms
    if not gate_open(call):
        # The chair is being rung: at the start, or again within the grace.
        return Reason.CHAIR_LEFT if over else None
    if not _nobody_else(call):
        return None
    if call.talk_call_ms is None:
        return Reason.NOBODY_CAME
    if _last_left_without_money(call):
        return Reason.MONEY
    return Reason.ALONE if over else None


def _last_left_without_money(call: Call) -> bool:
    """Whether money, not anybody's will, took the last of the others: nobody comes back then."""
    legs = [deciding_leg(party) for party in call.others]
    last = max(legs, key=lambda leg: leg.ended_call_ms or 0)
    return _cause(last) is Cause.MONEY_ENDED


def _cut_call_ms(call: Call) -> int:
    """Return when the last leg was cut for money; 0 when none was, or it is only asked for."""
    return max(
        (leg.ended_call_ms or 0 for leg in call.legs() if _cause(leg) is Cause.MONEY_ENDED),
        default=0,
    )


def _b_gone(call: Call) -> Reason:
    legs = [deciding_leg(party) for party in call.others]
    if any(_cause(leg) is Cause.MONEY_ENDED for leg in legs):
        return Reason.MONEY
    if call.talk_call_ms is not None:
        return Reason.COMPLETED
    taken_back = all(party.dropped for party in call.others)
    return Reason.HUNG_UP if taken_back else Reason.B_NOT_REACHED


def with_grace(call: Call, now_call_ms: int, rules: Rules) -> Call:
    """Start, keep or clear the grace of a conference that lost its chair or all but one.

    A chair that did not hang up normally is redialled once within the grace. The grace ends when
    the chair is back, not when its redial begins to ring.
    """
    if call.kind != CONFERENCE or call.talk_call_ms is None or call.state is CallState.ENDING:
        return call
    if call.first.gone:
        return _without_chair(call, now_call_ms, rules)
    if not gate_open(call):
        # On the way back. With nobody left to come back to, the wait is over now.
        pointless = call.grace_call_ms is not None and _nobody_else(call)
        return evolve(call, grace_call_ms=now_call_ms) if pointless else call
    if not _nobody_else(call):
        return evolve(call, grace_call_ms=None)
    if call.grace_call_ms is None:
        return evolve(call, grace_call_ms=now_call_ms + rules.alone_s * MS)
    return call


def _without_chair(call: Call, now_call_ms: int, rules: Rules) -> Call:
    chair = call.first
    if not _was_cut_off(deciding_leg(chair)) or _nobody_else(call):
        return evolve(call, grace_call_ms=None)
    if call.grace_call_ms is not None or chair.redials:
        return call
    call = call.with_party(evolve(chair, redials=1))
    # The phone that the chair was on is rung, whatever move was tried since.
    again = next_attempt(evolve(deciding_leg(chair), attempt=chair.last_leg.attempt))
    return evolve(call.with_leg(again), grace_call_ms=now_call_ms + rules.grace_s * MS)


def _was_cut_off(leg: Leg) -> bool:
    """Whether a leg ended without anybody wanting it: not by the person, not by us."""
    if leg.accepted_call_ms is None or leg.hangup_asked or leg.hangup_by == "us":
        return False
    return leg.hangup_by == "switch" or cause_of(leg.cause) is not Cause.NORMAL_CLEARING


def next_attempt(leg: Leg) -> Leg:
    """Return a fresh attempt at the same party and number; money is held by the caller."""
    attempt = leg.attempt + 1
    call_id = leg.id.rsplit(".", 2)[0]
    return Leg(
        id=leg_id(call_id, leg.n, attempt),
        n=leg.n,
        attempt=attempt,
        number_id=leg.number_id,
        number=leg.number,
        post_dial=leg.post_dial,
        caller_number_id=leg.caller_number_id,
        caller_id=leg.caller_id,
        trunk=leg.trunk,
        terms=leg.terms,
        buy_terms=leg.buy_terms,
        accept=leg.accept,
    )
