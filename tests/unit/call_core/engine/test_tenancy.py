"""One node's leases in time: acting only while renewed, patient after the database was away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from call_core.engine.tenancy import Figures, Tenancy
from call_core.errors import StoreUnavailable
from call_core.storage import migrate
from call_core.storage.rate_rows import Decks
from call_core.storage.store import Store
from call_core.units.house import House
from gateway.clocks import WallClock

pytestmark = pytest.mark.anyio
FIGURES = Figures(shards=4, beat_s=0.25, lease_s=2, stop_acting_s=1.5)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A database with the newest schema."""
    url = f"sqlite:///{tmp_path / 'test.db'}"
    migrate.upgrade(url)
    opened = await Store.open(url)
    yield opened
    await opened.close()


async def _node(store: Store, name: str) -> tuple[Tenancy, House]:
    house = House(name, "simulator", "main", 1, "+15550100", Decks())
    tenancy = Tenancy(store, house, WallClock(), FIGURES, lambda: 5)
    await tenancy.open()
    return tenancy, house


async def test_a_node_acts_only_as_long_as_it_has_renewed(store: Store) -> None:
    """Before its first beat and after a silence it asks the switches for nothing."""
    tenancy, house = await _node(store, "one")
    seen = [tenancy.acting]
    await tenancy.beat()
    seen.append(tenancy.acting)
    assert (sorted(house.tenure.epochs), house.shards) == ([0, 1, 2, 3], 4)
    await asyncio.sleep(FIGURES.stop_acting_s)
    seen.append(tenancy.acting)
    await tenancy.beat()
    seen.append(tenancy.acting)
    assert seen == [False, True, False, True]


async def test_expired_leases_are_left_alone_for_one_lease_after_a_silence(store: Store) -> None:
    """A node that has just come, or lost the database, waits before it takes what ran out."""
    one, first = await _node(store, "one")
    await one.beat()
    await asyncio.sleep(FIGURES.lease_s)
    two, second = await _node(store, "two")
    await two.beat()
    assert second.tenure.epochs == {}
    while not second.tenure.epochs:
        await two.wait()
        await two.beat()
    assert sorted(second.tenure.epochs) == [0, 1, 2, 3]
    assert (await one.beat()).lost == set(first.tenure.epochs)


async def test_what_was_let_go_of_goes_with_the_next_beat(store: Store) -> None:
    """The other is woken by news, takes its share at once, and leaves everything at its end."""
    one, first = await _node(store, "one")
    await one.beat()
    two, second = await _node(store, "two")
    await two.beat()
    excess = (await one.beat()).excess
    for shard in excess:
        first.tenure.let_go[shard] = first.tenure.epochs.pop(shard)
    one.let_go(excess)
    await one.wait()
    await one.beat()
    two.wake()
    await two.wait()
    await two.beat()
    assert sorted(second.tenure.epochs) == sorted(excess)
    await two.leave()
    await one.beat()
    assert sorted(first.tenure.epochs) == [0, 1, 2, 3]


async def test_a_beat_that_fails_is_told_and_a_leave_that_fails_is_not(store: Store) -> None:
    """Whoever beats tries again; whoever stops has nobody to tell."""
    tenancy, _ = await _node(store, "one")
    await tenancy.beat()
    await store.close()
    with pytest.raises(StoreUnavailable):
        await tenancy.beat()
    await tenancy.leave()
