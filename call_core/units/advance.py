"""One step of a running call: events merged, legs priced, money extended, all in one commit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from call_core.calls import holds
from call_core.calls.causes import Cause
from call_core.calls.facts import lost
from call_core.calls.holds import Budget, first_cover, with_hold
from call_core.calls.machine import Step, advance
from call_core.calls.model import MS, Call, Leg
from call_core.calls.plan import time_limit_call_ms
from call_core.calls.rules import Rules
from call_core.contracts import SwitchEvent
from call_core.evolve import evolve
from call_core.notices import Notice
from call_core.rating.deck import RateDeck
from call_core.rating.rater import RateTerms, seconds_affordable, terms_of
from call_core.storage.transaction import Tx
from call_core.units import amendments, changes, funding, news, ports, routes
from call_core.units.house import House, Stamp

LATE_MS = 5_000
"""An extension that is later than this counts from now: its process was away."""


@dataclass(frozen=True, slots=True)
class Advanced:
    """The call as stored, and how many events no table row knew."""

    call: Call
    quarantined: int = 0


def advance_call(
    tx: Tx, house: House, call: Call, events: Sequence[SwitchEvent], stamp: Stamp
) -> Advanced:
    """Let events and the passing of time act on a call.

    Args:
        tx: the transaction.
        house: the deployment.
        call: the call as its owner has it in memory.
        events: what the switch told since; empty when only a deadline has passed.
        stamp: now.

    Raises:
        Fenced: the stored call is newer than `call`; read it again and repeat.
    """
    stamp = stamp.again()
    again = partial(routes.tried_again, tx, house, call, stamp=stamp)
    return _committed(
        tx, house, call, advance(call, events, stamp.call_ms, house.rules, again), stamp
    )


def _committed(tx: Tx, house: House, call: Call, step: Step, stamp: Stamp) -> Advanced:
    """Price, hold and extend what a step of the machine began, and write it."""
    new = step.call
    if step.quarantined:
        changes.quarantine(tx, call.id, step.quarantined, stamp)
    for leg in step.amended:
        new = amendments.amend(tx, house, call, new, leg, stamp)
    priced = price_originated(tx, house, call, new, stamp)
    priced = hold_for_new_legs(tx, house, call, priced, stamp)
    if _ended_legs(priced) != _ended_legs(new):
        # A leg that could not be priced or paid for is gone: the plan must hear of it now.
        priced = advance(priced, (), stamp.call_ms, house.rules).call
    new = extend_holds(tx, house, call, priced, stamp)
    new, notices = _warn(new, stamp, house)
    if new == call and not notices:
        return Advanced(call, len(step.quarantined))
    stored = changes.commit_change(tx, house, call, new, stamp, notices)
    return Advanced(stored, len(step.quarantined))


def _ended_legs(call: Call) -> int:
    return sum(1 for leg in call.legs() if leg.ended)


def price_originated(tx: Tx, house: House, old: Call, new: Call, stamp: Stamp) -> Call:
    """Give legs that are originated now the price of now; the hold follows the new price.

    A dearer price than at launch never takes more money than was held: the leg is paid for less
    time instead. A price that is gone by now ends the leg before it rings.
    """
    for leg in new.legs():
        if leg.ended or not _starts_now(old, leg):
            continue
        terms = terms_at(tx, house, leg.terms.tariff, leg.number, stamp.call_ms)
        if terms is None:
            new = new.with_leg(_not_dialled(leg, stamp))
        elif not leg.holds or not _differs(terms, leg.terms):
            new = new.with_leg(evolve(leg, terms=terms))
        else:
            new = new.with_leg(_reprice(evolve(leg, terms=terms), house.rules, stamp))
    return new


def _starts_now(old: Call, leg: Leg) -> bool:
    before = old.leg(leg.id)
    started = before is not None and before.originated_call_ms is not None
    return leg.originated_call_ms is not None and not started


def _not_dialled(leg: Leg, stamp: Stamp) -> Leg:
    return evolve(
        leg,
        originated_call_ms=None,
        ended_call_ms=stamp.call_ms,
        cause=int(Cause.NOT_DIALLED),
        hangup_by="us",
    )


def _differs(one: RateTerms, other: RateTerms) -> bool:
    if one == other:
        return False
    return replace(one, rate_id="", version=0) != replace(other, rate_id="", version=0)


def _reprice(leg: Leg, rules: Rules, stamp: Stamp) -> Leg:
    """Let the hold reach as far as it does at the new price; one that reaches nowhere is no leg."""
    seconds = seconds_affordable(leg.terms, leg.held_micros, rules.tax, rules.customer_country)
    return evolve(leg, paid_seconds=seconds) if seconds else _not_dialled(leg, stamp)


def terms_at(tx: Tx, house: House, tariff: str, number: str, at_call_ms: int) -> RateTerms | None:
    """Return the price of a number at an instant; None when it is not sold."""
    return terms_in(house.decks.active(tx, tariff), number, at_call_ms)


def terms_in(deck: RateDeck | None, number: str, at_call_ms: int) -> RateTerms | None:
    """Return the price of a number in a deck; None when it is not sold."""
    row = None if deck is None else deck.find(number.removeprefix("+"), at_call_ms)
    if deck is None or row is None or row.blocked:
        return None
    return terms_of(row, deck)


def hold_for_new_legs(tx: Tx, house: House, old: Call, call: Call, stamp: Stamp) -> Call:
    """Hold money for legs that the machine added by itself (the chair's redial).

    Balance, daily limit and cap bound it as they do every extension. A leg that cannot be paid
    for, or has no port, is ended before it is dialled.
    """
    for leg in call.legs():
        if leg.holds or leg.ended or leg.settled:
            continue
        seconds, micros = _first_hold(leg, house.rules)
        judged = _without_failed(old, call)
        least = holds.least_micros(judged, _budget_left(tx, old, judged, stamp))
        way = {ports.key_of(house, call, leg): 1}
        if micros <= least and ports.take(tx, house, call.shard, way):
            call = call.with_leg(with_hold(leg, seconds, micros))
        else:
            failed = evolve(
                leg,
                originated_call_ms=None,
                ended_call_ms=leg.originated_call_ms or 0,
                cause=int(Cause.NOT_DIALLED),
                settled=True,
                held_micros=0,
                paid_seconds=0,
            )
            call = call.with_leg(failed)
    return call


def _first_hold(leg: Leg, rules: Rules) -> tuple[int, int]:
    """Return what a new leg begins with: what was held for the attempt before, or a first hold."""
    if leg.paid_seconds:
        return leg.paid_seconds, leg.held_micros
    cover = first_cover([leg.terms], rules).legs[0]
    return cover.covered_s, cover.held_micros


def _without_failed(old: Call, call: Call) -> Call:
    """Return the call as its money will stand: what failed just now, or is not held yet, is free.

    Legs that ended without an answer are settled, and their holds voided, in this very unit.
    """
    for leg in call.legs():
        before = old.leg(leg.id)
        failed = leg.answered_call_ms is None and holds.may_settle(call, leg)
        if (before is None and not leg.holds) or (before is not None and failed):
            call = call.with_leg(evolve(leg, held_micros=0))
    return call


def _budget_left(tx: Tx, old: Call, call: Call, stamp: Stamp) -> Budget:
    """Return the budget less what this unit has promised and not yet posted."""
    before = {leg.id: leg for leg in old.legs()}
    promised = 0
    for leg in call.legs():
        was = before.get(leg.id)
        promised += leg.held_micros - (0 if was is None else was.held_micros)
    found = funding.budget(tx, call, stamp.day)
    daily = None if found.daily_micros is None else found.daily_micros - promised
    return Budget(found.available_micros - promised, daily)


def extend_holds(tx: Tx, house: House, old: Call, call: Call, stamp: Stamp) -> Call:
    """Hold more money when it is time, for all running legs together."""
    due = holds.extension_due_call_ms(call, house.rules)
    if due is None or stamp.call_ms < due:
        return call
    # Counted from when it was due, not from when the loop got there, so that the same call holds
    # the same money whatever the load of the machine.
    punctual = stamp.call_ms - due < LATE_MS
    at_call_ms = due if punctual else stamp.call_ms
    return holds.extend(call, at_call_ms, _budget_left(tx, old, call, stamp), house.rules)


def _warn(call: Call, stamp: Stamp, house: House) -> tuple[Call, list[Notice]]:
    if call.warned_call_ms is not None or call.ended or call.reason:
        return call, []
    notice = news.last_minute(call, stamp.call_ms, house.rules)
    if notice is None:
        return call, []
    return evolve(call, warned_call_ms=stamp.call_ms), [notice]


def next_deadline_call_ms(call: Call, house: House) -> int | None:
    """Return when `advance_call` must look again although nothing happened."""
    times = [
        holds.extension_due_call_ms(call, house.rules),
        _warning_due_call_ms(call, house),
    ]
    return min((at for at in times if at is not None), default=None)


def _warning_due_call_ms(call: Call, house: House) -> int | None:
    if call.warned_call_ms is not None or call.talk_call_ms is None or call.reason:
        return None
    ends = []
    until = holds.paid_until_call_ms(call)
    if until is not None and call.retry_money_call_ms is not None:
        ends.append(until)
    limit = time_limit_call_ms(call, house.rules)
    if limit is not None:
        ends.append(limit)
    return min(ends) - house.rules.last_minute_s * MS if ends else None


def lost_legs(
    tx: Tx, house: House, call: Call, leg_ids: frozenset[str], last_seen_call_ms: int, stamp: Stamp
) -> Advanced:
    """End legs that the switch no longer has and does not remember: their end is estimated.

    What follows is as after any event: a chair who is rung again has money and a port.
    """
    stamp = stamp.again()
    new = call
    for leg in call.legs():
        if leg.id in leg_ids and not leg.ended:
            new = new.with_leg(lost(leg, last_seen_call_ms))
    return _committed(tx, house, call, advance(new, (), stamp.call_ms, house.rules), stamp)
