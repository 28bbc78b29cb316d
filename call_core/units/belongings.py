"""What belongs to a user: phones, addresses and devices, added by proof from one that is theirs.

Addresses and devices come by a code (`joining`); a phone is rung and asks for digits that are shown
elsewhere (`verification`). Whatever is added is told to the user's other addresses, with the words
that take it off again.
"""

from collections.abc import Mapping

from sqlalchemy import bindparam, delete

from call_core.administration import AddPhone, AddSender, AddToken
from call_core.calls.model import Call
from call_core.commands import Belonging, Detach, Device, Join, OwnPhone
from call_core.customers.names import fold
from call_core.notices import Notice
from call_core.outcomes import Done, Outcome
from call_core.storage import access_rows, people_rows, tables
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.statements import write_statement
from call_core.storage.transaction import Tx
from call_core.units import changes, joining, verification
from call_core.units.access import DEVICE_LABEL
from call_core.units.caller import Asker, Stop
from call_core.units.house import House, Stamp

_ADDED: Mapping[type, str] = {
    AddPhone: "phone_on_file",
    AddSender: "address_on_file",
    AddToken: "token_on_file",
}
DELETE_PHONE = write_statement(
    delete(tables.phones).where(
        tables.phones.c.id == bindparam("key_id"),
        tables.phones.c.user_id == bindparam("key_user_id"),
    ),
    name="delete_phone",
)
DELETE_SENDER = write_statement(
    delete(tables.senders).where(
        tables.senders.c.id == bindparam("key_id"),
        tables.senders.c.user_id == bindparam("key_user_id"),
    ),
    name="delete_sender",
)


def change(
    tx: Tx, house: House, asker: Asker, command: Belonging, stamp: Stamp
) -> tuple[Outcome, Call | None]:
    """Do one of the user's commands about their own phones and addresses.

    Returns:
        The answer, and the call that verifies a phone, if there is one.

    Raises:
        Stop: it cannot be done; nothing was written.
    """
    match command:
        case Device():
            return joining.offer(tx, asker, stamp), None
        case Join():
            raise Stop("already_on_file", example="device")
        case OwnPhone():
            outcome, call, added = verification.ring(tx, house, asker, command, stamp)
            if added is not None:
                notice = Notice("phone_on_file", "", added)
                changes.tell_addresses(tx, asker.user.id, notice, stamp, but=asker.sender)
            return outcome, call
        case Detach(what):
            return _detach(tx, asker, what, stamp), None


# --- telling ------------------------------------------------------------------------------------


def tell_of_addition(
    tx: Tx,
    user_id: str,
    command: AddPhone | AddSender | AddToken,
    outcome: Outcome,
    stamp: Stamp,
) -> None:
    """Tell somebody's addresses that a phone, an address or a token was put on their file."""
    names = ("label", "number", "address")
    fields = {name: outcome.fields[name] for name in names if name in outcome.fields}
    but = ""
    if isinstance(command, AddSender):
        fields["channel"], but = command.channel, command.address
    changes.tell_addresses(tx, user_id, Notice(_ADDED[type(command)], "", fields), stamp, but=but)


# --- taking off ---------------------------------------------------------------------------------


def _detach(tx: Tx, asker: Asker, what: str, stamp: Stamp) -> Outcome:
    """Take a phone by its label, an address, or a device off the file; the last address stays."""
    found = (
        _detach_phone(tx, asker, what)
        or _detach_address(tx, asker, what, stamp)
        or _revoke(tx, asker, f"{DEVICE_LABEL}{what}", stamp).removeprefix(DEVICE_LABEL)
    )
    if not found:
        raise Stop("nothing_to_detach", name=what, example="phones")
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, "access.detached", asker.user.id))
    return Done("detached", fields={"what": found})


def _detach_phone(tx: Tx, asker: Asker, label: str) -> str:
    """Return the phone's label as it is on file, "" when there is none."""
    for phone in tx.all(people_rows.PHONES, user_id=asker.user.id):
        if phone.folded == fold(label):
            tx.write(DELETE_PHONE, key_id=phone.id, key_user_id=asker.user.id)
            if phone.id == asker.default_phone_id:
                tx.write(people_rows.SET_DEFAULT_PHONE, key_id=asker.user.id, default_phone_id="")
            return str(phone.label)
    return ""


def _detach_address(tx: Tx, asker: Asker, what: str, stamp: Stamp) -> str:
    """Return the address as it is on file, "" when there is none.

    It goes off by all ways that it is on file for, and a pager cannot log in with it again.
    """
    senders = tx.all(people_rows.SENDERS, user_id=asker.user.id)
    found = [row for row in senders if row[2].casefold() == what.casefold()]
    if found and len(found) == len(senders):
        raise Stop("last_address", address=found[0][2])
    for identifier, _, address, channel, _ in found:
        tx.write(DELETE_SENDER, key_id=identifier, key_user_id=asker.user.id)
        _revoke(tx, asker, f"{channel} {address}", stamp)
    return str(found[0][2]) if found else ""


def _revoke(tx: Tx, asker: Asker, label: str, stamp: Stamp) -> str:
    """End the tokens of this label; return it as it was written, "" when there is none."""
    found = ""
    for token_id, written, *_ in tx.all(access_rows.TOKENS, user_id=asker.user.id):
        if written.casefold() == label.casefold():
            tx.write(access_rows.REVOKE_ANY_TOKEN, key_id=token_id, now=stamp.wall_ms)
            found = str(written)
    return found
