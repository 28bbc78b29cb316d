"""What is corrected after the fact: the billing code of a call, on its records as amendments."""

from call_core.calls.model import Call
from call_core.commands import SetBillingCode
from call_core.customers.model import UserRole
from call_core.evolve import evolve
from call_core.outcomes import Done
from call_core.storage import call_rows, people_rows, record_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.transaction import Tx
from call_core.units import changes, find_call, undo
from call_core.units.caller import Asker, Stop
from call_core.units.house import House, Stamp


def set_billing_code(
    tx: Tx, house: House, asker: Asker, command: SetBillingCode, stamp: Stamp
) -> Done:
    """Give a call of the user's another billing code; `undo` takes it back for a minute.

    Raises:
        Stop: there is no such call of theirs, or no such code.
    """
    call = find_call.by_ref(tx, asker, command.ref, lock=True)
    if call.user_id != asker.user.id and asker.user.role is not UserRole.OPERATOR:
        raise Stop("not_your_call", ref=call.ref)
    code = command.billing_code
    known = tx.one(people_rows.BILLING_CODE, customer_id=asker.customer.id, code=code)
    any_code = tx.one(people_rows.ANY_BILLING_CODE, customer_id=asker.customer.id)
    if known is None and any_code is not None:
        raise Stop("billing_code_unknown", billing_code=code, ref=call.ref, example=any_code[0])
    undo.remember(tx, house, asker, stamp, "billing_code", call=call.id, code=call.billing_code)
    return _write(tx, asker, call, code, stamp)


def take_back(tx: Tx, asker: Asker, call_id: str, code: str, stamp: Stamp) -> None:
    """Give a call its former billing code again."""
    call = call_rows.load_call(tx, call_id, lock=True)
    assert call is not None, call_id
    _write(tx, asker, call, code, stamp)


def _write(tx: Tx, asker: Asker, call: Call, code: str, stamp: Stamp) -> Done:
    stored = call_rows.save_call(tx, call, evolve(call, billing_code=code), stamp.wall_ms)
    for leg in call.legs():
        if leg.settled:
            tx.write(
                record_rows.INSERT_AMENDMENT,
                id=stamp.new_id("amd"),
                cdr_id=changes.cdr_id(leg),
                call_id=call.id,
                field="billing_code",
                old=call.billing_code,
                new=code,
                reason="corrected",
                actor=asker.user.id,
                transfer_id="",
                at_wall_ms=stamp.wall_ms,
            )
    changes.announce(tx, stored)
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, "call.billing_code", call.id))
    return Done("billing_code_set", stored.ref, stored.id, {"code": code})
