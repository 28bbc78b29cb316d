"""Units that wait for a database thread: two bounded queues, running calls before new launches."""

import asyncio
import enum
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from call_core.errors import Overloaded, StoreUnavailable

_NS_PER_MS = 1_000_000


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much the store takes on at once.

    Attributes:
        max_waiting_units: most units that wait, for running calls and for new requests each.
        max_wait_ms: who waits longer is refused; also how long to wait for another's lock.
        batch_ms: most work of one group commit (SQLite).
        reader_threads: connections for queries.
        writer_threads: connections for units (PostgreSQL).
        poll_s: seconds without news after which `changes()` says to look anyway.
    """

    max_waiting_units: int = 1000
    max_wait_ms: int = 2000
    batch_ms: int = 5
    reader_threads: int = 2
    writer_threads: int = 8
    poll_s: float = 1.0


class Priority(enum.IntEnum):
    """Which queue a unit waits in; the lower number goes first."""

    RUNNING = 0
    """A call that is up: its events, its money, its end."""
    NEW = 1
    """A request for something new, which may be told to come back later."""


@dataclass(slots=True, eq=False)
class Work:
    """One unit on its way through the store, and what came of it.

    Attributes:
        unit: the function to run with a `Tx` and `arguments`.
        key: claim or transfer id by which a lost commit can be looked up; None when there is none.
        future: what the caller awaits.
        waiting_since_ns: when it was queued, by the monotonic clock.
        result: what the unit returned.
        error: why there is no result.
        callbacks: what to call on the event loop once it is durable.
    """

    unit: Callable[..., Any]
    arguments: tuple[Any, ...]
    priority: Priority
    key: str | None
    future: "asyncio.Future[Any]"
    waiting_since_ns: int = 0
    result: Any = None
    error: BaseException | None = None
    callbacks: list[Callable[[], object]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What figures call this unit."""
        return getattr(self.unit, "__name__", type(self.unit).__name__)

    def fail(self, error: BaseException) -> None:
        """Note that nothing of this unit is durable, because of `error`."""
        self.result, self.error = None, error
        self.callbacks = []


class WaitingWork:
    """The queues between the event loop and the database threads.

    Args:
        loop: the event loop on which callers wait.
        limits: `max_waiting_units` in each queue, `max_wait_ms` for each unit.
        monotonic_ns: clock for waiting times.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        limits: StoreLimits,
        *,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._loop = loop
        self._max_waiting = limits.max_waiting_units
        self._max_wait_ns = limits.max_wait_ms * _NS_PER_MS
        self._now_ns = monotonic_ns
        self._queues: tuple[deque[Work], deque[Work]] = (deque(), deque())
        self._bell = threading.Condition()
        self._closed = False
        self._looking: asyncio.TimerHandle | None = None
        self._longest_wait_ns = 0
        self.refused = 0

    def put(self, work: Work) -> None:
        """Queue `work` (event loop only).

        Raises:
            Overloaded: its queue is full, or does not move.
            StoreUnavailable: the store is closed.
        """
        queue = self._queues[work.priority]
        work.waiting_since_ns = now_ns = self._now_ns()
        with self._bell:
            if self._closed:
                raise StoreUnavailable("the store is closed")
            stuck = queue and now_ns - queue[0].waiting_since_ns > self._max_wait_ns
            if stuck or len(queue) >= self._max_waiting:
                self.refused += 1
                raise Overloaded(f"{len(queue)} units wait")
            queue.append(work)
            self._bell.notify()
        if self._looking is None:
            self._look_later()

    def _look_later(self) -> None:
        after_s = self._max_wait_ns / 1_000_000_000
        self._looking = self._loop.call_later(after_s, self._refuse_stuck)

    def _refuse_stuck(self) -> None:
        """Refuse what has waited too long although no thread came to take it: a disk that hangs."""
        self._looking = None
        stuck: list[Work] = []
        with self._bell:
            before_ns = self._now_ns() - self._max_wait_ns
            for queue in self._queues:
                while queue and queue[0].waiting_since_ns < before_ns:
                    stuck.append(queue.popleft())
            waits = any(self._queues) and not self._closed
        for work in stuck:
            self._is_wanted(work)
        if waits:
            self._look_later()

    def take(self, timeout_s: float) -> Work | None:
        """Return the next work, waiting up to `timeout_s`; None when there is none."""
        with self._bell:
            if not (self._queues[0] or self._queues[1] or self._closed):
                self._bell.wait(timeout_s)
        return self.take_now()

    def take_now(self) -> Work | None:
        """Return the next work that somebody still wants, or None."""
        while True:
            with self._bell:
                queue = self._queues[0] or self._queues[1]
                if not queue:
                    return None
                work = queue.popleft()
            if self._is_wanted(work):
                return work

    def _is_wanted(self, work: Work) -> bool:
        if work.future.cancelled():
            return False
        waited_ns = self._now_ns() - work.waiting_since_ns
        self._longest_wait_ns = max(self._longest_wait_ns, waited_ns)
        if waited_ns <= self._max_wait_ns:
            return True
        self.refused += 1
        work.fail(Overloaded(f"waited {waited_ns // _NS_PER_MS} ms"))
        self.answer([work])
        return False

    def answer(self, finished: Sequence[Work]) -> None:
        """Hand results to their callers, from any thread."""
        try:
            self._loop.call_soon_threadsafe(settle, finished)
        except RuntimeError:  # the loop is closed: nobody is left to be told
            return

    def close(self) -> None:
        """Take no more work; what waits is still handed out."""
        with self._bell:
            self._closed = True
            self._bell.notify_all()

    @property
    def is_drained(self) -> bool:
        """Whether the queues are closed and empty."""
        with self._bell:
            return self._closed and not (self._queues[0] or self._queues[1])

    @property
    def lengths(self) -> tuple[int, int]:
        """How many wait now: running calls, new launches."""
        return len(self._queues[0]), len(self._queues[1])

    @property
    def longest_wait_ms(self) -> int:
        """The longest that any unit has waited so far."""
        return self._longest_wait_ns // _NS_PER_MS


def settle(finished: Sequence[Work]) -> None:
    """Run the callbacks of what is durable and wake the callers (event loop only)."""
    for work in finished:
        for callback in work.callbacks:
            _call(work, callback)
        if work.future.done():
            continue
        if work.error is None:
            work.future.set_result(work.result)
        elif isinstance(work.error, StopIteration):  # a future cannot carry it
            work.future.set_exception(RuntimeError(f"{work.name} raised StopIteration"))
        else:
            work.future.set_exception(work.error)


def _call(work: Work, callback: Callable[[], object]) -> None:
    try:
        callback()
    except Exception as error:  # noqa: BLE001  (one broken callback must not silence the others)
        work.future.get_loop().call_exception_handler(
            {"message": f"a callback after {work.name} failed", "exception": error}
        )
