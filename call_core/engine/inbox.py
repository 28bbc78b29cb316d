"""Takes more than can be done at once: what comes in a burst is kept, then done in its order.

A launch costs several times what it costs to write its request down. So while some are being done
already, the next ones are only kept (one row each, in commits that they share), acknowledged, and
done a moment later: one person's in their order, different people's side by side. What would have
to wait too long is refused, and its own server brings it again.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence

import structlog

from call_core.contracts import Clock
from call_core.errors import CallCoreError, Overloaded
from call_core.requests import Request
from call_core.storage import inbox_rows
from call_core.storage.inbox_rows import InboxRow
from call_core.storage.store import Priority, Store
from call_core.storage.transaction import Tx
from call_core.units.house import Tenure
from call_core.units.inbox import Kept, drop, keep

log = structlog.get_logger(__name__)

DIRECT_AT_ONCE = 8
DONE_AT_ONCE = 16
DONE_AT_ONCE_BUSY = 1
"""People whose kept requests are done side by side, and while others still come in."""
BUSY_MS = 100
WAYS = 3.0
"""While others come in and the loop has no time to spare, what was done is followed by a pause of
so many times what it took; the longer the first has waited, the shorter."""
NO_WAY_S = 15.0
"""Who has waited for this long gives way to nobody who comes now."""
SPARE_S = 0.000_5
"""A loop that comes round in less has time to spare."""
_LOOK_S = 0.002
LONGEST_WAIT_MS = 60_000
"""A request is not added to a queue whose head has waited for this long."""
MOST_WAITING = 20_000
DONE_TOGETHER = 4
"""Of one person's, in one transaction: they share a commit as different people's do."""
TRIES = 5
"""After so many failures that are defects of ours the sender is told; after twice as many, and
nobody could be told, the request is dropped."""
RETRY_S = 1.0
_BATCH = 64
_POLL_S = 1.0


class Inbox:
    """Keeps requests and does them.

    Args:
        store: where they wait.
        wall: our clock.
        tenure: which shards' requests are this process's to do.

    Attributes:
        do: does kept requests of one person and removes them; set by the door.
        give_up: answers those that `do` cannot do; set by the door.
        direct_at_once: requests that are done while their senders wait; the next are kept.
        waiting: how many wait; until the next look without those that others kept.
        oldest_wall_ms: when the one that has waited longest came in; None when nothing waits.
        kept, done: how many so far.
    """

    direct_at_once = DIRECT_AT_ONCE

    do: Callable[[Sequence[InboxRow]], Awaitable[None]]
    give_up: Callable[[Sequence[InboxRow]], Awaitable[None]]

    def __init__(self, store: Store, wall: Clock, tenure: Tenure) -> None:
        self._store = store
        self._wall = wall
        self._tenure = tenure
        self._wake = asyncio.Event()
        self._direct = 0
        self._kept_wall_ms = 0
        self._buffer: dict[str, list[InboxRow]] = {}
        self._at_work: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[int, int] = {}
        self.oldest_wall_ms: int | None = None
        self.waiting = 0
        self.kept = 0
        self.done = 0

    def wake(self) -> None:
        """Look now: something was kept, perhaps by another process."""
        self._wake.set()

    # --- taking ---------------------------------------------------------------------------------

    @property
    def is_needed(self) -> bool:
        """Whether the next request must wait its turn."""
        return self.waiting > 0 or self._direct >= self.direct_at_once

    @contextlib.contextmanager
    def direct(self) -> Iterator[None]:
        """Count a request that is done while its sender waits."""
        self._direct += 1
        try:
            yield
        finally:
            self._direct -= 1

    async def keep(self, request: Request) -> Kept:
        """Write a request down durably.

        Raises:
            Overloaded: it would wait too long. Nothing was kept.
            CallCoreError: as from any unit.
        """
        now_wall_ms = self._wall.now_ms()
        oldest = self.oldest_wall_ms
        if self.waiting >= MOST_WAITING or (
            oldest is not None and now_wall_ms - oldest > LONGEST_WAIT_MS
        ):
            raise Overloaded(f"{self.waiting} requests wait")
        self._kept_wall_ms = now_wall_ms
        kept = await self._store.run(keep, request, priority=Priority.NEW)
        if kept is Kept.NEW:
            self.kept += 1
            self.waiting += 1
            if oldest is None:
                self.oldest_wall_ms = request.received_wall_ms
            self._wake.set()
        return kept

    async def count_until_cancelled(self) -> None:
        """Know how many wait, in a process that keeps requests and does none."""
        while True:
            with contextlib.suppress(CallCoreError):
                await self._count()
            await asyncio.sleep(_POLL_S)

    async def _count(self) -> None:
        kept_before = self.kept
        waiting, self.oldest_wall_ms = await self._store.read(_waiting)
        self.waiting = waiting + self.kept - kept_before

    # --- doing ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Do what is kept until cancelled; what is under way then is finished or undone whole."""
        try:
            while True:
                self._wake.clear()
                try:
                    await self.look()
                except CallCoreError as error:
                    log.warning("inbox.store_unavailable", error=error.code)
                # Not wait_for: on Python 3.11 it loses a cancellation that comes with the wake-up.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_POLL_S):
                        await self._wake.wait()
        finally:
            for task in list(self._at_work.values()):
                task.cancel()
            await asyncio.gather(*self._at_work.values(), return_exceptions=True)

    async def look(self) -> None:
        """Begin with as many as may be done now."""
        if not self._buffer and not self._is_full:
            await self._read()
        for principal, rows in list(self._buffer.items()):
            if self._is_full:
                return
            if principal not in self._at_work:
                together = self._together(rows)
                self._at_work[principal] = asyncio.create_task(self._some(principal, together))
                self._buffer[principal] = rows[len(together) :]
                if not self._buffer[principal]:
                    del self._buffer[principal]

    def _together(self, rows: list[InboxRow]) -> list[InboxRow]:
        """Return the first of these that may be done as one; after a failure each is alone."""
        failed = any(row.seq in self._failures for row in rows[:DONE_TOGETHER])
        return rows[: 1 if failed else DONE_TOGETHER]

    @property
    def _is_full(self) -> bool:
        return len(self._at_work) >= (DONE_AT_ONCE_BUSY if self._is_busy else DONE_AT_ONCE)

    @property
    def _is_busy(self) -> bool:
        """Whether others still come in."""
        return self._wall.now_ms() - self._kept_wall_ms < BUSY_MS

    @property
    def _age_s(self) -> float:
        """How long the first has waited."""
        oldest = self.oldest_wall_ms
        return 0.0 if oldest is None else max(0, self._wall.now_ms() - oldest) / 1000

    async def _read(self) -> None:
        # What ends while the database is read would be taken for what still waits.
        known, kept_before = set(self._at_work), self.kept
        shards = (tuple(self._tenure.epochs), self._tenure.shards)
        rows, waiting, self.oldest_wall_ms = await self._store.read(
            _next, _BATCH + len(known), *shards
        )
        self.waiting = waiting + self.kept - kept_before
        for row in rows:
            if row.principal not in known:
                self._buffer.setdefault(row.principal, []).append(row)

    async def _some(self, principal: str, rows: list[InboxRow]) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            await self._do(rows)
        except CallCoreError as error:
            log.warning("inbox.not_done_yet", error=error.code, seq=rows[0].seq)
            await self._pause(principal)
        except Exception:
            for row in rows:
                self._failures[row.seq] = self._failures.get(row.seq, 0) + 1
            log.exception("inbox.failed", seq=rows[0].seq, tries=self._failures[rows[0].seq])
            await self._pause(principal)
        else:
            for row in rows:
                self._failures.pop(row.seq, None)
            self.done += len(rows)
            self.waiting = max(0, self.waiting - len(rows))
            await self._make_way(loop.time() - began_s)
        finally:
            del self._at_work[principal]
            self._wake.set()

    async def _make_way(self, took_s: float) -> None:
        """Let those who come in go first, for a while: to promise costs less than to do."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + took_s * WAYS * max(0.0, 1 - self._age_s / NO_WAY_S)
        while self._is_busy and loop.time() < until_s:
            before_s = loop.time()
            await asyncio.sleep(0)
            if loop.time() - before_s < SPARE_S:
                return
            await asyncio.sleep(_LOOK_S)

    async def _pause(self, principal: str) -> None:
        """Wait before the next try; what the same person sent later waits behind it."""
        self._buffer.pop(principal, None)
        await asyncio.sleep(RETRY_S)

    async def _do(self, rows: list[InboxRow]) -> None:
        failures = self._failures.get(rows[0].seq, 0)
        if failures < TRIES:
            await self.do(rows)
        elif failures < 2 * TRIES:
            await self.give_up(rows)
        else:
            log.error("inbox.dropped", seq=rows[0].seq)
            await self._store.run(drop, rows[0], self._wall.now_ms())


def _next(
    tx: Tx, most: int, owned: tuple[int, ...], shards: int
) -> tuple[list[InboxRow], int, int | None]:
    mask = sum(1 << shard for shard in owned)
    rows = tx.all(inbox_rows.NEXT, most=most, mask=mask, shards=shards)
    return rows, *_waiting(tx)


def _waiting(tx: Tx) -> tuple[int, int | None]:
    count, oldest = tx.one(inbox_rows.WAITING) or (0, None)
    return int(count), None if oldest is None else int(oldest)
