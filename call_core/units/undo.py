"""The way back from a user's last change, kept for a minute."""

import json
from typing import Any

from sqlalchemy import bindparam, delete, select

from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx
from call_core.units.caller import Asker, Stop
from call_core.units.house import House, Stamp

_UNDO = tables.undos
FIND_UNDO = select_statement(
    select(_UNDO.c.body, _UNDO.c.expires_wall_ms).where(_UNDO.c.user_id == bindparam("user_id")),
    name="find_undo",
)
PUT_UNDO = upsert_statement(
    lambda insert_into: (made := insert_into(_UNDO)).on_conflict_do_update(
        index_elements=["user_id"],
        set_={"body": made.excluded.body, "expires_wall_ms": made.excluded.expires_wall_ms},
    ),
    name="put_undo",
)
FORGET_UNDO = write_statement(
    delete(_UNDO).where(_UNDO.c.user_id == bindparam("user_id")), name="forget_undo"
)


def remember(
    tx: Tx, house: House, asker: Asker, stamp: Stamp, kind: str, **values: str | int | None
) -> None:
    """Keep the way back from a change for `undo_s`, in place of the one before."""
    tx.write(
        PUT_UNDO,
        user_id=asker.user.id,
        body=json.dumps({"kind": kind, **values}),
        expires_wall_ms=stamp.wall_ms + house.limits.undo_s * 1000,
    )


def take(tx: Tx, asker: Asker, stamp: Stamp) -> dict[str, Any]:
    """Return what takes the last change back; it can be asked for once.

    Raises:
        Stop: there is nothing, or it is too late.
    """
    row = tx.one(FIND_UNDO, user_id=asker.user.id)
    if row is None or row[1] < stamp.wall_ms:
        raise Stop("nothing_to_undo")
    if tx.run(FORGET_UNDO, user_id=asker.user.id) != 1:
        raise Stop("nothing_to_undo")  # somebody asked at the same moment
    body: dict[str, Any] = json.loads(row[0])
    return body
