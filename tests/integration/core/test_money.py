"""Holds, caps, allowances, and what happens when money runs dry."""

import pytest

from call_core.calls.model import Call, CallState
from call_core.customers.limits import Limits
from call_core.outcomes import Asked, Money
from tests.integration.core.conftest import EVERY_STORE, MakeWorld
from tests.support.world import CELL, OFFICE, UK, US, World, guests, rate_row

pytestmark = pytest.mark.anyio


async def test_the_allowance_makes_five_unanswered_calls_a_day_free_and_says_so(
    world: World,
) -> None:
    """The sixth A-leg of the day is billed, and the reply said so before the ring."""
    acme = await world.customer()
    ada = await world.user(acme)
    world.script(UK, result="no_answer")
    promised, spent = [], []
    for _ in range(6):
        answer = await world.say(ada, f"call {UK}")
        promised.append(answer.fields["free_first"])
        await world.run_out()
        spent.append(await world.spent(acme))
        await world.advance(60)

    assert promised == [1, 1, 1, 1, 1, 0]
    assert spent[:5] == [0] * 5
    assert spent[5] == 9_000  # 46 s of ringing and 6 s of the prompt: 54 s at 6/6
    await world.advance(86_400)
    assert (await world.say(ada, f"call {UK}")).fields["free_first"] == 1
    await world.run_out()


async def test_what_was_free_stands_in_the_operators_books(world: World) -> None:
    """The cost of a free A-leg is posted to the operator's own account."""
    ada = await world.user(await world.customer())
    world.script(UK, result="busy")
    await world.say(ada, f"call {UK}")
    await world.run_out()

    posted = {
        transfer.debit_account: transfer.amount_micros
        for transfer in await world.transfers((await world.only_call()).id)
        if transfer.code == "free_leg"
    }
    assert posted == {"operator:free_legs:USD:s0": 1_000}


async def test_beyond_the_first_minute_the_callers_own_leg_costs(world: World) -> None:
    """B rings for its 45 s twice over a slow key: only what lies beyond 60 s is paid."""
    acme = await world.customer()
    ada = await world.user(acme)
    world.script(CELL, ring_s=3, press_after_s=19)
    world.script(UK, result="no_answer")
    await world.say(ada, f"call {UK} from cell")
    await world.run_out()

    a_leg, _ = await world.cdrs((await world.only_call()).id)
    assert a_leg.duration_s > 60
    assert a_leg.total_micros == (a_leg.billable_s - 60) // 6 * 1_000


async def test_a_cap_bounds_the_whole_call_with_everybody_who_is_added(world: World) -> None:
    """Posted and held never exceed it; when it is reached, the call ends."""
    acme = await world.customer()
    ada = await world.user(acme)
    people = guests(world, 3)
    await world.say(ada, f"conf {people[0]}, {people[1]} max $0.40")
    most = 0
    codes = []
    for second in range(2_000):
        if not world.engine.driver.live:
            break
        if second in (20, 60):
            codes.append((await world.say(ada, f"add {people[2]}")).code)
        await world.advance(1)
        most = max(most, committed(await world.only_call()))

    assert codes == ["added", "added"]
    call = await world.only_call()
    assert (call.state, call.reason) == (CallState.ENDED, "money")
    assert 380_000 < await world.spent(acme) <= most <= 400_000


def committed(call: Call) -> int:
    """Return what a call has cost and holds."""
    return sum(leg.charge_micros if leg.settled else leg.held_micros for leg in call.legs())


async def test_an_addition_that_the_cap_does_not_cover_is_refused(world: World) -> None:
    """The call goes on without it."""
    ada = await world.user(await world.customer())
    people = guests(world, 3)
    await world.say(ada, f"conf {people[0]}, {people[1]} max $0.15")
    await world.advance(20)

    refused = await world.say(ada, f"add {people[2]}")

    assert (refused.kind, refused.code) == ("refused", "cap_reached")
    await world.run_out()


async def test_minutes_count_from_the_first_answer_after_the_callers(world: World) -> None:
    """`max 20 min` leaves twenty minutes of talk, whatever the ringing took."""
    ada = await world.user(await world.customer())
    guests(world, 0)
    world.script(UK, ring_s=30, talk_s=0)
    await world.say(ada, f"call {UK} max 20 min", channel="smtp")
    await world.run_out()

    call = await world.only_call()
    b_leg = call.others[0].last_leg
    assert call.reason == "time"
    assert b_leg.answered_call_ms is not None
    assert call.ended_call_ms == b_leg.answered_call_ms + 20 * 60_000
    assert [told.code for told in await world.notices()] == ["last_minute_time", "receipt_time"]


async def test_a_stated_length_is_held_whole_and_ends_on_time(world: World) -> None:
    """Every leg holds its thirty minutes at launch, and what comes before them.

    The chair is up to 65 s longer in the call than the first guest, a guest up to 20 s.
    """
    acme = await world.customer()
    ada = await world.user(acme)
    people = guests(world, 2)
    await world.say(ada, f"conf {people[0]}, {people[1]} for 30 min")
    held = (await world.account(acme)).debits_pending
    await world.run_out()

    assert held == 311_000 + 2 * 608_000  # 1866 s at 10,000 and 1824 s at 20,000 a minute
    call = await world.only_call()
    assert call.reason == "time"
    assert call.talk_call_ms is not None
    assert call.ended_call_ms == call.talk_call_ms + 30 * 60_000


ANSWERS = [("1", 10, 30), ("2", 12, 25)]


@pytest.mark.parametrize(("answer", "parties", "minutes"), ANSWERS)
async def test_money_for_a_part_offers_fewer_people_or_less_time(
    world: World, answer: str, parties: int, minutes: int
) -> None:
    """Ten of twelve for half an hour, or all of them for less; both are what they say."""
    # To the micro what 25 minutes cost: 261,000 for the chair, 508,000 for each of eleven guests.
    acme = await world.customer(micros=261_000 + 11 * 508_000)
    ada = await world.user(acme)
    people = guests(world, 11)

    asked = await world.say(ada, f"conf {', '.join(people)} for 30 min")
    assert (asked.kind, asked.code) == ("asked", "funds_cover_part")
    assert isinstance(asked, Asked)
    assert [choice.fields for choice in asked.choices] == [
        {"people": 10, "of": 12, "minutes": 30},
        {"people": 12, "minutes": 25},
    ]
    launched = await world.say(ada, answer)
    assert (launched.kind, launched.fields["parties"]) == ("launched", parties)
    assert launched.ref == asked.ref
    await world.run_out()

    call = await world.only_call()
    assert call.reason == "time"
    assert call.talk_call_ms is not None
    assert call.ended_call_ms == call.talk_call_ms + minutes * 60_000


async def test_money_that_runs_out_warns_a_minute_ahead_and_ends_both_legs_in_time(
    world: World,
) -> None:
    """The user is told at 60 s, nothing is charged past its hold, the balance is never below 0."""
    acme = await world.customer(micros=150_000)  # five minutes of both legs
    ada = await world.user(acme)
    guests(world, 0)
    world.script(UK, talk_s=0)
    await world.say(ada, f"call {UK}", channel="smtp")
    warned_at = None
    while world.engine.driver.live:
        await world.advance(1)
        codes = [told.code for told in await world.notices()]
        if warned_at is None and "last_minute_money" in codes:
            warned_at = world.call.now_ms()

    call = await world.only_call()
    assert call.reason == "money"
    assert [told.code for told in await world.notices()] == ["last_minute_money", "receipt_money"]
    assert call.ended_call_ms is not None
    assert warned_at is not None
    assert 58_000 <= call.ended_call_ms - warned_at <= 60_000
    assert 140_000 < await world.spent(acme) <= 150_000


async def test_a_top_up_in_the_last_minute_lets_the_call_go_on(world: World) -> None:
    """The refused extension is tried again every ten seconds."""
    acme = await world.customer(micros=150_000)
    ada = await world.user(acme)
    guests(world, 0)
    world.script(UK, talk_s=0)
    await world.say(ada, f"call {UK}", channel="smtp")
    while not [told for told in await world.notices() if told.code == "last_minute_money"]:
        await world.advance(1)

    await world.top_up(acme, 1_000_000)
    await world.advance(300)

    assert (await world.only_call()).state is CallState.CONNECTED
    await world.say(ada, "hangup")
    await world.run_out()


DRY_MICROS = 5_200_000


async def sixty_four_calls(world: World) -> str:
    """Launch as many calls at once as a conference has people; return the customer."""
    acme = await world.customer(micros=DRY_MICROS)
    ada = await world.user(acme)
    for number in guests(world, 64):
        launched = await world.say(ada, f"call {number}", channel="smtp")
        assert launched.kind == "launched", launched
    return acme


@EVERY_STORE
async def test_sixty_four_calls_on_one_balance_all_end_with_it(make_world: MakeWorld) -> None:
    """Every call is warned and ends at what it has paid for; the balance is never below zero."""
    world = await make_world(limits=BIG)
    acme = await sixty_four_calls(world)
    await world.run_out()

    calls = await world.calls()
    assert {call.reason for call in calls} == {"money"}
    assert world.lowest[f"customer:{acme}"] >= 0
    assert_nobody_talked_longer_than_paid(calls)
    warned = [told.ref for told in await world.notices() if told.code == "last_minute_money"]
    assert set(warned) == {call.ref for call in calls}
    assert await world.spent(acme) <= DRY_MICROS
    assert await world.balance(acme) < 64 * 3_000  # less than one more increment of every call


BIG = Limits(
    calls_per_second=1_000,
    destination_block_per_hour=1_000,
    callee_per_hour=1_000,
    concurrent_calls=1_000,
)


def assert_nobody_talked_longer_than_paid(calls: list[Call]) -> None:
    """No leg was up beyond the time that its hold covers, and no leg cost more than its hold."""
    for call in calls:
        for leg in call.legs():
            assert leg.charge_micros <= leg.held_micros
            if leg.answered_call_ms is not None and leg.ended_call_ms is not None:
                assert leg.ended_call_ms - leg.answered_call_ms <= leg.paid_seconds * 1000, leg


@EVERY_STORE
async def test_a_conference_of_sixty_four_on_one_balance_ends_with_it(
    make_world: MakeWorld,
) -> None:
    """All legs are extended together and end together, warned a minute ahead."""
    world = await make_world(limits=BIG)
    acme = await world.customer(micros=DRY_MICROS)
    ada = await world.user(acme)
    people = guests(world, 63)
    launched = await world.say(ada, "conf " + ", ".join(people), channel="smtp")
    assert launched.kind == "launched", launched
    await world.run_out()

    call = await world.only_call()
    assert call.reason == "money"
    assert_nobody_talked_longer_than_paid([call])
    codes = [told.code for told in await world.notices()]
    assert codes == ["last_minute_money", "receipt_money"]
    assert DRY_MICROS - 64 * 3_000 < await world.spent(acme) <= DRY_MICROS


@EVERY_STORE
async def test_a_dead_gateway_lets_no_call_outlive_its_money(make_world: MakeWorld) -> None:
    """The switch's own limits end every leg, and the next process bills what was really talked."""
    world = await make_world(limits=BIG)
    acme = await sixty_four_calls(world)
    await world.advance(45)
    await world.kill()
    await world.advance(3_600)
    assert await world.sim.live_legs() == []

    await world.start()
    await world.run_out()

    calls = await world.calls()
    assert {call.state for call in calls} == {CallState.ENDED}
    assert_nobody_talked_longer_than_paid(calls)
    assert await world.balance(acme) >= 0
    assert (await world.account(acme)).debits_pending == 0


async def test_a_process_that_died_and_came_back_bills_as_if_it_had_not(
    make_world: MakeWorld,
) -> None:
    """The end came while nobody looked; the switch still knows it to the millisecond."""
    world = await make_world()
    ada = await world.user(await world.customer())
    guests(world, 0)
    world.script(UK, talk_s=41)
    await world.say(ada, f"call {UK}")
    await world.advance(20)
    await world.kill()
    await world.advance(60)
    await world.start()
    await world.run_out()

    a_leg, b_leg = await world.cdrs((await world.only_call()).id)
    assert (b_leg.duration_s, b_leg.billable_s, b_leg.end_estimated) == (41, 42, False)
    assert b_leg.hangup_by == "callee"
    assert a_leg.end_call_ms >= b_leg.end_call_ms


# --- prices that change meanwhile -----------------------------------------------------------------


async def test_a_leg_has_the_price_of_when_it_is_rung(world: World) -> None:
    """A deck that comes into force while A rings prices B; A keeps what it began with."""
    ada = await world.user(await world.customer())
    world.script(OFFICE, ring_s=10)
    await world.say(ada, f"call {UK}")
    await world.advance(5)
    await world.deck([("1", "US", 90_000, 0, 6, 6), ("44", "UK", 60_000, 0, 30, 6)])
    await world.run_out()

    a_leg, b_leg = await world.cdrs((await world.only_call()).id)
    assert (a_leg.price_micros_per_minute, b_leg.price_micros_per_minute) == (10_000, 60_000)
    assert b_leg.total_micros == 42_000  # 42 s of the 150 s that were held at the old price


async def test_a_dearer_price_never_takes_more_than_was_held(world: World) -> None:
    """The leg is paid for less time, and extended when there is money."""
    acme = await world.customer(micros=71_000)
    ada = await world.user(acme)
    world.script(OFFICE, ring_s=10, talk_s=0)
    world.script(UK, talk_s=0)
    await world.say(ada, f"call {UK}")
    await world.advance(5)
    await world.deck([("1", "US", 10_000, 0, 6, 6), ("44", "UK", 60_000, 0, 30, 6)])
    await world.run_out()

    call = await world.only_call()
    assert call.reason == "money"
    assert_nobody_talked_longer_than_paid([call])
    _, b_leg = await world.cdrs(call.id)
    assert b_leg.total_micros == 48_000  # 48 s: the most that 50,000 pay at the new price


async def test_a_price_beyond_the_hold_ends_the_leg_before_it_rings(world: World) -> None:
    """Not even the first increment is paid for, so nobody is rung."""
    ada = await world.user(await world.customer(micros=71_000))
    world.script(OFFICE, ring_s=10)
    await world.say(ada, f"call {UK}")
    await world.advance(5)
    await world.deck([("1", "US", 10_000, 0, 6, 6), ("44", "UK", 600_000, 0, 30, 6)])
    await world.run_out()

    assert [order.number for order in world.orders()] == [OFFICE]
    _, b_leg = await world.bill()
    assert (b_leg.total_micros, b_leg.hangup_cause) == (0, "NOT_DIALLED")


async def test_a_price_that_is_gone_ends_the_leg_before_it_rings(world: World) -> None:
    """What is no longer sold is not rung."""
    ada = await world.user(await world.customer())
    world.script(OFFICE, ring_s=10)
    await world.say(ada, f"call {UK}")
    await world.advance(5)
    await world.deck([("1", "US", 10_000, 0, 6, 6)])
    await world.run_out()

    assert [order.number for order in world.orders()] == [OFFICE]
    assert (await world.bill())[1].hangup_cause == "NOT_DIALLED"


async def test_the_peak_window_of_the_ring_prices_the_whole_leg(world: World) -> None:
    """Rung a minute before two in the afternoon, it stays cheap after two; the next is dear."""
    await world.deck(
        [
            rate_row("1", "United States", 10_000, 0, 6, 6),
            rate_row("44", "UK", 20_000, 0, 30, 6),
            rate_row("44", "UK peak", 50_000, 0, 30, 6, hours="14:00-18:00"),
        ]
    )
    ada = await world.user(await world.customer())
    guests(world, 0)
    world.script(UK, talk_s=180)
    await world.advance(2 * 3600 - 60)
    await world.say(ada, f"call {UK}")
    await world.run_out()
    await world.say(ada, f"call {UK} from cell")
    await world.run_out()

    before, after = [(await world.cdrs(call.id))[1] for call in await world.calls()]
    assert (before.destination, before.price_micros_per_minute) == ("UK", 20_000)
    assert before.end_call_ms % 86_400_000 > 14 * 3_600_000
    assert (after.destination, after.price_micros_per_minute) == ("UK peak", 50_000)


async def test_a_redial_is_priced_anew(world: World) -> None:
    """The new attempt has the price of now, the old record its own."""
    ada = await world.user(await world.customer())
    people = guests(world, 2)
    world.script(people[1], result="busy")
    await world.say(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(10)
    await world.deck([("1", "US", 10_000, 0, 6, 6), ("44", "UK", 60_000, 0, 30, 6)])
    world.script(people[1], talk_s=0)
    await world.say(ada, "redial 2")
    await world.advance(10)
    await world.say(ada, "hangup")
    await world.run_out()

    prices = [
        (cdr.leg, cdr.attempt, cdr.price_micros_per_minute)
        for cdr in await world.cdrs((await world.only_call()).id)
    ]
    assert prices[2:] == [("2", 1, 20_000), ("2", 2, 60_000)]


async def test_a_repeated_call_after_a_missed_one_is_launched_at_once(world: World) -> None:
    """`last` and a plain repeat after busy ask nothing."""
    ada = await world.user(await world.customer())
    world.script(US, result="busy")
    await world.say(ada, f"call {US}")
    await world.run_out()

    assert (await world.say(ada, f"call {US}")).kind == "launched"
    await world.run_out()
    assert (await world.say(ada, "last")).fields["price"] == Money(20_000, "USD")
    await world.run_out()
