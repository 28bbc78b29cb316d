"""Who looks at which call now: live pages are told that something changed, not what."""

import asyncio
from collections import defaultdict

from call_core.contracts import Clock


async def woken_or(event: asyncio.Event, clock: Clock, at_ms: int | None) -> None:
    """Wait until the event is set or the clock shows `at_ms`; None: for the event only."""
    if at_ms is None:
        await event.wait()
        return
    waiters = [
        asyncio.ensure_future(event.wait()),
        asyncio.ensure_future(clock.sleep_until(at_ms)),
    ]
    try:
        await asyncio.wait(waiters, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for waiter in waiters:
            waiter.cancel()
        await asyncio.gather(*waiters, return_exceptions=True)


class Watch:
    """Wakes everybody who waits for news of a call."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)

    def subscribe(self, call_id: str) -> asyncio.Event:
        """Return an event that is set at every change until `unsubscribe`."""
        event = asyncio.Event()
        self._waiting[call_id].add(event)
        return event

    def unsubscribe(self, call_id: str, event: asyncio.Event) -> None:
        """Stop waiting."""
        self._waiting[call_id].discard(event)
        if not self._waiting[call_id]:
            del self._waiting[call_id]

    def changed(self, call_id: str) -> None:
        """Wake whoever looks at this call."""
        for event in self._waiting.get(call_id, ()):
            event.set()
