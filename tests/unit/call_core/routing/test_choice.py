from dataclasses import replace

import pytest

from call_core.rating.deck import RateDeck, RateRow
from call_core.rating.rater import RateTerms
from call_core.routing.choice import Plan, Unroutable, UnroutableReason, choose, next_route
from call_core.routing.trunks import PartyToRoute, SwitchState, Trunk, buy_lookup

Reason = UnroutableReason
EAST, WEST = (
    SwitchState("east", healthy=True, ports_free=10),
    SwitchState("west", healthy=True, ports_free=10),
)
SWITCHES = (EAST, WEST)


def _deck(**prices: int) -> RateDeck:
    """Deck of `p44=8000`: prefix 44 at 8,000 micros a minute."""
    rows = [RateRow(f"r{p}", p[1:], p[1:], price) for p, price in prices.items()]
    return RateDeck("buy", 1, "USD", "UTC", 100, rows)


def _trunk(name: str, switch: str, ports_free: int = 10, **prices: int) -> Trunk:
    return Trunk(name, switch, buy_lookup(_deck(**prices)), ports_free)


def _sell(price: int) -> RateTerms:
    terms = buy_lookup(_deck(p1=price))("1616", 0)
    assert terms is not None
    return terms


def _party(n: int, number: str, price: int = 100_000) -> PartyToRoute:
    return PartyToRoute(n, number, _sell(price))


ANN, LONDON, PARIS = (
    _party(0, "+16169779933"),
    _party(1, "+442079460018"),
    _party(2, "+33140205050"),
)
E1 = _trunk("e1", "east", p1=5_000, p44=9_000)
E2 = _trunk("e2", "east", p1=6_000, p44=8_000)
W1 = _trunk("w1", "west", p1=4_000, p44=20_000, p4420=7_000)
W2 = _trunk("w2", "west", p33=9_000)
TRUNKS = (E1, E2, W1, W2)


def _summary(plan: Plan | Unroutable) -> tuple[str, list[str]]:
    assert isinstance(plan, Plan), plan
    return plan.switch, [route.trunk for route in plan.routes]


def test_the_switch_that_carries_the_whole_call_cheapest_wins() -> None:
    """West wins for Michigan to London: 4,000 + 7,000 a minute against 5,000 + 8,000."""
    plan = choose((ANN, LONDON), TRUNKS, SWITCHES, 0)
    assert _summary(plan) == ("west", ["w1", "w1"])
    assert isinstance(plan, Plan)
    assert plan.expected_micros == 33_000


def test_one_cheap_leg_does_not_pull_the_call() -> None:
    """A switch cheaper for one leg loses when the other leg costs more there."""
    dear = _trunk("w1", "west", p1=1_000, p44=50_000)
    plan = choose((ANN, LONDON), (E1, E2, dear), SWITCHES, 0)
    assert _summary(plan) == ("east", ["e1", "e2"])


def test_routes_come_in_the_order_of_the_parties() -> None:
    """However they were chosen, routes and parties match one to one."""
    plan = choose((PARIS, LONDON, ANN), TRUNKS, SWITCHES, 0)
    assert isinstance(plan, Plan)
    assert [route.party for route in plan.routes] == [2, 1, 0]


def test_equal_prices_are_decided_by_name() -> None:
    """The same facts give the same plan, in whatever order they come."""
    twins = (_trunk("b", "west", p1=5_000), _trunk("a", "west", p1=5_000))
    assert _summary(choose((ANN,), twins, SWITCHES, 0)) == ("west", ["a"])
    both = (_trunk("x", "west", p1=5_000), _trunk("y", "east", p1=5_000))
    assert _summary(choose((ANN,), both, SWITCHES, 0)) == ("east", ["y"])


@pytest.mark.parametrize(
    ("trunks", "switches", "home", "expected"),
    [
        (TRUNKS, (EAST, replace(WEST, healthy=False)), "", ("east", ["e1", "e2"])),
        (TRUNKS, (EAST, replace(WEST, ports_free=1)), "", ("east", ["e1", "e2"])),
        (TRUNKS, (EAST, replace(WEST, ports_free=2)), "", ("west", ["w1", "w1"])),
        ((E1, E2, replace(W1, healthy=False)), SWITCHES, "", ("east", ["e1", "e2"])),
        ((E1, E2, replace(W1, ports_free=1)), SWITCHES, "", ("east", ["e1", "e2"])),
        (TRUNKS, SWITCHES, "east", ("east", ["e1", "e2"])),
    ],
)
def test_health_ports_and_home_limit_the_choice(
    trunks: tuple[Trunk, ...],
    switches: tuple[SwitchState, ...],
    home: str,
    expected: tuple[str, list[str]],
) -> None:
    """What is down, full or away from the call's home is not used."""
    plan = choose((ANN, LONDON), trunks, switches, 0, home_switch=home)
    assert _summary(plan) == expected


def test_the_last_port_goes_to_whom_it_is_the_only_way() -> None:
    """Ann could use either trunk; London only the one with a single port."""
    only = _trunk("only", "east", ports_free=1, p1=1_000, p44=9_000)
    other = _trunk("other", "east", p1=5_000)
    assert _summary(choose((ANN, LONDON), (only, other), SWITCHES, 0)) == (
        "east",
        ["other", "only"],
    )


@pytest.mark.parametrize(
    ("parties", "trunks", "switches", "home", "reason", "party"),
    [
        ((ANN, _party(3, "+81312345678")), TRUNKS, SWITCHES, "", Reason.NO_ROUTE, 3),
        ((ANN, _party(4, "+442079460018", 6_966)), TRUNKS, SWITCHES, "", Reason.BELOW_COST, 4),
        ((ANN, PARIS), TRUNKS, (EAST, replace(WEST, healthy=False)), "", Reason.ROUTES_DOWN, 2),
        ((ANN, PARIS), (E1, replace(W2, healthy=False)), SWITCHES, "", Reason.ROUTES_DOWN, 2),
        ((ANN, PARIS), (E1, W2), SWITCHES, "", Reason.NO_COMMON_SWITCH, 2),
        ((PARIS,), TRUNKS, SWITCHES, "east", Reason.NO_COMMON_SWITCH, 2),
        ((ANN,), (replace(E1, ports_free=0),), SWITCHES, "", Reason.ALL_LINES_BUSY, 0),
        ((ANN,), (E1,), (replace(EAST, ports_free=0),), "", Reason.ALL_LINES_BUSY, 0),
    ],
)
def test_without_full_cover_the_party_and_the_reason_are_named(
    parties: tuple[PartyToRoute, ...],
    trunks: tuple[Trunk, ...],
    switches: tuple[SwitchState, ...],
    home: str,
    reason: UnroutableReason,
    party: int,
) -> None:
    """Nobody is rung; the caller is told who cannot be reached and why."""
    answer = choose(parties, trunks, switches, 0, home_switch=home)
    assert isinstance(answer, Unroutable)
    assert (answer.reason, answer.party) == (reason, party)
    assert answer.number in {p.number for p in parties}


@pytest.mark.parametrize(
    ("price", "allowed", "routed"),
    [(7_000, False, True), (6_966, False, False), (6_966, True, True)],
)
def test_selling_below_cost_needs_permission(
    price: int,
    allowed: bool,  # noqa: FBT001  (a table's column)
    routed: bool,  # noqa: FBT001  (a table's column)
) -> None:
    """At cost a trunk is used; one rounding step below only when that is allowed."""
    party = _party(1, "+442079460018", price)
    plan = choose((party,), TRUNKS, SWITCHES, 0, below_cost_allowed=allowed)
    assert isinstance(plan, Plan) is routed
    assert not routed or _summary(plan) == ("west", ["w1"])


def test_currencies_are_compared_by_their_worth() -> None:
    """A trunk priced in a dearer currency loses to a nominally dearer one."""
    sterling = replace(_trunk("gbp", "east", p1=4_500), currency_ppm=1_270_000)
    assert _summary(choose((ANN,), (sterling, E1), SWITCHES, 0)) == ("east", ["e1"])


def test_the_explanation_can_stand_in_a_record() -> None:
    """It names trunk, prefix, price, increments, the expected leg and the next best."""
    fee = RateRow("r", "1", "USA", 5_000, connect_fee_micros=1_000)
    deck = RateDeck("buy", 1, "USD", "UTC", 100, (fee,))
    cheap = Trunk("e0", "east", buy_lookup(deck), 1)
    plan = choose((ANN,), (cheap, E2), SWITCHES, 0)
    assert isinstance(plan, Plan)
    assert plan.routes[0].explanation == (
        "e0 on east: prefix 1 USA, 0.0050 USD a minute, 60/60, fee 0.0010; "
        "3 minutes 0.0160; next e2 0.0180"
    )


@pytest.mark.parametrize(
    ("cause", "tried", "expected"),
    [
        (34, ("e1",), "e2"),
        (34, ("e2",), "e1"),
        (34, ("e1", "e2"), None),
        (17, ("e1",), None),
        (19, ("e1",), None),
        (34, ("a", "b", "c"), None),
        (34, ("a", "b"), "e1"),
    ],
)
def test_the_next_trunk(cause: int, tried: tuple[str, ...], expected: str | None) -> None:
    """Only a failed route tries another trunk of the home switch, three in all."""
    route = next_route(cause, tried, ANN, TRUNKS, 0, home_switch="east")
    assert (route.trunk if route else None) == expected


def test_the_next_trunk_needs_a_port_and_a_price() -> None:
    """A full, broken or too dear trunk is no way out either."""
    party = _party(0, "+16169779933", 5_500)
    assert next_route(34, ("e1",), party, TRUNKS, 0, home_switch="east") is None
    allowed = next_route(34, ("e1",), party, TRUNKS, 0, home_switch="east", below_cost_allowed=True)
    assert allowed is not None
    assert allowed.trunk == "e2"
    for bad in (replace(E2, ports_free=0), replace(E2, healthy=False)):
        assert next_route(34, ("e1",), ANN, (E1, bad), 0, home_switch="east") is None
