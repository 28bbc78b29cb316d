import pytest

from call_core.rating.deck import RateDeck, RateRow
from call_core.routing.trunks import PPM, ROUTE_FAILURES, buy_lookup, expected_micros

ROWS = (
    RateRow("r1", "44", "UK", 10_000),
    RateRow("r2", "4420", "UK London", 8_000, first_increment_s=1, next_increment_s=1),
    RateRow("r3", "4470", "UK Personal", 0, blocked=True),
)
DECK = RateDeck("gamma", 1, "USD", "UTC", 100, ROWS)


@pytest.mark.parametrize(
    ("digits", "rate_id"),
    [("442079460018", "r2"), ("441212345678", "r1"), ("447012345678", None), ("33140", None)],
)
def test_a_carrier_is_asked_by_its_longest_prefix(digits: str, rate_id: str | None) -> None:
    """A blocked or missing row means that the carrier does not go there."""
    terms = buy_lookup(DECK)(digits, 0)
    assert (terms.rate_id if terms else None) == rate_id


@pytest.mark.parametrize(
    ("row", "ppm", "micros"),
    [
        (RateRow("a", "1", "US", 10_000), PPM, 30_000),
        (RateRow("b", "1", "US", 10_000, connect_fee_micros=5_000), PPM, 35_000),
        (RateRow("c", "1", "US", 10_000, first_increment_s=240), PPM, 40_000),
        (RateRow("d", "1", "US", 10_000), 1_080_000, 32_400),
        (RateRow("e", "1", "US", 100), 333_333, 100),
    ],
)
def test_trunks_are_compared_by_an_expected_leg(row: RateRow, ppm: int, micros: int) -> None:
    """Three minutes with increments and fee, in the currency of comparison, rounded up."""
    terms = buy_lookup(RateDeck("gamma", 1, "USD", "UTC", 100, (row,)))("1616", 0)
    assert terms is not None
    assert expected_micros(terms, ppm) == micros


def test_causes_that_blame_the_route() -> None:
    """Busy, no answer, rejection and normal clearing never try another trunk."""
    assert frozenset({2, 3, 27, 34, 38, 41, 42, 44}) == ROUTE_FAILURES
    assert not ROUTE_FAILURES & {1, 16, 17, 18, 19, 21, 28}
