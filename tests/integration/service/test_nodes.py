"""One node drives a database; a lost lease stops it, a lost answer is looked up."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from call_core.door import is_claimed
from call_core.engine.engine import ALIVE_EVERY_S, EngineSettings
from call_core.engine.shard import ShardTaken, take_shard
from call_core.storage.runner_inline import Faults, InlineBackend, InlineDatabase
from call_core.units.house import Tenure
from tests.integration.service.conftest import EVERY_STORE
from tests.support.service import Service
from tests.support.world import UK, CountedStore, User, World

pytestmark = pytest.mark.anyio

LEASE_S = EngineSettings().lease_s


async def _take(service: Service, name: str) -> None:
    """Take the shard as another process would."""
    house = replace(service.world.house, node=name, tenure=Tenure())
    await service.world.store.run(take_shard, house, service.world.wall.now_ms(), LEASE_S)


@EVERY_STORE
async def test_a_second_node_is_refused_as_long_as_the_first_lives(service: Service) -> None:
    """The first renews in time, for ever."""
    for _ in range(3):
        with pytest.raises(ShardTaken, match="Another node, test, serves this database"):
            await _take(service, "other")
        await service.world.advance(LEASE_S)


async def test_a_clean_stop_lets_another_node_start_at_once(service: Service) -> None:
    """A stopped engine has given up its lease."""
    await service.world.engine.stop()
    await _take(service, "other")
    service.world.wall.jump(LEASE_S * 1000)
    await service.restart()


async def test_a_node_that_lost_its_lease_stops_driving(service: Service, ada: User) -> None:
    """It logs an error, takes no request, is not ready, and tells the switch nothing more."""
    await service.ask(ada, f"call {UK}")
    await _take(service, "test")
    with capture_logs() as logs:
        await service.world.advance(ALIVE_EVERY_S)
    assert "shard.taken_over" in [entry["event"] for entry in logs]
    engine = service.world.engine
    assert (engine.taken_over, engine.running) == (True, False)
    with pytest.raises(ShardTaken):
        await service.ask(ada, f"call {UK}")
    await service.restart()
    assert service.world.engine.running
    await service.world.run_out()


async def test_a_request_whose_commit_lost_its_answer_is_found_again() -> None:
    """The door's key is the request's id: the caller gets the answer, the call rings once."""
    memory, troubled = InlineDatabase(), set[str]()
    faults = Faults(lose_answer=lambda name: name in troubled)

    async def open_store() -> CountedStore:
        return CountedStore(InlineBackend(memory, node="test", faults=faults, probe=is_claimed))

    world = World(open_store)
    await world.start()
    await world.deck()
    service = Service(world)
    ada = await world.user(await world.customer(), "Ada")
    troubled.add("handle")
    assert (await service.ask(ada, f"call {UK}")).code == "call_launched"
    assert len(await service.legs_up()) == 1
    troubled.clear()
    await world.run_out()
    await world.check()
    await world.stop()
    world.sim.close()
    memory.close()
