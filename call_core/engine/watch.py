"""Who looks at which call now: live pages are told that something changed, not what."""

import asyncio
from collections import defaultdict


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
