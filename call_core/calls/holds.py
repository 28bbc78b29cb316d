"""Money that is held for running legs: cover at launch, extension, cut-off, settlement.

All pure: a hold is a number on the leg here; `storage.ledger_rows` turns the difference between
two versions of a call into ledger transfers.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from call_core.calls.model import MS, Call, CallState, Leg, Role
from call_core.calls.rules import Rules
from call_core.evolve import evolve
from call_core.rating.increments import whole_seconds
from call_core.rating.rater import Extension, LegCover, RateTerms, extension, longest_common_seconds
from call_core.rating.settlement import Settlement, settle


@dataclass(frozen=True, slots=True)
class Budget:
    """What holds may grow by, in micros; None is without limit.

    Attributes:
        available_micros: the balance (or credit) that is not held or spent.
        daily_micros: what is left of today's spending limit.
    """

    available_micros: int
    daily_micros: int | None = None


def first_cover(
    terms: Sequence[RateTerms], rules: Rules, stated_seconds: int | None = None
) -> Extension:
    """Return the holds for legs that are about to be launched.

    A stated length is held whole; otherwise the first increment and `first_cover_s`.
    """
    covers = [LegCover(one) for one in terms]
    if stated_seconds is not None:
        return extension(covers, stated_seconds, rules.tax, rules.customer_country)
    parts = [
        extension(
            [cover],
            cover.terms.first_increment_s + rules.first_cover_s,
            rules.tax,
            rules.customer_country,
        )
        for cover in covers
    ]
    return Extension(
        rules.first_cover_s,
        tuple(part.legs[0] for part in parts),
        sum(part.added_micros for part in parts),
    )


def held_and_spent_micros(call: Call) -> int:
    """Return what the call has cost and holds now; this is what a cap bounds."""
    return sum(leg.charge_micros if leg.settled else leg.held_micros for leg in call.legs())


def cap_left_micros(call: Call) -> int | None:
    """Return what the cap still allows, None without a cap."""
    if call.cap_micros is None:
        return None
    return max(0, call.cap_micros - held_and_spent_micros(call))


def running_legs(call: Call) -> list[Leg]:
    """Return the legs whose paid time is passing."""
    return [
        leg
        for leg in call.legs()
        if leg.answered_call_ms is not None and not leg.ended and leg.hangup_asked == 0
    ]


def paid_until_call_ms(call: Call) -> int | None:
    """Return the earliest end of paid time among running legs, None when none runs."""
    ends = [end for leg in running_legs(call) if (end := leg.paid_until_call_ms) is not None]
    return min(ends, default=None)


def extension_due_call_ms(call: Call, rules: Rules) -> int | None:
    """Return when more money should be held, None when no leg runs or the call is ending."""
    until = paid_until_call_ms(call)
    if until is None or call.state in (CallState.ENDING, CallState.ENDED):
        return None
    due = until - rules.extend_at_s * MS
    if call.retry_money_call_ms is not None:
        due = max(due, call.retry_money_call_ms)
    return due


def least_micros(call: Call, budget: Budget) -> int:
    """Return what more a call may hold: the least of balance, daily limit and cap."""
    limits = (budget.available_micros, budget.daily_micros, cap_left_micros(call))
    return max(0, min(limit for limit in limits if limit is not None))


def extend(call: Call, now_call_ms: int, budget: Budget, rules: Rules) -> Call:
    """Hold money for all running legs together, as far as it reaches.

    What does not fit whole is extended to the longest common time that does, and tried again
    `retry_money_s` later. A call without money left is returned with only the retry set.
    """
    running = running_legs(call)
    covers = [
        LegCover(
            leg.terms,
            max(0, now_call_ms - (leg.answered_call_ms or 0)),
            leg.paid_seconds,
            leg.held_micros,
        )
        for leg in running
    ]
    found = longest_common_seconds(
        covers, least_micros(call, budget), rules.extend_by_s, rules.tax, rules.customer_country
    )
    for leg, new in zip(running, found.legs, strict=True):
        if new.covered_s > leg.paid_seconds:
            call = call.with_leg(with_hold(leg, new.covered_s, new.held_micros))
    short = found.seconds < rules.extend_by_s
    return evolve(
        call,
        retry_money_call_ms=now_call_ms + rules.retry_money_s * MS if short else None,
        warned_call_ms=None
        if _beyond_last_minute(call, now_call_ms, rules)
        else call.warned_call_ms,
    )


def _beyond_last_minute(call: Call, now_call_ms: int, rules: Rules) -> bool:
    until = paid_until_call_ms(call)
    return until is not None and until - now_call_ms > rules.last_minute_s * MS


def with_hold(leg: Leg, paid_seconds: int, held_micros: int) -> Leg:
    """Return the leg with a new hold in force."""
    return evolve(leg, holds=leg.holds + 1, paid_seconds=paid_seconds, held_micros=held_micros)


def settle_leg(call: Call, leg: Leg, rules: Rules) -> Settlement:
    """Return what an ended leg costs; the free allowance is A's when nobody else ever answered."""
    duration = None
    if leg.answered_call_ms is not None and leg.ended_call_ms is not None:
        duration = max(0, leg.ended_call_ms - leg.answered_call_ms)
    free_s = rules.free_s if is_free(call, leg) else 0
    return settle(leg.terms, duration, leg.held_micros, free_s, rules.tax, rules.customer_country)


def is_free(call: Call, leg: Leg) -> bool:
    """Whether the first seconds of this leg are the operator's.

    That is A (or the chair) of a call in which no other leg was ever answered, not even by a
    voicemail, and any leg that was answered but never accepted; both only when the allowance was
    promised. What was decided when the leg was settled stands.
    """
    if leg.settled:
        return leg.free
    if not call.free_first_leg or leg.answered_call_ms is None:
        return False
    if leg.accepted_call_ms is None:
        return True
    if leg.n != call.first.n:
        return False
    return all(other.answered_call_ms is None for party in call.others for other in party.legs)


def may_settle(call: Call, leg: Leg) -> bool:
    """Whether an ended leg's bill can no longer change.

    A's waits until nobody else can still answer, since that decides who pays for it.
    """
    if not leg.ended or leg.settled:
        return False
    if leg.n != call.first.n:
        return True
    return all(
        other.ended or other.answered_call_ms is not None or other.originated_call_ms is None
        for party in call.others
        for other in party.legs
    )


def running_cost_micros(call: Call, leg: Leg, now_call_ms: int, rules: Rules) -> int:
    """Return what the leg has cost so far: its charge, or its bill if it ended now."""
    if leg.settled or leg.answered_call_ms is None:
        return leg.charge_micros
    end = leg.ended_call_ms if leg.ended_call_ms is not None else now_call_ms
    shown = evolve(leg, ended_call_ms=max(end, leg.answered_call_ms))
    return settle_leg(call, shown, rules).total_micros


def talk_seconds(leg: Leg) -> int:
    """Return the answered seconds of an ended leg, rounded up; 0 when never answered."""
    if leg.answered_call_ms is None or leg.ended_call_ms is None:
        return 0
    return whole_seconds(max(0, leg.ended_call_ms - leg.answered_call_ms))


def leg_word(call: Call, leg: Leg) -> str:
    """Return the leg's name on a CDR: A, B, or the participant's number; the chair is A."""
    role = next(party.role for party in call.parties if party.n == leg.n)
    if role in (Role.A, Role.CHAIR):
        return "A"
    return "B" if role is Role.B else str(leg.n)
