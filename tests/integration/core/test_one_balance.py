"""Many launches at once on one balance: as many as it pays for, and never less than nothing."""

import asyncio
from collections import Counter

import pytest

from call_core.commands import Command
from parsers.grammar import parse
from tests.integration.core.conftest import EVERY_STORE, MakeWorld
from tests.support.world import CELL, OFFICE, World, guests

pytestmark = pytest.mark.anyio
AT_ONCE = 50
PAID = 3


async def price_of_a_launch(world: World, text: str) -> int:
    """Return what one launch holds."""
    rich = await world.customer("Rich")
    bob = await world.user(rich, "Bob")
    await world.say(bob, text)
    held = (await world.account(rich)).debits_pending
    await world.say(bob, "hangup")
    await world.run_out()
    return held


@EVERY_STORE
@pytest.mark.parametrize("spare", [0, 1])
async def test_fifty_launches_with_money_for_three_are_three_calls(
    make_world: MakeWorld, spare: int
) -> None:
    """The others are told that the money does not reach; whatever the calls do, it is enough."""
    world = await make_world()
    (guest, *_) = guests(world, 1)
    command = parse(f"call {guest}")
    assert isinstance(command, Command)
    held = await price_of_a_launch(world, f"call {guest}")
    acme = await world.customer(micros=PAID * held + spare * (held - 1))
    ada = await world.user(acme)

    outcomes = await asyncio.gather(*(world.ask(ada, command) for _ in range(AT_ONCE)))

    told = Counter(outcome.code for outcome in outcomes)
    assert told == {"call_launched": PAID, "balance_too_small": AT_ONCE - PAID}
    assert (await world.account(acme)).debits_pending == PAID * held
    for number in (guest, OFFICE, CELL):
        world.script(number, ring_s=1, talk_s=600)
    await world.run_out()
    assert await world.balance(acme) >= 0
    assert world.lowest[f"customer:{acme}"] >= 0
