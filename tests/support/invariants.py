"""What must be true of the database and the switch at every moment, whatever happened before."""

from collections import Counter
from collections.abc import Iterable, Iterator

from sqlalchemy import bindparam, select

from call_core.calls.model import Call, Leg
from call_core.ledger.accounts import Account, AccountKind
from call_core.storage import call_rows, tables
from call_core.storage.statements import Row, select_statement
from call_core.storage.transaction import Tx
from call_core.units import ports
from call_core.units.house import House
from gateway import books

_A, _T = tables.accounts, tables.transfers


def _account(row: Row) -> Account:
    identifier, currency, kind, *counters_and_limit = row
    return Account(identifier, currency, AccountKind(kind), *counters_and_limit)


ACCOUNTS = select_statement(
    select(
        *(_A.c.id, _A.c.currency, _A.c.kind),
        *(_A.c.debits_pending, _A.c.debits_posted, _A.c.credits_pending, _A.c.credits_posted),
        _A.c.credit_limit_micros,
    ),
    row=_account,
    name="all_accounts",
)
ENDINGS = select_statement(
    select(_T.c.leg_id, _T.c.kind, _T.c.id, _T.c.pending_id, _T.c.amount_micros).where(
        _T.c.leg_id != ""
    ),
    name="transfers_of_legs",
)
CDR_LEGS = select_statement(select(tables.cdrs.c.id, tables.cdrs.c.total_micros), name="cdr_legs")
CALL_IDS = select_statement(select(tables.calls.c.id), name="call_ids")
UNANSWERED = select_statement(
    select(tables.requests.c.id).where(tables.requests.c.outcome == bindparam("none")),
    name="requests_without_outcome",
)


def accounts(tx: Tx) -> list[Account]:
    """Return every ledger account (a query)."""
    return tx.all(ACCOUNTS)


def broken(tx: Tx, on_the_switch: set[str], house: House) -> list[str]:
    """Return one sentence for everything that must not be (a query).

    Args:
        tx: reads only.
        on_the_switch: ids of the legs that the switch has.
        house: whose ports are counted.
    """
    calls = [call_rows.load_call(tx, row[0]) for row in tx.all(CALL_IDS)]
    legs = {leg.id: (call, leg) for call in calls if call is not None for leg in call.legs()}
    _, wrong = books.verify(tx, lambda *_: None)
    return [
        *wrong,
        *_holds(tx, legs.values()),
        *_records(tx, legs.values()),
        *_switch(legs, on_the_switch),
        *_ports(tx, [leg for _, leg in legs.values()], house),
        *(f"request {row[0]} has no outcome" for row in tx.all(UNANSWERED, none="")),
    ]


def _holds(tx: Tx, legs: Iterable[tuple[Call, Leg]]) -> Iterator[str]:
    """Every leg that is not settled has its one hold, every settled one none and one settlement."""
    rows = tx.all(ENDINGS)
    ended = {pending_id for _, kind, _, pending_id, _ in rows if kind in ("post", "void")}
    held = {
        identifier: (leg_id, amount)
        for leg_id, kind, identifier, _, amount in rows
        if kind == "pending" and identifier not in ended
    }
    posted = Counter(leg_id for leg_id, kind, *_ in rows if kind == "post")
    for _, leg in legs:
        mine = [amount for leg_id, amount in held.values() if leg_id == leg.id]
        wanted = [] if leg.settled or not leg.holds else [leg.held_micros]
        if mine != wanted:
            yield f"leg {leg.id} ({leg.state}) holds {mine}, not {wanted}"
        if posted[leg.id] != int(leg.charge_micros > 0):
            yield f"leg {leg.id} was charged {posted[leg.id]} times for {leg.charge_micros}"
        if leg.settled and leg.charge_micros > leg.held_micros:
            yield f"leg {leg.id} paid {leg.charge_micros} of {leg.held_micros} held"


def _records(tx: Tx, legs: Iterable[tuple[Call, Leg]]) -> Iterator[str]:
    """Every settled leg has its one record, and every leg of an ended call is settled."""
    records: dict[str, int] = dict(tx.all(CDR_LEGS))
    for call, leg in legs:
        total = records.pop(f"cdr_{leg.id}", None)
        if (total is not None) is not (leg.settled and leg.holds > 0):
            yield f"leg {leg.id} ({leg.state}) has {'a' if total is not None else 'no'} record"
        if call.ended and not leg.settled:
            yield f"leg {leg.id} of an ended call is not settled"
    for identifier in records:
        yield f"record {identifier} has no leg"


def _switch(legs: dict[str, tuple[Call, Leg]], on_the_switch: set[str]) -> Iterator[str]:
    for leg_id in on_the_switch:
        found = legs.get(leg_id)
        if found is None or found[1].ended:
            yield f"leg {leg_id} is on the switch and nobody wants it"


def _ports(tx: Tx, legs: Iterable[Leg], house: House) -> Iterator[str]:
    live = Counter(leg.trunk for leg in legs if leg.holds and not leg.settled)
    used = Counter[str]()
    for (_, trunk), count in ports.used(tx).items():
        used[trunk] += count
    for trunk in sorted(live.keys() | used.keys() | {house.trunk}):
        if used[trunk] != live[trunk]:
            yield f"{used[trunk]} ports of {trunk} are taken by {live[trunk]} legs"
