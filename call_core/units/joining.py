"""How an address, a pager or a device comes on a user's file.

`device` gives a one-time code to whoever is proven; the address that sends `join CODE` first is the
user's from then on, and so is the device that shows the code to the API (`callgate dial --join`),
which gets a key for it. A pager logs in with a secret, so a code from a stranger's pager never gets
here: its user, who is proven, names it and is shown the secret instead.
"""

from collections.abc import Sequence

from call_core.administration import AddSender
from call_core.commands import Join
from call_core.notices import Notice
from call_core.outcomes import Done, Outcome
from call_core.requests import Evidence, Request
from call_core.storage import access_rows, people_rows, record_rows
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.people_rows import CallerRow
from call_core.storage.transaction import Tx
from call_core.units import changes
from call_core.units.access import DEVICE_LABEL, hash_of
from call_core.units.caller import Asker, Stop
from call_core.units.house import House, Stamp

JOIN_TTL_S = 600
JOIN_TRIES_PER_HOUR = 5
JOIN_TRIES_IN_ALL_PER_HOUR = 300
"""Of one address, and of all: 7,200 guesses a day against 40 bits that live ten minutes."""
DEVICE_TRIES_PER_HOUR = 30
"""Of one network address, which a proxy or an office shares; of all, as many as of addresses.

They are counted for themselves: the door is open to anybody, and whoever guesses there cannot keep
addresses from joining.
"""
MAX_ADDRESSES = 20
"""That a user may put on file without the operator."""
MAX_SAME_NAMES = 20
"""Devices of one name; they are told apart by a number."""
KEY_SCOPES = ("read", "call")
_GROUP = 4
_TRIED = "join_tried"
_ALL_ADDRESSES = ("", JOIN_TRIES_IN_ALL_PER_HOUR)
_ALL_DEVICES = ("devices", JOIN_TRIES_IN_ALL_PER_HOUR)
_CODE_KEY = "join:"
_VOUCHED = (Evidence.VOUCHED, Evidence.PROVEN)


def offer(tx: Tx, asker: Asker, stamp: Stamp) -> Outcome:
    """Give a one-time code to somebody who is proven."""
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


# --- addresses ----------------------------------------------------------------------------------


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
    address = f"{request.id_space}:{request.sender}"
    if not _may_try(tx, ((address, JOIN_TRIES_PER_HOUR), _ALL_ADDRESSES), stamp):
        return None
    caller = _giver(tx, command.code, stamp)
    if caller is None:
        return None
    _put_sender(tx, caller, request.id_space, request.channel, request.sender, stamp)
    tx.audit(AuditEntry(stamp.wall_ms, caller.user_id, "access.joined", caller.user_id))
    return caller


def joined(tx: Tx, asker: Asker, stamp: Stamp) -> Outcome:
    """Answer an address that has just joined, and tell the others."""
    fields = {"address": asker.sender, "channel": asker.channel}
    notice = Notice("address_on_file", "", fields)
    changes.tell_addresses(tx, asker.user.id, notice, stamp, but=asker.sender)
    return Done("joined", fields={"name": asker.user.name})


def add_sender(
    tx: Tx, house: House, row: CallerRow, asker: Asker | None, command: AddSender, stamp: Stamp
) -> Outcome:
    """Put an address on a user's file, with what it logs in with if it has such.

    Raises:
        Stop: there is no such channel, the address is somebody's, or there are too many.
    """
    space = house.spaces.get(command.channel)
    if space is None:
        raise Stop("unknown_channel", channel=command.channel, example="smtp")
    # A disabled user's address is taken too.
    if tx.one(people_rows.CALLER_OF_SENDER, space=space, address=command.address) is not None:
        raise Stop("address_taken", address=command.address)
    on_file = len(tx.all(people_rows.SENDERS, user_id=row.user_id))
    if asker is not None and on_file >= MAX_ADDRESSES:
        raise Stop("too_many_addresses", limit=MAX_ADDRESSES)
    sender_id = _put_sender(tx, row, space, command.channel, command.address, stamp)
    if command.secret_hash:
        label = f"{command.channel} {command.address}"
        _put_token(tx, row.user_id, label, command.secret_hash, stamp)
    return Done("sender_added", fields={"sender_id": sender_id, "address": command.address})


def _put_sender(
    tx: Tx, row: CallerRow, space: str, channel: str, address: str, stamp: Stamp
) -> str:
    sender_id = stamp.new_id("sndr")
    tx.write(
        people_rows.INSERT_SENDER,
        id=sender_id,
        user_id=row.user_id,
        space=space,
        address=address,
        channel=channel,
        position=0,
        opted_out=0,
        created_wall_ms=stamp.wall_ms,
    )
    return sender_id


# --- devices ------------------------------------------------------------------------------------


def join_device(
    tx: Tx, code: str, label: str, token_hash: str, peer: str, stamp: Stamp
) -> tuple[str, str] | None:
    """Make a device's key for whoever was given the code, and tell their addresses.

    Args:
        tx: the transaction.
        code: as it was shown, grouped or not.
        label: what the device is called.
        token_hash: of its key.
        peer: where it asks from; tries are counted by it.
        stamp: now.

    Returns:
        The user's name and the device's; None as for `join`.
    """
    stamp = stamp.again()
    if not _may_try(tx, ((f"device:{peer}", DEVICE_TRIES_PER_HOUR), _ALL_DEVICES), stamp):
        return None
    letters = "".join(letter for letter in code.upper() if letter.isascii() and letter.isalnum())
    caller = _giver(tx, letters, stamp)
    if caller is None:
        return None
    name = _free_name(tx, caller.user_id, label)
    _put_token(tx, caller.user_id, f"{DEVICE_LABEL}{name}", token_hash, stamp)
    tx.audit(AuditEntry(stamp.wall_ms, caller.user_id, "access.device_joined", caller.user_id))
    notice = Notice("device_on_file", "", {"label": name})
    changes.tell_addresses(tx, caller.user_id, notice, stamp)
    return caller.user_name, name


def _free_name(tx: Tx, user_id: str, label: str) -> str:
    """Return the label, with a number when another device of the user's has it."""
    taken = {row[1] for row in tx.all(access_rows.TOKENS, user_id=user_id)}
    names = (label, *(f"{label} {n}" for n in range(2, MAX_SAME_NAMES + 1)))
    return next((name for name in names if f"{DEVICE_LABEL}{name}" not in taken), names[-1])


def _put_token(tx: Tx, user_id: str, label: str, token_hash: str, stamp: Stamp) -> None:
    tx.write(
        access_rows.INSERT_TOKEN,
        id=stamp.new_id("tok"),
        user_id=user_id,
        hash=token_hash,
        label=label,
        scopes=",".join(KEY_SCOPES),
        created_wall_ms=stamp.wall_ms,
        expires_wall_ms=None,
        last_used_wall_ms=None,
        revoked_wall_ms=None,
    )


# --- codes --------------------------------------------------------------------------------------


def _may_try(tx: Tx, limits: Sequence[tuple[str, int]], stamp: Stamp) -> bool:
    """Count one more code that is tried; False when these are too many."""
    hour = stamp.wall_ms // 3_600_000
    for subject, _ in limits:
        # Before it is looked at: of two that try at once the second waits, and sees the first.
        record_rows.count(tx, subject, _TRIED, hour)
    tried = [record_rows.counted(tx, subject, _TRIED, hour) <= most for subject, most in limits]
    return all(tried)


def _giver(tx: Tx, code: str, stamp: Stamp) -> CallerRow | None:
    """Return who was given the code and use it up; None when it is none or too old."""
    key = _CODE_KEY + hash_of(code)
    row = tx.one(access_rows.CODE, address=key)
    caller = None if row is None else tx.one(people_rows.CALLER_OF_USER, user_id=row[0])
    if row is None or row[2] < stamp.wall_ms or caller is None or caller.user_state != "active":
        return None
    tx.write(access_rows.FORGET_CODE, address=key)
    return caller
