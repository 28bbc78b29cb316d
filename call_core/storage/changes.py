"""Who waits to hear that something was committed, by this process or another."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator

ANYTHING = ""
"""The topic that says: look at everything, nobody knows what changed."""
MAX_UNREAD = 1000
"""So many unread topics are replaced by `ANYTHING`."""


class Changes:
    """Hands topics to every subscriber; without news each of them looks once per poll interval.

    Args:
        poll_s: seconds without news after which a subscriber is told `ANYTHING`.
    """

    def __init__(self, poll_s: float) -> None:
        self._poll_s = poll_s
        self._subscribers: list[_Subscriber] = []

    def ring(self, topic: str) -> None:
        """Tell every subscriber (event loop only)."""
        for subscriber in self._subscribers:
            subscriber.add(topic)

    async def listen(self) -> AsyncGenerator[str, None]:
        """Yield topics as they come, `ANYTHING` after a quiet interval; endless."""
        subscriber = _Subscriber()
        self._subscribers.append(subscriber)
        try:
            while True:
                yield await subscriber.next(self._poll_s)
        finally:
            self._subscribers.remove(subscriber)


class _Subscriber:
    """The unread topics of one reader."""

    def __init__(self) -> None:
        self._unread: deque[str] = deque()
        self._bell = asyncio.Event()

    def add(self, topic: str) -> None:
        if topic in self._unread:
            return
        if len(self._unread) >= MAX_UNREAD:
            self._unread.clear()
            topic = ANYTHING
        self._unread.append(topic)
        self._bell.set()

    async def next(self, poll_s: float) -> str:
        if not self._unread:
            self._bell.clear()
            try:
                async with asyncio.timeout(poll_s):
                    await self._bell.wait()
            except TimeoutError:
                return ANYTHING
        return self._unread.popleft()
