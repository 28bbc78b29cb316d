"""What routing would decide for a call now: every trunk's offer, what was chosen, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from call_core.money import format_amount
from call_core.rating.rater import RateTerms
from call_core.routing.choice import Plan, Unroutable, choose
from call_core.routing.offers import Offered, Verdict, offered
from call_core.routing.trunks import PartyToRoute, SwitchState, Trunk
from call_core.storage.transaction import Tx
from call_core.units.advance import terms_in
from call_core.units.house import House
from call_core.units.lines import Lines
from call_core.units.routes import switches_now, trunks_now

_UNSOLD = RateTerms("", "", "", 0, 0, 1, 1, 0, 1, "", "", 0)
_WHY = {
    "no_route": "no trunk goes there",
    "below_cost": "every trunk that goes there costs more than the customer pays",
    "routes_down": "the trunks or switches that go there are out of order",
    "no_common_switch": "the parties have no switch in common",
    "all_lines_busy": "every way is there, but no port is free",
}


class NotSoldError(Exception):
    """The tariff does not sell a number; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was found; `answer` is the plan or who cannot be reached."""

    numbers: Sequence[str]
    switches: Sequence[SwitchState]
    offers: Sequence[Offered]
    answer: Plan | Unroutable


def look(
    tx: Tx, house: House, lines: Lines, numbers: Sequence[str], tariff: str, now_call_ms: int
) -> Report:
    """Ask routing for a call of these numbers.

    Args:
        tx: a transaction that only reads.
        house: the deployment.
        lines: its ways out.
        numbers: E.164 with `+`, A's first where it counts.
        tariff: what customers pay, to see what is sold below cost; "" leaves that out.
        now_call_ms: prices of this instant.

    Raises:
        NotSoldError: the tariff does not sell one of them.
    """
    below_cost = lines.below_cost_allowed or not tariff
    parties = [
        _party(tx, house, lines, n, number, tariff, now_call_ms) for n, number in enumerate(numbers)
    ]
    trunks = trunks_now(tx, house, lines, now_call_ms)
    switches = switches_now(tx, lines)
    answer = choose(parties, trunks, switches, now_call_ms, below_cost_allowed=below_cost)
    offers = offered(parties, trunks, switches, now_call_ms, answer, below_cost_allowed=below_cost)
    return Report(numbers, switches, [*offers, *_without_deck(lines, trunks, parties)], answer)


def _party(
    tx: Tx, house: House, lines: Lines, n: int, number: str, tariff: str, now_call_ms: int
) -> PartyToRoute:
    if not tariff:
        return PartyToRoute(n, number, _UNSOLD)
    sell = terms_in(house.decks.active(tx, tariff), number, now_call_ms)
    if sell is None:
        raise NotSoldError(f"Tariff {tariff} does not sell {number}.")
    return PartyToRoute(n, number, sell, lines.ppm(sell.currency))


def _without_deck(
    lines: Lines, trunks: Sequence[Trunk], parties: Sequence[PartyToRoute]
) -> list[Offered]:
    """Return the trunks whose tariff has no deck in force: they go nowhere."""
    known = {trunk.name for trunk in trunks}
    missing = [line for line in lines.trunks if line.name not in known]
    return [
        Offered(
            party.n,
            Trunk(line.name, line.switch, lambda _digits, _at: None, line.ports),
            None,
            None,
            Verdict.NO_DECK,
        )
        for party in parties
        for line in missing
    ]


def as_data(report: Report) -> dict[str, Any]:
    """Return a report as a JSON object."""
    answer = report.answer
    return {
        "switches": [
            {"name": each.name, "up": each.healthy, "ports_free": each.ports_free}
            for each in report.switches
        ],
        "offers": [
            {
                "number": report.numbers[each.party],
                "trunk": each.trunk.name,
                "switch": each.trunk.switch,
                "prefix": each.terms.prefix if each.terms else "",
                "price_per_minute": _price(each),
                "three_minutes": _three(each),
                "ports_free": each.trunk.ports_free,
                "verdict": str(each.verdict),
            }
            for each in report.offers
        ],
        "switch": answer.switch if isinstance(answer, Plan) else None,
        "refusal": str(answer.reason) if isinstance(answer, Unroutable) else None,
    }


def as_text(report: Report) -> str:
    """Return a report for people: switches, a table per number, the decision."""
    lines = [
        f"Switch {each.name}: {'up' if each.healthy else 'down'}, {each.ports_free} ports free"
        for each in report.switches
    ]
    for n, number in enumerate(report.numbers):
        lines += ["", f"To {number}:"]
        lines += [_line(each) for each in report.offers if each.party == n]
    return "\n".join([*lines, "", _decision(report)])


def _line(each: Offered) -> str:
    where = f"  {each.trunk.name} on {each.trunk.switch}"
    if each.terms is None:
        return f"{where}: {each.verdict}"
    terms = each.terms
    return (
        f"{where}: prefix {terms.prefix} {terms.destination}, {_price(each)} {terms.currency} a "
        f"minute, {terms.first_increment_s}/{terms.next_increment_s}; 3 minutes {_three(each)}; "
        f"{each.trunk.ports_free} ports free: {each.verdict}"
    )


def _price(each: Offered) -> str:
    return format_amount(each.terms.price_micros_per_minute) if each.terms else ""


def _three(each: Offered) -> str:
    return "" if each.expected_micros is None else format_amount(each.expected_micros)


def _decision(report: Report) -> str:
    answer = report.answer
    if isinstance(answer, Plan):
        ways = ", ".join(route.trunk for route in answer.routes)
        cost = format_amount(answer.expected_micros)
        return f"Chosen: {ways} on {answer.switch}; three minutes of the whole call cost {cost}."
    return f"Refused: {_WHY[str(answer.reason)]} ({answer.number})."
