"""Subscribers to changes: order, repetition, overflow."""

import asyncio

import pytest

from call_core.storage.changes import ANYTHING, MAX_UNREAD, Changes

pytestmark = pytest.mark.anyio


async def heard(changes: Changes, topics: list[str], count: int) -> list[str]:
    """Subscribe, ring `topics`, and return the next `count` that come."""
    listening = changes.listen()
    first = asyncio.ensure_future(anext(listening))
    await asyncio.sleep(0)
    for topic in topics:
        changes.ring(topic)
    result = [await first] + [await anext(listening) for _ in range(count - 1)]
    await listening.aclose()
    return result


async def test_topics_come_in_order_and_once_while_unread() -> None:
    """A topic that is already waiting is not queued again."""
    assert await heard(Changes(poll_s=5), ["a", "b", "a", "c"], 3) == ["a", "b", "c"]


async def test_silence_is_broken_by_the_poll() -> None:
    """Without news the subscriber is told to look at everything."""
    assert await heard(Changes(poll_s=0.01), [], 2) == [ANYTHING, ANYTHING]


async def test_too_many_unread_topics_become_one_look_at_everything() -> None:
    """At the limit every topic is kept, one past it all are replaced."""
    topics = [str(number) for number in range(MAX_UNREAD)]
    changes = Changes(poll_s=5)
    assert await heard(changes, topics, MAX_UNREAD) == topics
    assert await heard(changes, [*topics, "one more"], 1) == [ANYTHING]


async def test_who_stopped_listening_is_forgotten() -> None:
    """Ringing without subscribers does nothing."""
    changes = Changes(poll_s=5)
    await heard(changes, ["a"], 1)
    changes.ring("b")
    assert await heard(changes, ["c"], 1) == ["c"]
