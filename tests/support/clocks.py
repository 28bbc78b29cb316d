"""A clock that stands still until a test moves it."""

import asyncio
from heapq import heappop, heappush

TURNS = 25  # loop turns given to whoever was woken, before the next is


class FakeClock:
    """A `call_core.contracts.Clock` moved by hand; sleepers wake in the order of their instants.

    Args:
        now_ms: what it shows at first.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000) -> None:
        self._now_ms = now_ms
        self._order = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []

    def now_ms(self) -> int:
        """Return what it shows."""
        return self._now_ms

    async def sleep_until(self, at_ms: int) -> None:
        """Return when the clock has been moved to `at_ms`, at once when it stands there."""
        if at_ms <= self._now_ms:
            return
        woken = asyncio.get_running_loop().create_future()
        self._order += 1
        heappush(self._sleepers, (at_ms, self._order, woken))
        await woken

    def next_sleeper_ms(self) -> int | None:
        """Return the instant that somebody waits for next, None when nobody does."""
        while self._sleepers and self._sleepers[0][2].done():
            heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance(self, by_ms: int) -> None:
        """Move on, stopping at every instant that somebody waits for.

        Whoever is woken runs before the next one is, and sees the clock at its own instant; a
        sleeper that begins to wait meanwhile is woken too if its instant lies in the span.
        """
        until = self._now_ms + by_ms
        await settle()
        while (due := self.next_sleeper_ms()) is not None and due <= until:
            self._now_ms = due
            self._wake_due()
            await settle()
        self._now_ms = until

    def jump(self, by_ms: int) -> None:
        """Move on at once, as for a machine that slept; whoever is due wakes later, in order."""
        self._now_ms += by_ms
        self._wake_due()

    def _wake_due(self) -> None:
        while (due := self.next_sleeper_ms()) is not None and due <= self._now_ms:
            heappop(self._sleepers)[2].set_result(None)


async def settle(turns: int = TURNS) -> None:
    """Let everybody run who can, without time passing."""
    for _ in range(turns):
        await asyncio.sleep(0)
