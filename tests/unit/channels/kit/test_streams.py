"""Live calls: each change once, the cost in between, an end for every reader."""

import asyncio

import pytest

from call_core.contracts import CallView
from channels.kit.streams import Streams, TooManyStreams
from tests.support.scripted_core import ANNA, ScriptedCore, a_call


async def follow(streams: Streams, core: ScriptedCore) -> list[CallView]:
    """Return everything that a reader of `call_1` sees."""
    return [view async for view in streams.watch(core, ANNA, "call_1")]


@pytest.fixture
def core() -> ScriptedCore:
    """Return a core with one running call."""
    return ScriptedCore(views={"call_1": a_call()})


@pytest.mark.anyio
async def test_each_change_is_seen_once(core: ScriptedCore) -> None:
    """The call as it is, each change, and its end; nothing twice."""
    reader = asyncio.ensure_future(follow(Streams(1, refresh_s=60), core))
    await core.until_taken(1)
    core.change("call_1", locked=True)
    await core.until_taken(2)
    core.change("call_1", state="ENDED")
    seen = await asyncio.wait_for(reader, 1)
    assert [(view.state, view.locked) for view in seen] == [
        ("CONNECTED", False),
        ("CONNECTED", True),
        ("ENDED", True),
    ]


@pytest.mark.anyio
async def test_the_cost_moves_between_changes(core: ScriptedCore) -> None:
    """A cost that grew is shown although nothing was announced; one that did not is not."""
    streams = Streams(1, refresh_s=0.01)
    reader = asyncio.ensure_future(follow(streams, core))
    await asyncio.sleep(0.05)
    core.views["call_1"] = a_call(cost_micros=70_000)
    await asyncio.sleep(0.05)
    streams.stop()
    assert [view.cost_micros for view in await asyncio.wait_for(reader, 1)] == [60_000, 70_000]


@pytest.mark.anyio
async def test_stop_ends_all_and_those_to_come(core: ScriptedCore) -> None:
    """At shutdown no reader is waited for."""
    streams = Streams(2, refresh_s=60)
    readers = [asyncio.ensure_future(follow(streams, core)) for _ in range(2)]
    await core.until_taken(2)
    streams.stop()
    assert [len(seen) for seen in await asyncio.wait_for(asyncio.gather(*readers), 1)] == [1, 1]
    assert await asyncio.wait_for(follow(streams, core), 1) == []


@pytest.mark.anyio
async def test_a_stream_has_a_lifetime(core: ScriptedCore) -> None:
    """A reader has to come back, and to prove again who it is."""
    streams = Streams(1, refresh_s=0.01, lifetime_s=0.03)
    assert len(await asyncio.wait_for(follow(streams, core), 1)) == 1


@pytest.mark.anyio
async def test_the_limit_is_kept_and_places_come_back(core: ScriptedCore) -> None:
    """One too many is refused; a reader that left makes room."""
    streams = Streams(1, refresh_s=60)
    reader = asyncio.ensure_future(follow(streams, core))
    await core.until_taken(1)
    with pytest.raises(TooManyStreams):
        await follow(streams, core)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    assert not streams.full
