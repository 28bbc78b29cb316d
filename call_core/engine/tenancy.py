"""What one node owns of the shards: beats in time, stops acting when it could not renew.

The node's own word on the shards it drives is `acting`: by the machine's monotonic time, a node
that has not renewed for `stop_acting_s` asks the switches for nothing any more, a second before
anybody else may take its shards.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from call_core.contracts import Clock
from call_core.engine.leases import Beat, Pulse, beat, leave, open_shards
from call_core.errors import CallCoreError
from call_core.storage.store import Store
from call_core.units.house import House

log = structlog.get_logger(__name__)

_AGAIN_S = 0.2  # after a beat that failed
_AFTER_EXPIRY_MS = 20


@dataclass(frozen=True, slots=True)
class Figures:
    """How nodes share the shards.

    Attributes:
        shards: how many; rows that are there already stay.
        beat_s: how often a node renews; lease_s: how long its shards are its own without that.
        stop_acting_s: so long after its last renewal it asks the switches for nothing any more.
    """

    shards: int = 16
    beat_s: float = 1.0
    lease_s: float = 4.0
    stop_acting_s: float = 3.0


class Tenancy:
    """The leases of this process.

    Args:
        store, house: of the engine; terms are kept in the house's tenure.
        wall: our clock.
        figures: how shards are shared.
        alive_call_ms: tells the switches' time, None while one of them is not heard.
    """

    def __init__(
        self,
        store: Store,
        house: House,
        wall: Clock,
        figures: Figures,
        alive_call_ms: Callable[[], int | None],
    ) -> None:
        self._store = store
        self._house = house
        self._wall = wall
        self._figures = figures
        self._alive_call_ms = alive_call_ms
        self._renewed_at = 0.0
        self._in_touch_since: float | None = None
        self._changed = asyncio.Event()
        self._letting_go: frozenset[int] = frozenset()
        self._next_expiry_wall_ms: int | None = None
        self.nodes = 1

    @property
    def acting(self) -> bool:
        """Whether this node may ask the switches for anything."""
        return _now() - self._renewed_at < self._figures.stop_acting_s

    async def open(self) -> None:
        """Learn how many shards there are; the first node makes them."""
        count = await self._store.run(open_shards, self._figures.shards)
        self._house.tenure.shards = count

    def wake(self) -> None:
        """Beat now: another node has let go of shards."""
        self._changed.set()

    def let_go(self, shards: frozenset[int]) -> None:
        """Give shards that are not driven any more to whoever lacks some, with the next beat."""
        self._letting_go |= shards
        self._changed.set()

    async def beat(self) -> Beat:
        """Renew and take; terms are written down before anybody acts on them.

        Raises:
            CallCoreError: the database cannot be reached.
        """
        began, tenure = _now(), self._house.tenure
        letting_go = self._letting_go
        epochs = {**tenure.epochs, **{shard: tenure.let_go.get(shard, 0) for shard in letting_go}}
        pulse = Pulse(
            self._house.node,
            self._wall.now_ms(),
            round(self._figures.lease_s * 1000),
            self._alive_call_ms(),
            epochs,
            letting_go,
            self._may_take_expired(began),
        )
        try:
            found = await self._store.run(beat, pulse)
        except CallCoreError:
            self._in_touch_since = None
            raise
        self._letting_go -= letting_go
        self._renewed_at = began
        if self._in_touch_since is None:
            self._in_touch_since = began
        tenure.epochs.update(found.gained)
        self._next_expiry_wall_ms = found.next_expiry_wall_ms
        self.nodes = found.nodes
        return found

    def _may_take_expired(self, now: float) -> bool:
        """Whether leases that ran out are free: not until one lease after we lost the database.

        While it was away nobody could renew; whoever lives does so first.
        """
        since = self._in_touch_since
        return since is not None and now - since >= self._figures.lease_s

    async def wait(self) -> None:
        """Wait for the next beat: a second, a lease that runs out, or news of a shard."""
        wait_s = self._figures.beat_s if self._in_touch_since is not None else _AGAIN_S
        if self._next_expiry_wall_ms is not None:
            left_ms = self._next_expiry_wall_ms + _AFTER_EXPIRY_MS - self._wall.now_ms()
            wait_s = min(wait_s, max(_AGAIN_S, left_ms / 1000))
        try:
            async with asyncio.timeout(wait_s):
                await self._changed.wait()
        except TimeoutError:
            return
        finally:
            self._changed.clear()

    async def leave(self) -> None:
        """Let go of everything."""
        tenure = self._house.tenure
        try:
            await self._store.run(leave, self._house.node, {**tenure.let_go, **tenure.epochs})
        except CallCoreError as error:
            log.warning("shards.not_released", error=error.code)
        tenure.epochs.clear()


def _now() -> float:
    return asyncio.get_running_loop().time()
