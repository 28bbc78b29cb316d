"""The whole core on Twilio's twin: bills as on the simulator, and nothing lost when answers are."""

from dataclasses import asdict
from typing import Any

import pytest

from call_core.contracts import Cdr
from tests.support.twilio_core_world import TwilioCoreWorld, opened_twilio_world
from tests.support.world import CELL, OFFICE, UK, World, guests, opened_world, rate_row

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]

OF_THIS_CALL = {"id", "call_id", "ref", "request_id", "switch", "explanation"}
MEETING = ("+442079460018", "+442079460019", "+13125550123")
DECK = [
    rate_row("1", "United States", 10_000, 0, 6, 6),
    rate_row("44", "London", 20_000, 5_000, 30, 6),
]
# The simulated network takes 0.1 s before a phone rings; with it both ring for whole seconds.
RING_S = {True: "2.9", False: "3"}


async def prepared(world: World, *, simulated: bool) -> Any:  # noqa: ANN401  (a user)
    """Set up prices, a customer and phones that behave alike on both switches."""
    await world.deck(DECK)
    acme = await world.customer()
    ada = await world.user(acme)
    ring_s = RING_S[simulated]
    for number in (OFFICE, CELL, *MEETING):
        world.script(number, ring_s=ring_s, talk_s=0)
    world.script(UK, ring_s=ring_s, talk_s=61)
    return ada


async def bills(world: World, text: str, *, simulated: bool) -> tuple[list[Any], int]:
    """Return the records of one call in plain form, and what the customer has spent."""
    ada = await prepared(world, simulated=simulated)
    answer = await world.say(ada, text)
    assert answer.kind == "launched", answer
    await world.advance(200)
    await world.say(ada, "hangup")
    await world.run_out()
    cdrs = await world.cdrs((await world.only_call()).id)
    return [plain(cdr) for cdr in cdrs], await world.spent(ada.customer_id)


def plain(cdr: Cdr) -> dict[str, Any]:
    """Return a record without what names this one call and its switch.

    When a leg was ordered is our own time, the same on both; so it stays in.
    """
    return {name: value for name, value in asdict(cdr).items() if name not in OF_THIS_CALL}


@pytest.mark.parametrize(
    "text", [f"call {UK}", f"conf {', '.join(MEETING)} for 10 min"], ids=["call", "conference"]
)
async def test_the_same_seconds_cost_the_same_on_both_switches(text: str) -> None:
    """Records and spending are equal, field by field, to those of the simulator."""
    async with opened_world("inline", "") as world:
        expected = await bills(world, text, simulated=True)
    async with opened_twilio_world() as twilio:
        found = await bills(twilio, text, simulated=False)
    assert expected[1] > 0
    assert found == expected


async def test_sixteen_people_meet_and_part(anyio_backend: str) -> None:
    """A conference at Twilio is one conference; everybody is billed once."""
    assert anyio_backend == "asyncio"
    async with opened_twilio_world() as world:
        ada = await world.user(await world.customer())
        numbers = guests(world, 15)
        await world.say(ada, f"conf {', '.join(numbers)}")
        await world.advance(30)
        assert [len(room.members) for room in world.twilio.twin.conferences.values()] == [16]
        await world.say(ada, "hangup")
        await world.run_out()
        cdrs = await world.cdrs((await world.only_call()).id)
        assert len(cdrs) == 16
        assert all(cdr.answer_call_ms and cdr.total_micros > 0 for cdr in cdrs)


async def test_a_private_call_shows_our_number_and_nobody_elses() -> None:
    """Twilio cannot hide a number; it shows the service's, which is nobody's own."""
    async with opened_twilio_world() as world:
        ada = await world.user(await world.customer())
        world.script(UK, ring_s=3, talk_s=10)
        await world.say(ada, f"call {UK} private from cell")
        await world.run_out()
        shown = [call.said["From"] for call in world.twilio.twin.calls.values()]
        assert shown == ["+12025550143", "+12025550143"]
        heard = " ".join(text for call in world.twilio.twin.calls.values() for text in call.heard)
        assert "Press 1 to connect." in heard
        assert UK not in heard
        assert CELL not in heard


async def launched(world: TwilioCoreWorld) -> Any:  # noqa: ANN401  (a user)
    """Have a call between two phones that nobody hangs up."""
    ada = await world.user(await world.customer())
    world.script(UK, ring_s=3, talk_s=0)
    world.script(OFFICE, ring_s=3, talk_s=0)
    await world.say(ada, f"call {UK}")
    await world.advance(30)
    return ada


async def test_twilio_ends_both_legs_with_their_money_though_we_are_dead() -> None:
    """The limit at Twilio is the hold's; a process that died costs nobody more."""
    async with opened_twilio_world() as world:
        ada = await world.user(await world.customer(micros=400_000))
        world.script(UK, ring_s=3, talk_s=0)
        world.script(OFFICE, ring_s=3, talk_s=0)
        await world.say(ada, f"call {UK}")
        await world.advance(30)
        call = await world.only_call()
        paid = {leg.id: leg.paid_until_call_ms for leg in call.legs()}
        await world.kill()
        await world.twilio.kill()
        await world.twilio.pass_ms(6 * 3_600_000)
        for twin in world.twilio.twin.calls.values():
            assert twin.status == "completed"
        ended = {twin.label: twin.ended_ms for twin in world.twilio.twin.calls.values()}
        assert set(ended) == set(paid)
        for leg_id, at_ms in ended.items():
            assert at_ms is not None
            assert at_ms <= (paid[leg_id] or 0) + 2_000
        world.sim = world.twilio.start()  # type: ignore[assignment]
        await world.start()
        await world.advance(60)
        cdrs = await world.cdrs(call.id)
        assert len(cdrs) == 2
        assert not any(cdr.end_estimated for cdr in cdrs)


async def test_a_killed_process_finds_its_legs_again() -> None:
    """A new process bridges nothing twice, rings nobody twice, and ends the call when asked."""
    async with opened_twilio_world() as world:
        ada = await launched(world)
        await world.kill()
        await world.twilio.kill()
        await world.twilio.pass_ms(5_000)
        world.sim = world.twilio.start()  # type: ignore[assignment]
        await world.start()
        await world.advance(40)
        assert len(world.twilio.twin.calls) == 2
        assert {leg.bridge for leg in await world.sim.live_legs()} == {(await world.only_call()).id}
        await world.say(ada, "hangup")
        await world.run_out()
        cdrs = await world.cdrs((await world.only_call()).id)
        assert [cdr.hangup_by for cdr in cdrs] == ["service", "service"]
        assert not any(cdr.end_estimated for cdr in cdrs)


@pytest.mark.parametrize("fault", ["lose_creates", "drop_creates"])
async def test_a_create_without_an_answer_rings_once(fault: str) -> None:
    """Whether Twilio had made the call or not: nobody is rung twice, and the call goes on."""
    async with opened_twilio_world() as world:
        setattr(world.twilio.twin.faults, fault, 1)
        await launched(world)
        await world.advance(90)
        tos = [twin.said["To"] for twin in world.twilio.twin.calls.values()]
        assert tos == [OFFICE, UK]


@pytest.mark.parametrize("lost", ["ringing", "in-progress", "completed"])
async def test_a_lost_callback_is_made_up_for(lost: str) -> None:
    """What Twilio did not tell is asked for; the bill is there and right."""
    async with opened_twilio_world() as world:
        world.twilio.twin.faults.callbacks_lost = frozenset({lost})
        ada = await launched(world)
        await world.say(ada, "hangup")
        await world.run_out()
        cdrs = await world.cdrs((await world.only_call()).id)
        assert len(cdrs) == 2
        assert all(cdr.total_micros > 0 and not cdr.end_estimated for cdr in cdrs)


async def test_callbacks_in_any_order_and_twice_bill_once() -> None:
    """Repeated and late callbacks change nothing."""
    async with opened_twilio_world() as world:
        world.twilio.twin.faults.repeat = True
        ada = await launched(world)
        await world.say(ada, "hangup")
        await world.run_out()
        await world.advance(10)
        cdrs = await world.cdrs((await world.only_call()).id)
        assert len(cdrs) == 2
        assert len(world.twilio.twin.calls) == 2
