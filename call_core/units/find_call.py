"""Which call is meant: by ref, by reply, or because only one is running."""

from collections.abc import Callable

from sqlalchemy import bindparam, literal_column, select

from call_core.calls.model import VERIFICATION, Call, CallState
from call_core.commands import Command
from call_core.customers.model import UserRole
from call_core.outcomes import Phrase
from call_core.storage import call_rows, people_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import refs
from call_core.units.caller import Ask, Asker, Choice, Stop

_C = tables.calls
RUNNING = select_statement(
    select(_C.c.id, _C.c.ref, _C.c.state)
    .where(
        _C.c.customer_id == bindparam("customer_id"),
        _C.c.user_id == bindparam("user_id"),
        _C.c.ended_wall_ms.is_(None),
        _C.c.state.notin_(["SCHEDULED", "ASKED"]),
    )
    # Not the bare column: SQLite would walk all calls of the past rather than sort a few live ones.
    .order_by((_C.c.created_wall_ms + literal_column("0")).desc()),
    name="running_calls_of_user",
)
CUSTOMER_CALL = select_statement(
    select(_C.c.id)
    .where(
        _C.c.customer_id == bindparam("customer_id"),
        _C.c.ref == bindparam("ref"),
        _C.c.ended_wall_ms.is_(None),
    )
    .order_by(_C.c.created_wall_ms.desc()),
    name="call_of_customer",
)
LAST_CALL = select_statement(
    select(_C.c.id)
    .where(
        _C.c.user_id == bindparam("user_id"),
        _C.c.launched_call_ms.is_not(None),
        _C.c.kind != VERIFICATION,
    )
    .order_by(_C.c.created_wall_ms.desc())
    .limit(1),
    name="last_call",
)
_ENDINGS = (CallState.ENDING, CallState.ENDED)
_WAITING = (CallState.SCHEDULED, CallState.ASKED)


def by_ref(tx: Tx, asker: Asker, ref: str, *, lock: bool = False) -> Call:
    """Return the call that a ref names for its owner, or for the customer's administrator.

    Raises:
        Stop: there is none that the asker may see, or several of other users have that ref.
    """
    call_id = refs.subject_of(tx, asker.user.id, ref)
    call = None if call_id is None else call_rows.load_call(tx, call_id, lock=lock)
    if call is None and asker.user.role is not UserRole.MEMBER:
        rows = tx.all(CUSTOMER_CALL, customer_id=asker.customer.id, ref=ref.upper())
        # Refs are unique per user only; of two users' calls the wrong one must not be ended.
        call = call_rows.load_call(tx, rows[0][0], lock=lock) if len(rows) == 1 else None
    if call is None:
        raise Stop("no_such_call", ref=ref.upper())
    return call


def running(tx: Tx, asker: Asker, ref: str | None, with_ref: Callable[[str], Command]) -> Call:
    """Return the running call that a control command means, locked.

    Args:
        tx: the transaction.
        asker: whose call.
        ref: what was written or replied to; None for the only one.
        with_ref: the same command with a ref, for the question when several run.

    Raises:
        Stop: none runs. Ask: several do.
    """
    if ref is not None:
        return _still_running(by_ref(tx, asker, ref, lock=True))
    rows = tx.all(RUNNING, customer_id=asker.customer.id, user_id=asker.user.id)
    rows = [row for row in rows if row[2] not in _ENDINGS]
    if not rows:
        raise Stop("no_call_running")
    if len(rows) > 1:
        raise Ask(
            "several_calls",
            choices=tuple(
                Choice(
                    Phrase("choice_call", {"ref": row[1], "with": _with(tx, row[0])}),
                    with_ref(row[1]),
                )
                for row in rows[:9]
            ),
            fields={"count": len(rows)},
        )
    only = call_rows.load_call(tx, rows[0][0], lock=True)
    assert only is not None, rows
    # Before it was locked it may have ended.
    return _still_running(only)


def _still_running(call: Call) -> Call:
    if call.state in _ENDINGS:
        raise Stop("call_ended", ref=call.ref)
    if call.state in _WAITING:
        raise Stop("no_call_running", ref=call.ref)
    return call


def _with(tx: Tx, call_id: str) -> str:
    call = call_rows.load_call(tx, call_id)
    return "" if call is None else words_of(call)


def words_of(call: Call) -> str:
    """Return whom a call is with, in a few words."""
    if call.title:
        return call.title
    if len(call.others) == 1:
        return call.others[0].label
    return f"{len(call.parties)} people" if call.parties else call.kind


def last(tx: Tx, asker: Asker) -> Call:
    """Return the user's last launched call.

    Raises:
        Stop: there was none.
    """
    row = tx.one(LAST_CALL, user_id=asker.user.id)
    call = None if row is None else call_rows.load_call(tx, row[0])
    if call is None:
        raise Stop("no_last_call", example="call mom")
    return call


def user_name(tx: Tx, user_id: str) -> str:
    """Return a user's name."""
    row = tx.one(people_rows.CALLER_OF_USER, user_id=user_id)
    return "" if row is None else row.user_name
