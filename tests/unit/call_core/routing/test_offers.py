"""Every trunk's offer and what became of it."""

from dataclasses import replace

import pytest

from call_core.rating.deck import RateDeck, RateRow
from call_core.routing.choice import choose
from call_core.routing.offers import Offered, Verdict, offered
from call_core.routing.trunks import PartyToRoute, SwitchState, Trunk, buy_lookup

EAST = SwitchState("east", healthy=True, ports_free=9)
WEST = replace(EAST, name="west")


def _deck(**prices: int) -> RateDeck:
    rows = [RateRow(f"r{p}", p[1:], p[1:], price) for p, price in prices.items()]
    return RateDeck("buy", 1, "USD", "UTC", 100, rows)


def _trunk(name: str, switch: str, **prices: int) -> Trunk:
    return Trunk(name, switch, buy_lookup(_deck(**prices)), 5)


def _party(price: int = 100_000) -> PartyToRoute:
    terms = buy_lookup(_deck(p44=price))("442079460018", 0)
    assert terms is not None
    return PartyToRoute(0, "+442079460018", terms)


E, W, N = _trunk("e", "east", p44=5_000), _trunk("w", "west", p44=9_000), _trunk("n", "east", p1=1)


def _offers(
    trunks: tuple[Trunk, ...], switches: tuple[SwitchState, ...], price: int = 100_000
) -> list[Offered]:
    parties = (_party(price),)
    answer = choose(parties, trunks, switches, 0)
    return offered(parties, trunks, switches, 0, answer, below_cost_allowed=False)


def test_the_cheapest_comes_first_and_without_a_route_last() -> None:
    """Each trunk stands there once, with its price and its fate."""
    found = _offers((N, W, E), (EAST, WEST))
    assert [(each.trunk.name, each.verdict) for each in found] == [
        ("e", Verdict.CHOSEN),
        ("w", Verdict.DEARER),
        ("n", Verdict.NO_ROUTE),
    ]
    assert [each.expected_micros for each in found] == [15_000, 27_000, None]


@pytest.mark.parametrize(
    ("trunk", "east", "price", "verdict"),
    [
        (E, EAST, 4_000, Verdict.BELOW_COST),
        (E, replace(EAST, healthy=False), 100_000, Verdict.SWITCH_DOWN),
        (replace(E, switch="gone"), EAST, 100_000, Verdict.SWITCH_DOWN),
        (replace(E, healthy=False), EAST, 100_000, Verdict.TRUNK_RESTS),
        (replace(E, ports_free=0), EAST, 100_000, Verdict.NO_PORT),
        (E, replace(EAST, ports_free=0), 100_000, Verdict.NO_PORT),
    ],
)
def test_what_kept_a_cheaper_trunk_from_being_chosen_is_named(
    trunk: Trunk, east: SwitchState, price: int, verdict: Verdict
) -> None:
    """The first reason that applies, in the order in which routing asks."""
    assert _offers((trunk, W), (east, WEST), price)[0].verdict is verdict
