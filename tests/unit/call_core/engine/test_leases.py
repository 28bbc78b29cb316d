"""Shards among nodes: shares, renewals, take-overs, and who must not take anything."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from call_core.engine.leases import (
    NODE,
    PUT_FACT,
    Beat,
    Pulse,
    beat,
    count_shards,
    leave,
    open_shards,
    owners,
)
from call_core.storage.audit_chain import AuditChain
from call_core.storage.migrate import fill_memory
from call_core.storage.sqlite import SqliteTx

SHARDS, LEASE_MS = 6, 4_000
T0 = 1_000_000


@pytest.fixture
def tx() -> Iterator[SqliteTx]:
    """A transaction on a database with six shards."""
    with closing(sqlite3.connect(":memory:")) as connection:
        fill_memory(connection)
        made = SqliteTx(connection, AuditChain("a"))
        assert count_shards(made) == 1
        assert open_shards(made, SHARDS) == SHARDS
        yield made


class Node:
    """One node as its engine beats for it."""

    def __init__(self, tx: SqliteTx, name: str) -> None:
        self._tx = tx
        self.name = name
        self.epochs: dict[int, int] = {}

    def beat(
        self,
        wall_ms: int,
        *,
        letting_go: frozenset[int] = frozenset(),
        may_take_expired: bool = True,
        alive_call_ms: int | None = 7,
    ) -> Beat:
        """Beat and follow what came of it."""
        pulse = Pulse(
            self.name,
            T0 + wall_ms,
            LEASE_MS,
            alive_call_ms,
            dict(self.epochs),
            letting_go,
            may_take_expired,
        )
        found = beat(self._tx, pulse)
        for shard in (*found.lost, *letting_go):
            self.epochs.pop(shard, None)
        self.epochs |= found.gained
        return found


def test_the_first_node_has_everything_and_the_second_its_half(tx: SqliteTx) -> None:
    """What is over a node's share is named, and free once it was let go of."""
    one, two = Node(tx, "one"), Node(tx, "two")
    assert set(one.beat(0).gained) == set(range(SHARDS))
    assert two.beat(100).gained == {}
    found = one.beat(200)
    assert (found.nodes, found.excess) == (2, frozenset({3, 4, 5}))
    assert one.beat(210, letting_go=found.excess).excess == frozenset()
    assert two.beat(220).gained == dict.fromkeys((3, 4, 5), 2)
    assert (sorted(one.epochs), sorted(two.epochs)) == ([0, 1, 2], [3, 4, 5])
    assert owners(tx, T0 + 221) == {"one": 3, "two": 3}
    assert owners(tx, T0 + LEASE_MS + 215) == {"": 3, "two": 3}
    assert one.beat(230).gained == {}
    assert open_shards(tx, 2) == SHARDS


def test_a_silent_nodes_shards_are_taken_when_its_lease_has_run_out(tx: SqliteTx) -> None:
    """Not a millisecond earlier; the new term knows when the old owner was last alive."""
    one, two = Node(tx, "one"), Node(tx, "two")
    one.beat(0, alive_call_ms=55)
    found = two.beat(LEASE_MS - 1)
    assert (found.gained, found.next_expiry_wall_ms) == ({}, T0 + LEASE_MS)
    found = two.beat(LEASE_MS + 1)
    assert found.gained == dict.fromkeys(range(SHARDS), 2)
    assert set(found.last_seen_call_ms.values()) == {55}
    assert one.beat(LEASE_MS + 2).lost == set(range(SHARDS))


def test_after_the_database_was_away_a_late_owner_keeps_its_shards(tx: SqliteTx) -> None:
    """Its lease has run out, and nobody may take it yet; it renews with its old term."""
    one, two = Node(tx, "one"), Node(tx, "two")
    one.beat(0)
    assert two.beat(60_000, may_take_expired=False).gained == {}
    found = one.beat(60_100)
    assert (found.lost, set(one.epochs.values())) == (set(), {1})
    assert two.beat(60_200).gained == {}


def test_after_a_crash_a_node_takes_its_own_at_once(tx: SqliteTx) -> None:
    """The process that it was before sees that somebody of its name has them."""
    before, now = Node(tx, "one"), Node(tx, "one")
    before.beat(0)
    assert set(now.beat(1, may_take_expired=False).gained) == set(range(SHARDS))
    found = before.beat(2)
    assert found.stolen == set(range(SHARDS))


def test_a_node_that_leaves_is_followed_at_once_and_not_counted(tx: SqliteTx) -> None:
    """Its shards are free and the others' shares grow."""
    one, two = Node(tx, "one"), Node(tx, "two")
    one.beat(0)
    leave(tx, "one", one.epochs)
    found = two.beat(1, may_take_expired=False)
    assert (found.nodes, len(found.gained)) == (1, SHARDS)
    assert found.last_seen_call_ms[0] == 7


def test_two_nodes_that_want_the_same_shard_do_not_both_get_it(tx: SqliteTx) -> None:
    """Whoever reads first and writes second is told that it is gone."""
    one, two = Node(tx, "one"), Node(tx, "two")
    tx.write(PUT_FACT, key=f"{NODE}two", value=str(T0))
    assert sorted(one.beat(0).gained) == [0, 1, 2]
    assert sorted(two.beat(0).gained) == [3, 4, 5]
    assert not one.beat(1).gained
