"""What a user has launched today without being proven: the measure of `vouched_daily_spend`."""

from sqlalchemy import bindparam, case, func, select

from call_core.requests import Evidence
from call_core.storage import tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units.caller import Asker
from call_core.units.house import DAY_MS, Stamp

_C, _L, _R = tables.calls, tables.legs, tables.requests
SPENT_UNPROVEN = select_statement(
    select(
        func.coalesce(
            func.sum(case((_L.c.settled == 1, _L.c.charge_micros), else_=_L.c.held_micros)), 0
        )
    )
    .join(_C, _C.c.id == _L.c.call_id)
    .join(_R, _R.c.id == _C.c.request_id)
    .where(
        _C.c.customer_id == bindparam("customer_id"),
        _C.c.user_id == bindparam("user_id"),
        _C.c.launched_call_ms >= bindparam("since"),
        _R.c.evidence < int(Evidence.PROVEN),
    ),
    name="spent_unproven",
)


def spent_today_micros(tx: Tx, asker: Asker, stamp: Stamp) -> int:
    """Return what a VOUCHED user's launches of today have cost and hold; 0 for a PROVEN one."""
    if asker.evidence is Evidence.PROVEN:
        return 0
    row = tx.one(
        SPENT_UNPROVEN,
        customer_id=asker.customer.id,
        user_id=asker.user.id,
        since=stamp.day * DAY_MS,
    )
    return 0 if row is None else int(row[0])
