"""Two-party calls from launch to bill."""

import pytest

from call_core.calls.model import CallState
from call_core.contracts import EventKind
from call_core.outcomes import Money
from tests.integration.core.conftest import EVERY_STORE
from tests.support.world import CELL, OFFICE, UK, Bill, World

pytestmark = pytest.mark.anyio
HUNG_UP, ENDED_BY_US = ("NORMAL_CLEARING", "callee"), ("CALL_ENDED", "service")


@EVERY_STORE
async def test_both_legs_are_billed_by_their_own_price_and_increments(world: World) -> None:
    """61 s to Britain at 30/6 and 66 s of the caller's own leg at 6/6, to the micro."""
    acme = await world.customer()
    ada = await world.user(acme)
    world.script(OFFICE, ring_s=2)
    world.script(UK, ring_s=5, talk_s=61)

    answer = await world.say(ada, f"call {UK}")
    await world.run_out()

    assert (answer.kind, answer.code) == ("launched", "call_launched")
    assert answer.fields["price"] == Money(30_000, "USD")
    call = await world.only_call()
    assert (call.state, call.reason) == (CallState.ENDED, "completed")
    a_leg, b_leg = await world.cdrs(call.id)
    assert (b_leg.leg, b_leg.duration_s, b_leg.billable_s) == ("B", 61, 66)
    assert b_leg.total_micros == 22_000  # 66 s at 20,000 a minute
    assert (a_leg.leg, a_leg.duration_s, a_leg.billable_s) == ("A", 67, 72)
    assert a_leg.total_micros == 12_000  # 72 s at 10,000 a minute
    assert (b_leg.hangup_cause, b_leg.hangup_by) == HUNG_UP
    assert (a_leg.hangup_cause, a_leg.hangup_by) == ENDED_BY_US
    assert (a_leg.prefix, b_leg.prefix) == ("1", "44")
    assert "66 s" in b_leg.explanation
    assert await world.spent(acme) == 34_000
    assert await world.balance(acme) == 100_000_000 - 34_000


async def test_the_second_phone_rings_only_after_the_first_accepted(world: World) -> None:
    """B is not originated while A rings, nor before the key that A must press."""
    ada = await world.user(await world.customer())
    world.script(CELL, ring_s=10, press="1")
    await world.say(ada, f"call {UK} from cell")

    await world.advance(10.5)
    a_leg, b_leg = (await world.only_call()).legs()
    assert a_leg.answered_call_ms is not None
    assert b_leg.originated_call_ms is None
    await world.advance(1)
    assert (await world.only_call()).others[0].last_leg.originated_call_ms is not None
    await world.run_out()


A_FAILS = [
    ("busy", "a_not_reached", "a_busy", "BUSY"),
    ("no_answer", "a_not_reached", "a_not_reached", "NO_ANSWER"),
    ("unreachable", "a_not_reached", "a_not_reached", "ABSENT"),
    ("reject", "a_not_reached", "a_not_reached", "REJECTED"),
]


@pytest.mark.parametrize(("result", "reason", "notice", "cause"), A_FAILS)
async def test_a_caller_who_is_not_reached_pays_nothing(
    world: World, result: str, reason: str, notice: str, cause: str
) -> None:
    """B never rings, both records are there with no charge, and the caller is told why."""
    acme = await world.customer()
    ada = await world.user(acme)
    world.script(OFFICE, result=result)

    answer = await world.say(ada, f"call {UK}", channel="smtp")
    await world.run_out()

    assert (await world.only_call()).reason == reason
    assert await world.bill() == [
        Bill("A", 0, 0, cause, "caller"),
        Bill("B", 0, 0, "NOT_DIALLED", "service"),
    ]
    assert [told.code for told in await world.notices()] == [notice]
    assert answer.fields["price"] == Money(30_000, "USD")
    assert await world.balance(acme) == 100_000_000


async def test_voicemail_at_the_callers_own_phone_opens_no_second_leg(world: World) -> None:
    """Nobody presses the key, so 20 seconds later the leg ends, free within the allowance."""
    acme = await world.customer()
    ada = await world.user(acme)
    world.script(CELL, result="voicemail")

    await world.say(ada, f"call {UK} from cell", channel="smtp")
    await world.run_out()

    assert (await world.only_call()).reason == "a_not_accepted"
    assert await world.bill() == [
        Bill("A", 24, 0, "NOT_ACCEPTED", "service"),
        Bill("B", 0, 0, "NOT_DIALLED", "service"),
    ]
    assert [told.code for told in await world.notices()] == ["a_not_accepted"]
    assert await world.balance(acme) == 100_000_000


B_FAILS = [
    ("busy", "busy", "b_busy", "BUSY"),
    ("no_answer", "no_answer", "b_no_answer", "NO_ANSWER"),
    ("reject", "failed", "b_not_reached", "REJECTED"),
    ("unreachable", "failed", "b_not_reached", "ABSENT"),
]


@pytest.mark.parametrize(("result", "prompt", "notice", "cause"), B_FAILS)
async def test_when_b_is_not_reached_a_hears_why_and_pays_nothing(
    world: World, result: str, prompt: str, notice: str, cause: str
) -> None:
    """A hears the prompt before being hung up; the A-leg is the operator's within the allowance."""
    acme = await world.customer()
    ada = await world.user(acme)
    world.script(UK, result=result)

    await world.say(ada, f"call {UK}", channel="smtp")
    heard = []
    while world.engine.driver.live:
        await world.advance(0.5)
        heard += [phone.prompt for phone in world.sim.phones() if phone.number == OFFICE]

    assert prompt in heard
    assert (await world.only_call()).reason == "b_not_reached"
    a_leg, b_leg = await world.bill()
    assert (a_leg.total_micros, b_leg) == (0, Bill("B", 0, 0, cause, "callee"))
    assert [told.code for told in await world.notices()] == [notice]
    assert await world.balance(acme) == 100_000_000


async def test_a_who_gives_up_while_b_rings_ends_the_call_free_of_charge(world: World) -> None:
    """B's phone stops ringing at once and nothing was said, so nothing is paid."""
    ada = await world.user(await world.customer())
    world.script(UK, ring_s=30)
    await world.say(ada, f"call {UK}")
    await world.advance(10)
    leg = (await world.only_call()).first.last_leg

    assert world.sim.put_down(leg.id)
    await world.run_out()

    assert await world.bill() == [
        Bill("A", 12, 0, *("NORMAL_CLEARING", "caller")),
        Bill("B", 0, 0, "CALL_ENDED", "service"),
    ]
    assert (await world.only_call()).reason == "hung_up"


async def test_both_who_hang_up_at_the_same_moment_are_billed_once_each(world: World) -> None:
    """Two ends in one unit settle two legs and end one call."""
    ada = await world.user(await world.customer())
    world.script(UK, ring_s=3)
    world.script(OFFICE, ring_s=3)
    await world.say(ada, f"call {UK}")
    await world.advance(30)
    a_leg, b_leg = (party.last_leg for party in (await world.only_call()).parties)

    assert world.sim.put_down(a_leg.id)
    assert world.sim.put_down(b_leg.id)
    await world.run_out()

    assert [each[3:] for each in await world.bill()] == [
        ("NORMAL_CLEARING", "caller"),
        HUNG_UP,
    ]
    assert len(await world.notices()) == 0  # a page shows it; nobody is written to


async def test_digits_after_the_number_are_sent_and_asked_of_the_switch(world: World) -> None:
    """An extension travels with the order and never with the number."""
    ada = await world.user(await world.customer())
    await world.say(ada, "call +44 20 7946 0018 x1234")
    await world.advance(4)

    orders = {order.number: order for order in world.orders()}

    assert orders[UK].post_dial == "1234"
    assert orders[OFFICE].post_dial == ""
    await world.run_out()


SHOWN = [
    ("from office", False, "+12025550143"),  # trusted by the operator, never keyed
    ("from cell", False, CELL),  # verified by key press
    ("from cell private", True, ""),
]


@pytest.mark.parametrize(("origin", "private", "number"), SHOWN)
async def test_b_sees_the_callers_number_only_if_a_key_press_verified_it(
    world: World, origin: str, number: str, *, private: bool
) -> None:
    """A always sees the service's number; `private` shows nobody's."""
    ada = await world.user(await world.customer())
    await world.say(ada, f"call {UK} {origin}")
    await world.advance(7)

    a_order, b_order = world.orders()

    assert a_order.caller_id == "+12025550143"
    assert (b_order.caller_id, b_order.private) == (number, private)
    await world.run_out()


async def test_a_repeated_message_rings_nobody_twice(world: World) -> None:
    """The same id answers with the stored outcome and launches nothing."""
    ada = await world.user(await world.customer())
    first = await world.say(ada, f"call {UK}", external_id="m1")
    again = await world.say(ada, f"call {UK}", external_id="m1")
    await world.run_out()

    assert again == first
    assert len(await world.calls()) == 1


async def test_the_switch_tells_every_event_once_to_its_owner(world: World) -> None:
    """Nothing that happens on the switch is unknown to the tables."""
    ada = await world.user(await world.customer())
    await world.say(ada, f"call {UK} from cell")
    await world.run_out()

    ended = [await world.sim.ended_leg(leg.id) for leg in (await world.only_call()).legs()]
    assert [event.kind for event in ended if event] == [EventKind.ENDED, EventKind.ENDED]
