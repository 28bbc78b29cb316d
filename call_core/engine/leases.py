"""Many nodes of one database: which node drives which shards, and when another may take them.

A shard's row names its owner, the owner's term (`epoch`) and until when it is leased. Every node
beats once a second: it says that it lives, renews its leases, and takes what is free until it has
its share. A term that begins raises the epoch and the version of every running call of the shard,
so whatever the owner before still tries to write is fenced.

    beat -> kept, lost (another has it), gained (with who had it before), excess (more than a share)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import bindparam, func, select, update

from call_core.engine.shard import SET_LEASE, TAKE_CALLS
from call_core.storage import tables
from call_core.storage.statements import select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx

_S, _F = tables.shards, tables.facts
NODE = "node_wall_ms:"
ALIVE_OF = "alive_call_ms:"
SHARDS_TOPIC = "shards"

FACT = select_statement(select(_F.c.value).where(_F.c.key == bindparam("key")), name="fact")
PUT_FACT = upsert_statement(
    lambda insert_into: (made := insert_into(_F)).on_conflict_do_update(
        index_elements=["key"], set_={"value": made.excluded.value}
    ),
    name="put_fact",
)
OPEN_SHARD = upsert_statement(
    lambda insert_into: insert_into(_S).on_conflict_do_nothing(index_elements=["shard"]),
    name="open_shard",
)
COUNT_SHARDS = select_statement(select(func.count()).select_from(_S), name="count_shards")
ALL_SHARDS = select_statement(
    select(_S.c.shard, _S.c.owner, _S.c.epoch, _S.c.lease_until_wall_ms).order_by(_S.c.shard),
    name="all_shards",
)
TAKE_FREE = write_statement(
    update(_S)
    .where(
        _S.c.shard == bindparam("key_shard"),
        _S.c.epoch == bindparam("key_epoch"),
        _S.c.lease_until_wall_ms == bindparam("key_until"),
    )
    .values(
        owner=bindparam("owner"), epoch=bindparam("epoch"), lease_until_wall_ms=bindparam("until")
    ),
    name="take_free_shard",
)
NODES = select_statement(
    select(_F.c.key, _F.c.value).where(_F.c.key.like(f"{NODE}%")), name="nodes"
)


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a node says with one beat.

    Attributes:
        node: its name.
        wall_ms: now; lease_ms: how long a lease lasts from now.
        alive_call_ms: now by the switches' clock, None while one of them is not heard.
        epochs: the shards that it drives, with their terms.
        letting_go: shards of its own that it has stopped driving.
        may_take_expired: whether a lease that ran out counts as free; not after the database was
            away, when nobody could renew.
    """

    node: str
    wall_ms: int
    lease_ms: int
    alive_call_ms: int | None
    epochs: Mapping[int, int]
    letting_go: frozenset[int] = frozenset()
    may_take_expired: bool = True


@dataclass(slots=True)
class Beat:
    """What came of a beat.

    Attributes:
        gained: shards that are ours from now on, with their terms.
        last_seen_call_ms: of each of them, when the owner before was last alive, if known.
        lost: shards that another process has; stolen: those that one of our own name has.
        excess: shards that another node should have.
        nodes: how many live; next_expiry_wall_ms: when the next foreign lease runs out.
    """

    gained: dict[int, int] = field(default_factory=dict)
    last_seen_call_ms: dict[int, int | None] = field(default_factory=dict)
    lost: set[int] = field(default_factory=set)
    stolen: set[int] = field(default_factory=set)
    excess: frozenset[int] = frozenset()
    nodes: int = 1
    next_expiry_wall_ms: int | None = None


def open_shards(tx: Tx, count: int) -> int:
    """Make the rows of the shards; return how many there are, never fewer than before."""
    for shard in range(count):
        tx.write(OPEN_SHARD, shard=shard, owner="", epoch=0, lease_until_wall_ms=0)
    return count_shards(tx)


def count_shards(tx: Tx) -> int:
    """Return how many shards there are, at least one."""
    row = tx.one(COUNT_SHARDS)
    return 1 if row is None else max(1, int(row[0]))


def owners(tx: Tx, now_wall_ms: int) -> dict[str, int]:
    """Return how many shards each node has leased now; those of nobody under ""."""
    found: dict[str, int] = {}
    for _, owner, _, until in tx.all(ALL_SHARDS):
        name = owner if until > now_wall_ms else ""
        found[name] = found.get(name, 0) + 1
    return found


def beat(tx: Tx, pulse: Pulse) -> Beat:
    """Say that a node lives, renew its leases, and take what is free up to its share."""
    _say_alive(tx, pulse)
    until = pulse.wall_ms + pulse.lease_ms
    for shard, epoch in sorted(pulse.epochs.items()):
        left = 0 if shard in pulse.letting_go else until
        tx.write(SET_LEASE, key_shard=shard, key_owner=pulse.node, key_epoch=epoch, until=left)
    if pulse.letting_go:
        tx.announce(SHARDS_TOPIC)
    rows = [(int(row[0]), str(row[1]), int(row[2]), int(row[3])) for row in tx.all(ALL_SHARDS)]
    found = Beat(nodes=_living(tx, pulse))
    kept = _kept(pulse, rows, found)
    share = -(-len(rows) // found.nodes)
    for shard, owner, epoch, lease in rows:
        if len(kept) + len(found.gained) >= share:
            break
        if shard not in kept and shard not in pulse.letting_go and _is_free(pulse, owner, lease):
            _take(tx, pulse, found, (shard, owner, epoch, lease))
    found.excess = frozenset(sorted(kept)[share:])
    leases = [lease for _, owner, _, lease in rows if owner != pulse.node and lease > pulse.wall_ms]
    found.next_expiry_wall_ms = min(leases, default=None)
    return found


def _say_alive(tx: Tx, pulse: Pulse) -> None:
    tx.write(PUT_FACT, key=NODE + pulse.node, value=str(pulse.wall_ms))
    if pulse.alive_call_ms is not None:
        tx.write(PUT_FACT, key=ALIVE_OF + pulse.node, value=str(pulse.alive_call_ms))


def _living(tx: Tx, pulse: Pulse) -> int:
    since = pulse.wall_ms - pulse.lease_ms
    return sum(1 for _, value in tx.all(NODES) if int(value) >= since)


def _kept(pulse: Pulse, rows: Iterable[tuple[int, str, int, int]], found: Beat) -> set[int]:
    kept: set[int] = set()
    for shard, owner, epoch, _ in rows:
        mine = pulse.epochs.get(shard)
        if mine is None or shard in pulse.letting_go:
            continue
        if (owner, epoch) == (pulse.node, mine):
            kept.add(shard)
        else:
            found.lost.add(shard)
            if owner == pulse.node:
                found.stolen.add(shard)
    return kept


def _is_free(pulse: Pulse, owner: str, lease_until_wall_ms: int) -> bool:
    """Whether a shard may be taken: let go of, our own from before a crash, or run out."""
    if lease_until_wall_ms == 0 or owner == pulse.node:
        return True
    return pulse.may_take_expired and lease_until_wall_ms <= pulse.wall_ms


def _take(tx: Tx, pulse: Pulse, found: Beat, row: tuple[int, str, int, int]) -> None:
    """Begin a term, unless another node was faster."""
    shard, owner, epoch, lease = row
    if shard in found.lost:
        return
    taken = tx.run(
        TAKE_FREE,
        key_shard=shard,
        key_epoch=epoch,
        key_until=lease,
        owner=pulse.node,
        epoch=epoch + 1,
        until=pulse.wall_ms + pulse.lease_ms,
    )
    if taken == 0:
        return
    tx.write(TAKE_CALLS, key_shard=shard, epoch=epoch + 1)
    found.gained[shard] = epoch + 1
    alive = tx.one(FACT, key=ALIVE_OF + owner)
    found.last_seen_call_ms[shard] = None if alive is None else int(alive[0])


def leave(tx: Tx, node: str, epochs: Mapping[int, int]) -> None:
    """Let go of everything at a clean stop, so that the others take over at once."""
    for shard, epoch in sorted(epochs.items()):
        tx.write(SET_LEASE, key_shard=shard, key_owner=node, key_epoch=epoch, until=0)
    tx.write(PUT_FACT, key=NODE + node, value="0")
    tx.announce(SHARDS_TOPIC)
