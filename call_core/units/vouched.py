"""What being vouched for is not enough for: today's spend, new countries, many people."""

from sqlalchemy import bindparam, case, func, select

from call_core.calls.model import Call
from call_core.commands import Add
from call_core.requests import Evidence
from call_core.storage import record_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units.caller import Ask, Asker
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


def check_new_party(tx: Tx, asker: Asker, call: Call, command: Add, region: str) -> None:
    """Ask for a `go` from a PROVEN channel before a running call grows beyond what is vouched for.

    Raises:
        Ask: the country is new to the user, or there would be too many people.
    """
    if asker.evidence is Evidence.PROVEN or "confirm_from_proven" in asker.confirmed:
        return
    new = region != asker.user.country and (
        record_rows.counted(tx, asker.user.id, f"region:{region}", 0) == 0
    )
    alive = sum(1 for party in call.parties if not party.gone)
    if new or alive + 1 > asker.customer.limits.vouched_parties:
        raise Ask("confirm_from_proven", command=command, needs_proven=True)
