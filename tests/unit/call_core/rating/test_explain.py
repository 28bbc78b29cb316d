"""A bill in words, computed again from the words."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.rating.explain import LegBill, explain
from call_core.rating.rater import RateTerms, TaxLine
from call_core.rating.settlement import settle

TERMS = RateTerms(
    rate_id="17:4420",
    prefix="4420",
    destination="United Kingdom, London",
    price_micros_per_minute=12_000,
    connect_fee_micros=50_000,
    first_increment_s=30,
    next_increment_s=6,
    minimum_s=0,
    quantum_micros=100,
    currency="USD",
    tariff="retail",
    version=3,
)
BILL = LegBill(
    leg="B",
    number="+442079460018",
    terms=TERMS,
    settlement=settle(TERMS, 61_250, 100_000),
    ring_ms=7_400,
    hangup_by="callee",
    hangup_cause="NORMAL_CLEARING",
    switch="ny1",
    trunk="blue",
    buy_cost_micros=21_000,
    buy_currency="USD",
)
FULL = """\
Leg: B to +442079460018
Destination: United Kingdom, London; longest prefix 4420
Rate: row 17:4420 of tariff retail version 3, USD 0.012 a minute, connect fee USD 0.05
Ring: 7.400 s, free
Talk: 61.250 s, rounded up to 62 s
Billed: 66 s (first 30 s, then steps of 6 s)
Charge: 0.05 + 66 s x 0.012 / 60 s, rounded up to a multiple of 0.0001 = 0.0632
Total: USD 0.0632
Hang-up: by callee, NORMAL_CLEARING
Route: switch ny1, trunk blue, bought for USD 0.021"""


def vat(charge_micros: int, _terms: RateTerms, _country: str) -> tuple[TaxLine, ...]:
    """A fifth of the charge, rounded up to a micro."""
    return (TaxLine("VAT 20%", -(-charge_micros // 5)),)


def test_a_bill_reads_like_this() -> None:
    """The example in the module's documentation is what a bill says."""
    assert explain(BILL) == FULL


def test_a_leg_that_was_not_answered_says_why_it_is_free() -> None:
    """No arithmetic, no charge, the cause of the end."""
    bill = LegBill("B", "+442079460018", TERMS, settle(TERMS, None, 100_000), 30_000)
    assert explain(replace(bill, hangup_cause="NO_ANSWER")).splitlines()[3:] == [
        "Ring: 30.000 s, free",
        "Talk: none; a leg that is not answered costs nothing",
        "Total: USD 0.00",
        "Hang-up: NO_ANSWER",
    ]


def test_allowance_hold_and_tax_are_explained() -> None:
    """What the operator pays is shown with its reason, and every tax has its line."""
    terms = replace(TERMS, connect_fee_micros=0, first_increment_s=60, next_increment_s=60)
    settled = settle(terms, 150_000, 24_000, 60, vat, "GB")
    lines = explain(replace(BILL, leg="A", terms=terms, settlement=settled)).splitlines()
    assert lines[7:11] == [
        (
            "Free: nobody else answered, so the first 60 s, worth 0.012, are free; "
            "you pay 0.024, we pay 0.012"
        ),
        "Cap: 0.024 was held for this leg and bounds its total; you pay 0.02, we pay 0.004",
        "Tax: VAT 20% 0.004",
        "Total: USD 0.024",
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"end_estimated": True}, "End: estimated, the switch was lost; its own record may"),
        ({"hangup_cause": ""}, "Hang-up: by callee\n"),
        ({"trunk": "", "buy_cost_micros": None}, "Route: switch ny1"),
        ({"switch": "", "buy_cost_micros": None}, "Route: trunk blue"),
        ({"number": "+44\n20"}, "Leg: B to +44 20\n"),
    ],
)
def test_each_fact_has_its_line(change: dict[str, object], line: str) -> None:
    """What is known is said; what is not known is left out."""
    assert line in explain(replace(BILL, **change))  # type: ignore[arg-type]  # (table of fields)


def test_what_is_not_known_has_no_line() -> None:
    """Without hang-up and route there is no line about them."""
    bill = LegBill("B", "+442079460018", TERMS, BILL.settlement, 0)
    assert explain(bill).splitlines()[-1] == "Total: USD 0.0632"


def test_a_minimum_is_named() -> None:
    """The least seconds stand beside the increments."""
    terms = replace(TERMS, minimum_s=90)
    bill = replace(BILL, terms=terms, settlement=settle(terms, 1_000, 100_000))
    assert "Billed: 90 s (at least 90 s, first 30 s, then steps of 6 s)" in explain(bill)


def test_the_text_is_ascii() -> None:
    """Accents and line breaks of a deck's names do not reach a pager."""
    terms = replace(TERMS, destination="C\u00f4te d\u2019Ivoire\nmobile \u0645")
    text = explain(replace(BILL, terms=terms))
    assert "Destination: Cote d?Ivoire mobile ?; longest prefix 4420" in text.splitlines()


def _numbers(pattern: str, text: str) -> list[Fraction]:
    match = re.search(pattern, text, re.MULTILINE)
    assert match is not None, text
    return [Fraction(group) for group in match.groups()]


@given(
    st.builds(
        replace,
        st.just(TERMS),
        price_micros_per_minute=st.integers(0, 5_000_000),
        connect_fee_micros=st.integers(0, 900_000),
        first_increment_s=st.integers(1, 60),
        next_increment_s=st.integers(1, 60),
        minimum_s=st.integers(0, 90),
    ),
    st.integers(0, 900_000),
    st.integers(0, 20_000_000),
    st.sampled_from([0, 60]),
)
def test_a_customer_can_compute_the_bill_from_the_text(
    terms: RateTerms, duration_ms: int, held: int, free_s: int
) -> None:
    """Every figure follows from the ones before it, with nothing but the text at hand."""
    settled = settle(terms, duration_ms, held, free_s, vat, "GB")
    text = explain(replace(BILL, terms=terms, settlement=settled))
    exact, whole = _numbers(r"^Talk: ([\d.]+) s, rounded up to (\d+) s$", text)
    assert whole - 1 < exact <= whole
    billed, first, step = _numbers(r"^Billed: (\d+) s \(.*first (\d+) s, .* of (\d+) s\)$", text)
    least = _numbers(r"at least (\d+) s", text) if "at least" in text else [Fraction(0)]
    assert billed >= max(whole, first, *least) > billed - max(step, first)
    assert (billed - first) % step == 0
    fee, seconds, price, quantum, charged = _numbers(
        r"^Charge: ([\d.]+) \+ (\d+) s x ([\d.]+) / 60 s, .* of ([\d.]+) = ([\d.]+)$", text
    )
    assert seconds == billed
    assert charged == -(-(fee + billed * price / 60) // quantum) * quantum
    if "Free: " in text:
        worth, due, _ = _numbers(r"worth ([\d.]+), .*you pay ([\d.]+), we pay ([\d.]+)$", text)
        assert due == max(Fraction(0), charged - worth)
        charged = due
    if "Cap: " in text:
        bound, capped, ours = _numbers(
            r"^Cap: ([\d.]+) was .*you pay ([\d.]+), we pay ([\d.]+)$", text
        )
        assert capped + ours == charged
        assert capped <= bound
        charged = capped
    (tax,) = _numbers(r"^Tax: VAT 20% ([\d.]+)$", text)
    assert _numbers(r"^Total: USD ([\d.]+)$", text) == [charged + tax]
