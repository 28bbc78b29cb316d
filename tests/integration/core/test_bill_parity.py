"""One bill on every switch: what a real Asterisk's call cost, on the simulator and at Twilio."""

import asyncio
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pytest

from call_core.contracts import Cdr
from call_core.ledger.transfers import Transfer, TransferKind
from tests.support.asterisk_core_world import AsteriskCoreWorld, opened_asterisk_world
from tests.support.twilio_core_world import opened_twilio_world
from tests.support.world import OFFICE, User, World, opened_world, rate_row

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

MEETING = ("+442079460018", "+442079460019", "+13125550123")
"""The first is who is called when one is."""

DECK = [
    rate_row("1", "United States", 10_000, 0, 6, 1),
    rate_row("44", "London", 20_000, 5_000, 3, 1),
]
OF_THIS_CALL = {
    *("id", "call_id", "ref", "request_id", "switch", "explanation"),
    *("setup_call_ms", "answer_call_ms", "end_call_ms"),
}
TALK_S = 2
RING_S = 3
NETWORK_S = Decimal("0.1")  # which the simulated network takes before a phone rings
POSTED = (TransferKind.POST, TransferKind.SINGLE)
Bills = tuple[list[dict[str, Any]], list[tuple[object, ...]], int]


async def user_of(world: World) -> User:
    """Set up prices, a customer and a user."""
    await world.deck(DECK)
    return await world.user(await world.customer())


async def bills(world: World, ada: User) -> Bills:
    """Return the only call's records, what it moved in the ledger, and what the customer has spent.

    Holds are left out: how often one is extended follows from the moments at which we look.
    """
    call = await world.only_call()
    numbers = {leg.id: leg.n for leg in call.legs()}
    made = await world.transfers(call.id)
    lines = [line(each, numbers) for each in made if each.kind in POSTED]
    cdrs = [plain(cdr) for cdr in await world.cdrs(call.id)]
    return cdrs, sorted(lines, key=repr), await world.spent(ada.customer_id)


def plain(cdr: Cdr) -> dict[str, Any]:
    """Return a record without what names this one call, its switch and its instants."""
    return {name: value for name, value in asdict(cdr).items() if name not in OF_THIS_CALL}


def line(made: Transfer, numbers: dict[str, int]) -> tuple[object, ...]:
    """Return a line of the ledger without ids and instants."""
    accounts = [each.partition(":")[0] for each in (made.debit_account, made.credit_account)]
    return (numbers.get(made.leg_id), made.kind, made.code, *accounts, made.amount_micros)


async def on_asterisk(world: AsteriskCoreWorld, text: str) -> tuple[Bills, dict[str, int]]:
    """Have the call there; return its bills and each number's answered seconds."""
    ada = await user_of(world)
    world.script(OFFICE, ring_s="0.2", talk_s=0)
    for n, number in enumerate(MEETING):
        talk_s = TALK_S if text.startswith("call") else 0
        world.script(number, ring_s=Decimal("1.2") + n, talk_s=talk_s)
    answer = await world.say(ada, text)
    assert answer.kind == "launched", answer
    if text.startswith("conf"):
        await world.until(world.bridged)
        await asyncio.sleep(TALK_S)
        await world.say(ada, "hangup")
    await world.until(world.over)
    await world.settle()
    made = await bills(world, ada)
    return made, {cdr["to_number"]: cdr["duration_s"] for cdr in made[0]}


async def replayed(
    world: World, text: str, answered_s: dict[str, int], network_s: Decimal = Decimal(0)
) -> Bills:
    """Have the same call with telephones that are answered for so many whole seconds."""
    ada = await user_of(world)
    first_s = answered_s[OFFICE]
    world.script(OFFICE, ring_s=RING_S - network_s, talk_s=0)
    for number in answered_s.keys() - {OFFICE}:  # rung when the first has answered
        talk_s = answered_s[number] if text.startswith("call") else 0
        ring_s = first_s - answered_s[number] - network_s
        world.script(number, ring_s=ring_s, press_after_s="0.2", talk_s=talk_s)
    answer = await world.say(ada, text)
    assert answer.kind == "launched", answer
    await world.advance(RING_S + first_s)
    if text.startswith("conf"):
        await world.say(ada, "hangup")
    await world.run_out()
    return await bills(world, ada)


@pytest.mark.parametrize(
    "text",
    [f"call {MEETING[0]}", f"conf {', '.join(MEETING)} for 10 min"],
    ids=["call", "conference"],
)
async def test_the_same_seconds_cost_the_same_on_three_switches(text: str) -> None:
    """Records, ledger lines and spending of a real Asterisk's call are those of the two others."""
    async with opened_asterisk_world() as real:
        expected, answered_s = await on_asterisk(real, text)
    assert expected[2] > 0
    assert all(seconds > 0 for seconds in answered_s.values())
    async with opened_world("inline", "") as world:
        assert await replayed(world, text, answered_s, NETWORK_S) == expected
    async with opened_twilio_world() as twilio:
        assert await replayed(twilio, text, answered_s) == expected
