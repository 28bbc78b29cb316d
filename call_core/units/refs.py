"""Refs: the short names of calls and questions, unique per user.

One is free again 90 days after it was taken, and after what it names has ended.
"""

from sqlalchemy import bindparam, update

from call_core.storage import record_rows, tables
from call_core.storage.statements import write_statement
from call_core.storage.transaction import Tx
from call_core.units.caller import Asker, Stop
from call_core.units.house import DAY_MS, Stamp

REUSED_AFTER_MS = 90 * DAY_MS
_TRIES = (1, 1, 1, 2, 2, 2, 3, 3, 4)
"""Pairs of letters in each try: three with the shortest form, then it grows."""

REUSE_REF = write_statement(
    update(tables.refs)
    .where(
        tables.refs.c.user_id == bindparam("key_user_id"),
        tables.refs.c.ref == bindparam("key_ref"),
    )
    .values(call_id=bindparam("call_id")),
    name="reuse_ref",
)


def take(tx: Tx, asker: Asker, subject_id: str, stamp: Stamp) -> str:
    """Return a ref that names `subject_id` for this user; the one of an answered question stays."""
    if asker.ref:
        tx.write(REUSE_REF, key_user_id=asker.user.id, key_ref=asker.ref, call_id=subject_id)
        return asker.ref
    for pairs in _TRIES:
        ref = stamp.new_ref(pairs)
        taken = tx.run(
            record_rows.TAKE_REF,
            user_id=asker.user.id,
            ref=ref,
            call_id=subject_id,
            taken_wall_ms=stamp.wall_ms,
            free_before=stamp.wall_ms - REUSED_AFTER_MS,
        )
        if taken == 1:
            return ref
    raise Stop("no_ref_left")


def subject_of(tx: Tx, user_id: str, ref: str) -> str | None:
    """Return what a ref names for its owner; None when it names nothing of theirs."""
    row = tx.one(record_rows.CALL_OF_REF, user_id=user_id, ref=ref.upper())
    return None if row is None else str(row[0])
