"""Shards as a unit sees them: in whose term a new call begins."""

from sqlalchemy import bindparam, select

from call_core.storage import tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx

SHARE_EPOCH = select_statement(
    select(tables.shards.c.epoch)
    .where(tables.shards.c.shard == bindparam("shard"))
    .with_for_update(read=True),
    name="share_epoch",
)


def epoch_of(tx: Tx, shard: int) -> int:
    """Return a shard's term, which cannot change until this unit has ended."""
    row = tx.one(SHARE_EPOCH, shard=shard)
    return 0 if row is None else int(row[0])
