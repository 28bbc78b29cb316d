"""What routing knows about switches and trunks at one moment, and which causes blame the route."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from call_core.rating.deck import RateDeck
from call_core.rating.rater import RateTerms, rate_duration, terms_of

EXPECTED_LEG_MS: Final = 180_000
"""Trunks are compared by what an expected leg of three minutes costs, increments and fee with it:
the cheapest minute is not the cheapest call when the trunk bills 60/60."""

ROUTE_FAILURES: Final = frozenset({2, 3, 27, 34, 38, 41, 42, 44})
"""Q.850 causes that say the route failed, not the phone: no route to network or destination,
destination out of order, no circuit, network out of order, temporary failure, congestion,
requested circuit not available. Only these try the next trunk."""

MAX_TRUNKS_TRIED: Final = 3
PPM: Final = 1_000_000

BuyLookup = Callable[[str, int], RateTerms | None]
"""`buy(digits without "+", at_call_ms)`: what a leg there costs us; None: not reachable."""


@dataclass(frozen=True, slots=True)
class SwitchState:
    """A switch now: whether it is up, and how many more legs it takes."""

    name: str
    healthy: bool
    ports_free: int


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out of a switch.

    Attributes:
        name: unique over all switches.
        switch: the switch it belongs to.
        buy: its carrier's prices.
        ports_free: how many more legs it takes.
        healthy: False while it is known to fail.
        currency_ppm: what one unit of its carrier's currency is worth in the currency that
            trunks are compared in, in millionths. Never used for bills.
    """

    name: str
    switch: str
    buy: BuyLookup
    ports_free: int
    healthy: bool = True
    currency_ppm: int = PPM


@dataclass(frozen=True, slots=True)
class PartyToRoute:
    """Somebody to be rung.

    Attributes:
        n: the party's number in the call.
        number: E.164 with `+`.
        sell: what the customer pays for the leg.
        currency_ppm: what one unit of the customer's currency is worth, as in `Trunk`.
    """

    n: int
    number: str
    sell: RateTerms
    currency_ppm: int = PPM


def buy_lookup(deck: RateDeck) -> BuyLookup:
    """Gives the look-up of a carrier's deck; a blocked row means that it does not go there."""

    def buy(digits: str, at_call_ms: int) -> RateTerms | None:
        row = deck.find(digits, at_call_ms)
        return None if row is None or row.blocked else terms_of(row, deck)

    return buy


def expected_micros(terms: RateTerms, currency_ppm: int) -> int:
    """Gives the price of an expected leg in the currency of comparison, rounded up."""
    return -(-rate_duration(terms, EXPECTED_LEG_MS).charge_micros * currency_ppm // PPM)
