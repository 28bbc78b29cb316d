"""Wake-ups by the call clock: one heap and one task for all calls."""

import asyncio
import heapq
from collections.abc import Callable

from call_core.contracts import Clock
from call_core.engine.watch import woken_or


class Timers:
    """Calls `wake(key)` when a key's instant has come; setting a key again replaces its instant.

    Args:
        clock: whose milliseconds the instants are.
        wake: called on the event loop; must not block.
    """

    def __init__(self, clock: Clock, wake: Callable[[str], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._heap: list[tuple[int, str]] = []
        self._due: dict[str, int] = {}
        self._changed = asyncio.Event()

    def set(self, key: str, at_ms: int | None) -> None:
        """Wake for `key` at `at_ms`; None: never."""
        if at_ms is None:
            self._due.pop(key, None)
            return
        if self._due.get(key) == at_ms:
            return
        self._due[key] = at_ms
        heapq.heappush(self._heap, (at_ms, key))
        if self._heap[0] == (at_ms, key):
            self._changed.set()

    def __len__(self) -> int:
        return len(self._due)

    async def run(self) -> None:
        """Keep time until cancelled."""
        while True:
            self._changed.clear()
            self._fire()
            await self._until_next()

    def _fire(self) -> None:
        now = self._clock.now_ms()
        while self._heap and self._heap[0][0] <= now:
            at_ms, key = heapq.heappop(self._heap)
            if self._due.get(key) == at_ms:
                del self._due[key]
                self._wake(key)

    async def _until_next(self) -> None:
        # woken_or hands on a cancellation that comes while it cleans up; suppressing one there
        # would keep a stopping process alive for ever.
        await woken_or(self._changed, self._clock, self._heap[0][0] if self._heap else None)
