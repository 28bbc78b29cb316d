"""One node owns a shard at a time, by a lease."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from call_core.engine.shard import (
    ShardTaken,
    release_shard,
    renew_lease,
    require_free,
    take_shard,
)
from call_core.storage.audit_chain import AuditChain
from call_core.storage.migrate import fill_memory
from call_core.storage.rate_rows import Decks
from call_core.storage.sqlite import SqliteTx
from call_core.units.house import House

LEASE_S = 15
LEASE_MS = LEASE_S * 1000


@pytest.fixture
def tx() -> Iterator[SqliteTx]:
    """A transaction on an empty database."""
    with closing(sqlite3.connect(":memory:")) as connection:
        fill_memory(connection)
        yield SqliteTx(connection, AuditChain("a"))


def node(name: str) -> House:
    """Return a process of a node, before its first term."""
    return House(name, "simulator", "main", 1, "+15550100", Decks())


def take(tx: SqliteTx, house: House, wall_ms: int) -> int:
    """Take the shard as the engine does."""
    house.tenure.epochs[0] = take_shard(tx, house, wall_ms, LEASE_S)
    return house.epoch_of(0)


def test_another_node_is_refused_by_name_while_the_lease_lasts(tx: SqliteTx) -> None:
    """A millisecond before its end it is refused and nothing changes; at its end it may start."""
    one, two = node("one"), node("two")
    assert take(tx, one, 0) == 1
    for ask in (take, lambda tx, house, at_ms: require_free(tx, house.node, at_ms)):
        with pytest.raises(ShardTaken, match=r"Another node, one, serves this database; .* 1 s"):
            ask(tx, two, LEASE_MS - 1)
    assert renew_lease(tx, one, 0, LEASE_S)
    require_free(tx, "two", LEASE_MS)
    assert take(tx, two, LEASE_MS) == 2


def test_a_node_takes_its_own_shard_at_once(tx: SqliteTx) -> None:
    """After a crash it does not wait; the process that it was before has lost the lease."""
    before, now = node("one"), node("one")
    take(tx, before, 0)
    require_free(tx, "one", 1)
    assert take(tx, now, 1) == 2
    assert not renew_lease(tx, before, 2, LEASE_S)
    release_shard(tx, before)
    with pytest.raises(ShardTaken):
        take(tx, node("two"), LEASE_MS)


def test_a_renewed_lease_lasts_from_its_renewal(tx: SqliteTx) -> None:
    """Renewed at ten seconds, it keeps others out until twenty-five."""
    one = node("one")
    take(tx, one, 0)
    assert renew_lease(tx, one, 10_000, LEASE_S)
    with pytest.raises(ShardTaken):
        take(tx, node("two"), 10_000 + LEASE_MS - 1)


def test_a_released_shard_is_free_at_once(tx: SqliteTx) -> None:
    """After a clean stop nobody waits."""
    one = node("one")
    take(tx, one, 0)
    release_shard(tx, one)
    assert take(tx, node("two"), 1) == 2
