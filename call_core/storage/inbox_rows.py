"""Requests that were accepted and wait to be done; a row is gone once its request is claimed."""

from typing import NamedTuple

from sqlalchemy import BigInteger, Integer, bindparam, cast, delete, func, select

from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement

_I = tables.inbox
TOPIC = "inbox"


class InboxRow(NamedTuple):
    """One request that waits; `body` is the request as JSON.

    Attributes:
        seq: orders those of one principal.
    """

    seq: int
    principal: str
    received_wall_ms: int
    body: str


KEEP = upsert_statement(
    lambda insert_into: (
        insert_into(_I)
        .values({column.name: bindparam(column.name) for column in _I.c if column.name != "seq"})
        .on_conflict_do_nothing(index_elements=["space", "principal", "external_id"])
    ),
    name="keep_request",
)
FINGERPRINT = select_statement(
    select(_I.c.fingerprint).where(
        _I.c.space == bindparam("space"),
        _I.c.principal == bindparam("principal"),
        _I.c.external_id == bindparam("external_id"),
    ),
    name="fingerprint_of_kept",
)
_OURS = (
    bindparam("mask", type_=BigInteger)
    .op(">>")(cast(_I.c.lane % bindparam("shards", type_=BigInteger), Integer))
    .op("&")(1)
    == 1
)
"""Each principal belongs to one shard, so that one node does what one person asks, in order."""
NEXT = select_statement(
    select(*(_I.c[name] for name in InboxRow._fields))
    .where(_OURS)
    .order_by(_I.c.seq)
    .limit(bindparam("most")),
    row=InboxRow._make,
    name="next_of_inbox",
)
WAITING = select_statement(
    select(func.count(), func.min(_I.c.received_wall_ms)), name="waiting_in_inbox"
)
FORGET = write_statement(delete(_I).where(_I.c.seq == bindparam("key_seq")), name="forget_kept")
