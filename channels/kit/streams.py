"""Live calls as a stream: every change, the running cost in between, and an end at shutdown.

An open stream would hold the server's shutdown for as long as its reader likes, so every stream
also ends when the channel stops, and after a lifetime, so that a session or token that was revoked
is asked for again (browsers and clients reconnect by themselves).
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from call_core.contracts import CallCore, CallView, Principal

REFRESH_S = 2.0  # how often the running cost is read again while nothing else changes
LIFETIME_S = 900.0


class TooManyStreams(Exception):
    """As many streams as this node serves are open; a reader may come back later."""


class Streams:
    """The open streams of one channel.

    Attributes:
        limit: the most that may be open at once.
    """

    def __init__(
        self, limit: int, refresh_s: float = REFRESH_S, lifetime_s: float = LIFETIME_S
    ) -> None:
        self.limit = limit
        self._refresh_s = refresh_s
        self._lifetime_s = lifetime_s
        self._stopping = asyncio.Event()
        self._open = 0

    @property
    def full(self) -> bool:
        """Whether a further stream would be one too many."""
        return self._open >= self.limit

    def stop(self) -> None:
        """End every open stream; later ones end at once."""
        self._stopping.set()

    async def watch(self, core: CallCore, who: Principal, call_id: str) -> AsyncIterator[CallView]:
        """Yield a call at once, then whenever it looks different, until it has ended.

        Raises:
            TooManyStreams: nothing was yielded.
        """
        if self.full:
            raise TooManyStreams
        self._open += 1
        try:
            async for view in self._watch(core, who, call_id):
                yield view
        finally:
            self._open -= 1

    async def _watch(self, core: CallCore, who: Principal, call_id: str) -> AsyncIterator[CallView]:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + self._lifetime_s
        changes = core.call_events(who, call_id)
        stopping = asyncio.ensure_future(self._stopping.wait())
        change: asyncio.Future[CallView] = asyncio.ensure_future(anext(changes))
        shown: CallView | None = None
        try:
            while loop.time() < until_s:
                waited: set[asyncio.Future[Any]] = {change, stopping}
                await asyncio.wait(
                    waited, timeout=self._refresh_s, return_when=asyncio.FIRST_COMPLETED
                )
                if stopping.done():
                    return
                if change.done():
                    view: CallView | None = change.result()
                    change = asyncio.ensure_future(anext(changes))
                else:
                    view = await core.call(who, call_id)
                if view is not None and view != shown:
                    shown = view
                    yield view
        except StopAsyncIteration:
            return
        finally:
            change.cancel()
            stopping.cancel()
            await asyncio.gather(change, stopping, return_exceptions=True)
