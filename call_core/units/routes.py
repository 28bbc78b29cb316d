"""Which switch and which trunks a call leaves by, with the ports that it takes there.

With one trunk (the default) there is nothing to choose: its ports are taken or all lines are busy.
With several the cheapest whole call wins (`call_core.routing`), and a leg that failed by its route
is tried on the next trunk before the plan of the call hears of it.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from call_core.calls.model import Call, CallState, Leg, Party
from call_core.calls.plan import next_attempt
from call_core.evolve import evolve
from call_core.outcomes import Phone
from call_core.rating.rater import RateTerms
from call_core.routing.choice import Plan, Route, Unroutable, UnroutableReason, choose, next_route
from call_core.routing.trunks import (
    MAX_TRUNKS_TRIED,
    ROUTE_FAILURES,
    PartyToRoute,
    SwitchState,
    Trunk,
    buy_lookup,
)
from call_core.storage.transaction import Tx
from call_core.units import ports
from call_core.units.caller import Stop
from call_core.units.house import House, Stamp
from call_core.units.lines import Lines

_TRIES = 3  # another launch may take the last port between looking and taking


@dataclass(frozen=True, slots=True)
class Rung:
    """Somebody to be rung: `n` is the party's number, `number` E.164, `sell` what is paid."""

    n: int
    label: str
    number: str
    sell: RateTerms


@dataclass(frozen=True, slots=True)
class Way:
    """One leg's way out; `buy` is what it costs us, None when that is not known."""

    switch: str
    trunk: str
    buy: RateTerms | None


def routed(
    tx: Tx,
    house: House,
    people: Sequence[Rung],
    shard: int,
    stamp: Stamp,
    *,
    home: str = "",
    ref: str = "",
) -> tuple[Way, ...]:
    """Choose a way out for everybody, all on one switch, and take the ports.

    Args:
        tx: the transaction.
        house: the deployment.
        people: whom to ring.
        shard: of the call.
        stamp: now.
        home: the switch that a running call lives on; "" for a new call.
        ref: of a running call, for the refusal.

    Raises:
        Stop: somebody cannot be reached, or no port is free; nothing was written.
    """
    if house.lines is None:
        ways = tuple(_only_way(tx, house, each, stamp) for each in people)
        if not ports.take(tx, house, shard, _counted(ways)):
            raise Stop(str(UnroutableReason.ALL_LINES_BUSY), ref=ref)
        return ways
    for _ in range(_TRIES):
        plan = _planned(tx, house, house.lines, people, stamp, home)
        if isinstance(plan, Unroutable):
            raise Stop(str(plan.reason), _who(plan, people), ref=ref)
        ways = tuple(_way(route) for route in plan.routes)
        if ports.take(tx, house, shard, _counted(ways)):
            return ways
    raise Stop(str(UnroutableReason.ALL_LINES_BUSY), ref=ref)


def _only_way(tx: Tx, house: House, person: Rung, stamp: Stamp) -> Way:
    deck = house.decks.active(tx, house.buy_tariff) if house.buy_tariff else None
    lookup = None if deck is None else buy_lookup(deck)
    buy = None if lookup is None else lookup(person.number.removeprefix("+"), stamp.call_ms)
    return Way(house.switch, house.trunk, buy)


def _counted(ways: Sequence[Way]) -> Counter[ports.Key]:
    return Counter((way.switch, way.trunk) for way in ways)


def _way(route: Route) -> Way:
    return Way(route.switch, route.trunk, route.buy)


def _who(plan: Unroutable, people: Sequence[Rung]) -> dict[str, Phone | str]:
    if plan.reason is UnroutableReason.ALL_LINES_BUSY:
        return {}
    label = next(each.label for each in people if each.n == plan.party)
    number = Phone(plan.number)
    return {"number": number} if label == plan.number else {"label": label, "number": number}


def _planned(
    tx: Tx, house: House, lines: Lines, people: Sequence[Rung], stamp: Stamp, home: str
) -> Plan | Unroutable:
    now = stamp.call_ms
    return choose(
        [_party(lines, each) for each in people],
        trunks_now(tx, house, lines, now),
        switches_now(tx, lines),
        now,
        home_switch=home,
        below_cost_allowed=lines.below_cost_allowed,
    )


def _party(lines: Lines, person: Rung) -> PartyToRoute:
    return PartyToRoute(person.n, person.number, person.sell, lines.ppm(person.sell.currency))


def trunks_now(tx: Tx, house: House, lines: Lines, now_call_ms: int) -> list[Trunk]:
    """Return every trunk whose deck is in force, with free ports and health as they are now."""
    used = ports.used(tx)
    decks = house.decks.all_active(tx)
    return [
        Trunk(
            line.name,
            line.switch,
            buy_lookup(deck),
            line.ports - used[line.switch, line.name],
            healthy=lines.health.trunk_is_up(line.name, now_call_ms),
            currency_ppm=lines.ppm(deck.currency),
        )
        for line in lines.trunks
        if (deck := decks.get(line.tariff)) is not None
    ]


def switches_now(tx: Tx, lines: Lines) -> list[SwitchState]:
    """Return every switch with its free ports and its health as they are now."""
    used: Counter[str] = Counter()
    for (switch, _), count in ports.used(tx).items():
        used[switch] += count
    return [
        SwitchState(line.name, line.name not in lines.health.down, line.ports - used[line.name])
        for line in lines.switches
    ]


# --- when a route failed ------------------------------------------------------------------------


def tried_again(tx: Tx, house: House, old: Call, call: Call, stamp: Stamp) -> Call:
    """Add an attempt on the next trunk for every leg that has just failed by its route.

    The new leg is to be paid for like the one that failed. A call that nobody has answered yet may
    leave by another switch.

    Args:
        tx: the transaction.
        house: the deployment.
        old: the call before the events.
        call: the call with the events merged, before its rules have looked at it.
        stamp: now.
    """
    if house.lines is None or call.reason or call.state in (CallState.ENDING, CallState.ENDED):
        return call
    for party in call.parties:
        leg = party.last_leg
        if party.dropped or not _failed_now(old, leg):
            continue
        call = _on_another_trunk(tx, house, house.lines, call, party, stamp)
    return call


def _failed_now(old: Call, leg: Leg) -> bool:
    was = old.leg(leg.id)
    return was is not None and not was.ended and _failed_by_route(leg)


def _failed_by_route(leg: Leg) -> bool:
    unanswered = leg.ended and leg.answered_call_ms is None and not leg.hangup_asked
    return unanswered and leg.cause in ROUTE_FAILURES


def _on_another_trunk(
    tx: Tx, house: House, lines: Lines, call: Call, party: Party, stamp: Stamp
) -> Call:
    failed = party.last_leg
    tried = _tried(party)
    rung = Rung(party.n, party.label, failed.number, failed.terms)
    route = next_route(
        failed.cause,
        tried,
        _party(lines, rung),
        _trunks_of_up_switches(tx, house, lines, stamp.call_ms),
        stamp.call_ms,
        home_switch=call.switch,
        below_cost_allowed=lines.below_cost_allowed,
    )
    again = _again(failed)
    if route is not None:
        return call.with_leg(evolve(again, trunk=route.trunk, buy_terms=route.buy))
    if _may_leave_switch(call) and len(tried) < MAX_TRUNKS_TRIED:
        return _by_another_switch(tx, house, lines, call, again, stamp)
    return call


def _trunks_of_up_switches(tx: Tx, house: House, lines: Lines, now_call_ms: int) -> list[Trunk]:
    trunks = trunks_now(tx, house, lines, now_call_ms)
    return [trunk for trunk in trunks if trunk.switch not in lines.health.down]


def _tried(party: Party) -> list[str]:
    """Return the trunks of this ring: attempts in a row that failed by the route, newest first."""
    tried: list[str] = []
    for leg in reversed(party.legs):
        if not _failed_by_route(leg):
            break
        tried.append(leg.trunk)
    return tried


def _again(failed: Leg) -> Leg:
    """Return the next attempt of the same ring, to be paid for like the one that failed."""
    return evolve(
        next_attempt(failed),
        moves=failed.moves,
        held_micros=failed.held_micros,
        paid_seconds=failed.paid_seconds,
    )


def _may_leave_switch(call: Call) -> bool:
    """Whether the call is not at home on its switch yet: nobody answered, nothing is up there."""
    return all(
        leg.answered_call_ms is None and (leg.ended or leg.originated_call_ms is None)
        for leg in call.legs()
    )


def _by_another_switch(
    tx: Tx, house: House, lines: Lines, call: Call, again: Leg, stamp: Stamp
) -> Call:
    """Return the call on the switch that now carries all of it cheapest, or as it is.

    Whoever was to be rung later leaves by that switch too; the ports of the old one are freed with
    the change.
    """
    planned = [leg for leg in call.legs() if leg.originated_call_ms is None and not leg.ended]
    people = [Rung(leg.n, "", leg.number, leg.terms) for leg in (again, *planned)]
    failed = {leg.trunk for leg in call.legs() if _failed_by_route(leg)}
    trunks = [
        trunk
        for trunk in trunks_now(tx, house, lines, stamp.call_ms)
        if trunk.switch != call.switch and trunk.name not in failed
    ]
    plan = choose(
        [_party(lines, each) for each in people],
        trunks,
        [each for each in switches_now(tx, lines) if each.name != call.switch],
        stamp.call_ms,
        below_cost_allowed=lines.below_cost_allowed,
    )
    if isinstance(plan, Unroutable):
        return call
    # The failed leg's next attempt takes its port when it is held for.
    ways = [_way(route) for route in plan.routes]
    if not ports.take(tx, house, call.shard, _counted(ways[1:])):
        return call
    for leg, way in zip((again, *planned), ways, strict=True):
        call = call.with_leg(evolve(leg, trunk=way.trunk, buy_terms=way.buy))
    return evolve(call, switch=plan.switch)
