"""Several switches and trunks: the cheapest whole call, another trunk when a route fails."""

import pytest

from call_core.outcomes import Phone
from call_core.units.lines import Lines, SwitchLine, TrunkLine
from tests.integration.core.conftest import EVERY_STORE, MakeWorld
from tests.support.world import UK, US, World

pytestmark = pytest.mark.anyio

E1, E2, E3 = "east-1", "east-2", "east-3"
W1 = "west-1"
EAST, WEST = "simulator", "west"
DECKS = {
    E1: (("1", "US", 4_000, 0, 6, 6), ("44", "UK", 5_000, 0, 6, 6)),
    E2: (("1", "US", 5_000, 0, 6, 6), ("44", "UK", 6_000, 0, 6, 6)),
    E3: (("1", "US", 6_000, 0, 6, 6), ("44", "UK", 7_000, 0, 6, 6)),
    W1: (("1", "US", 3_000, 0, 6, 6), ("44", "UK", 9_000, 0, 6, 6), ("49", "DE", 9_000, 0, 6, 6)),
}


async def _routed(make_world: MakeWorld, *trunks: str, ports: int = 100) -> World:
    """A world with these trunks, their decks in force."""
    lines = Lines(
        tuple(
            TrunkLine(name, WEST if name == W1 else EAST, ports, f"buy-{name}") for name in trunks
        ),
        (SwitchLine(EAST, 1_000), SwitchLine(WEST, 1_000)),
    )
    world = await make_world(lines=lines)
    for name in trunks:
        await world.deck(DECKS[name], f"buy-{name}")
    return world


async def _ways(world: World) -> list[tuple[str, str, str, str]]:
    """Leg, switch, trunk and cause of every record of the only call."""
    cdrs = await world.cdrs((await world.only_call()).id)
    return [(cdr.leg, cdr.switch, cdr.trunk, cdr.hangup_cause) for cdr in cdrs]


@EVERY_STORE
async def test_the_whole_call_leaves_where_it_is_cheapest(make_world: MakeWorld) -> None:
    """West has the cheaper A-leg, east the cheaper call; the record says way and buy cost."""
    world = await _routed(make_world, E1, E2, W1)
    ada = await world.user(await world.customer())
    assert (await world.say(ada, f"call {UK}")).code == "call_launched"
    await world.run_out()

    assert await _ways(world) == [
        ("A", EAST, E1, "NORMAL_CLEARING"),
        ("B", EAST, E1, "NORMAL_CLEARING"),
    ]
    cdrs = await world.cdrs((await world.only_call()).id)
    assert [(cdr.buy_cost_micros, cdr.buy_currency) for cdr in cdrs] == [
        (3_200, "USD"),
        (3_500, "USD"),
    ]
    assert "Route: switch simulator, trunk east-1, bought for USD 0.0035" in cdrs[1].explanation


@EVERY_STORE
async def test_a_leg_whose_route_fails_is_tried_on_the_next_trunk(make_world: MakeWorld) -> None:
    """The caller notices nothing; the failed attempt is on record and costs nothing."""
    world = await _routed(make_world, E1, E2)
    acme = await world.customer()
    ada = await world.user(acme)
    world.sim.trunk_causes[E1] = 38
    await world.say(ada, f"call {UK}")
    await world.advance(1)
    await world.check()
    await world.run_out()

    assert await _ways(world) == [
        ("A", EAST, E1, "NETWORK_OUT_OF_ORDER"),
        ("A", EAST, E2, "NORMAL_CLEARING"),
        ("B", EAST, E1, "NETWORK_OUT_OF_ORDER"),
        ("B", EAST, E2, "NORMAL_CLEARING"),
    ]
    assert [each.total_micros > 0 for each in await world.bill()] == [False, True, False, True]


async def test_the_next_trunk_needs_no_more_money(make_world: MakeWorld) -> None:
    """What the failed attempt held pays for the next one, within balance and cap."""
    world = await _routed(make_world, E1, E2)
    acme = await world.customer(micros=60_000)
    ada = await world.user(acme)
    world.sim.trunk_causes[E1] = 34
    world.script(UK, ring_s=3, talk_s=20)
    assert (await world.say(ada, f"call {UK} max $0.06")).code == "call_launched"
    await world.run_out()
    assert [way[2] for way in await _ways(world)] == [E1, E2, E1, E2]
    assert (await world.only_call()).reason == "completed"


@pytest.mark.parametrize(("cause", "attempts"), [(41, 3), (17, 1)])
async def test_three_trunks_at_most_and_only_when_the_route_failed(
    make_world: MakeWorld, cause: int, attempts: int
) -> None:
    """Three routes that fail are enough; a busy phone is busy on every trunk."""
    world = await _routed(make_world, E1, E2, E3, W1)
    ada = await world.user(await world.customer())
    for trunk in DECKS:
        world.sim.trunk_causes[trunk] = cause
    await world.say(ada, f"call {UK}")
    await world.run_out()
    ways = await _ways(world)
    assert [way[2] for way in ways if way[0] == "A"] == [E1, E2, E3][:attempts]
    call = await world.only_call()
    assert call.reason == "a_not_reached"
    assert world.engine.driver.quarantined == 0


async def test_a_call_that_nobody_answered_may_leave_by_another_switch(
    make_world: MakeWorld,
) -> None:
    """East is out of circuits, west carries all of it; the ports of east are free again."""
    world = await _routed(make_world, E1, W1)
    ada = await world.user(await world.customer())
    world.sim.trunk_causes[E1] = 34
    await world.say(ada, f"call {UK}")
    await world.check()
    await world.run_out()
    assert [way[:3] for way in await _ways(world)] == [
        ("A", EAST, E1),
        ("A", WEST, W1),
        ("B", WEST, W1),
    ]


async def test_once_somebody_answered_the_call_stays_on_its_switch(make_world: MakeWorld) -> None:
    """B's route fails and only west is left: no bridge spans switches, so A is told."""
    world = await _routed(make_world, E1, W1)
    ada = await world.user(await world.customer())
    await world.say(ada, f"call {UK}")
    await world.advance(2)
    world.sim.trunk_causes[E1] = 34
    await world.run_out()
    assert [way[:3] for way in await _ways(world)] == [("A", EAST, E1), ("B", EAST, E1)]
    assert (await world.only_call()).reason == "b_not_reached"


async def test_added_and_redialled_legs_stay_at_home(make_world: MakeWorld) -> None:
    """West would carry the new leg too; Germany is there alone, so it cannot be joined."""
    world = await _routed(make_world, E1, E2, W1)
    ada = await world.user(await world.customer())
    world.script(UK, ring_s=3, talk_s=0)
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    ref = (await world.only_call()).ref
    refused = await world.say(ada, f"add +4930123456 {ref}")
    assert (refused.code, refused.ref) == ("no_common_switch", ref)
    assert (await world.say(ada, f"add {US} {ref}")).code == "added"
    await world.advance(120)
    await world.say(ada, f"redial 2 {ref}")
    await world.say(ada, f"hangup {ref}")
    await world.run_out()
    assert {way[1] for way in await _ways(world)} == {EAST}


async def test_refusals_name_who_cannot_be_reached(make_world: MakeWorld) -> None:
    """No route, a switch that is down, a full trunk: each has its own answer, nothing is held."""
    world = await _routed(make_world, E1, E2, ports=2)
    acme = await world.customer()
    ada = await world.user(acme)
    refused = await world.say(ada, "call +4930123456")
    assert refused.code == "no_route"
    assert refused.fields["number"] == Phone("+4930123456")

    for number in (UK, US):
        world.script(number, ring_s=3, talk_s=0)
        assert (await world.say(ada, f"call {number}")).code == "call_launched"
    assert (await world.say(ada, "call +442079460019")).code == "all_lines_busy"
    await world.check()

    assert world.lines is not None
    world.lines.health.down.add(EAST)
    assert (await world.say(ada, "call +442079460019")).code == "routes_down"
    for call in await world.calls():
        await world.say(ada, f"hangup {call.ref}")
    await world.run_out()


async def test_nothing_is_sold_below_cost_unless_allowed(make_world: MakeWorld) -> None:
    """A carrier that is dearer than our price is not used."""
    world = await _routed(make_world, E1)
    await world.deck((("1", "US", 4_000, 0, 6, 6), ("44", "UK", 25_000, 0, 6, 6)), f"buy-{E1}")
    ada = await world.user(await world.customer())
    assert (await world.say(ada, f"call {UK}")).code == "below_cost"


async def test_new_calls_leave_by_the_switches_that_are_up(make_world: MakeWorld) -> None:
    """East is lost: its calls wait for it, new ones leave by west; back again, east is used."""
    world = await _routed(make_world, E1, W1)
    ada = await world.user(await world.customer())
    world.script(UK, ring_s=3, talk_s=0)
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    world.sim.disconnect()
    await world.advance(1)
    await world.say(ada, f"call {US}")
    await world.advance(20)
    first, second = await world.calls()
    assert (first.switch, second.switch, second.state) == (EAST, WEST, "CONNECTED")
    world.sim.reconnect()
    await world.advance(1)
    for call in (first, second):
        await world.say(ada, f"hangup {call.ref}")
    await world.run_out()
    records = [await world.cdrs(call.id) for call in await world.calls()]
    assert [{cdr.switch for cdr in each} for each in records] == [{EAST}, {WEST}]


async def test_a_trunk_that_keeps_failing_is_left_alone_for_a_while(make_world: MakeWorld) -> None:
    """After five failures in a row the next call does not try it."""
    world = await _routed(make_world, E1, E2)
    ada = await world.user(await world.customer())
    world.sim.trunk_causes[E1] = 38
    world.script(UK, result="busy")
    for _ in range(3):
        await world.say(ada, f"call {UK}")
        await world.run_out()
    await world.say(ada, f"call {US}")
    *_, last = await world.calls()
    assert [leg.trunk for leg in last.first.legs] == [E2]
    await world.run_out()
