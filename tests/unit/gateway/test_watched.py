"""What `/metrics` shows of a running core."""

from collections.abc import AsyncIterator

import pytest

from call_core.errors import StoreUnavailable
from gateway.metrics import Metrics
from gateway.watched import watch
from tests.support.world import OFFICE, UK, User, World, opened_world

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """A core with one customer and one user."""
    async with opened_world("inline", "") as made:
        yield made


@pytest.fixture
async def ada(world: World) -> User:
    """The user."""
    return await world.user(await world.customer())


def watched(world: World) -> Metrics:
    """Watch the world's core from now on."""
    metrics = Metrics(world.wall)
    watch(world.core, world.store, world.wall, metrics, None)
    return metrics


async def lines(metrics: Metrics) -> dict[str, float]:
    """Return the figures by name and labels."""
    text = (await metrics.read()).decode()
    rows = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(figure) for name, _, figure in rows}


async def test_a_call_is_counted_from_request_to_end(world: World, ada: User) -> None:
    """ASR, ACD, PDD and the answer are there per channel and trunk once its legs have ended."""
    metrics = watched(world)
    world.script(UK, ring_s=4, talk_s=40)
    await world.say(ada, f"call {UK}")
    labels = '{channel="web",trunk="main"}'
    assert (await lines(metrics))[f"callgate_cps{labels}"] > 0
    await world.advance(120)
    seen = await lines(metrics)
    assert seen['callgate_requests_total{channel="web",code="call_launched"}'] == 1
    assert seen[f"callgate_asr_ratio{labels}"] == 1
    assert seen[f"callgate_acd_seconds{labels}"] > 40
    assert seen[f"callgate_pdd_seconds_count{labels}"] == 2
    assert seen["callgate_commit_seconds_count"] > 2
    assert seen["callgate_store_units"] >= seen["callgate_commit_seconds_count"]
    assert seen['callgate_store_waiting{queue="new"}'] == 0


async def test_the_oldest_hold_is_as_old_as_its_leg_however_often_it_was_extended(
    world: World, ada: User
) -> None:
    """It counts from the first money held, per channel and trunk, and is gone with the call."""
    metrics = watched(world)
    world.script(UK, ring_s=4, talk_s=900)
    world.script(OFFICE, ring_s=4)
    await world.say(ada, f"call {UK}")
    began = world.wall.now_ms()
    await world.advance(600)
    seen = await lines(metrics)
    labels = '{channel="web",trunk="main"}'
    assert seen[f"callgate_holds_open{labels}"] == 2
    held = seen[f"callgate_oldest_hold_seconds{labels}"]
    assert held == pytest.approx((world.wall.now_ms() - began) / 1000, abs=5)
    assert seen['callgate_calls{channel="web",state="CONNECTED"}'] == 1
    await world.say(ada, "hangup")
    await world.advance(30)
    assert f"callgate_oldest_hold_seconds{labels}" not in await lines(metrics)


async def test_the_oldest_message_that_waits_is_shown_by_its_channel(
    world: World, ada: User
) -> None:
    """What no channel takes grows old."""
    metrics = watched(world)
    world.engine.outbox.wake = lambda: None  # type: ignore[method-assign]
    await world.say(ada, "balance", channel="smtp", settle=False)
    world.wall.jump(90_000)
    seen = await lines(metrics)
    assert seen['callgate_oldest_message_seconds{channel="smtp"}'] >= 90
    assert seen['callgate_messages_open{channel="smtp"}'] == 1


async def test_a_database_that_is_away_hides_no_other_figure(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ages are left out; they come back with it."""
    metrics = watched(world)
    await world.say(ada, f"call {UK}")
    assert any("oldest_hold" in name for name in await lines(metrics))

    async def away(*_: object) -> object:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr(world.store, "read", away)
        seen = await lines(metrics)
    assert not any("oldest_hold" in name for name in seen)
    assert seen['callgate_requests_total{channel="web",code="call_launched"}'] == 1
    assert any("oldest_hold" in name for name in await lines(metrics))


async def test_a_failure_of_ours_is_no_answer_and_no_commit(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit that raised counts nowhere but in the log."""
    metrics = watched(world)
    before = (await lines(metrics))["callgate_commit_seconds_count"]

    async def away(_: object) -> None:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as broken:
        broken.setattr(world.store._backend, "submit", away)  # noqa: SLF001  (what fails is below)
        with pytest.raises(StoreUnavailable):
            await world.say(ada, f"call {UK}")
    seen = await lines(metrics)
    assert seen["callgate_commit_seconds_count"] == before
    assert not any(name.startswith("callgate_requests_total") for name in seen)
