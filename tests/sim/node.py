"""One life of one node: store, wire to the switch, engine and door; it may die anywhere."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import copy_context
from typing import Any, TypeVar

from call_core.customers.limits import Limits
from call_core.door import Core, is_claimed
from call_core.engine.engine import Engine, EngineSettings
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.rate_rows import Decks
from call_core.storage.runner_inline import Faults, InlineBackend, InlineDatabase
from call_core.storage.store import Store
from call_core.units.house import House
from tests.sim.loop import OWNER, SimulatedClock, SimulatedLoop
from tests.sim.telephones import Wire
from tests.support.world_parts import SERVICE_NUMBER, SPACES

T = TypeVar("T")
PORTS = 40
SPACES["sms"] = "sms"


class Node:
    """A process of the simulated world.

    Args:
        name: of the node; a restarted one has the same.
        life: of this process, never used again.
        loop, wall, call: of the world.
        database: outlives it.
        wire: to the switch, breaks with it.
        step: awaited before each step of a unit.
        faults: of its store.
        deliver: takes what it sends.
        rng: for its ids.
    """

    def __init__(
        self,
        name: str,
        life: str,
        *,
        loop: SimulatedLoop,
        wall: SimulatedClock,
        call: SimulatedClock,
        database: InlineDatabase,
        wire: Wire,
        step: Callable[[str], Awaitable[object]],
        faults: Faults,
        deliver: Callable[[OutboxRow], Awaitable[None]],
        rng: random.Random,
    ) -> None:
        self.name = name
        self.life = life
        self.wire = wire
        self.started = False
        self.dead = False
        self._loop = loop
        self._context = copy_context()
        self._context.run(OWNER.set, life)
        self._database = database
        self._backend = InlineBackend(
            database, node=name, step=step, faults=faults, probe=is_claimed
        )
        house = House(
            node=name,
            switch="simulator",
            trunk="main",
            ports=PORTS,
            service_number=SERVICE_NUMBER,
            decks=Decks(),
            limits=Limits(),
            own_numbers=frozenset({SERVICE_NUMBER}),
            spaces=SPACES,
        )
        store = Store(self._backend)
        deliveries = dict.fromkeys(SPACES, deliver)
        self.engine = Engine(store, wire, house, wall, call, rng, deliveries, EngineSettings())
        self.engine.inbox.direct_at_once = rng.getrandbits(1)
        self.core = Core(store, self.engine, wall, call, rng)

    def do(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        """Let the process work on something."""
        return self._loop.create_task(work, context=self._context)

    async def start(self) -> None:
        """Start it; whatever start raises is raised."""
        await self.do(self.core.start())
        self.started = True

    async def die(self) -> list[str]:
        """Let it die where it stands.

        Returns:
            The tasks that went on living, which no task of a dead process may.
        """
        self.dead = self.wire.cut = True
        await self._backend.close()
        self._loop.thaw(self.life)
        mine = [task for task in self._loop.tasks.pop(self.life, []) if not task.done()]
        for task in mine:
            task.cancel()
        for _ in range(200):
            late = self._loop.tasks.pop(self.life, [])
            for task in late:
                task.cancel()
            mine += late
            if all(task.done() for task in mine):
                break
            await asyncio.sleep(0)
        for task in mine:
            if task.done() and not task.cancelled():
                task.exception()
        return [repr(task.get_coro()) for task in mine if not task.done()]
