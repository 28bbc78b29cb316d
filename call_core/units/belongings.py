"""What belongs to a user: phones and addresses, added by proof from one that is theirs already.

`device` gives a one-time code to whoever is proven; the address that sends `join CODE` first is the
user's from then on. A phone is rung and asks for digits that are shown elsewhere (`verification`).
Whatever is added is told to the user's other addresses, with the words that take it off again.
"""

from collections.abc import Mapping

from sqlalchemy import bindparam, delete

from call_core.administration import AddPhone, AddSender, AddToken
from call_core.calls.model import Call
from call_core.commands import Belonging, Detach, Device, Join, OwnPhone
from call_core.customers.names import fold
from call_core.notices import Notice
from call_core.outcomes import Done, Outcome
from call_core.requests import Evidence, Request
from call_core.storage import access_rows, people_rows, record_rows, tables
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.people_rows import CallerRow
from call_core.storage.statements import write_statement
from call_core.storage.transaction import Tx
from call_core.units import changes, verification
from call_core.units.access import hash_of
from call_core.units.caller import Asker, Stop
from call_core.units.house import House, Stamp

JOIN_TTL_S = 600
JOIN_TRIES_PER_HOUR = 5
JOIN_TRIES_IN_ALL_PER_HOUR = 300
"""Of one address, and of all: 7,200 guesses a day against 40 bits that live ten minutes."""
_GROUP = 4
_TRIED = "join_tried"
_EVERYBODY = ""
_CODE_KEY = "join:"
_ADDED: Mapping[type, str] = {
    AddPhone: "phone_on_file",
    AddSender: "address_on_file",
    AddToken: "token_on_file",
}
_VOUCHED = (Evidence.VOUCHED, Evidence.PROVEN)

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
            return _offer(tx, asker, stamp), None
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


# --- addresses ----------------------------------------------------------------------------------


def _offer(tx: Tx, asker: Asker, stamp: Stamp) -> Outcome:
    letters = stamp.new_secret(2 * _GROUP).upper()
    tx.write(
        access_rows.PUT_CODE,
        address=_CODE_KEY + hash_of(letters),
        user_id=asker.user.id,
        hash=hash_of(letters),
        expires_wall_ms=stamp.wall_ms + JOIN_TTL_S * 1000,
        tries=0,
    )
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, "access.join_code", asker.user.id))
    code = f"{letters[:_GROUP]}-{letters[_GROUP:]}"
    return Done("join_code", fields={"code": code, "minutes": JOIN_TTL_S // 60})


def join(tx: Tx, house: House, request: Request, stamp: Stamp) -> CallerRow | None:
    """Put a new address on the file of whoever was given the code.

    Returns:
        Whose address it is now; None when the code is wrong, was used, or is too old, when too many
        were tried, or when nobody vouches for the sender. Whoever guesses learns none of it.
    """
    command = request.command
    known_way = request.evidence in _VOUCHED and request.sender and request.user_id is None
    if not isinstance(command, Join) or not known_way or request.channel not in house.spaces:
        return None
    if not _may_try(tx, request, stamp):
        return None
    key = _CODE_KEY + hash_of(command.code)
    row = tx.one(access_rows.CODE, address=key)
    caller = None if row is None else tx.one(people_rows.CALLER_OF_USER, user_id=row[0])
    if row is None or row[2] < stamp.wall_ms or caller is None or caller.user_state != "active":
        return None
    tx.write(access_rows.FORGET_CODE, address=key)
    tx.write(
        people_rows.INSERT_SENDER,
        id=stamp.new_id("sndr"),
        user_id=caller.user_id,
        space=request.id_space,
        address=request.sender,
        channel=request.channel,
        position=0,
        opted_out=0,
        created_wall_ms=stamp.wall_ms,
    )
    tx.audit(AuditEntry(stamp.wall_ms, caller.user_id, "access.joined", caller.user_id))
    return caller


def _may_try(tx: Tx, request: Request, stamp: Stamp) -> bool:
    """Count one more code that is tried; False when these are too many."""
    hour = stamp.wall_ms // 3_600_000
    address = f"{request.id_space}:{request.sender}"
    limits = ((address, JOIN_TRIES_PER_HOUR), (_EVERYBODY, JOIN_TRIES_IN_ALL_PER_HOUR))
    tried = [record_rows.counted(tx, subject, _TRIED, hour) < most for subject, most in limits]
    for subject, _ in limits:
        record_rows.count(tx, subject, _TRIED, hour)
    return all(tried)


def joined(tx: Tx, asker: Asker, stamp: Stamp) -> Outcome:
    """Answer an address that has just joined, and tell the others."""
    fields = {"address": asker.sender, "channel": asker.channel}
    notice = Notice("address_on_file", "", fields)
    changes.tell_addresses(tx, asker.user.id, notice, stamp, but=asker.sender)
    return Done("joined", fields={"name": asker.user.name})


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
    """Take a phone, by its label, or an address off the file; the last address stays."""
    for phone in tx.all(people_rows.PHONES, user_id=asker.user.id):
        if phone.folded == fold(what):
            tx.write(DELETE_PHONE, key_id=phone.id, key_user_id=asker.user.id)
            if phone.id == asker.default_phone_id:
                tx.write(people_rows.SET_DEFAULT_PHONE, key_id=asker.user.id, default_phone_id="")
            return _detached(tx, asker, phone.label, stamp)
    senders = tx.all(people_rows.SENDERS, user_id=asker.user.id)
    for identifier, _, address, _, _ in senders:
        if address.casefold() == what.casefold():
            if len(senders) == 1:
                raise Stop("last_address", address=address)
            tx.write(DELETE_SENDER, key_id=identifier, key_user_id=asker.user.id)
            return _detached(tx, asker, address, stamp)
    raise Stop("nothing_to_detach", name=what, example="phones")


def _detached(tx: Tx, asker: Asker, what: str, stamp: Stamp) -> Outcome:
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, "access.detached", asker.user.id))
    return Done("detached", fields={"what": what})
