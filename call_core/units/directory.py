"""Directory, speed dial, default phone: changed with an undo for a minute, and listed."""

import json

from call_core import command_json, numbering
from call_core.commands import (
    Directory,
    DirectoryChange,
    Forget,
    Phones,
    Save,
    SetSlot,
    Undo,
    UsePhone,
)
from call_core.customers.model import UserRole
from call_core.customers.names import fold
from call_core.outcomes import Done, Outcome, Phone, Phrase, Told
from call_core.storage import people_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.people_rows import EntryRow
from call_core.storage.transaction import Tx
from call_core.units import company_directory, corrections, resolve, undo
from call_core.units.caller import Asker, Stop, own_phones
from call_core.units.house import House, Stamp

HIGHEST_SLOT = 99
MOST_LISTED = 200


def change(tx: Tx, house: House, asker: Asker, command: DirectoryChange, stamp: Stamp) -> Outcome:
    """Do a change and keep what takes it back.

    Raises:
        Stop: it cannot be done.
    """
    match command:
        case Save():
            return _save(tx, house, asker, command, stamp)
        case Forget():
            return _forget(tx, house, asker, command, stamp)
        case SetSlot():
            return _set_slot(tx, house, asker, command, stamp)
        case UsePhone():
            return _use_phone(tx, house, asker, command, stamp)
        case Undo():
            return _undo(tx, asker, stamp)


def _entry(tx: Tx, asker: Asker, name: str) -> EntryRow | None:
    return tx.one(
        people_rows.ENTRY,
        customer_id=asker.customer.id,
        user_id=asker.user.id,
        folded=fold(name),
    )


def _save(tx: Tx, house: House, asker: Asker, command: Save, stamp: Stamp) -> Outcome:
    name = company_directory.checked_name(command.name)
    number = resolve.number_of(command.number.text, asker)
    old = _entry(tx, asker, name)
    mine = old is not None and old.user_id == asker.user.id
    _write_entry(tx, asker, name, number.digits, number.extension)
    undo.remember(
        tx,
        house,
        asker,
        stamp,
        "entry",
        name=name,
        number=old.number if old is not None and mine else None,
        extension=old.extension if old is not None and mine else "",
    )
    _audit(tx, asker, stamp, "directory.saved", numbering.masked(number))
    return Done("saved", fields={"name": name, "number": Phone(number.digits, number.extension)})


def _write_entry(
    tx: Tx, asker: Asker, name: str, number: str, extension: str, owner: str | None = None
) -> None:
    tx.write(
        people_rows.SAVE_ENTRY,
        customer_id=asker.customer.id,
        user_id=asker.user.id if owner is None else owner,
        folded=fold(name),
        name=name,
        number=number,
        extension=extension,
    )


def _delete_entry(tx: Tx, asker: Asker, name: str, owner: str | None = None) -> None:
    tx.write(
        people_rows.FORGET_ENTRY,
        customer_id=asker.customer.id,
        user_id=asker.user.id if owner is None else owner,
        folded=fold(name),
    )


def _forget(tx: Tx, house: House, asker: Asker, command: Forget, stamp: Stamp) -> Outcome:
    old = _entry(tx, asker, command.name)
    if old is None:
        raise Stop("no_such_entry", name=command.name, example="dir")
    if old.user_id != asker.user.id and asker.user.role is UserRole.MEMBER:
        raise Stop("entry_is_shared", name=old.name, change="administrator")
    _delete_entry(tx, asker, command.name, old.user_id)
    undo.remember(
        tx,
        house,
        asker,
        stamp,
        "entry",
        name=old.name,
        number=old.number,
        extension=old.extension,
        owner=old.user_id,
    )
    _audit(tx, asker, stamp, "directory.forgotten", "")
    return Done("forgotten", fields={"name": old.name, "number": Phone(old.number, old.extension)})


def _set_slot(tx: Tx, house: House, asker: Asker, command: SetSlot, stamp: Stamp) -> Outcome:
    if not 1 <= command.slot <= HIGHEST_SLOT:
        raise Stop("no_such_slot", slot=command.slot, limit=HIGHEST_SLOT, example="slot 7 bob")
    person = resolve.target_or_ask(
        tx,
        asker,
        command.target,
        own_phones(tx, asker),
        lambda chosen: SetSlot(command.slot, chosen),
    )
    old = tx.one(people_rows.SLOT, user_id=asker.user.id, slot=command.slot)
    tx.write(
        people_rows.SET_SLOT,
        user_id=asker.user.id,
        slot=command.slot,
        target=command_json.to_json(command.target),
    )
    undo.remember(
        tx,
        house,
        asker,
        stamp,
        "slot",
        slot=command.slot,
        target=None if old is None else str(old[0]),
    )
    return Done("slot_set", fields={"slot": command.slot, "label": person.label})


def _use_phone(tx: Tx, house: House, asker: Asker, command: UsePhone, stamp: Stamp) -> Outcome:
    phones = own_phones(tx, asker)
    found = next((each for each in phones if fold(each.label) == fold(command.label)), None)
    if found is None:
        example = phones[0].label if phones else "office"
        raise Stop("phone_not_yours", label=command.label, example=f"use {example}")
    tx.write(people_rows.SET_DEFAULT_PHONE, key_id=asker.user.id, default_phone_id=found.id)
    undo.remember(tx, house, asker, stamp, "phone", phone=phones[0].id)
    return Done("phone_used", fields={"label": found.label, "number": Phone(found.number)})


def _undo(tx: Tx, asker: Asker, stamp: Stamp) -> Outcome:
    body = undo.take(tx, asker, stamp)
    match body["kind"]:
        case "entry" if body["number"] is None:
            _delete_entry(tx, asker, body["name"])
        case "entry":
            number, extension = body["number"], body["extension"]
            _write_entry(tx, asker, body["name"], number, extension, body.get("owner"))
        case "billing_code":
            corrections.take_back(tx, asker, body["call"], body["code"], stamp)
        case "slot" if body["target"] is None:
            tx.write(people_rows.CLEAR_SLOT, user_id=asker.user.id, slot=body["slot"])
        case "slot":
            tx.write(
                people_rows.SET_SLOT,
                user_id=asker.user.id,
                slot=body["slot"],
                target=body["target"],
            )
        case _:
            tx.write(
                people_rows.SET_DEFAULT_PHONE,
                key_id=asker.user.id,
                default_phone_id=body["phone"],
            )
    what = body.get("name") or body.get("slot") or body["kind"]
    return Done("undone", fields={"what": str(what)})


def _audit(tx: Tx, asker: Asker, stamp: Stamp, action: str, masked: str) -> None:
    detail = json.dumps({"number": masked})
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, action, asker.user.id, detail))


def listing(tx: Tx, asker: Asker, command: Directory | Phones) -> Told:
    """Return the names that begin with a prefix, or the user's own phones."""
    if isinstance(command, Phones):
        rows = tuple(
            Phrase(
                "phone_row",
                {
                    "label": phone.label,
                    "number": Phone(phone.number, phone.extension),
                    "default": int(phone.default),
                    "verified": int(phone.verified),
                },
            )
            for phone in own_phones(tx, asker)
        )
        return Told("phones", rows=rows)
    prefix = fold(command.prefix)
    found = tx.all(
        people_rows.ENTRIES,
        customer_id=asker.customer.id,
        user_id=asker.user.id,
        prefix=prefix,
        length=len(prefix),
        most=MOST_LISTED,
    )
    rows = tuple(
        Phrase(
            "directory_row",
            {
                "name": row.name,
                "number": Phone(row.number, row.extension),
                "shared": int(not row.user_id),
            },
        )
        for row in found
    )
    return Told("directory", rows=rows, fields={"prefix": command.prefix, "count": len(rows)})
