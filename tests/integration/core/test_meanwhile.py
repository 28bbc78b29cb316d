"""What happens while we wait for the switch or the store: the late answer does not undo it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from call_core.contracts import EventKind, LiveLeg, Order, SwitchEvent
from call_core.engine.live_call import LiveCall
from call_core.storage import call_rows
from call_core.switches.simulator import Simulator
from tests.support.world import UK, User, World

pytestmark = pytest.mark.anyio
PATIENCE_S = 30
BEYOND_A_SWEEP_S = 1.5


@pytest.fixture
async def ada(world: World) -> User:
    """A user whose phone and whose friends' phones ring for some seconds."""
    for number in ("+12125550101", UK):
        world.script(number, ring_s=5, talk_s=0)
    return await world.user(await world.customer())


async def _soon(true: Callable[[], Awaitable[bool]]) -> None:
    """Wait for the sweep, which keeps real time."""
    async with asyncio.timeout(PATIENCE_S):
        while not await true():  # noqa: ASYNC110  (there is nothing to be woken by)
            await asyncio.sleep(0.05)


async def _bridged(world: World) -> bool:
    legs = await world.sim.live_legs()
    return bool(legs) and all(leg.bridge for leg in legs)


def _live(world: World) -> LiveCall:
    [live] = world.engine.driver.live.values()
    return live


@dataclass
class Bridging:
    """A bridge that does something else the first time, and is the simulator's from then on."""

    world: World
    instead: Callable[[str, Sequence[str]], Awaitable[None]]
    asked: int = 0

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Be asked."""
        self.asked += 1
        if self.asked == 1:
            await self.instead(bridge_id, leg_ids)
        else:
            await Simulator.bridge(self.world.sim, bridge_id, leg_ids)


@dataclass
class Gate:
    """Where somebody waits until it is opened."""

    entered: asyncio.Event = field(default_factory=asyncio.Event)
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> None:
        """Wait."""
        self.entered.set()
        await self.opened.wait()


async def test_a_bridge_refused_before_its_request_is_answered_is_asked_for_again(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both hear each other a second later, instead of silence that is billed."""

    async def refuse(bridge_id: str, leg_ids: Sequence[str]) -> None:
        for leg_id in leg_ids:
            name, now = f"{leg_id}:not_yet", world.call.now_ms()
            event = SwitchEvent(name, EventKind.BRIDGE_FAILED, leg_id, bridge_id, now)
            world.engine.driver.feed(event)
        await asyncio.sleep(0)

    bridging = Bridging(world, refuse)
    monkeypatch.setattr(world.sim, "bridge", bridging.bridge)
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    await _soon(lambda: _bridged(world))
    assert bridging.asked > 1


async def test_a_bridge_that_was_taken_and_is_not_there_is_made_after_a_reconcile(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reconcile sees it and wakes the sweep; nobody waits for the next deadline."""

    async def forget(_: str, __: Sequence[str]) -> None:
        return

    bridging = Bridging(world, forget)
    monkeypatch.setattr(world.sim, "bridge", bridging.bridge)
    await world.say(ada, f"call {UK}")
    await world.advance(12)
    assert (bridging.asked, await _bridged(world)) == (1, False)
    await world.engine._reconcile()  # noqa: SLF001  (as every 30 s)
    await _soon(lambda: _bridged(world))


async def test_a_hang_up_that_was_taken_and_not_done_is_repeated_after_a_reconcile(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The legs do not go on to the end of what is paid."""
    await world.say(ada, f"call {UK}")
    await world.advance(20)

    async def forget(_: str, __: int) -> None:
        return

    with monkeypatch.context() as patched:
        patched.setattr(world.sim, "hang_up", forget)
        await world.say(ada, "hangup")
    assert len(await world.sim.live_legs()) == 2
    await world.engine._reconcile()  # noqa: SLF001  (as every 30 s)

    async def nothing_up() -> bool:
        return not await world.sim.live_legs()

    await _soon(nothing_up)


async def test_what_another_node_changes_while_the_switch_is_asked_is_seen(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its word comes once; the owner looks when its work is done."""
    gate = Gate()

    async def slowly(bridge_id: str, leg_ids: Sequence[str]) -> None:
        await gate()
        await Simulator.bridge(world.sim, bridge_id, leg_ids)

    monkeypatch.setattr(world.sim, "bridge", Bridging(world, slowly).bridge)
    await world.say(ada, f"call {UK}", settle=False)
    while not gate.entered.is_set():
        world.wall.jump(1_000)
        world.call.jump(1_000)
        await asyncio.sleep(0.01)
    live = _live(world)
    with monkeypatch.context() as patched:  # another node's door does not know our live call
        patched.setattr(world.engine.driver, "refresh", lambda _: None)
        await world.say(ada, "hangup", settle=False)
        while not live.announced:  # noqa: ASYNC110  (there is nothing to be woken by)
            await asyncio.sleep(0.01)
    gate.opened.set()
    await world.settle()
    assert await world.sim.live_legs() == []


async def test_a_change_while_the_call_is_read_is_read_too(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before it is old already."""
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    driver, gate = world.engine.driver, Gate()
    read: Callable[..., Awaitable[Any]] = driver._store.read  # noqa: SLF001  (what it asks)

    async def slowly(query: object, *arguments: object) -> object:
        found = await read(query, *arguments)
        if query is call_rows.load_call and not gate.entered.is_set():
            await gate()
        return found

    monkeypatch.setattr(driver._store, "read", slowly)  # noqa: SLF001  (what it asks)
    driver.refresh(_live(world).call.id)
    await gate.entered.wait()
    await world.say(ada, "hangup", settle=False)
    gate.opened.set()
    await world.settle()
    assert await world.sim.live_legs() == []


async def test_a_switch_that_hangs_does_not_hold_up_who_gives_its_shard_away(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The node must go on to renew what is still its own."""
    gate = Gate()

    async def hangs(*_: object) -> None:
        await gate()

    monkeypatch.setattr(world.sim, "bridge", hangs)
    await world.say(ada, f"call {UK}", settle=False)
    while not gate.entered.is_set():
        world.wall.jump(1_000)
        world.call.jump(1_000)
        await asyncio.sleep(0.01)
    shards = frozenset(world.house.tenure.epochs)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await world.engine.driver.drop(shards)
    finally:
        gate.opened.set()
    assert not world.engine.driver.live


async def test_when_one_of_many_phones_cannot_be_rung_the_others_are_asked_for_once(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order that is still under way has its answer before anybody asks again."""
    asked: Counter[str] = Counter()
    others = [f"+44207946000{n}" for n in range(3)]
    for number in others:
        world.script(number, ring_s=5, talk_s=0)

    async def originate(order: Order) -> None:
        asked[order.number] += 1
        if order.number == others[0] and asked[order.number] == 1:
            raise ConnectionError("not now")
        await asyncio.sleep(BEYOND_A_SWEEP_S)
        await Simulator.originate(world.sim, order)

    monkeypatch.setattr(world.sim, "originate", originate)
    await world.say(ada, f"conf {' '.join(others)}")
    await world.advance(20)

    async def all_up() -> bool:
        return len(await world.sim.live_legs()) == 1 + len(others)

    await _soon(all_up)
    assert [asked[number] for number in others] == [2, 1, 1]


async def test_a_switch_lost_again_while_it_is_reconciled_stays_lost(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it did not tell since then is not thought to be seen."""
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    lost = world.engine.driver.lost_call_ms
    lost["simulator"] = 1

    async def live_legs() -> Sequence[LiveLeg]:
        lost["simulator"] = 2
        return await Simulator.live_legs(world.sim)

    with monkeypatch.context() as patched:
        patched.setattr(world.sim, "live_legs", live_legs)
        await world.engine._reconcile()  # noqa: SLF001  (as when it is back)
    assert lost == {"simulator": 2}
    await world.engine._reconcile()  # noqa: SLF001  (as when it is back)
    assert lost == {}


# --- a shard that is gained just now --------------------------------------------------------------


async def test_legs_of_a_shard_gained_while_the_switch_is_told_are_not_taken_for_lost(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The switch shows only what was named to it; the next reconcile has the rest."""
    await world.say(ada, f"call {UK}")
    await world.advance(30)
    engine, epochs = world.engine, dict(world.house.tenure.epochs)
    named: frozenset[int] = frozenset()

    async def own(shards: frozenset[int]) -> None:
        nonlocal named
        named = shards
        await asyncio.sleep(0)
        if not world.house.tenure.epochs:  # a beat gains the shard meanwhile
            world.house.tenure.epochs.update(epochs)
            for unseen in engine._unseen.values():  # noqa: SLF001  (as a beat does)
                unseen.update(dict.fromkeys(epochs))

    async def live_legs() -> list[LiveLeg]:
        return [leg for leg in await Simulator.live_legs(world.sim) if leg.shard in named]

    async def ended_leg(_: str) -> None:
        return None

    with monkeypatch.context() as patched:
        patched.setattr(world.sim, "own", own, raising=False)
        patched.setattr(world.sim, "live_legs", live_legs)
        patched.setattr(world.sim, "ended_leg", ended_leg)
        world.house.tenure.epochs.clear()
        assert (await engine._reconcile()).lost == 0  # noqa: SLF001  (as after a beat)
        assert (await engine._reconcile()).lost == 0  # noqa: SLF001  (as after a beat)
    await world.settle()
    assert await _bridged(world)


async def test_an_answer_before_a_gained_call_is_taken_up_is_not_lost(
    world: World, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read of the switch does not have it, and the switch tells it once."""
    await world.say(ada, f"call {UK}")
    await world.advance(2)
    engine, driver = world.engine, world.engine.driver
    driver._let_go(_live(world))  # noqa: SLF001  (as on a node that has just gained the shard)
    driver._finished.clear()  # noqa: SLF001  (the same)
    for unseen in engine._unseen.values():  # noqa: SLF001  (the same)
        unseen[0] = None

    async def live_legs() -> Sequence[LiveLeg]:
        found = await Simulator.live_legs(world.sim)
        world.wall.jump(10_000)
        world.call.jump(10_000)
        for _ in range(50):
            await asyncio.sleep(0)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(world.sim, "live_legs", live_legs)
        await engine._reconcile()  # noqa: SLF001  (as after a beat)

    async def answered() -> bool:
        return _live(world).call.first.last_leg.answered_call_ms is not None

    await _soon(answered)
