"""Whatever dies or is lost: calls go on or end, once, with the right bill."""

import random
from dataclasses import replace

import pytest

from call_core.calls.model import CallState, Leg
from call_core.contracts import Order
from call_core.customers.limits import Limits
from call_core.engine.engine import ALIVE_EVERY_S, RECONCILE_EVERY_S
from call_core.storage import tables
from call_core.switches.simulator_faults import Faults
from call_core.switches.simulator_phone import PhoneScript
from call_core.units.advance import lost_legs
from tests.integration.service.conftest import EVERY_STORE, MakeService
from tests.support.service import Service, call_id
from tests.support.world import OFFICE, US, User, guests
from tests.support.world_parts import RecordingSimulator

pytestmark = pytest.mark.anyio


async def _down(service: Service, seconds: float) -> None:
    """Let the process be dead for so long."""
    await service.world.kill()
    service.world.call.jump(round(seconds * 1000))
    service.world.wall.jump(round(seconds * 1000))
    await service.world.start()


@pytest.mark.parametrize("second", [0, 1, 3, 4, 5, 7, 8, 20, 49, 50, 55])
async def test_a_process_that_dies_at_any_second_changes_no_bill(
    service: Service, ada: User, second: int
) -> None:
    """Killed while ringing, being accepted, bridged or ending: the same two legs, billed once."""
    answer = await service.ask(ada, f"call {US}")
    await service.world.advance(second)
    await service.restart()
    await service.world.run_out()
    cdrs = await service.world.cdrs(call_id(answer))
    assert [(cdr.leg, cdr.attempt, cdr.end_estimated) for cdr in cdrs] == [
        ("A", 1, False),
        ("B", 1, False),
    ]
    assert [cdr.duration_s for cdr in cdrs] == [44, 40]
    assert await service.count(tables.cdrs) == 2


@pytest.mark.parametrize(("age_s", "launches"), [(120, True), (121, False)])
async def test_a_launch_that_waited_rings_only_while_it_is_young(
    service: Service, ada: User, age_s: int, *, launches: bool
) -> None:
    """Up to `launch_ttl_s` the phone rings after all; later the user is told."""
    service.world.sim.disconnect()
    await service.ask(ada, f"call {US}")
    await service.world.kill()
    service.world.sim.reconnect()
    service.world.call.jump(age_s * 1000)
    service.world.wall.jump(age_s * 1000)
    await service.world.start()
    await service.world.advance(1)
    assert len(await service.legs_up()) == int(launches)
    codes = [notice.code for notice in await service.told()]
    assert codes == ([] if launches else ["expired"])
    await service.world.run_out()
    assert await service.world.spent(ada.customer_id) >= 0


async def test_a_scheduled_call_is_as_young_as_its_launch(service: Service, ada: User) -> None:
    """What was ordered yesterday and launched a second ago is not too old."""
    await service.ask(ada, f"call {US} in 30")
    await service.world.advance(30 * 60 - 1)
    service.world.sim.disconnect()
    await service.world.advance(1)
    await service.world.kill()
    service.world.sim.reconnect()
    await service.world.start()
    await service.world.advance(1)
    assert len(await service.legs_up()) == 1


async def test_a_running_process_does_not_ring_what_waited_too_long(
    service: Service, ada: User
) -> None:
    """A switch that was away for three minutes does not ring for what nobody waits for."""
    service.world.sim.disconnect()
    await service.ask(ada, f"call {US}")
    await service.world.advance(180)
    service.world.sim.reconnect()
    await service.world.advance(1)
    assert not await service.legs_up()
    (notice,) = await service.told()
    assert notice.code in ("expired", "a_not_reached")


async def test_an_answer_that_nobody_heard_is_found(service: Service, ada: User) -> None:
    """The leg's own answer time is billed, not when we looked."""
    service.world.script(US, ring_s=10, talk_s=100)
    answer = await service.ask(ada, f"call {US}")
    await service.world.advance(6)
    await _down(service, 20)
    await service.world.run_out()
    callee = (await service.world.cdrs(call_id(answer)))[1]
    assert callee.answer_call_ms is not None
    assert 10_000 <= callee.answer_call_ms - callee.setup_call_ms <= 10_200


async def test_an_end_that_nobody_heard_is_found(service: Service, ada: User) -> None:
    """The switch remembers how a leg ended while we were dead; nothing is estimated."""
    answer = await service.ask(ada, f"call {US}")
    await service.world.advance(20)
    await _down(service, 100)
    await service.world.run_out()
    cdrs = await service.world.cdrs(call_id(answer))
    assert [(cdr.duration_s, cdr.end_estimated) for cdr in cdrs] == [(44, False), (40, False)]


@pytest.mark.parametrize(
    ("talked_s", "dead_s"), [(30, 30), (30, 3_000), (100, 30)], ids=["short", "long", "later"]
)
async def test_a_lost_leg_ends_when_it_was_last_seen_or_paid_for(
    service: Service, ada: User, talked_s: int, dead_s: int
) -> None:
    """A switch that has forgotten everything: charged to when we were last alive, estimated."""
    world = service.world
    for number in (US, OFFICE):
        world.script(number, talk_s=0)
    answer = await service.ask(ada, f"call {US}")
    await world.advance(7 + talked_s)
    last = world.call.now_ms()
    paid = {leg.id: leg.paid_until_call_ms for leg in (await world.only_call()).legs()}
    await world.kill()
    world.call.jump(dead_s * 1000)
    world.wall.jump(dead_s * 1000)
    world.sim.close()
    world.sim = _empty_switch(service)
    await world.start()
    await world.run_out()

    cdrs = await world.cdrs(call_id(answer))
    assert all(cdr.end_estimated for cdr in cdrs)
    for cdr, until in zip(cdrs, paid.values(), strict=True):
        assert until is not None
        assert last - ALIVE_EVERY_S * 1000 <= cdr.end_call_ms <= min(last, until)


def _empty_switch(service: Service) -> RecordingSimulator:
    return RecordingSimulator(
        name="simulator",
        clock=service.world.call,
        phones=service.world.scripts,
        default=PhoneScript(),
        orders_path=None,
        ports=1_000,
        rng=random.Random(1),  # noqa: S311  (faults; none are asked for)
    )


@pytest.mark.usefixtures("ada")
async def test_orphans_are_hung_up_after_ten_seconds(service: Service) -> None:
    """A leg of ours that no call wants lives ten seconds; one of another shard is let be."""
    world = service.world
    now = world.call.now_ms()
    for name, shard in (("call_x", 0), ("call_y", 3)):
        await world.sim.originate(_order(name, shard, now))
    await service.restart()
    assert len(await service.legs_up()) == 2
    await world.advance(9)
    assert len(await service.legs_up()) == 2
    await world.advance(2 + RECONCILE_EVERY_S)
    assert await service.legs_up() == ["call_y.0.1"]
    await world.sim.hang_up("call_y.0.1", 16)


def _order(call_id: str, shard: int, now: int) -> Order:
    return Order(
        leg_id=f"{call_id}.0.1",
        call_id=call_id,
        shard=shard,
        number="+12025550188",
        trunk="main",
        caller_id="+12025550143",
        private=False,
        post_dial="",
        ring_timeout_s=300,
        limit_s=3_600,
        at_call_ms=now,
    )


@pytest.mark.parametrize("away_s", [1, 10, 60, 300])
async def test_a_wire_that_breaks_during_a_call(service: Service, ada: User, away_s: int) -> None:
    """Legs go on without us; when the switch is back, what was missed is found at once."""
    service.world.script(US, talk_s=40)
    answer = await service.ask(ada, f"call {US}")
    await service.world.advance(15)
    service.world.sim.disconnect()
    await service.world.advance(away_s)
    service.world.sim.reconnect()
    await service.world.settle()
    ended = (await service.world.only_call()).state is CallState.ENDED
    assert ended is (away_s >= 60)
    await service.world.run_out()
    cdrs = await service.world.cdrs(call_id(answer))
    assert [(cdr.duration_s, cdr.end_estimated) for cdr in cdrs] == [(44, False), (40, False)]


async def test_a_hangup_while_the_switch_is_away_is_done_when_it_is_back(
    service: Service, ada: User
) -> None:
    """What could not be asked is asked again."""
    for number in (US, OFFICE):
        service.world.script(number, talk_s=0)
    await service.ask(ada, f"call {US}")
    await service.world.advance(15)
    service.world.sim.disconnect()
    assert await service.said(ada, "hangup") == "hung_up"
    service.world.sim.reconnect()
    await service.world.advance(2 + RECONCILE_EVERY_S)
    await service.world.run_out(300)
    assert not await service.legs_up()


async def test_a_start_while_the_switch_is_away_catches_up_later(
    service: Service, ada: User
) -> None:
    """The process starts, answers, and reconciles as soon as the switch can be reached."""
    answer = await service.ask(ada, f"call {US}")
    await service.world.advance(15)
    await service.world.kill()
    service.world.sim.disconnect()
    await service.world.start()
    assert await service.said(ada, "balance") == "balance"
    await service.world.advance(60)
    service.world.sim.reconnect()
    await service.world.advance(5)
    await service.world.run_out()
    cdrs = await service.world.cdrs(call_id(answer))
    assert [(cdr.duration_s, cdr.end_estimated) for cdr in cdrs] == [(44, False), (40, False)]


async def test_an_end_that_comes_after_the_bill_is_an_amendment(
    service: Service, ada: User
) -> None:
    """An estimated end is corrected by the switch's own: amended, adjusted, told; never edited."""
    world = service.world
    for number in (US, OFFICE):
        world.script(number, talk_s=0)
    answer = await service.ask(ada, f"call {US}")
    await world.advance(100)
    await world.kill()
    kept = world.sim
    world.sim = _empty_switch(service)
    await world.start()
    await world.run_out()
    before = await world.cdrs(call_id(answer))
    assert [cdr.end_estimated for cdr in before] == [True, True]
    left = await world.balance(ada.customer_id)

    call = await world.only_call()
    for leg in call.legs():
        await kept.hang_up(leg.id, 16)
        event = await kept.ended_leg(leg.id)
        assert event is not None
        early = replace(event, at_call_ms=event.at_call_ms - 60_000)
        world.engine.driver.feed(early)
    await world.settle()
    assert await world.cdrs(call_id(answer)) == before
    assert await service.count(tables.cdr_amendments) >= 1
    assert await world.balance(ada.customer_id) > left
    assert "amended" in [notice.code for notice in await service.told()]
    kept.close()


async def _lose_the_chair(service: Service, ada: User) -> Leg:
    """Let a conference's chair be lost, and the process die with the commit that says so."""
    world = service.world
    people = guests(world, 2)
    await service.ask(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(30)
    call = await world.only_call()
    chair = call.first.last_leg
    stamp = world.engine.driver.stamp()
    gone = frozenset({chair.id})
    done = await world.store.run(lost_legs, world.house, call, gone, world.call.now_ms(), stamp)
    await world.kill()
    assert world.sim.put_down(chair.id)
    again = done.call.first.last_leg
    assert again.attempt == 2
    assert again.originated_call_ms is not None
    return again


async def test_a_chair_who_was_lost_is_rung_with_money_held(service: Service, ada: User) -> None:
    """The commit that begins a leg holds its money, whoever asks the switch for it afterwards."""
    world = service.world
    again = await _lose_the_chair(service, ada)
    assert again.holds == 1
    await world.start()
    await world.advance(1)
    (order,) = [order for order in world.sim.ordered if order.leg_id == again.id]
    assert order.limit_s > 0


async def test_a_chair_who_was_lost_too_long_ago_leaves_no_money_held(
    service: Service, ada: User
) -> None:
    """A redial that nobody asks the switch for any more gives back what was held for it."""
    again = await _lose_the_chair(service, ada)
    service.world.call.jump(130_000)
    service.world.wall.jump(130_000)
    await service.world.start()
    await service.world.run_out()
    await service.world.check()
    assert again.id not in [order.leg_id for order in service.world.sim.ordered]


async def test_a_chair_whose_number_is_sold_no_more_leaves_no_record(
    service: Service, ada: User
) -> None:
    """A redial that ended before money was held for it: no hold to end, nothing to bill."""
    world = service.world
    people = guests(world, 2)
    await service.ask(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(30)
    await world.deck([("44", "United Kingdom", 20_000, 0, 30, 6)])
    world.break_line((await world.only_call()).first.last_leg.id)
    await world.settle()
    redial = (await world.only_call()).first.last_leg
    assert (redial.attempt, redial.holds, redial.settled) == (2, 0, True)
    await world.check()
    await world.run_out()


FAULTS = {
    "dropped": Faults(drop=0.1),
    "repeated": Faults(repeat=0.5),
    "reordered": Faults(reorder=0.5, reorder_ms=4_000),
    "late": Faults(delay_ms=900),
    "orders refused": Faults(originate_fail=0.2),
    "orders lost": Faults(lost_originate=0.2),
    "answers to orders lost": Faults(lost_originate_answer=0.5),
    "everything": Faults(0.05, 0.2, 0.3, 2_000, 100, 0.05, 0.05, 0.05),
}
CALLS_PER_FAULT = 25


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
async def test_two_hundred_calls_over_a_bad_wire(make_service: MakeService, faults: Faults) -> None:
    """Whatever the wire does: one bill per leg, no leg left over, books that agree."""
    service = await make_service(limits=Limits(destination_block_per_hour=1_000))
    world = service.world
    ada = await world.user(await world.customer(), "Ada")
    world.sim.faults = faults
    for n in range(CALLS_PER_FAULT):
        number = f"+1312555{1000 + n}"
        world.script(number, ring_s=1 + n % 5, talk_s=5 + n)
        assert await service.said(ada, f"call {number}", channel="web") == "call_launched"
        await world.advance(1 + n % 3)
    await world.run_out()
    world.sim.faults = Faults()
    await world.advance(3 * RECONCILE_EVERY_S)
    assert not await service.legs_up()
    calls = await world.calls()
    assert all(call.state is CallState.ENDED for call in calls)
    legs = [leg for call in calls for leg in call.legs()]
    assert await service.count(tables.cdrs) == len(legs)
    assert all(leg.settled for leg in legs)


@EVERY_STORE
async def test_a_dozen_deaths(service: Service, ada: User) -> None:
    """A process killed every few seconds still ends every call with its bill."""
    for n in range(12):
        service.world.script(f"+1312555{2000 + n}", talk_s=30)
        await service.ask(ada, f"call +1312555{2000 + n}", channel="web")
        await service.world.advance(3 + n % 4)
        await service.restart()
    await service.world.run_out()
    cdrs = [
        cdr for call in await service.world.calls() for cdr in await service.world.cdrs(call.id)
    ]
    assert len(cdrs) == 24
    assert {(cdr.leg, cdr.duration_s) for cdr in cdrs} == {("A", 34), ("B", 30)}
