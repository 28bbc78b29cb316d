"""Conferences: who is rung, full control while they run, what ends them, and their bills."""

import pytest

from call_core.calls.model import CallState, Role
from call_core.outcomes import Seconds, Told
from tests.integration.core.conftest import EVERY_STORE
from tests.support.world import CELL, OFFICE, UK, US, Bill, World, guests

pytestmark = pytest.mark.anyio


def talking(world: World) -> list[int]:
    """Return the numbers of the parties who are in the bridge now."""
    (live,) = world.engine.driver.live.values()
    return [party.n for party in live.call.parties if party.talking_leg is not None]


@EVERY_STORE
async def test_a_conference_is_billed_leg_by_leg_and_ends_with_its_chair(world: World) -> None:
    """The chair is rung first, then everybody; each leg is billed by its own number."""
    acme = await world.customer()
    ada = await world.user(acme)
    people = guests(world, 2)

    answer = await world.say(ada, f"conf {people[0]}, {people[1]}, {US}")
    await world.advance(3.2)
    assert [order.number for order in world.orders()] == [OFFICE, *people, US]
    await world.advance(26.8)
    assert (answer.code, answer.fields["parties"]) == ("conference_launched", 4)
    assert talking(world) == [0, 1, 2, 3]
    await world.say(ada, "hangup")
    await world.run_out()

    call = await world.only_call()
    assert (call.state, call.reason) == (CallState.ENDED, "hung_up")
    assert await world.bill() == [
        Bill("A", 30, 5_000, "CALL_ENDED", "service"),
        Bill("1", 30, 10_000, "CALL_ENDED", "service"),
        Bill("2", 30, 10_000, "CALL_ENDED", "service"),
        Bill("3", 24, 4_000, "CALL_ENDED", "service"),
    ]
    assert await world.spent(acme) == 29_000


async def test_every_control_command_does_what_it_says(world: World) -> None:
    """Add, drop, mute, lock, redial, who, extend: each answered, each seen on the switch."""
    acme = await world.customer()
    ada = await world.user(acme)
    people = guests(world, 4)
    ref = (await world.say(ada, f"conf {people[0]}, {people[1]} for 30 min")).ref
    await world.advance(20)

    assert (await world.say(ada, f"add {people[2]}")).code == "added"
    await world.advance(10)
    assert talking(world) == [0, 1, 2, 3]

    assert (await world.say(ada, "mute 2")).code == "muted"
    assert muted(world) == {people[1]}
    assert (await world.say(ada, "mute all")).code == "muted_all"
    assert muted(world) == set(people[:3])
    assert (await world.say(ada, "unmute 1")).code == "unmuted"
    assert muted(world) == set(people[1:3])
    assert (await world.say(ada, "unmute all")).code == "unmuted_all"
    assert muted(world) == set()

    assert (await world.say(ada, "lock")).code == "locked"
    refused = await world.say(ada, f"add {people[3]}")
    assert (refused.kind, refused.code) == ("refused", "call_locked")
    assert (await world.say(ada, f"unlock {ref}")).code == "unlocked"
    assert (await world.say(ada, f"add {people[3]} {ref}")).code == "added"
    await world.advance(10)
    assert talking(world) == [0, 1, 2, 3, 4]

    assert (await world.say(ada, "drop 3")).code == "dropped"
    await world.advance(1)
    assert talking(world) == [0, 1, 2, 4]
    told = await world.say(ada, "who")
    assert isinstance(told, Told)
    assert [row.fields["state"] for row in told.rows] == [
        "bridged",
        "bridged",
        "bridged",
        "ended",
        "bridged",
    ]
    assert (await world.say(ada, "redial 3")).code == "redialling"
    await world.advance(10)
    assert talking(world) == [0, 1, 2, 3, 4]

    extended = await world.say(ada, f"extend 15 {ref}")
    assert (extended.code, extended.fields["minutes"]) == ("extended", 15)
    assert (await world.only_call()).stated_seconds == 45 * 60
    assert (await world.say(ada, "bye")).code == "hung_up"
    await world.run_out()

    assert [bill.leg for bill in await world.bill()] == ["A", "1", "2", "3", "3", "4"]
    assert [bill.hangup_cause for bill in await world.bill()][3] == "DROPPED"


def muted(world: World) -> set[str]:
    """Return the numbers that the switch lets nobody hear."""
    return {phone.number for phone in world.sim.phones() if phone.muted}


async def test_a_party_is_redialled_three_times_and_no_more(world: World) -> None:
    """The fourth redial is refused, and only a party that is gone is redialled at all."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    world.script(people[1], result="busy")
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(10)

    assert (await world.say(ada, "redial 1")).code == "party_here"
    answers = []
    for _ in range(4):
        answers.append((await world.say(ada, "redial 2")).code)
        await world.advance(5)

    assert answers == ["redialling"] * 3 + ["too_many_redials"]
    await world.say(ada, "hangup")
    await world.run_out()
    assert [bill.leg for bill in await world.bill()] == ["A", "1", "2", "2", "2", "2"]


async def test_the_chair_moves_to_another_verified_phone_without_losing_the_call(
    world: World,
) -> None:
    """The new phone is rung and accepted before the old one is hung up; both legs are billed."""
    ada = await world.user(await world.customer())
    await world.phone(ada, "hotel", "+12125550109")
    people = guests(world, 2)
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(10)

    assert (await world.say(ada, "move hotel")).code == "phone_not_verified"
    assert (await world.say(ada, "move office")).code == "already_there"
    assert (await world.say(ada, "move cell")).code == "moving"
    await world.advance(3.5)
    assert {phone.number for phone in world.sim.phones()} >= {OFFICE, CELL}
    await world.advance(6.5)
    call = await world.only_call()
    assert call.state is CallState.CONNECTED
    assert call.first.talking_leg is not None
    assert call.first.talking_leg.number == CELL
    await world.say(ada, "hangup")
    await world.run_out()

    causes = [(bill.leg, bill.hangup_cause) for bill in await world.bill()]
    assert causes[:2] == [("A", "MOVED"), ("A", "CALL_ENDED")]


async def test_a_voicemail_never_sits_in_a_conference(world: World) -> None:
    """It is answered, presses nothing, and is hung up after 20 s; the others go on."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    world.script(people[1], result="voicemail")
    await world.say(ada, f"conf {people[0]}, {people[1]}", channel="smtp")
    await world.advance(30)

    assert talking(world) == [0, 1]
    assert [told.code for told in await world.notices()] == ["party_missing"]
    await world.say(ada, "hangup")
    await world.run_out()
    assert (await world.bill())[2] == Bill("2", 30, 0, "NOT_ACCEPTED", "service")


async def test_one_who_is_left_alone_is_waited_for_sixty_seconds(world: World) -> None:
    """When the last guest goes, the chair's leg ends a minute later."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    for number in people:
        world.script(number, talk_s=30)
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.run_out()

    call = await world.only_call()
    assert call.reason == "alone"
    last_guest = max(party.last_leg.ended_call_ms or 0 for party in call.others)
    chair = call.first.last_leg.ended_call_ms
    assert chair == last_guest + 60_000


async def test_nobody_came_tells_the_chair_and_costs_nothing(world: World) -> None:
    """When every guest fails, the chair hears so and the leg is free."""
    acme = await world.customer()
    ada = await world.user(acme)
    people = guests(world, 2)
    for number in people:
        world.script(number, result="busy")
    await world.say(ada, f"conf {people[0]}, {people[1]}", channel="smtp")
    await world.run_out()

    assert (await world.only_call()).reason == "nobody_came"
    assert [told.code for told in await world.notices()][-1] == "nobody_came"
    assert await world.spent(acme) == 0


async def test_a_chair_who_hangs_up_ends_the_conference(world: World) -> None:
    """Hanging up normally is a word: nobody waits for thirty seconds."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(30)

    world.sim.put_down((await world.only_call()).first.last_leg.id)
    await world.advance(1)

    call = await world.only_call()
    assert (call.state, call.reason) == (CallState.ENDED, "chair_left")


async def test_a_chair_whose_line_broke_is_rung_again_within_thirty_seconds(world: World) -> None:
    """The guests stay; the new attempt is priced and held for anew."""
    acme = await world.customer()
    ada = await world.user(acme)
    people = guests(world, 2)
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(30)
    await world.deck([("1", "United States", 60_000, 0, 6, 6), ("44", "UK", 20_000, 0, 30, 6)])

    world.break_line((await world.only_call()).first.last_leg.id)
    await world.advance(10)
    assert talking(world) == [0, 1, 2]
    await world.say(ada, "hangup")
    await world.run_out()

    first, again, *_ = await world.cdrs((await world.only_call()).id)
    assert (first.attempt, first.hangup_cause) == (1, "TEMPORARY_FAILURE")
    assert first.price_micros_per_minute == 10_000
    assert (again.attempt, again.price_micros_per_minute) == (2, 60_000)


async def test_a_chair_who_does_not_come_back_ends_the_conference(world: World) -> None:
    """Thirty seconds after the line broke it is over, whoever else is there."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(30)
    world.script(OFFICE, result="no_answer")

    world.break_line((await world.only_call()).first.last_leg.id)
    await world.advance(29)
    assert talking(world) == [1, 2]
    await world.run_out()

    call = await world.only_call()
    assert call.reason == "chair_left"
    lost = call.first.legs[0].ended_call_ms
    assert lost is not None
    assert call.others[0].last_leg.ended_call_ms == lost + 30_000


async def test_adding_a_third_makes_a_conference_of_a_call(world: World) -> None:
    """The caller becomes its chair, and the first guest may leave without ending it."""
    ada = await world.user(await world.customer())
    world.script(UK, talk_s=0)
    (guest,) = guests(world, 1)
    await world.say(ada, f"call {UK}")
    await world.advance(10)
    assert (await world.say(ada, f"add {guest}")).code == "added"
    await world.advance(10)

    call = await world.only_call()
    assert (call.kind, call.first.role) == ("conference", Role.CHAIR)
    assert talking(world) == [0, 1, 2]
    await world.say(ada, "drop 1")
    await world.advance(5)
    assert talking(world) == [0, 2]
    await world.say(ada, "hangup")
    await world.run_out()


async def test_who_shows_each_party_with_time_and_cost(world: World) -> None:
    """The figures are those that the bill would have if the call ended now."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(37.1)

    told = await world.say(ada, "who")
    assert isinstance(told, Told)

    assert [(row.fields["party"], row.fields["talk"]) for row in told.rows] == [
        (0, Seconds(34)),
        (1, Seconds(30)),
        (2, Seconds(30)),
    ]
    await world.say(ada, "hangup")
    await world.run_out()


@EVERY_STORE
async def test_sixty_four_people_talk_and_a_sixty_fifth_is_refused(world: World) -> None:
    """The chair and 63 guests are bridged and billed; one more is refused and nothing held."""
    acme = await world.customer(daily_spend_micros=10**12)
    ada = await world.user(acme)
    people = guests(world, 64)

    refused = await world.say(ada, "conf " + ", ".join(people))
    assert (refused.code, refused.fields["asked"]) == ("too_many_parties", 65)
    assert await world.balance(acme) == 100_000_000
    launched = await world.say(ada, "conf " + ", ".join(people[:63]))
    assert launched.kind == "launched", launched
    await world.advance(20)
    assert talking(world) == list(range(64))
    held = (await world.account(acme)).debits_pending
    one_more = await world.say(ada, f"add {people[63]}")
    assert (one_more.kind, one_more.code) == ("refused", "too_many_parties")
    assert (await world.account(acme)).debits_pending == held
    await world.say(ada, "hangup")
    await world.run_out()

    bills = await world.bill()
    assert len(bills) == 64
    assert {bill.total_micros for bill in bills[1:]} == {10_000}
