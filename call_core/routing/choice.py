"""Choosing trunks: the cheapest way out for every party, all on one switch.

Per trunk the longest prefix, then the price of an expected leg; then the switch that carries the
whole call cheapest, among healthy ones with free ports. No bridge spans switches.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from call_core.money import format_amount
from call_core.rating.rater import RateTerms
from call_core.routing.trunks import (
    MAX_TRUNKS_TRIED,
    ROUTE_FAILURES,
    PartyToRoute,
    SwitchState,
    Trunk,
    expected_micros,
)

_SHOWN_PLACES: Final = 4


class UnroutableReason(StrEnum):
    """Why a call finds no way out; each is a key of the catalogue."""

    NO_ROUTE = "no_route"  # no trunk goes to this party's number
    BELOW_COST = "below_cost"  # every trunk that does costs more than the customer pays
    ROUTES_DOWN = "routes_down"  # the trunks or switches that do are out of order
    NO_COMMON_SWITCH = "no_common_switch"  # others of the call leave by another switch
    ALL_LINES_BUSY = "all_lines_busy"  # no port is free


@dataclass(frozen=True, slots=True)
class Unroutable:
    """No full cover: the party that cannot be reached, and why."""

    reason: UnroutableReason
    party: int
    number: str


@dataclass(frozen=True, slots=True)
class Route:
    """One party's way out.

    Attributes:
        party: the party's number in the call.
        switch, trunk: names.
        buy: what the leg costs us.
        expected_micros: price of an expected leg, in the currency of comparison.
        explanation: a sentence for the CDR.
    """

    party: int
    switch: str
    trunk: str
    buy: RateTerms
    expected_micros: int
    explanation: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Ways out for every party, all on one switch; routes in the order of the parties."""

    switch: str
    routes: tuple[Route, ...]

    @property
    def expected_micros(self) -> int:
        """Gives what the call is expected to cost us, in the currency of comparison."""
        return sum(route.expected_micros for route in self.routes)


class Offer(NamedTuple):
    """One trunk's price for one party; sorts by price, then by name, so choices repeat."""

    expected_micros: int
    name: str
    trunk: Trunk
    terms: RateTerms


def choose(
    parties: Sequence[PartyToRoute],
    trunks: Sequence[Trunk],
    switches: Sequence[SwitchState],
    at_call_ms: int,
    *,
    home_switch: str = "",
    below_cost_allowed: bool = False,
) -> Plan | Unroutable:
    """Chooses the switch and the trunks of a call, or of legs added to one.

    Args:
        parties: whom to ring, at least one.
        trunks: every trunk, of all switches.
        switches: every switch.
        at_call_ms: when the legs are originated; prices of that instant hold.
        home_switch: the switch that a running call lives on; "" leaves the choice free.
        below_cost_allowed: whether a trunk may cost more than the customer pays.

    Returns:
        The cheapest plan that covers every party, or the first party that has no way out.
    """
    assert parties, "somebody must be rung"
    plans: list[Plan] = []
    for switch in switches:
        if home_switch in {"", switch.name} and switch.healthy:
            routes = _cover(
                parties, trunks, switch, at_call_ms, below_cost_allowed=below_cost_allowed
            )
            plans += [] if routes is None else [Plan(switch.name, routes)]
    if plans:
        return min(plans, key=lambda plan: (plan.expected_micros, plan.switch))
    return _explain(
        parties, trunks, switches, at_call_ms, home_switch, below_cost_allowed=below_cost_allowed
    )


def next_route(
    cause: int,
    tried: Sequence[str],
    party: PartyToRoute,
    trunks: Sequence[Trunk],
    at_call_ms: int,
    *,
    home_switch: str,
    below_cost_allowed: bool = False,
) -> Route | None:
    """Chooses the trunk for the next attempt after one ended without an answer.

    Args:
        cause: Q.850 cause of the last attempt.
        tried: names of the trunks tried for this party, in order.
        party: whom to ring.
        trunks: every trunk.
        at_call_ms: when the next attempt is originated.
        home_switch: the call's switch.
        below_cost_allowed: as for `choose`.

    Returns:
        The cheapest trunk not tried yet; None when the cause does not blame the route, three
        were tried, or none is left.
    """
    if cause not in ROUTE_FAILURES or len(tried) >= MAX_TRUNKS_TRIED:
        return None
    here = [trunk for trunk in trunks if trunk.switch == home_switch and trunk.name not in tried]
    offers = _usable(
        offers_for(party, here, at_call_ms), party, below_cost_allowed=below_cost_allowed
    )
    free = [offer for offer in offers if offer.trunk.ports_free > 0]
    return _route(party, free) if free else None


def offers_for(party: PartyToRoute, trunks: Iterable[Trunk], at_call_ms: int) -> list[Offer]:
    """Gives every trunk's price for a party, the cheapest first."""
    digits = party.number.removeprefix("+")
    offers = [
        Offer(expected_micros(terms, trunk.currency_ppm), trunk.name, trunk, terms)
        for trunk in trunks
        if (terms := trunk.buy(digits, at_call_ms)) is not None
    ]
    return sorted(offers, key=lambda offer: offer[:2])


def _sold_above_cost(
    offers: Iterable[Offer], party: PartyToRoute, *, below_cost_allowed: bool
) -> list[Offer]:
    income_micros = expected_micros(party.sell, party.currency_ppm)
    return [o for o in offers if below_cost_allowed or o.expected_micros <= income_micros]


def _usable(
    offers: Iterable[Offer], party: PartyToRoute, *, below_cost_allowed: bool
) -> list[Offer]:
    return [
        o
        for o in _sold_above_cost(offers, party, below_cost_allowed=below_cost_allowed)
        if o.trunk.healthy
    ]


def _cover(
    parties: Sequence[PartyToRoute],
    trunks: Sequence[Trunk],
    switch: SwitchState,
    at_call_ms: int,
    *,
    below_cost_allowed: bool,
) -> tuple[Route, ...] | None:
    """Gives every party the cheapest trunk of one switch that still has a port.

    Parties with the fewest trunks choose first, so that nobody takes the last port of a trunk
    that another party depends on.
    """
    if switch.ports_free < len(parties):
        return None
    here = [trunk for trunk in trunks if trunk.switch == switch.name]
    offers = {
        party.n: _usable(
            offers_for(party, here, at_call_ms), party, below_cost_allowed=below_cost_allowed
        )
        for party in parties
    }
    ports = {trunk.name: trunk.ports_free for trunk in here}
    routes: dict[int, Route] = {}
    for party in sorted(parties, key=lambda party: len(offers[party.n])):
        free = [offer for offer in offers[party.n] if ports[offer.name] > 0]
        if not free:
            return None
        routes[party.n] = _route(party, free)
        ports[free[0].name] -= 1
    return tuple(routes[party.n] for party in parties)


def _route(party: PartyToRoute, offers: Sequence[Offer]) -> Route:
    best = offers[0]
    terms = best.terms
    price = f"{_amount(terms.price_micros_per_minute)} {terms.currency} a minute"
    steps = f"{terms.first_increment_s}/{terms.next_increment_s}"
    fee = f", fee {_amount(terms.connect_fee_micros)}" if terms.connect_fee_micros else ""
    three = f"3 minutes {_amount(best.expected_micros)}"
    after = ", ".join(f"{o.name} {_amount(o.expected_micros)}" for o in offers[1:3])
    explanation = (
        f"{best.name} on {best.trunk.switch}: prefix {terms.prefix} {terms.destination}, "
        f"{price}, {steps}{fee}; {three}" + (f"; next {after}" if after else "")
    )
    return Route(party.n, best.trunk.switch, best.name, terms, best.expected_micros, explanation)


def _explain(
    parties: Sequence[PartyToRoute],
    trunks: Sequence[Trunk],
    switches: Sequence[SwitchState],
    at_call_ms: int,
    home_switch: str,
    *,
    below_cost_allowed: bool,
) -> Unroutable:
    """Finds the first party without a way out, trying ever weaker demands."""
    healthy = {switch.name for switch in switches if switch.healthy}
    up: list[set[str]] = []
    for party in parties:
        offers = offers_for(party, trunks, at_call_ms)
        if not offers:
            return _unroutable(UnroutableReason.NO_ROUTE, party)
        sold = _sold_above_cost(offers, party, below_cost_allowed=below_cost_allowed)
        if not sold:
            return _unroutable(UnroutableReason.BELOW_COST, party)
        working = {o.trunk.switch for o in sold if o.trunk.healthy} & healthy
        if not working:
            return _unroutable(UnroutableReason.ROUTES_DOWN, party)
        up.append(working & {home_switch} if home_switch else working)
    common = set(healthy)
    for party, working in zip(parties, up, strict=True):
        common &= working
        if not common:
            return _unroutable(UnroutableReason.NO_COMMON_SWITCH, party)
    return _unroutable(UnroutableReason.ALL_LINES_BUSY, parties[0])


def _amount(micros: int) -> str:
    return format_amount(micros, _SHOWN_PLACES)


def _unroutable(reason: UnroutableReason, party: PartyToRoute) -> Unroutable:
    return Unroutable(reason, party.n, party.number)
