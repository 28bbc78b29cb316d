"""CDRs and their amendments, port counts, daily counters, refs: what calls leave behind."""

from sqlalchemy import and_, bindparam, delete, func, insert, literal_column, or_, select, update

from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx

_USER = tables.users
INSERT_CDR = write_statement(
    insert(tables.cdrs).values(
        {column.name: bindparam(column.name) for column in tables.cdrs.c}
        | {
            "user": select(func.coalesce(func.max(_USER.c.name), literal_column("''")))
            .where(_USER.c.id == bindparam("user_id"))
            .scalar_subquery()
        }
    ),
    name="insert_cdr",
)
"""The user's name is copied as it is now; who is gone has none."""
INSERT_AMENDMENT = write_statement(insert(tables.cdr_amendments), name="insert_amendment")

_P = tables.ports
TAKE_PORTS = upsert_statement(
    lambda insert_into: (made := insert_into(_P)).on_conflict_do_update(
        index_elements=["switch", "trunk"],
        set_={"used": _P.c.used + made.excluded.used},
        where=_P.c.used + made.excluded.used <= bindparam("ports"),
    ),
    name="take_ports",
)
ALL_PORTS = select_statement(select(_P.c.switch, _P.c.trunk, _P.c.used), name="all_ports")
FREE_PORTS = write_statement(
    update(_P)
    .where(_P.c.switch == bindparam("key_switch"), _P.c.trunk == bindparam("key_trunk"))
    .values(used=_P.c.used - bindparam("count")),
    name="free_ports",
)
OPEN_PORTS = upsert_statement(
    lambda insert_into: insert_into(_P).on_conflict_do_nothing(index_elements=["switch", "trunk"]),
    name="open_ports",
)
SET_PORTS = write_statement(
    update(_P)
    .where(_P.c.switch == bindparam("key_switch"), _P.c.trunk == bindparam("key_trunk"))
    .values(used=bindparam("used")),
    name="set_ports",
)
PORTS_USED = select_statement(
    select(_P.c.used).where(_P.c.switch == bindparam("switch"), _P.c.trunk == bindparam("trunk")),
    name="ports_used",
)
LOCK_PORTS = select_statement(
    select(_P.c.used)
    .where(_P.c.switch == bindparam("switch"), _P.c.trunk == bindparam("trunk"))
    .with_for_update(),
    name="lock_ports",
)
"""Who counts ports anew holds this first, or a port that is taken meanwhile is lost."""
UNSETTLED = and_(
    tables.legs.c.settled == literal_column("0"), tables.legs.c.holds > literal_column("0")
)
"""Legs that hold money; written out, since a partial index serves no placeholders."""
LIVE_LEGS = select_statement(
    select(func.count())
    .select_from(tables.legs)
    .join(tables.calls, tables.calls.c.id == tables.legs.c.call_id)
    .where(
        tables.calls.c.ended_wall_ms.is_(None),
        tables.calls.c.shard == bindparam("shard"),
        tables.legs.c.trunk == bindparam("trunk"),
        UNSETTLED,
    ),
    name="live_legs",
)

_N = tables.counters
COUNT = upsert_statement(
    lambda insert_into: (made := insert_into(_N)).on_conflict_do_update(
        index_elements=["subject", "kind", "bucket"],
        set_={"value": _N.c.value + made.excluded.value},
    ),
    name="count",
)
COUNTED = select_statement(
    select(_N.c.value).where(
        _N.c.subject == bindparam("subject"),
        _N.c.kind == bindparam("kind"),
        _N.c.bucket == bindparam("bucket"),
    ),
    name="counted",
)
FORGET_COUNTERS = write_statement(
    delete(_N).where(_N.c.kind == bindparam("kind"), _N.c.bucket < bindparam("before")),
    name="forget_counters",
)

_REFS, _C = tables.refs, tables.calls
_IN_USE = (
    select(_C.c.id)
    .where(
        # As text: in this place the table itself would be joined anew, not meant.
        _C.c.id == literal_column("refs.call_id"),
        or_(_C.c.ended_wall_ms.is_(None), _C.c.ended_wall_ms >= bindparam("free_before")),
    )
    .exists()
)
TAKE_REF = upsert_statement(
    lambda insert_into: (made := insert_into(_REFS)).on_conflict_do_update(
        index_elements=["user_id", "ref"],
        set_={"call_id": made.excluded.call_id, "taken_wall_ms": made.excluded.taken_wall_ms},
        where=and_(
            _REFS.c.taken_wall_ms < bindparam("free_before"),
            _REFS.c.call_id != made.excluded.call_id,
            ~_IN_USE,
        ),
    ),
    name="take_ref",
)
"""A ref that is old enough is given again, unless what it names goes on or ended since then."""
CALL_OF_REF = select_statement(
    select(_REFS.c.call_id).where(
        _REFS.c.user_id == bindparam("user_id"), _REFS.c.ref == bindparam("ref")
    ),
    name="call_of_ref",
)


def counted(tx: Tx, subject: str, kind: str, bucket: int) -> int:
    """Return a counter, 0 when nothing was counted."""
    row = tx.one(COUNTED, subject=subject, kind=kind, bucket=bucket)
    return 0 if row is None else int(row[0])


def count(tx: Tx, subject: str, kind: str, bucket: int, value: int = 1) -> None:
    """Add to a counter."""
    tx.write(COUNT, subject=subject, kind=kind, bucket=bucket, value=value)
