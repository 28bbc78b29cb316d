"""An event loop without a real clock: time jumps to whatever is due, a seed picks who runs first.

Tasks belong to a *process* of the simulated world by a context variable, which whatever they start
inherits. So a process can be frozen (its tasks stay where they are while time passes) and killed.
"""

import asyncio
import random
from collections import deque
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from typing import Any

OWNER: ContextVar[str] = ContextVar("owner", default="")
"""Which process a task belongs to; "" is the world itself."""
_SHUFFLED_SHARE = 0.3
MOST_TURNS_WITHOUT_TIME = 20_000


class Standstill(Exception):
    """Tasks wake each other for ever in one and the same instant."""


class _Selector:
    """Stands where asyncio looks for sockets: nothing ever comes, waiting is a jump of the time."""

    def __init__(self, loop: "SimulatedLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[object]:
        """Let the time pass that everybody waits for."""
        if timeout is None:
            raise RuntimeError("everybody waits and nothing is due: the world stands still")
        self._loop.now_s += timeout
        return []

    def close(self) -> None:
        """Nothing is open."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """A loop that replays: the same seed, the same order, the same instants.

    Args:
        rng: decides which of the tasks that could run now runs first.

    Attributes:
        now_s: seconds since the world began.
        frozen: processes whose tasks do not run.
        tasks: of every process, oldest first.
        turns: how often the loop went round.
    """

    _ready: deque[asyncio.Handle]

    def __init__(self, rng: random.Random) -> None:
        super().__init__()
        self._selector = _Selector(self)
        self._rng = rng
        self._held: list[asyncio.Handle] = []
        self.now_s = 0.0
        self.turns = 0
        self._still_since_s = 0.0
        self._still_from_turn = 0
        self.frozen: set[str] = set()
        self.tasks: dict[str, list[asyncio.Task[Any]]] = {}
        self.set_task_factory(self._make_task)  # type: ignore[arg-type]  # of a subclass of Task only

    def time(self) -> float:
        """Return the simulated time in seconds."""
        return self.now_s

    def _make_task(
        self,
        loop: asyncio.AbstractEventLoop,
        coroutine: Coroutine[Any, Any, Any],
        *,
        context: Context | None = None,
        **_: Any,  # noqa: ANN401  (of later Pythons)
    ) -> "asyncio.Task[Any]":
        task = asyncio.Task(coroutine, loop=loop, context=context)
        owner = OWNER.get() if context is None else context.get(OWNER, "")
        if owner:
            task.add_done_callback(_look_at_its_end)
            mine = self.tasks.setdefault(owner, [])
            mine.append(task)
            if len(mine) > 500:
                self.tasks[owner] = [each for each in mine if not each.done()]
        return task

    def thaw(self, owner: str) -> None:
        """Let a frozen process go on where it stood."""
        self.frozen.discard(owner)
        self._ready.extend(self._held)
        self._held.clear()

    def _run_once(self) -> None:
        self.turns += 1
        if self.now_s != self._still_since_s:
            self._still_since_s, self._still_from_turn = self.now_s, self.turns
        elif self.turns - self._still_from_turn > MOST_TURNS_WITHOUT_TIME:
            raise Standstill("everybody is busy and no time passes")
        if self.frozen:
            running = deque[asyncio.Handle]()
            for handle in self._ready:
                owner = handle._context.get(OWNER, "")  # type: ignore[attr-defined]  # noqa: SLF001  (no public way)
                (self._held if owner in self.frozen else running).append(handle)
            self._ready = running
        if len(self._ready) > 1 and self._rng.random() < _SHUFFLED_SHARE:
            self._shuffle()
        super()._run_once()  # type: ignore[misc]  # what asyncio runs once a turn

    def _shuffle(self) -> None:
        """Let tasks that wake in the same turn run in another order; callbacks keep theirs."""
        handles = list(self._ready)
        places = [n for n, handle in enumerate(handles) if _wakes_a_task(handle)]
        order = [handles[n] for n in places]
        self._rng.shuffle(order)
        for place, handle in zip(places, order, strict=True):
            handles[place] = handle
        self._ready = deque(handles)

    def _process_events(self, event_list: list[object]) -> None:
        assert not event_list, "there is nothing to wait for but time"

    def _write_to_self(self) -> None:
        """Nobody sleeps: there is only one thread."""


def _look_at_its_end(task: "asyncio.Task[Any]") -> None:
    """See an error that nobody waits for any more: whoever waited may have died."""
    if not task.cancelled():
        task.exception()


def _wakes_a_task(handle: asyncio.Handle) -> bool:
    return type(handle._callback).__name__ in (  # type: ignore[attr-defined]  # noqa: SLF001  (no public way)
        "TaskStepMethWrapper",
        "TaskWakeupMethWrapper",
        "builtin_function_or_method",
    )


class SimulatedClock:
    """A `call_core.contracts.Clock` over the loop's time.

    Args:
        loop: whose time it shows.
        base_ms: what it shows when the world begins.
    """

    def __init__(self, loop: SimulatedLoop, base_ms: int) -> None:
        self._loop = loop
        self._base_ms = base_ms

    def now_ms(self) -> int:
        """Return what it shows."""
        return self._base_ms + round(self._loop.now_s * 1000)

    async def sleep_until(self, at_ms: int) -> None:
        """Return when it shows `at_ms`, at once when it does."""
        while (left_ms := at_ms - self.now_ms()) > 0:  # noqa: ASYNC110  (this is the clock)
            await asyncio.sleep(min(left_ms, 3_600_000) / 1000)
