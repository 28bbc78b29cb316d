"""The queues: order, bounds, who is refused, and how answers come back."""

import asyncio

import pytest

from call_core.errors import Overloaded, StoreUnavailable
from call_core.storage.waiting import Priority, StoreLimits, WaitingWork, Work

pytestmark = pytest.mark.anyio
MS = 1_000_000


class Clock:
    """A monotonic clock that moves when told."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        """Return the instant in nanoseconds."""
        return self.ns


def queue(clock: Clock, waiting: int = 3, wait_ms: int = 100) -> WaitingWork:
    """Return queues of `waiting` places each."""
    limits = StoreLimits(max_waiting_units=waiting, max_wait_ms=wait_ms)
    return WaitingWork(asyncio.get_running_loop(), limits, monotonic_ns=clock)


def work(name: str, priority: Priority = Priority.RUNNING) -> Work:
    """Return work that is told apart by its only argument."""
    future = asyncio.get_running_loop().create_future()
    return Work(lambda _tx, text: text, (name,), priority, None, future)


def taken(waiting: WaitingWork) -> list[str]:
    """Take everything and return it by name."""
    names = []
    while (next_work := waiting.take_now()) is not None:
        names.append(next_work.arguments[0])
    return names


async def test_running_calls_go_before_new_requests() -> None:
    """Each queue keeps its order; the running one is emptied first."""
    waiting = queue(Clock())
    for name, priority in [
        ("n1", Priority.NEW),
        ("r1", Priority.RUNNING),
        ("n2", Priority.NEW),
        ("r2", Priority.RUNNING),
    ]:
        waiting.put(work(name, priority))
    assert waiting.lengths == (2, 2)
    assert taken(waiting) == ["r1", "r2", "n1", "n2"]


async def test_each_queue_takes_its_limit_and_not_one_more() -> None:
    """A flood of new requests is refused, and running calls still have all their places."""
    waiting = queue(Clock(), waiting=3)
    for priority in Priority:
        for number in range(3):
            waiting.put(work(str(number), priority))
        with pytest.raises(Overloaded):
            waiting.put(work("one more", priority))
    assert waiting.refused == 2


@pytest.mark.parametrize(("waited_ms", "is_run"), [(100, True), (101, False)])
async def test_who_waited_too_long_is_refused_instead_of_run(waited_ms: int, is_run: bool) -> None:  # noqa: FBT001  (a table's column)
    """At `max_wait_ms` a unit still runs; later its caller is told to come back."""
    clock = Clock()
    waiting = queue(clock, wait_ms=100)
    late = work("late")
    waiting.put(late)
    clock.ns = waited_ms * MS
    assert taken(waiting) == (["late"] if is_run else [])
    if not is_run:
        with pytest.raises(Overloaded, match="waited 101 ms"):
            await late.future
    assert waiting.longest_wait_ms == waited_ms


async def test_a_queue_that_does_not_move_refuses_at_once() -> None:
    """When the first in the queue is overdue, the next is not made to wait as long."""
    clock = Clock()
    waiting = queue(clock, wait_ms=100)
    waiting.put(work("stuck"))
    clock.ns = 101 * MS
    with pytest.raises(Overloaded):
        waiting.put(work("next"))


async def test_work_that_nobody_waits_for_is_dropped() -> None:
    """A caller that went away before its unit began leaves nothing behind."""
    waiting = queue(Clock())
    gone = work("gone")
    waiting.put(gone)
    waiting.put(work("here"))
    gone.future.cancel()
    assert taken(waiting) == ["here"]


async def test_closing_hands_out_what_waits_and_takes_nothing_new() -> None:
    """The queue is drained only after its last work was taken."""
    waiting = queue(Clock())
    waiting.put(work("last"))
    waiting.close()
    assert not waiting.is_drained
    with pytest.raises(StoreUnavailable, match="closed"):
        waiting.put(work("late"))
    assert taken(waiting) == ["last"]
    assert waiting.is_drained


async def test_a_thread_that_waits_is_woken_by_work_and_by_closing() -> None:
    """Nobody sleeps through `put` or `close`."""
    waiting = queue(Clock())
    sleeping = asyncio.create_task(asyncio.to_thread(waiting.take, 10))
    await asyncio.sleep(0.01)
    waiting.put(work("wake"))
    async with asyncio.timeout(5):
        woken = await sleeping
        sleeping = asyncio.create_task(asyncio.to_thread(waiting.take, 10))
        await asyncio.sleep(0.01)
        waiting.close()
        assert await sleeping is None
    assert woken is not None
    assert woken.arguments == ("wake",)


async def test_answers_reach_every_caller_whatever_the_others_do() -> None:
    """A callback that raises, a cancelled caller and an odd exception harm nobody else."""
    waiting = queue(Clock())
    complaints: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context))
    broken, gone, odd, fine = (work(name) for name in ("broken", "gone", "odd", "fine"))
    broken.callbacks.append(lambda: 1 // 0)
    gone.future.cancel()
    odd.fail(StopIteration())
    fine.result = "fine"
    waiting.answer([broken, gone, odd, fine])
    assert await fine.future == "fine"
    assert await broken.future is None
    with pytest.raises(RuntimeError, match="StopIteration"):
        await odd.future
    assert [str(complaint["exception"]) for complaint in complaints] == [
        "integer division or modulo by zero"
    ]


def test_answers_to_a_closed_loop_are_dropped() -> None:
    """A worker that finishes after the loop has gone does not die of it."""
    loop = asyncio.new_event_loop()
    future = loop.create_future()
    loop.close()
    limits = StoreLimits()
    waiting = WaitingWork(loop, limits)
    waiting.answer([Work(lambda _tx: None, (), Priority.NEW, None, future)])
    assert not future.done()


async def test_what_no_thread_comes_for_is_refused_all_the_same() -> None:
    """A disk that hangs holds its thread; whoever is queued behind it is told, cancelled or not."""
    clock = Clock()
    waiting = queue(clock, wait_ms=20)
    old, cancelled, young = work("old"), work("cancelled", Priority.NEW), work("young")
    for each in (old, cancelled):
        waiting.put(each)
    cancelled.future.cancel()
    clock.ns = 15 * MS
    waiting.put(young)
    clock.ns = 30 * MS
    with pytest.raises(Overloaded, match="30 ms"):
        await old.future
    assert not young.future.done()
    clock.ns = 50 * MS
    with pytest.raises(Overloaded, match="35 ms"):
        await young.future
    assert (waiting.refused, waiting.lengths) == (2, (0, 0))
