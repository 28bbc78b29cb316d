"""Every trunk's offer for a call, with what became of it: what `routes explain` prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from call_core.rating.rater import RateTerms
from call_core.routing.choice import Plan, Unroutable, offers_for
from call_core.routing.trunks import PartyToRoute, SwitchState, Trunk, expected_micros


class Verdict(StrEnum):
    """What became of a trunk's offer."""

    CHOSEN = "chosen"
    DEARER = "dearer"  # it would do, and another is cheaper, or carries the whole call
    NO_ROUTE = "no route"
    BELOW_COST = "below cost"
    TRUNK_RESTS = "trunk rests"
    SWITCH_DOWN = "switch down"
    NO_PORT = "no free port"
    NO_DECK = "its tariff has no deck in force"


@dataclass(frozen=True, slots=True)
class Offered:
    """One trunk's offer for one party; `terms` and `expected_micros` are None without a route."""

    party: int
    trunk: Trunk
    terms: RateTerms | None
    expected_micros: int | None
    verdict: Verdict


def offered(
    parties: Sequence[PartyToRoute],
    trunks: Sequence[Trunk],
    switches: Sequence[SwitchState],
    at_call_ms: int,
    answer: Plan | Unroutable,
    *,
    below_cost_allowed: bool,
) -> list[Offered]:
    """Return every trunk's offer for every party, the cheapest first, those without a route last.

    Args:
        parties: whom to ring; this and the rest as they were given to `choose`.
        trunks: every trunk.
        switches: every switch.
        at_call_ms: when.
        answer: what `choose` said.
        below_cost_allowed: as for `choose`.
    """
    by_name = {switch.name: switch for switch in switches}
    chosen = set()
    if isinstance(answer, Plan):
        chosen = {(route.party, route.trunk) for route in answer.routes}
    found: list[Offered] = []
    for party in parties:
        offers = offers_for(party, trunks, at_call_ms)
        for offer in offers:
            verdict = Verdict.CHOSEN
            if (party.n, offer.name) not in chosen:
                dear = offer.expected_micros > expected_micros(party.sell, party.currency_ppm)
                below_cost = dear and not below_cost_allowed
                verdict = _why_not(offer.trunk, by_name.get(offer.trunk.switch), below_cost)
            found.append(Offered(party.n, offer.trunk, offer.terms, offer.expected_micros, verdict))
        names = {offer.name for offer in offers}
        found += [
            Offered(party.n, trunk, None, None, Verdict.NO_ROUTE)
            for trunk in trunks
            if trunk.name not in names
        ]
    return found


def _why_not(trunk: Trunk, switch: SwitchState | None, below_cost: bool) -> Verdict:  # noqa: FBT001  (one caller)
    rows = (
        (below_cost, Verdict.BELOW_COST),
        (switch is None or not switch.healthy, Verdict.SWITCH_DOWN),
        (not trunk.healthy, Verdict.TRUNK_RESTS),
        (trunk.ports_free <= 0 or switch is None or switch.ports_free <= 0, Verdict.NO_PORT),
    )
    return next((verdict for applies, verdict in rows if applies), Verdict.DEARER)
