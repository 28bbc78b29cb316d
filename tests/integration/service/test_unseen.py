"""What nobody has looked at yet: calls before their switch is seen, commits without an answer."""

import asyncio
import threading
from typing import Any

import pytest

from call_core.door import is_claimed
from call_core.engine.engine import EngineSettings
from call_core.engine.tenancy import Figures
from call_core.storage.runner_inline import Faults, InlineBackend, InlineDatabase
from call_core.units import control
from tests.integration.service.conftest import MakeService
from tests.support import world as worlds
from tests.support.service import Service
from tests.support.world import OFFICE, US, CountedStore, User, World

pytestmark = pytest.mark.anyio
MANY = EngineSettings(many=Figures(shards=4))


async def _news(world: World, seconds: float) -> None:
    """Let real time pass on a busy system, where there is always some news."""
    for n in range(round(seconds / 0.3)):
        world.store.ring(("outbox", "inbox")[n % 2])
        await asyncio.sleep(0.3)
        await world.settle()


# --- a call whose switch was not seen yet ---------------------------------------------------------


@pytest.fixture
async def rebooted(service: Service, ada: User) -> World:
    """Gateway and switch died together while two talked; the gateway is up first."""
    world = service.world
    for number in (US, OFFICE):
        world.script(number, talk_s=0)
    await service.ask(ada, f"call {US}")
    await world.advance(100)
    await world.kill()
    world.empty_switch()
    world.sim.disconnect()
    await world.start()  # reconcile fails: the switch is not there yet
    return world


async def test_people_of_a_dead_call_are_not_rung_again(
    rebooted: World, service: Service, ada: User
) -> None:
    """Nor by a look at everything, nor by a command, nor when the switch is back."""
    await rebooted.engine.reread()  # as after a second without news
    await service.ask(ada, "hangup")
    await asyncio.sleep(2.5)  # the sweep turns
    rebooted.sim.reconnect()
    await rebooted.settle()
    await rebooted.advance(5)
    assert await service.legs_up() == []
    await rebooted.run_out()
    assert rebooted.sim.ordered == []


async def test_a_call_launched_meanwhile_is_rung_when_the_switch_is_back(
    rebooted: World, service: Service, ada: User
) -> None:
    """Of a call of our own it is known that no leg is there."""
    await service.ask(ada, f"call {US}")
    await rebooted.settle()
    rebooted.sim.reconnect()
    await asyncio.sleep(1.5)  # the sweep turns
    await rebooted.settle()
    assert len(await service.legs_up()) == 1
    await rebooted.run_out()


async def test_a_call_that_came_too_late_for_a_reconcile_is_taken_up_after_it(
    rebooted: World, service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another node's door launched it after the list of running calls was read."""
    driver, engine = rebooted.engine.driver, rebooted.engine
    await asyncio.sleep(0)
    live_legs = rebooted.sim.live_legs

    async def with_a_launch() -> Any:  # noqa: ANN401  (of the switch)
        monkeypatch.undo()
        monkeypatch.setattr(driver, "launched", lambda call: driver.check(call.id))
        await service.ask(ada, f"call {US}")
        await asyncio.sleep(0.1)
        return await live_legs()

    rebooted.sim.reconnect()
    monkeypatch.setattr(rebooted.sim, "live_legs", with_a_launch)
    await engine._reconcile()  # noqa: SLF001  (as when the switch is back)
    await rebooted.settle()
    assert [order.number for order in rebooted.sim.ordered] == [OFFICE]
    monkeypatch.undo()
    await rebooted.run_out()


# --- a commit whose answer nobody heard -----------------------------------------------------------


async def test_a_due_call_whose_commit_lost_its_answer_is_rung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One connection breaks at COMMIT; no other sign will come, for the owner announces nothing."""
    monkeypatch.setattr(worlds, "EngineSettings", lambda: MANY)
    memory, troubled = InlineDatabase(), set[str]()

    def lost_once(name: str) -> bool:
        hit = name in troubled
        troubled.discard(name)
        return hit

    faults = Faults(lose_answer=lost_once)

    async def open_store() -> CountedStore:
        return CountedStore(InlineBackend(memory, node="test", faults=faults, probe=is_claimed))

    world = World(open_store)
    await world.start()
    await world.deck()
    ada = await world.user(await world.customer(), "Ada")
    assert (await world.say(ada, f"call {US} in 5")).kind == "scheduled"
    troubled.add("launch_due")
    world.wall.jump(301_000)
    world.call.jump(301_000)
    await _news(world, 3)
    ordered = [order.number for order in world.orders()]
    await world.stop()
    world.sim.close()
    memory.close()
    assert (ordered, troubled) == ([OFFICE], set())


class TestOnPostgres:
    """Where units run in threads beside the loop."""

    @pytest.fixture
    def store_kind(self) -> str:
        """PostgreSQL."""
        return "postgres"

    async def test_a_hang_up_that_is_durable_is_done_though_nobody_waits_for_its_answer(
        self, make_service: MakeService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its caller was cancelled while the unit ran."""
        monkeypatch.setattr(worlds, "EngineSettings", lambda: MANY)
        service = await make_service()
        world = service.world
        ada = await world.user(await world.customer(), "Ada")
        for number in (US, OFFICE):
            world.script(number, talk_s=0)
        await service.ask(ada, f"call {US}")
        await world.advance(20)
        entered, go_on, usual = threading.Event(), threading.Event(), control.control

        def slow(*arguments: Any) -> Any:  # noqa: ANN401  (of control)
            found = usual(*arguments)
            entered.set()
            assert go_on.wait(10)
            return found

        monkeypatch.setattr(control, "control", slow)
        asked = asyncio.create_task(world.core.handle(service.request(ada, "hangup")))
        await asyncio.to_thread(entered.wait, 10)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        go_on.set()
        await _news(world, 1.5)
        assert await service.legs_up() == []
