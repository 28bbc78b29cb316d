"""A bill that was settled and turns out otherwise: amendment, adjustment, notice; never an edit."""

from collections.abc import Iterator

from call_core.calls.holds import least_micros, settle_leg
from call_core.calls.model import Call, Leg
from call_core.evolve import evolve
from call_core.ledger.accounts import AccountKind, house_account
from call_core.ledger.transfers import Transfer, TransferCode, TransferKind
from call_core.storage import ledger_rows, record_rows
from call_core.storage.ledger_rows import Entry
from call_core.storage.transaction import Tx
from call_core.units import changes, funding, news
from call_core.units.house import House, Stamp


def amend(tx: Tx, house: House, old: Call, call: Call, leg: Leg, stamp: Stamp) -> Call:
    """Correct the bill of a settled leg whose facts changed: amendment, adjustment, notice.

    The CDR itself stays as it is; the amendment says what would stand there now. The customer
    never pays more than the leg's last hold, nor more than balance, daily limit and cap have left:
    the rest is the operator's. A leg that was free stays free.

    Args:
        tx: the transaction.
        house: the deployment.
        old: the call as its bills were made.
        call: the call as it is now.
        leg: the leg of it that changed.
        stamp: now.

    Returns:
        The call with the leg's new charge.
    """
    was = old.leg(leg.id)
    assert was is not None, leg
    if was.answered_call_ms is None:
        # Nobody has asked yet whether it is free.
        unjudged = evolve(leg, settled=False)
        leg = evolve(leg, free=changes.free_allowed(tx, house, call, unjudged, stamp))
    settlement = settle_leg(call, leg, house.rules)
    due = settlement.total_micros - was.charge_micros
    left = least_micros(call, funding.budget(tx, call, stamp.day)) if due > 0 else due
    difference = min(due, left)
    now = evolve(leg, charge_micros=was.charge_micros + difference)
    identifier = stamp.new_id("amd")
    transfer_id = f"{identifier}:adjust" if difference else ""
    tx.write(
        record_rows.INSERT_AMENDMENT,
        id=identifier,
        cdr_id=changes.cdr_id(leg),
        call_id=call.id,
        field="total",
        old=str(was.charge_micros),
        new=str(now.charge_micros),
        reason="late_event",
        actor="switch",
        transfer_id=transfer_id,
        at_wall_ms=stamp.wall_ms,
    )
    entries = [Entry(each) for each in _operators(house, call, was, now, identifier, stamp)]
    if difference:
        transfer = ledger_rows.adjustment(call, leg, difference, transfer_id, stamp.call_ms)
        entries.append(Entry(transfer))
        changes.put_notice(tx, call, news.amended(call, was, now.charge_micros), stamp)
    if entries:
        ledger_rows.post_entries(tx, entries, stamp.wall_ms)
    if difference > 0:
        record_rows.count(tx, call.customer_id, changes.SPENT, stamp.day, difference)
    return call.with_leg(now)


def _operators(
    house: House, call: Call, was: Leg, now: Leg, identifier: str, stamp: Stamp
) -> Iterator[Transfer]:
    """Yield what makes the operator's parts of the old bill those of the new one."""
    parts = (
        (AccountKind.OPERATOR_FREE_LEGS, TransferCode.FREE_LEG),
        (AccountKind.OPERATOR_OVERRUN, TransferCode.OVERRUN),
    )
    before, after = (_parts_micros(house, call, leg) for leg in (was, now))
    for (purpose, code), old_micros, new_micros in zip(parts, before, after, strict=True):
        more = new_micros - old_micros
        stripe = ledger_rows.stripe(call.shard)
        pays = house_account(purpose, call.currency, stripe)
        takes = house_account(AccountKind.OPERATOR_REVENUE, call.currency, stripe)
        if more:
            yield Transfer(
                id=f"{identifier}:{code}",
                debit_account=pays if more > 0 else takes,
                credit_account=takes if more > 0 else pays,
                amount_micros=abs(more),
                currency=call.currency,
                kind=TransferKind.SINGLE,
                code=code,
                at_call_ms=stamp.call_ms,
                call_id=call.id,
                leg_id=now.id,
            )


def _parts_micros(house: House, call: Call, leg: Leg) -> tuple[int, int]:
    """Return what of a leg the operator gives free, and what nobody else pays."""
    bill = settle_leg(call, leg, house.rules)
    return bill.free_micros, bill.overrun_micros + bill.total_micros - leg.charge_micros
