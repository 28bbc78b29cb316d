"""What the switch knows to be true against what the store has billed, when all is quiet."""

import itertools
import operator
import sqlite3
from collections.abc import Iterator

from call_core.calls.model import CallState
from call_core.contracts import SwitchEvent
from call_core.rating.rater import RateTerms, rate_duration
from call_core.storage.audit_chain import AuditChain, broken_links
from call_core.storage.sqlite import SqliteTx
from gateway import books
from tests.sim.invariants import Watch
from tests.sim.telephones import TruthfulSimulator

_LEGS = """
    SELECT legs.id, legs.answered_call_ms, legs.ended_call_ms, legs.end_estimated, legs.terms,
           legs.held_micros, legs.charge_micros, legs.paid_seconds, legs.holds, legs.settled,
           cdrs.id, cdrs.total_micros,
           (SELECT sum(amount_micros) FROM transfers
            WHERE leg_id = legs.id AND code = 'free_leg'),
           (SELECT sum(amount_micros) FROM transfers
            WHERE leg_id = legs.id AND code = 'overrun'),
           (SELECT count(*) FROM cdr_amendments WHERE cdr_id = cdrs.id)
    FROM legs LEFT JOIN cdrs ON cdrs.id = 'cdr_' || legs.id
    ORDER BY legs.id
"""
_STUCK = "SELECT id, state FROM calls WHERE ended_wall_ms IS NULL ORDER BY id"
_WANTED = "SELECT id FROM legs WHERE originated_call_ms IS NOT NULL AND ended_call_ms IS NULL"
_TALKING = """
    SELECT call_id, id FROM legs
    WHERE accepted_call_ms IS NOT NULL AND ended_call_ms IS NULL AND hangup_asked = 0
    ORDER BY call_id
"""
_RESTING = (str(CallState.SCHEDULED), str(CallState.ASKED))


def at_rest(db: sqlite3.Connection, switch: TruthfulSimulator) -> list[str]:
    """Return legs that are up and that the store does not want."""
    legs = sorted(switch._exchange.legs)  # noqa: SLF001  (what is really up)
    if not legs:
        return []
    wanted = {row[0] for row in db.execute(_WANTED)}
    return [leg_id for leg_id in legs if leg_id not in wanted]


def unheard_legs(db: sqlite3.Connection, switch: TruthfulSimulator) -> list[str]:
    """Return legs that have accepted, as another of their call, and that hear none of it."""
    rows = db.execute(_TALKING).fetchall()
    calls = itertools.groupby(rows, key=operator.itemgetter(0))
    return [leg_id for _, legs in calls for leg_id in switch.apart([each[1] for each in legs])]


def at_the_end(
    db: sqlite3.Connection, switch: TruthfulSimulator, watch: Watch
) -> Iterator[tuple[str, str]]:
    """Yield what is wrong when everything has been told and nothing runs any more."""
    for call_id, state in db.execute(_STUCK).fetchall():
        if state not in _RESTING:
            yield "no_call_is_stuck", f"{call_id} is {state}"
    for leg_id in sorted(switch._exchange.legs):  # noqa: SLF001  (its inside is what is looked at)
        yield "no_unwanted_leg", f"{leg_id} is still up"
    tx = SqliteTx(db, AuditChain("looking"))
    _, wrong = books.verify(tx, lambda _done, _of: None)
    for sentence in wrong:
        yield "books_verify", sentence
    for node, seq in broken_links(tx):
        yield "audit_chain", f"{node} {seq}"
    for row in db.execute(_LEGS).fetchall():
        yield from _leg(tuple(row), switch, watch)


def _leg(
    row: tuple[object, ...], switch: TruthfulSimulator, watch: Watch
) -> Iterator[tuple[str, str]]:
    leg_id, *_, held, charge, _, holds, settled = row[:10]
    cdr, cdr_total, _, _, amended = row[10:]
    assert isinstance(leg_id, str)
    assert isinstance(held, int)
    assert isinstance(charge, int)
    if settled and bool(holds) is not (cdr is not None):
        yield "one_record_per_leg", f"{leg_id} has record {cdr}"
    if watch.charged[leg_id] != charge or charge > held:
        yield "charge_is_the_ledgers", f"{leg_id} {charge} of {held}, {watch.charged[leg_id]}"
    if not amended and cdr is not None and cdr_total != charge:
        yield "record_is_the_money", f"{leg_id} bills {cdr_total}, charged {charge}"
    true = switch.ended.get(leg_id)
    if true is not None and _was_wanted(row, switch):
        yield from _against_the_truth(row, true)


def _was_wanted(row: tuple[object, ...], switch: TruthfulSimulator) -> bool:
    """Whether the switch was asked for a leg before the store took it for ended.

    An order that arrives later makes a leg that nobody pays for until reconcile hangs it up.
    """
    leg_id, _, ended = row[:3]
    return ended is None or switch.arrived[str(leg_id)] <= int(str(ended))


def _against_the_truth(row: tuple[object, ...], true: SwitchEvent) -> Iterator[tuple[str, str]]:
    leg_id, answered, ended, estimated, terms, _, charge, paid_s, _, settled = row[:10]
    _, _, free, overrun, amended = row[10:]
    true_ms = 0
    if true.answered_call_ms is not None:
        true_ms = true.at_call_ms - true.answered_call_ms
    if true_ms > int(str(paid_s)) * 1000:
        yield "not_past_paid_until", f"{leg_id} talked {true_ms} ms, paid for {paid_s} s"
    if estimated or not settled:
        return
    if ended != true.at_call_ms or answered != true.answered_call_ms:
        words = f"{answered}..{ended}, truth {true.answered_call_ms}..{true.at_call_ms}"
        yield "bill_is_the_switchs_time", f"{leg_id} {words}"
        return
    rated = 0
    if true.answered_call_ms is not None:
        rated = rate_duration(RateTerms.from_json(str(terms)), true_ms).charge_micros
    paid = int(str(charge)) + int(str(free or 0)) + int(str(overrun or 0))
    if not amended and paid != rated:
        yield "charge_is_min_rated_held", f"{leg_id} {charge} of {rated}, with the operator {paid}"
