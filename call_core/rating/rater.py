"""The rater: the one place that turns seconds into money, for bills, holds, caps and quotes.

A leg keeps a snapshot of its price from the moment it is originated (`RateTerms`), so a deck
that changes during the call changes nothing for it. Everything here is exact integer arithmetic;
the only rounding is up, once, to the tariff's quantum.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final, NamedTuple, Self, TypeAlias

from call_core.rating.deck import RateDeck, RateRow
from call_core.rating.increments import (
    billable_seconds,
    covered_seconds,
    seconds_to_increment_boundary,
    whole_seconds,
)

SECONDS_PER_MINUTE: Final = 60
LONGEST_COVER_S: Final = 86_400
"""No leg is paid for further ahead than a day, not even one that costs nothing."""
FREE_A_LEG_S: Final = 60
"""Seconds of the caller's own leg that are free when nobody else was ever answered."""


@dataclass(frozen=True, slots=True)
class RateTerms:
    """The price of one leg, copied from its row and deck; amounts as in `RateRow`."""

    rate_id: str
    prefix: str
    destination: str
    price_micros_per_minute: int
    connect_fee_micros: int
    first_increment_s: int
    next_increment_s: int
    minimum_s: int
    quantum_micros: int
    currency: str
    tariff: str
    version: int

    def to_json(self) -> str:
        """Writes the terms as compact JSON, for the leg's row in the store."""
        return _terms_json(self)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: the text is not the JSON of rate terms.
        """
        values = json.loads(text)
        if not isinstance(values, dict) or values.keys() != _TERM_TYPES.keys():
            raise ValueError("Stored rate terms have other fields than rate terms have.")
        if any(type(values[name]) is not kind for name, kind in _TERM_TYPES.items()):
            raise ValueError("Stored rate terms have a field of the wrong type.")
        return cls(**values)


_TERMS_KEPT: Final = 1_024  # a leg's row is written several times with the same terms
_TERM_TYPES: Final = {field.name: field.type for field in fields(RateTerms)}


@lru_cache(maxsize=_TERMS_KEPT)
def _terms_json(terms: RateTerms) -> str:
    values = {name: getattr(terms, name) for name in _TERM_TYPES}
    return json.dumps(values, separators=(",", ":"))


class TaxLine(NamedTuple):
    """One tax on one leg: what it is called on the bill, and how much."""

    name: str
    amount_micros: int


class Rated(NamedTuple):
    """What an answered leg's duration bills, before allowance, hold and tax."""

    billable_s: int
    charge_micros: int


class FreeLegCharge(NamedTuple):
    """Who pays for a leg under the free allowance; the sum is the leg's full charge."""

    customer_micros: int
    operator_micros: int


TaxHook: TypeAlias = Callable[[int, RateTerms, str], tuple[TaxLine, ...]]
"""`tax(charge_micros, terms, customer_country) -> lines`. Pure; never negative; charge and tax
together must not fall when the charge rises, or no hold could be trusted."""


def no_tax(_charge_micros: int, _terms: RateTerms, _customer_country: str) -> tuple[TaxLine, ...]:
    """The default tax: none."""
    return ()


def terms_of(row: RateRow, deck: RateDeck) -> RateTerms:
    """Takes the snapshot of a row that a leg keeps until its end."""
    assert not row.blocked, f"row {row.rate_id} is blocked and has no terms"
    return RateTerms(
        rate_id=row.rate_id,
        prefix=row.prefix,
        destination=row.destination,
        price_micros_per_minute=row.price_micros_per_minute,
        connect_fee_micros=row.connect_fee_micros,
        first_increment_s=row.first_increment_s,
        next_increment_s=row.next_increment_s,
        minimum_s=row.minimum_s,
        quantum_micros=deck.quantum_micros,
        currency=deck.currency,
        tariff=deck.tariff,
        version=deck.version,
    )


def charge(terms: RateTerms, billable_s: int) -> int:
    """Gives connect fee + billed time x price in micros, rounded up to the quantum.

    0 billed seconds mean that the leg was never answered: no connect fee either.
    """
    assert billable_s >= 0, billable_s
    if billable_s == 0:
        return 0
    sixtieths = (
        terms.connect_fee_micros * SECONDS_PER_MINUTE + billable_s * terms.price_micros_per_minute
    )
    return -(-sixtieths // (SECONDS_PER_MINUTE * terms.quantum_micros)) * terms.quantum_micros


def rate_duration(terms: RateTerms, duration_ms: int) -> Rated:
    """Bills an answered leg: from answer to end, both by the switch's clock."""
    billable_s = billable_seconds(
        duration_ms, terms.first_increment_s, terms.next_increment_s, terms.minimum_s
    )
    return Rated(billable_s, charge(terms, billable_s))


def total(charge_micros: int, tax_lines: Sequence[TaxLine]) -> int:
    """Adds the taxes to a charge."""
    return charge_micros + sum(line.amount_micros for line in tax_lines)


def charge_with_tax(
    terms: RateTerms, billable_s: int, tax: TaxHook = no_tax, customer_country: str = ""
) -> int:
    """Gives what a hold for `billable_s` seconds must reserve, in micros."""
    charge_micros = charge(terms, billable_s)
    return total(charge_micros, tax(charge_micros, terms, customer_country))


def free_leg_charge(
    terms: RateTerms, duration_ms: int, free_s: int = FREE_A_LEG_S
) -> FreeLegCharge:
    """Divides an answered leg's charge when its first `free_s` seconds are free.

    The customer pays what the whole leg costs less what the free seconds alone would cost; the
    operator bears the rest, the connect fee with it.
    """
    whole_micros = rate_duration(terms, duration_ms).charge_micros
    free_micros = rate_duration(terms, free_s * 1000).charge_micros if free_s else 0
    customer_micros = max(0, whole_micros - free_micros)
    return FreeLegCharge(customer_micros, whole_micros - customer_micros)


def seconds_affordable(
    terms: RateTerms, budget_micros: int, tax: TaxHook = no_tax, customer_country: str = ""
) -> int:
    """Gives the most seconds, on an increment boundary, whose cost fits the budget.

    Connect fee, rounding and tax are in the cost. 0 when not even the first increment fits;
    never more than `LONGEST_COVER_S`.
    """
    steps = (terms.first_increment_s, terms.next_increment_s, terms.minimum_s)

    def fits(seconds: int) -> bool:
        cover_s = covered_seconds(seconds, *steps)
        return charge_with_tax(terms, cover_s, tax, customer_country) <= budget_micros

    return covered_seconds(_largest(fits, LONGEST_COVER_S), *steps)


@dataclass(frozen=True, slots=True)
class LegCover:
    """A leg whose paid time is to reach further.

    Attributes:
        terms: its price.
        elapsed_ms: time since its answer at the instant the extension counts from; 0 when it
            has not been answered, since its paid time starts only then.
        covered_s: seconds from its answer that are paid for, on an increment boundary; 0 when
            nothing is held yet.
        held_micros: what is held for them.
    """

    terms: RateTerms
    elapsed_ms: int = 0
    covered_s: int = 0
    held_micros: int = 0


class ExtendedLeg(NamedTuple):
    """A leg's new paid time: seconds from its answer, on a boundary, and its whole new hold."""

    covered_s: int
    held_micros: int


@dataclass(frozen=True, slots=True)
class Extension:
    """All legs of a call, paid for `seconds` more from one common instant.

    Attributes:
        seconds: time from the instant for which every leg is paid at least.
        legs: in the order given; a leg that was paid further already keeps its cover and hold.
        added_micros: what all holds together grow by.
    """

    seconds: int
    legs: tuple[ExtendedLeg, ...]
    added_micros: int


def extension(
    legs: Sequence[LegCover], seconds: int, tax: TaxHook = no_tax, customer_country: str = ""
) -> Extension:
    """Computes what it takes to pay every leg for `seconds` from the common instant.

    Every new cover is rounded up to the leg's own boundary, so single legs may be paid further.
    """
    assert len({leg.terms.currency for leg in legs}) <= 1, "one call, one customer, one currency"
    extended = tuple(_extended(leg, seconds, tax, customer_country) for leg in legs)
    added_micros = sum(
        new.held_micros - leg.held_micros for leg, new in zip(legs, extended, strict=True)
    )
    return Extension(seconds, extended, added_micros)


def longest_common_seconds(
    legs: Sequence[LegCover],
    budget_micros: int,
    wanted_s: int,
    tax: TaxHook = no_tax,
    customer_country: str = "",
) -> Extension:
    """Finds the longest time, at most `wanted_s`, that all legs can be paid for together.

    The holds may grow by `budget_micros` in sum: the least of what the balance, the daily spend
    and the call's own cap leave. One second more than the answer would not fit, unless the
    answer is `wanted_s` itself. When nothing fits the answer is 0 seconds, with every leg as it
    was and nothing added. Works the same for a launch (nothing covered yet) and for an
    extension, for 2 legs and for 64.
    """

    def fits(seconds: int) -> bool:
        needed = extension(legs, seconds, tax, customer_country)
        return needed.added_micros <= budget_micros

    seconds = _largest(fits, min(wanted_s, LONGEST_COVER_S))
    if seconds == 0:
        unchanged = tuple(ExtendedLeg(leg.covered_s, leg.held_micros) for leg in legs)
        return Extension(0, unchanged, 0)
    return extension(legs, seconds, tax, customer_country)


def legs_that_fit(
    legs: Sequence[LegCover],
    budget_micros: int,
    seconds: int,
    tax: TaxHook = no_tax,
    customer_country: str = "",
) -> int:
    """Counts how many of the legs, taken in order, can all be paid for `seconds`.

    For the question "10 of 12 people for 30 minutes, or 12 for 22?".
    """

    def fits(count: int) -> bool:
        needed = extension(legs[:count], seconds, tax, customer_country)
        return needed.added_micros <= budget_micros

    return _largest(fits, len(legs))


def _extended(leg: LegCover, seconds: int, tax: TaxHook, customer_country: str) -> ExtendedLeg:
    target_s = whole_seconds(leg.elapsed_ms) + seconds
    if target_s <= leg.covered_s:
        return ExtendedLeg(leg.covered_s, leg.held_micros)
    terms = leg.terms
    covered_s = seconds_to_increment_boundary(
        target_s, terms.first_increment_s, terms.next_increment_s, terms.minimum_s
    )
    held_micros = charge_with_tax(terms, covered_s, tax, customer_country)
    return ExtendedLeg(covered_s, max(held_micros, leg.held_micros))


def _largest(fits: Callable[[int], bool], limit: int) -> int:
    """Finds the largest number up to `limit` that fits, 0 when none does, by halving.

    Sound because cost never falls with time: what fits for a number fits for every smaller one.
    """
    fitting, failing = 0, limit + 1
    while failing - fitting > 1:
        middle = (fitting + failing) // 2
        if fits(middle):
            fitting = middle
        else:
            failing = middle
    return fitting
