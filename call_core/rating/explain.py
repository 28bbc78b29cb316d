"""The arithmetic of one leg's bill in words, so that the customer can compute it again by hand.

Plain ASCII lines, each `Word: text`, lines that do not apply left out:

    Leg: B to +442079460018
    Destination: United Kingdom, London; longest prefix 4420
    Rate: row 17:4420 of tariff retail version 3, USD 0.012 a minute, connect fee USD 0.05
    Ring: 7.400 s, free
    Talk: 61.250 s, rounded up to 62 s
    Billed: 66 s (first 30 s, then steps of 6 s)
    Charge: 0.05 + 66 s x 0.012 / 60 s, rounded up to a multiple of 0.0001 = 0.0632
    Total: USD 0.0632
    Hang-up: by callee, NORMAL_CLEARING
    Route: switch ny1, trunk blue, bought for USD 0.021
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from call_core.money import format_amount
from call_core.rating.increments import MS_PER_SECOND, whole_seconds
from call_core.rating.rater import RateTerms, rate_duration
from call_core.rating.settlement import Settlement


@dataclass(frozen=True, slots=True)
class LegBill:
    """Everything that a leg's explanation tells.

    Attributes:
        leg: "A", "B", or the party's number in a conference.
        number: E.164 with "+", or as much of it as the reader may see.
        terms: the leg's price.
        settlement: what was charged.
        ring_ms: originate to answer, or to the end when never answered.
        end_estimated: the switch was lost and the end is the last instant known.
        hangup_by: who ended the leg ("callee", "caller", "service").
        hangup_cause: the Q.850 name of why.
        switch: which switch carried it, "" when none did.
        trunk: which trunk, "" when none.
        buy_cost_micros: what the carrier charges us; None when not known.
        buy_currency: ISO 4217 code of that.
    """

    leg: str
    number: str
    terms: RateTerms
    settlement: Settlement
    ring_ms: int
    end_estimated: bool = False
    hangup_by: str = ""
    hangup_cause: str = ""
    switch: str = ""
    trunk: str = ""
    buy_cost_micros: int | None = None
    buy_currency: str = ""


def explain(bill: LegBill) -> str:
    """Writes the leg's bill as lines of ASCII text, joined by newlines."""
    lines = [*_price(bill), *_time(bill), *_money(bill), *_end(bill)]
    return "\n".join(_ascii(line) for line in lines)


def _price(bill: LegBill) -> Iterator[str]:
    terms = bill.terms
    price = format_amount(terms.price_micros_per_minute)
    fee = format_amount(terms.connect_fee_micros)
    yield f"Leg: {bill.leg} to {bill.number}"
    yield f"Destination: {terms.destination}; longest prefix {terms.prefix}"
    yield (
        f"Rate: row {terms.rate_id} of tariff {terms.tariff} version {terms.version}, "
        f"{terms.currency} {price} a minute, connect fee {terms.currency} {fee}"
    )


def _time(bill: LegBill) -> Iterator[str]:
    terms = bill.terms
    duration_ms = bill.settlement.duration_ms
    yield f"Ring: {_seconds(bill.ring_ms)} s, free"
    if duration_ms is None:
        yield "Talk: none; a leg that is not answered costs nothing"
        return
    yield f"Talk: {_seconds(duration_ms)} s, rounded up to {whole_seconds(duration_ms)} s"
    least = f"at least {terms.minimum_s} s, " if terms.minimum_s else ""
    yield (
        f"Billed: {bill.settlement.billable_s} s "
        f"({least}first {terms.first_increment_s} s, then steps of {terms.next_increment_s} s)"
    )


def _money(bill: LegBill) -> Iterator[str]:
    settlement = bill.settlement
    if settlement.duration_ms is not None:
        yield _charge(bill.terms, settlement)
        yield from _operator_parts(bill.terms, settlement)
        for tax in settlement.tax_lines:
            yield f"Tax: {tax.name} {format_amount(tax.amount_micros)}"
    yield f"Total: {bill.terms.currency} {format_amount(settlement.total_micros)}"


def _charge(terms: RateTerms, settlement: Settlement) -> str:
    return (
        f"Charge: {format_amount(terms.connect_fee_micros)} + {settlement.billable_s} s x "
        f"{format_amount(terms.price_micros_per_minute)} / 60 s, rounded up to a multiple of "
        f"{format_amount(terms.quantum_micros)} = {format_amount(settlement.rated_micros)}"
    )


def _operator_parts(terms: RateTerms, settlement: Settlement) -> Iterator[str]:
    due_micros = settlement.rated_micros - settlement.free_micros
    if settlement.free_micros:
        allowance_micros = rate_duration(terms, settlement.free_s * MS_PER_SECOND).charge_micros
        yield (
            f"Free: nobody else answered, so the first {settlement.free_s} s, worth "
            f"{format_amount(allowance_micros)}, are free; you pay "
            f"{format_amount(due_micros)}, we pay {format_amount(settlement.free_micros)}"
        )
    if settlement.overrun_micros:
        yield (
            f"Cap: {format_amount(settlement.held_micros)} was held for this leg and bounds its "
            f"total; you pay {format_amount(settlement.charge_micros)}, we pay "
            f"{format_amount(settlement.overrun_micros)}"
        )


def _end(bill: LegBill) -> Iterator[str]:
    if bill.end_estimated:
        yield "End: estimated, the switch was lost; its own record may still correct this bill"
    if bill.hangup_by or bill.hangup_cause:
        by = f"by {bill.hangup_by}" if bill.hangup_by else ""
        yield f"Hang-up: {', '.join(filter(None, (by, bill.hangup_cause)))}"
    route = [f"switch {bill.switch}"] if bill.switch else []
    if bill.trunk:
        route.append(f"trunk {bill.trunk}")
    if bill.buy_cost_micros is not None:
        route.append(f"bought for {bill.buy_currency} {format_amount(bill.buy_cost_micros)}")
    if route:
        yield f"Route: {', '.join(route)}"


def _seconds(duration_ms: int) -> str:
    seconds, milliseconds = divmod(duration_ms, MS_PER_SECOND)
    return f"{seconds}.{milliseconds:03d}"


def _ascii(line: str) -> str:
    """Drops accents and line breaks that came in with a deck's own names."""
    line = " ".join(line.split())
    if line.isascii():
        return line
    plain = unicodedata.normalize("NFKD", line)
    bare = "".join(character for character in plain if not unicodedata.combining(character))
    return bare.encode("ascii", "replace").decode("ascii")
