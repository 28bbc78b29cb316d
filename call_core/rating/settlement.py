"""The settlement of a leg: who pays what, once it has ended.

The rated charge is divided into three parts that always add up to it: what the free allowance
takes over, what lies beyond the money held for the leg, and what the customer pays. The first
two are the operator's, and visible as such in the ledger.
"""

from dataclasses import dataclass

from call_core.rating.rater import (
    RateTerms,
    TaxHook,
    TaxLine,
    free_leg_charge,
    no_tax,
    rate_duration,
    total,
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a finished leg costs, and the figures it was computed from.

    Attributes:
        duration_ms: answer to end by the switch's clock; None: never answered.
        billable_s: billed seconds; 0 when never answered.
        rated_micros: the full charge; charge + free + overrun.
        free_s: seconds that the allowance made free, 0 without allowance.
        free_micros: the operator's part under the free allowance.
        held_micros: the hold that bounded the customer's total.
        overrun_micros: the operator's part beyond the hold.
        charge_micros: the customer's part before tax.
        tax_lines: the taxes on that part.
        total_micros: what the customer pays; never more than `held_micros`.
    """

    duration_ms: int | None
    billable_s: int
    rated_micros: int
    free_s: int
    free_micros: int
    held_micros: int
    overrun_micros: int
    charge_micros: int
    tax_lines: tuple[TaxLine, ...]
    total_micros: int


def settle(
    terms: RateTerms,
    duration_ms: int | None,
    held_micros: int,
    free_s: int = 0,
    tax: TaxHook = no_tax,
    customer_country: str = "",
) -> Settlement:
    """Settles one leg: min(rated, held), less the free allowance, tax included in the bound."""
    if duration_ms is None:
        return Settlement(None, 0, 0, free_s, 0, held_micros, 0, 0, (), 0)
    rated = rate_duration(terms, duration_ms)
    due_micros, free_micros = free_leg_charge(terms, duration_ms, free_s)
    charge_micros = _within_hold(due_micros, held_micros, terms, tax, customer_country)
    tax_lines = tax(charge_micros, terms, customer_country)
    return Settlement(
        duration_ms=duration_ms,
        billable_s=rated.billable_s,
        rated_micros=rated.charge_micros,
        free_s=free_s,
        free_micros=free_micros,
        held_micros=held_micros,
        overrun_micros=due_micros - charge_micros,
        charge_micros=charge_micros,
        tax_lines=tax_lines,
        total_micros=total(charge_micros, tax_lines),
    )


def _within_hold(
    due_micros: int, held_micros: int, terms: RateTerms, tax: TaxHook, customer_country: str
) -> int:
    """Finds the largest charge up to the one due that, with its tax, the hold covers."""

    def fits(micros: int) -> bool:
        return total(micros, tax(micros, terms, customer_country)) <= held_micros

    if fits(due_micros):
        return due_micros
    fitting, failing = 0, due_micros
    while failing - fitting > 1:
        middle = (fitting + failing) // 2
        if fits(middle):
            fitting = middle
        else:
            failing = middle
    return fitting
