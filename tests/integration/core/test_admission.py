"""What is refused before anything rings, and what is asked first. Nothing of it costs anything."""

import pytest

from call_core.administration import Freeze
from call_core.customers.limits import Limits
from call_core.outcomes import Money
from call_core.requests import Evidence
from tests.integration.core.conftest import MakeWorld
from tests.support.world import CELL, OFFICE, UK, US, World, guests

pytestmark = pytest.mark.anyio

GERMANY = "+49 30 901820"
FRANCE = "+33 1 42 68 53 00"
REFUSED = [
    (f"call {FRANCE}", "country_not_allowed"),
    ("call +1 242 322 3321", "country_not_allowed"),  # the Bahamas: +1 is not one country
    ("call +1 900 234 5678", "premium_number"),
    ("call +44 909 8790 000", "premium_number"),
    ("call +881 6 3123 4567", "satellite_number"),
    ("call +882 16 2345 6789", "special_number"),
    (f"call {OFFICE} from office", "same_number"),
    ("call +1 202 555 0143", "own_number"),
    ("call 911", "emergency"),
    ("call +44 112", "emergency"),
    (f"conf {US}, {US}", "twice_in_list"),
    (f"conf {US}, {OFFICE} from office", "same_number"),
    (f"call {UK} from home", "phone_not_yours"),
    (f"call {UK} max 0.01", "max_unit_unclear"),
    (f"call {UK} max £5", "wrong_currency"),
    (f"call {UK} max $0.01", "cap_too_small"),
    ("call nobody", "name_unknown"),
    ("call *7", "slot_empty"),
]


@pytest.mark.parametrize(("text", "code"), REFUSED)
async def test_what_may_not_be_rung_is_refused_with_its_own_code(
    world: World, text: str, code: str
) -> None:
    """Nothing rings, nothing is held."""
    acme = await world.customer()
    ada = await world.user(acme)

    answer = await world.say(ada, text)

    assert (answer.kind, answer.code) == ("refused", code)
    assert world.orders() == []
    assert (await world.account(acme)).debits_pending == 0


async def test_a_number_without_a_price_is_not_sold(world: World) -> None:
    """A deck that has no row for it refuses it."""
    await world.deck([("1", "United States", 10_000, 0, 6, 6)])
    ada = await world.user(await world.customer())

    assert (await world.say(ada, f"call {UK}")).code == "no_rate"


async def test_a_phone_that_nobody_verified_is_not_rung(world: World) -> None:
    """It is on file and the user's own, and that is not enough."""
    ada = await world.user(await world.customer())
    await world.phone(ada, "hotel", "+12125550109")

    assert (await world.say(ada, f"call {UK} from hotel")).code == "phone_not_verified"


async def test_a_user_without_a_phone_is_told_so(world: World) -> None:
    """There is nothing to ring first."""
    ada = await world.user(await world.customer(), phones=False)

    assert (await world.say(ada, f"call {UK}")).code == "no_phone"


async def test_the_billing_code_must_be_there_and_known(world: World) -> None:
    """Required and missing, unknown, and right; the record carries it."""
    acme = await world.customer(billing_code_required=True)
    ada = await world.user(acme)
    await world.billing_code(acme, "ACME-12")

    assert (await world.say(ada, f"call {UK}")).code == "billing_code_required"
    assert (await world.say(ada, f"call {UK} code NO-1")).code == "billing_code_unknown"
    launched = await world.say(ada, f"call {UK} code ACME-12")
    await world.run_out()

    assert launched.kind == "launched"
    records = await world.cdrs((await world.only_call()).id)
    assert {cdr.billing_code for cdr in records} == {"ACME-12"}


async def test_a_balance_that_covers_the_first_hold_launches_and_one_micro_less_does_not(
    world: World,
) -> None:
    """Both legs: first increment and 120 s, each in whole increments."""
    a_hold, b_hold = 21_000, 50_000  # 126 s at 10,000 and 150 s at 20,000 a minute
    acme = await world.customer(micros=a_hold + b_hold - 100)
    ada = await world.user(acme)

    short = await world.say(ada, f"call {UK}")
    await world.top_up(acme, 100)
    launched = await world.say(ada, f"call {UK}")

    assert (short.code, short.fields["needed"]) == ("balance_too_small", Money(71_000, "USD"))
    assert launched.kind == "launched"
    assert await world.balance(acme) == 0
    await world.run_out()


async def test_as_many_calls_at_once_as_allowed_and_no_more(world: World) -> None:
    """Two run, the third is refused and launches once one has ended."""
    ada = await world.user(await world.customer(concurrent_calls=2))
    people = guests(world, 3)
    for number in people[:2]:
        assert (await world.say(ada, f"call {number}")).kind == "launched"

    refused = await world.say(ada, f"call {people[2]}")
    assert (refused.code, refused.fields["limit"]) == ("too_many_calls", 2)
    ref = (await world.calls())[0].ref
    await world.say(ada, f"hangup {ref}")
    await world.advance(1)
    assert (await world.say(ada, f"call {people[2]}")).kind == "launched"


async def test_as_many_launches_in_a_second_as_allowed_and_no_more(world: World) -> None:
    """Five in one second, the sixth in the next."""
    ada = await world.user(await world.customer())
    people = guests(world, 6)
    codes = [(await world.say(ada, f"call {number}")).code for number in people]
    await world.advance(1)

    assert codes == ["call_launched"] * 5 + ["too_fast"]
    assert (await world.say(ada, f"call {people[5]}")).code == "call_launched"


async def test_the_days_spending_counts_what_is_held(world: World) -> None:
    """A limit of exactly one launch's hold lets one launch; the next day it starts again."""
    ada = await world.user(await world.customer(daily_spend_micros=71_000))
    launched = await world.say(ada, f"call {UK}")
    await world.run_out()
    refused = await world.say(ada, f"call {UK} from office")
    await world.advance(86_400)
    again = await world.say(ada, f"call {UK}")

    assert launched.kind == "launched"
    assert (refused.code, refused.fields["limit"]) == ("daily_spend", Money(71_000, "USD"))
    assert again.kind == "launched"
    await world.run_out()


async def test_one_number_may_be_called_so_often_in_an_hour(make_world: MakeWorld) -> None:
    """Three times, and again in the next hour."""
    world = await make_world(limits=Limits(callee_per_hour=3))
    ada = await world.user(await world.customer())
    world.script(UK, result="busy")
    codes = []
    for _ in range(4):
        codes.append((await world.say(ada, f"call {UK}")).code)
        await world.advance(60)
    await world.advance(3600)

    assert codes == ["call_launched"] * 3 + ["callee_velocity"]
    assert (await world.say(ada, f"call {UK}")).code == "call_launched"
    await world.run_out()


async def test_one_block_of_numbers_may_be_called_so_often_in_an_hour(
    make_world: MakeWorld,
) -> None:
    """Different numbers of one range count together."""
    world = await make_world(limits=Limits(destination_block_per_hour=3))
    ada = await world.user(await world.customer())
    codes = []
    for number in guests(world, 4):
        world.script(number, result="busy")
        codes.append((await world.say(ada, f"call {number}")).code)
        await world.advance(60)

    assert codes == ["call_launched"] * 3 + ["destination_velocity"]


async def test_the_last_free_ports_are_taken_and_then_all_lines_are_busy(
    make_world: MakeWorld,
) -> None:
    """Four ports carry two calls; the third costs nothing; a free port is used again."""
    world = await make_world(ports=4)
    acme = await world.customer()
    ada = await world.user(acme)
    people = guests(world, 3)
    codes = [(await world.say(ada, f"call {number}")).code for number in people]
    assert codes == ["call_launched", "call_launched", "all_lines_busy"]

    await world.say(ada, f"hangup {(await world.calls())[0].ref}")
    await world.advance(1)
    assert (await world.say(ada, f"call {people[2]}")).code == "call_launched"


NEW_CUSTOMERS_CALL = [(9, 1800), (10, None)]


@pytest.mark.parametrize(("before", "limit_s"), NEW_CUSTOMERS_CALL)
async def test_the_first_ten_calls_are_thirty_minutes_at_most(
    world: World, before: int, limit_s: int | None
) -> None:
    """The tenth call is limited, the eleventh is not; `max` may make it shorter, not longer."""
    ada = await world.user(await world.customer(new=True))
    world.script(OFFICE, result="busy")
    for _ in range(before):
        await world.say(ada, f"call {US}")
        await world.advance(400)

    await world.say(ada, f"call {US} max 40 min")

    wanted = 40 * 60 if limit_s is None else limit_s
    assert (await world.calls())[-1].max_seconds == wanted
    await world.run_out()


KEYS = [
    ("office", Evidence.PROVEN, 0),  # trusted by the operator: no key
    ("cell", Evidence.PROVEN, 1),
    ("keyless", Evidence.PROVEN, 0),  # verified by key press, and switched off by its user
    ("office", Evidence.VOUCHED, 1),  # being vouched for is never enough to leave it out
    ("keyless", Evidence.VOUCHED, 1),
]


@pytest.mark.parametrize(("phone", "evidence", "key"), KEYS)
async def test_the_accept_key_is_left_out_only_for_trusted_phones_of_proven_requests(
    world: World, phone: str, evidence: Evidence, key: int
) -> None:
    """What the answer says is what the leg wants."""
    ada = await world.user(await world.customer())
    await world.phone(ada, "keyless", "+12125550108", by_key=True, accept_key=False)

    answer = await world.say(ada, f"call {US} from {phone}", evidence=evidence)

    assert (answer.kind, answer.fields.get("key")) == ("launched", key)
    assert (await world.only_call()).first.accept is bool(key)
    await world.run_out()


async def test_the_operators_prefix_freeze_refuses_the_number(world: World) -> None:
    """What is frozen is not rung, and what is not frozen is."""
    ada = await world.user(await world.customer())
    await world.administer(Freeze("prefix", "44"))

    assert (await world.say(ada, f"call {UK}")).code == "prefix_frozen"
    assert (await world.say(ada, f"call {US} from cell")).kind == "launched"
    assert [order.number for order in world.orders()] == [CELL]
    await world.run_out()
