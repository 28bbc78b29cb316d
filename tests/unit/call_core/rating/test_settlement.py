"""Who pays what for a leg that has ended."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.rating.rater import RateTerms, TaxLine, charge_with_tax, rate_duration
from call_core.rating.settlement import settle

TERMS = RateTerms("7:44", "44", "United Kingdom", 12_000, 0, 60, 60, 0, 100, "USD", "retail", 3)


def vat(charge_micros: int, _terms: RateTerms, _country: str) -> tuple[TaxLine, ...]:
    """A fifth of the charge, rounded up to a micro."""
    return (TaxLine("VAT 20%", -(-charge_micros // 5)),)


# duration_ms held free_s | billed rated free overrun charge
GOLDEN = """
    -      24000 0  | 0   0     0     0     0
    30000  24000 0  | 60  12000 0     0     12000
    90000  24000 0  | 120 24000 0     0     24000
    150000 24000 0  | 180 36000 0     12000 24000
    90000  0     0  | 120 24000 0     24000 0
    30000  24000 60 | 60  12000 12000 0     0
    90000  24000 60 | 120 24000 12000 0     12000
    150000 23000 60 | 180 36000 12000 1000  23000
"""


@pytest.mark.parametrize("case", GOLDEN.strip().splitlines())
def test_golden_settlements(case: str) -> None:
    """Known legs are divided between customer and operator exactly so."""
    duration, held, free_s, _, *expected = case.split()
    settled = settle(TERMS, None if duration == "-" else int(duration), int(held), int(free_s))
    parts = (
        settled.billable_s,
        settled.rated_micros,
        settled.free_micros,
        settled.overrun_micros,
        settled.charge_micros,
    )
    assert parts == tuple(map(int, expected))
    assert settled.total_micros == settled.charge_micros


def test_tax_is_within_the_hold() -> None:
    """The hold bounds charge and tax together; the charge gives way."""
    settled = settle(TERMS, 60_000, 12_000, tax=vat, customer_country="GB")
    assert settled.charge_micros == 10_000
    assert settled.tax_lines == (TaxLine("VAT 20%", 2_000),)
    assert settled.total_micros == 12_000
    assert settled.overrun_micros == 2_000


@given(
    st.integers(0, 5_000_000),
    st.integers(0, 1_000_000),
    st.integers(0, 900_000),
    st.integers(0, 9_000_000),
    st.sampled_from([0, 60]),
)
def test_nothing_is_lost_and_the_hold_is_never_exceeded(
    price: int, fee: int, duration_ms: int, held: int, free_s: int
) -> None:
    """The three parts add up to the rated charge, and the customer's total fits the hold."""
    terms = replace(TERMS, price_micros_per_minute=price, connect_fee_micros=fee)
    settled = settle(terms, duration_ms, held, free_s, vat, "GB")
    assert settled.rated_micros == rate_duration(terms, duration_ms).charge_micros
    parts = (settled.free_micros, settled.overrun_micros, settled.charge_micros)
    assert sum(parts) == settled.rated_micros
    assert min(parts) >= 0
    assert settled.total_micros <= held
    if settled.overrun_micros:
        more = settled.charge_micros + 1
        assert more + vat(more, terms, "GB")[0].amount_micros > held


@given(st.integers(0, 900_000))
def test_a_hold_made_by_the_rater_covers_its_own_seconds(duration_ms: int) -> None:
    """A leg that ends within its paid time is charged in full."""
    billable_s = rate_duration(TERMS, duration_ms).billable_s
    held = charge_with_tax(TERMS, billable_s, vat, "GB")
    assert settle(TERMS, duration_ms, held, 0, vat, "GB").overrun_micros == 0
