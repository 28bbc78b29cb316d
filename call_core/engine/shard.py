"""One node alone: the lease on the only shard, which keeps a second node from starting.

The lease is an instant of our clock in the `shards` row. While it lies ahead, every other node is
refused; nodes of one database therefore need clocks that agree within seconds. Every taking begins
a new epoch, so a node that was silent for longer than its lease learns at its next renewal, or at
its next write of a call, that it drives nothing any more.
"""

from sqlalchemy import bindparam, or_, select, update

from call_core.errors import Fenced
from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx
from call_core.units.house import House

_S = tables.shards
ONLY = 0
"""The one shard of a database that one node drives alone."""

TAKE_SHARD = upsert_statement(
    lambda insert_into: (made := insert_into(_S)).on_conflict_do_update(
        index_elements=["shard"],
        set_={
            "owner": made.excluded.owner,
            "epoch": _S.c.epoch + 1,
            "lease_until_wall_ms": made.excluded.lease_until_wall_ms,
        },
        where=or_(
            _S.c.owner == made.excluded.owner, _S.c.lease_until_wall_ms <= bindparam("now_wall_ms")
        ),
    ),
    name="take_shard",
)
FIND_SHARD = select_statement(
    select(_S.c.owner, _S.c.epoch, _S.c.lease_until_wall_ms).where(
        _S.c.shard == bindparam("shard")
    ),
    name="find_shard",
)
SET_LEASE = write_statement(
    update(_S)
    .where(
        _S.c.shard == bindparam("key_shard"),
        _S.c.owner == bindparam("key_owner"),
        _S.c.epoch == bindparam("key_epoch"),
    )
    .values(lease_until_wall_ms=bindparam("until")),
    name="set_lease",
)
TAKE_CALLS = write_statement(
    update(tables.calls)
    .where(tables.calls.c.shard == bindparam("key_shard"), tables.calls.c.ended_wall_ms.is_(None))
    .values(epoch=bindparam("epoch"), version=tables.calls.c.version + 1),
    name="take_calls",
)


class ShardTaken(Fenced):
    """Another node drives the calls of this database; the message is a sentence."""


def require_free(tx: Tx, node: str, wall_ms: int, shard: int = ONLY) -> None:
    """Look whether the shard could be taken now; for whoever must not touch anything before.

    Raises:
        ShardTaken: another node's lease has not run out.
    """
    row = tx.one(FIND_SHARD, shard=shard)
    if row is not None and row[0] != node and row[2] > wall_ms:
        raise ShardTaken(_sentence(row[0], row[2] - wall_ms))


def take_shard(tx: Tx, house: House, wall_ms: int, lease_s: int) -> int:
    """Become the owner of the shard; return the new epoch, which fences every earlier owner.

    A node takes its own shard at once, as after a crash; another's when its lease has run out.

    Raises:
        ShardTaken: another node's lease has not run out.
    """
    taken = tx.run(
        TAKE_SHARD,
        shard=ONLY,
        owner=house.node,
        epoch=1,
        lease_until_wall_ms=wall_ms + lease_s * 1000,
        now_wall_ms=wall_ms,
    )
    row = tx.one(FIND_SHARD, shard=ONLY)
    assert row is not None, ONLY
    if taken == 0:
        raise ShardTaken(_sentence(row[0], row[2] - wall_ms))
    epoch = int(row[1])
    tx.write(TAKE_CALLS, key_shard=ONLY, epoch=epoch)
    return epoch


def renew_lease(tx: Tx, house: House, wall_ms: int, lease_s: int) -> bool:
    """Make the lease last from now on; False when another process has taken the shard."""
    return _set_lease(tx, house, wall_ms + lease_s * 1000)


def release_shard(tx: Tx, house: House) -> None:
    """End the lease, so that any node may start at once; nothing happens when it is not ours."""
    _set_lease(tx, house, 0)


def _set_lease(tx: Tx, house: House, until_wall_ms: int) -> bool:
    changed = tx.run(
        SET_LEASE,
        key_shard=ONLY,
        key_owner=house.node,
        key_epoch=house.epoch_of(ONLY),
        until=until_wall_ms,
    )
    return changed == 1


def _sentence(owner: str, left_ms: int) -> str:
    return (
        f"Another node, {owner}, serves this database; one node drives its calls at a time. Stop "
        f"it, or start this one when it has been silent for {-(-left_ms // 1000)} s."
    )
