"""The transactional outbox: what is to be told, written with what decided it."""

from typing import NamedTuple

from sqlalchemy import (
    BigInteger,
    Integer,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.sql import ColumnElement

from call_core.storage import tables
from call_core.storage.statements import select_statement, write_statement
from call_core.storage.transaction import Tx

_O = tables.outbox


class OutboxRow(NamedTuple):
    """One message that waits.

    Attributes:
        seq: orders those to one address about one call.
        tried: the addresses before this one that did not take it, a JSON list; "" for none.
    """

    seq: int
    id: str
    user_id: str
    channel: str
    address: str
    call_id: str
    ref: str
    kind: str
    body: str
    thread: str
    timezone: str
    created_wall_ms: int
    due_wall_ms: int
    expires_wall_ms: int | None
    attempted_wall_ms: int | None
    attempts: int
    tried: str = ""


_COLUMNS = tuple(_O.c[name] for name in OutboxRow._fields)
_EARLIER = _O.alias("earlier")
_LATER = _O.alias("later")
_WAITING: ColumnElement[str] = literal_column("'waiting'")
"""Written out, since a partial index serves no placeholders."""
INSERT = write_statement(
    insert(_O).values({c.name: bindparam(c.name) for c in _O.c if c.name != "seq"}),
    name="insert_outbox",
)
_OURS = (
    bindparam("mask", type_=BigInteger)
    .op(">>")(cast(_O.c.seq % bindparam("shards", type_=BigInteger), Integer))
    .op("&")(1)
    == 1
)
"""Each message belongs to one shard, by its number; a node sends those of the shards it owns."""
_FIRST = (
    select(func.min(_O.c.channel).label("channel"))
    .where(_O.c.state == _WAITING)
    .cte("channels", recursive=True)
)
_CHANNELS = _FIRST.union_all(
    select(
        select(func.min(_LATER.c.channel))
        .where(_LATER.c.state == _WAITING, _LATER.c.channel > _FIRST.c.channel)
        .scalar_subquery()
    ).where(_FIRST.c.channel.is_not(None))
)
"""The channels for which something waits: one step in the index for each, however much waits."""
CHANNELS = select_statement(
    select(_CHANNELS.c.channel).where(_CHANNELS.c.channel.is_not(None)), name="channels_of_outbox"
)
DUE = select_statement(
    select(*_COLUMNS)
    .where(
        _O.c.state == _WAITING,
        _O.c.channel == bindparam("channel"),
        _O.c.due_wall_ms <= bindparam("now"),
        _OURS,
        ~select(_EARLIER.c.seq)
        .where(
            _EARLIER.c.state == _WAITING,
            _EARLIER.c.address == _O.c.address,
            _EARLIER.c.call_id == _O.c.call_id,
            _EARLIER.c.seq < _O.c.seq,
        )
        .exists(),
    )
    .order_by(_O.c.due_wall_ms, _O.c.seq)
    .limit(bindparam("most")),
    row=OutboxRow._make,
    name="due_outbox",
)
HANDED_OVER = select_statement(
    select(*_COLUMNS).where(
        _O.c.id == bindparam("id"),
        _O.c.attempted_wall_ms.is_not(None),
        _O.c.state.in_(("waiting", "sent")),
    ),
    row=OutboxRow._make,
    name="handed_over_outbox",
)
IS_WAITING = select_statement(
    select(_O.c.seq).where(_O.c.seq == bindparam("seq"), _O.c.state == _WAITING),
    name="is_waiting_outbox",
)
NEXT_DUE = select_statement(
    select(
        func.min(
            select(func.min(_O.c.due_wall_ms))
            .where(
                _O.c.state == _WAITING,
                _O.c.channel == _CHANNELS.c.channel,
                _O.c.due_wall_ms > bindparam("after"),
            )
            .correlate(_CHANNELS)
            .scalar_subquery()
        )
    ).select_from(_CHANNELS),
    name="next_due_of_outbox",
)
ATTEMPT = write_statement(
    update(_O)
    .where(
        _O.c.seq == bindparam("key_seq"),
        _O.c.state == _WAITING,
        # As it was when it was read: who comes second with the same row must not send it too.
        _O.c.attempts == bindparam("seen"),
        _O.c.address == bindparam("key_address"),
    )
    .values(
        attempted_wall_ms=bindparam("attempted_wall_ms"),
        attempts=_O.c.attempts + 1,
        due_wall_ms=bindparam("due_wall_ms"),
    ),
    name="attempt_outbox",
)
FAILED = write_statement(
    update(_O).where(_O.c.seq == bindparam("key_seq")).values(attempted_wall_ms=None),
    name="failed_outbox",
)
LOCKED = select_statement(
    select(_O.c.state, _O.c.address, _O.c.attempts, _O.c.attempted_wall_ms)
    .where(_O.c.seq == bindparam("seq"))
    .with_for_update(),
    name="locked_outbox",
)
TAKE_BACK = write_statement(
    update(_O)
    .where(_O.c.seq == bindparam("key_seq"))
    .values(
        attempted_wall_ms=bindparam("attempted_wall_ms"),
        attempts=bindparam("attempts"),
        due_wall_ms=bindparam("due_wall_ms"),
    ),
    name="take_back_outbox",
)
"""An attempt of which it is certain that nothing was handed over."""
FINISH = write_statement(
    update(_O).where(_O.c.seq == bindparam("key_seq")).values(state=bindparam("state")),
    name="finish_outbox",
)
RETARGET = write_statement(
    update(_O)
    .where(_O.c.seq == bindparam("key_seq"))
    .values(
        channel=bindparam("channel"),
        address=bindparam("address"),
        due_wall_ms=bindparam("due_wall_ms"),
        tried=bindparam("tried"),
        attempts=0,
        attempted_wall_ms=None,
        thread="",
    ),
    name="retarget_outbox",
)
PULL = write_statement(
    update(_O)
    .where(
        _O.c.state == _WAITING,
        _O.c.due_wall_ms > bindparam("now"),
        or_(_O.c.attempts == 0, _O.c.due_wall_ms > bindparam("furthest")),
    )
    .values(due_wall_ms=bindparam("now")),
    name="pull_outbox",
)
"""What only a clock that was ahead can have put so far off: due now."""
AGE = select_statement(
    select(func.count(), func.min(_O.c.created_wall_ms)).where(_O.c.state == _WAITING),
    name="outbox_age",
)
FORGET = write_statement(
    delete(_O).where(and_(_O.c.created_wall_ms < bindparam("before"), _O.c.state != "waiting")),
    name="forget_outbox",
)
TOPIC = "outbox"


def put(
    tx: Tx,
    *,
    outbox_id: str,
    user_id: str,
    channel: str,
    address: str,
    kind: str,
    body: str,
    now_wall_ms: int,
    call_id: str = "",
    ref: str = "",
    thread: str = "",
    timezone: str = "UTC",
    expires_wall_ms: int | None = None,
) -> None:
    """Append one message; `kind` is `outcome` or `notice` and `body` its JSON."""
    tx.write(
        INSERT,
        id=outbox_id,
        user_id=user_id,
        channel=channel,
        address=address,
        call_id=call_id,
        ref=ref,
        kind=kind,
        body=body,
        thread=thread,
        timezone=timezone,
        created_wall_ms=now_wall_ms,
        due_wall_ms=now_wall_ms,
        expires_wall_ms=expires_wall_ms,
        attempted_wall_ms=None,
        attempts=0,
        state="waiting",
        tried="",
    )
    tx.announce(TOPIC)
