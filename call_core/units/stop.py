"""Calls whose legs never reached the switch: ended when they waited too long, else asked anew."""

from call_core.calls.causes import Cause
from call_core.calls.machine import advance, end
from call_core.calls.model import Call, Reason
from call_core.evolve import evolve
from call_core.storage.transaction import Tx
from call_core.units import changes
from call_core.units.house import House, Stamp


def originate_now(tx: Tx, house: House, call: Call, leg_ids: frozenset[str], stamp: Stamp) -> Call:
    """Let legs that the switch never had begin now: their ringing time has not run yet.

    Raises:
        Fenced: somebody else wrote the call since it was read.
    """
    stamp = stamp.again()
    new = call
    for leg in call.legs():
        if leg.id in leg_ids:
            new = new.with_leg(evolve(leg, originated_call_ms=stamp.call_ms))
    return changes.commit_change(tx, house, call, new, stamp)


def expire(tx: Tx, house: House, call: Call, leg_ids: frozenset[str], stamp: Stamp) -> Call:
    """End a call whose first leg was never on the switch; nothing is charged, the user is told.

    Raises:
        Fenced: somebody else wrote the call since it was read.
    """
    stamp = stamp.again()
    new = call
    for leg in call.legs():
        if leg.id in leg_ids:
            new = new.with_leg(
                evolve(
                    leg,
                    ended_call_ms=stamp.call_ms,
                    cause=int(Cause.EXPIRED),
                    hangup_by="us",
                )
            )
    new = end(new, Reason.EXPIRED, stamp.call_ms, house.rules)
    step = advance(new, (), stamp.call_ms, house.rules)
    return changes.commit_change(tx, house, call, step.call, stamp)
