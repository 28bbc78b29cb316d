"""A switch that repeats, reorders, drops and refuses, under commands at random moments."""

import random

import pytest

from call_core.switches.simulator_faults import Faults
from tests.support.world import CELL, OFFICE, User, World, guests

pytestmark = pytest.mark.anyio
RESULTS = [*["answer"] * 6, "busy", "voicemail", "no_answer", "reject"]
COMMANDS = [
    "add {who} {ref}",
    "drop 1 {ref}",
    "redial 1 {ref}",
    "move cell {ref}",
    "mute all {ref}",
    "who {ref}",
    "lock {ref}",
    "unlock {ref}",
    "hangup {ref}",
]


@pytest.mark.parametrize("seed", range(16))
async def test_whatever_the_switch_tells_the_books_are_right_and_every_call_ends(
    world: World, seed: int
) -> None:
    """The invariants hold after every command, and nothing is left on the switch or held."""
    rng = random.Random(seed)  # noqa: S311  (the same seed is the same story)
    acme = await world.customer(micros=rng.choice([300_000, 3_000_000]))
    ada = await world.user(acme)
    people = guests(world, 5)
    for number in (*people, OFFICE, CELL):
        talk_s, ring_s = rng.choice([0, 5, 60, 200]), rng.randint(0, 50)
        world.script(number, ring_s=ring_s, result=rng.choice(RESULTS), talk_s=talk_s)
    world.sim.faults = faults(rng)

    for _ in range(3):
        await world.say(ada, launch(rng, people), channel="smtp")
        for _ in range(rng.randint(1, 5)):
            await world.advance(rng.randint(1, 60))
            await control(world, ada, rng, people[4])
            await world.check()
    await end_everything(world, ada)

    assert await world.sim.live_legs() == []
    assert (await world.account(acme)).debits_pending == 0
    assert await world.balance(acme) >= 0


def faults(rng: random.Random) -> Faults:
    """Return what goes wrong in one story."""
    return Faults(
        drop=rng.choice([0, 0, 0.1]),
        repeat=0.3,
        reorder=0.5,
        reorder_ms=rng.choice([0, 500, 3_000]),
        originate_fail=rng.choice([0, 0.1]),
        lost_originate=rng.choice([0, 0.1]),
        lost_originate_answer=rng.choice([0, 0.1]),
    )


def launch(rng: random.Random, people: list[str]) -> str:
    """Return one way to call some of the people."""
    one, two, three, four, five = people
    return rng.choice(
        [
            f"call {one}",
            f"call {two} from cell",
            f"conf {one}, {two}, {three}",
            f"conf {four}, {five} for 5 min",
            f"conf {', '.join(people)} max $0.5",
        ]
    )


async def control(world: World, user: User, rng: random.Random, who: str) -> None:
    """Send one command to one of the running calls; it may well be refused."""
    running = [call.ref for call in await world.calls() if not call.ended]
    if running:
        text = rng.choice(COMMANDS).format(ref=rng.choice(running), who=who)
        await world.say(user, text)


async def end_everything(world: World, user: User) -> None:
    """Let time pass and a new process look at the switch, then hang up what is still there."""
    for round_number in range(40):
        await world.kill()
        await world.start()
        await world.advance(30)
        running = [call.ref for call in await world.calls() if not call.ended]
        if not running:
            return
        for ref in running if round_number > 20 else ():
            await world.say(user, f"hangup {ref}")
    raise AssertionError("calls are alive that nothing ends")
