"""A bill whose leg turns out to have lasted longer: within every promise that was made."""

import pytest

from call_core.calls.model import CallState, Leg
from call_core.contracts import EventKind, SwitchEvent
from call_core.ledger.transfers import TransferCode
from call_core.rating.rater import rate_duration
from call_core.storage import record_rows
from call_core.units import changes
from call_core.units.advance import lost_legs
from tests.support.service import Service
from tests.support.world import US, User, guests

pytestmark = pytest.mark.anyio
DAILY_MICROS = 1_000_000_000
"""What the customer of these tests may spend in a day."""


def _ended(call_id: str, leg_id: str, at_call_ms: int) -> SwitchEvent:
    """Return the switch's own word, which comes late."""
    return SwitchEvent(f"{leg_id}:ended", EventKind.ENDED, leg_id, call_id, at_call_ms, cause=16)


async def _lose(service: Service, monkeypatch: pytest.MonkeyPatch, seen_ms_ago: int) -> Leg:
    """Let the switch lose the first guest's leg, and tell nothing of its end for now."""
    world = service.world
    (live,) = world.engine.driver.live.values()
    (_, guest, *_) = live.call.parties
    (leg,) = guest.legs
    feed = world.engine.driver.feed
    with monkeypatch.context() as patch:
        patch.setattr(
            world.engine.driver,
            "feed",
            lambda event: None if event.leg_id == leg.id else feed(event),
        )
        await world.sim.hang_up(leg.id, 16)
        seen = world.call.now_ms() - seen_ms_ago
        stamp = world.engine.driver.stamp()
        await world.store.run(lost_legs, world.house, live.call, frozenset({leg.id}), seen, stamp)
        world.engine.driver.refresh(live.call.id)
        await world.settle()
    (live,) = world.engine.driver.live.values()
    found = live.call.leg(leg.id)
    assert found is not None
    assert found.settled
    assert found.end_estimated
    return found


async def _spent_today(service: Service, user: User) -> int:
    day = service.world.engine.driver.stamp().day
    return await service.world.store.read(record_rows.counted, user.customer_id, changes.SPENT, day)


async def _invite_a_voicemail(service: Service, user: User) -> None:
    """Begin a conference in which the first guest's voicemail answers."""
    people = guests(service.world, 1)
    service.world.script(US, result="voicemail", ring_s=3)
    await service.ask(user, f"conf {US}, {people[0]}")


async def _free_micros(service: Service, call_id: str) -> list[int]:
    transfers = await service.world.transfers(call_id)
    return [each.amount_micros for each in transfers if each.code is TransferCode.FREE_LEG]


async def test_an_amendment_keeps_within_the_cap(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`max $0.40` is a promise, whenever the switch tells the true end of a leg."""
    world = service.world
    people = guests(world, 2)
    await service.ask(ada, f"conf {people[0]}, {people[1]} max $0.40")
    await world.advance(200)
    lost = await _lose(service, monkeypatch, 170_000)
    await world.run_out()
    call = await world.only_call()
    assert call.state is CallState.ENDED
    assert sum(leg.charge_micros for leg in call.legs()) <= 400_000
    answered = lost.answered_call_ms or 0
    world.engine.driver.feed(_ended(call.id, lost.id, answered + lost.paid_seconds * 1000))
    await world.settle()
    call = await world.only_call()
    charged = sum(leg.charge_micros for leg in call.legs())
    assert charged <= 400_000
    assert charged == await _spent_today(service, ada)
    rest = [each.amount_micros for each in await world.transfers(call.id) if "overrun" in each.code]
    assert sum(rest) > 0


@pytest.mark.parametrize("left_micros", [None, 5_000])
async def test_an_amendment_counts_against_the_day_and_keeps_within_it(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch, left_micros: int | None
) -> None:
    """What the true end costs is spent today, as far as today's limit allows."""
    world = service.world
    people = guests(world, 2)
    await service.ask(ada, f"conf {people[0]}, {people[1]}")
    await world.advance(200)
    lost = await _lose(service, monkeypatch, 170_000)
    await service.ask(ada, "hangup")
    await world.run_out()
    call = await world.only_call()
    before = sum(leg.charge_micros for leg in call.legs())
    assert await _spent_today(service, ada) == before
    if left_micros is not None:
        day = world.engine.driver.stamp().day
        spent = DAILY_MICROS - before - left_micros
        await world.store.run(record_rows.count, ada.customer_id, changes.SPENT, day, spent)
    world.engine.driver.feed(
        _ended(call.id, lost.id, (lost.answered_call_ms or 0) + lost.paid_seconds * 1000)
    )
    await world.settle()
    after = sum(leg.charge_micros for leg in (await world.only_call()).legs())
    if left_micros is None:
        assert after > before
        assert await _spent_today(service, ada) == after
    else:
        assert after - before == left_micros


async def test_an_amendment_keeps_a_free_leg_free(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A voicemail that nobody accepted is free; its true end is a larger gift, and no bill."""
    world = service.world
    await _invite_a_voicemail(service, ada)
    await world.advance(15)
    lost = await _lose(service, monkeypatch, 10_000)
    assert (lost.accepted_call_ms, lost.charge_micros, lost.free) == (None, 0, True)
    (live,) = world.engine.driver.live.values()
    world.engine.driver.feed(_ended(live.call.id, lost.id, world.call.now_ms()))
    await world.settle()
    (live,) = world.engine.driver.live.values()
    leg = live.call.leg(lost.id)
    assert leg is not None
    assert (leg.charge_micros, leg.free, leg.end_estimated) == (0, True, False)
    free = await _free_micros(service, live.call.id)
    talked_ms = (leg.ended_call_ms or 0) - (leg.answered_call_ms or 0)
    assert len(free) == 2
    assert sum(free) == rate_duration(leg.terms, talked_ms).charge_micros
    await service.ask(ada, "hangup")
    await world.run_out()


async def test_a_leg_that_is_found_to_have_been_answered_is_judged_as_if_it_ended_now(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody had asked whether it is free: of a voicemail that nobody accepted it is."""
    world = service.world
    await _invite_a_voicemail(service, ada)
    await world.advance(5)
    (live,) = world.engine.driver.live.values()
    feed, guest = world.engine.driver.feed, live.call.parties[1].last_leg.id
    with monkeypatch.context() as patch:
        patch.setattr(
            world.engine.driver,
            "feed",
            lambda event: None if event.leg_id == guest else feed(event),
        )
        await world.advance(10)
        lost = await _lose(service, monkeypatch, 0)
    assert (lost.answered_call_ms, lost.charge_micros, lost.free) == (None, 0, False)
    at = world.call.now_ms()
    event = SwitchEvent(
        f"{lost.id}:ended",
        EventKind.ENDED,
        lost.id,
        live.call.id,
        at,
        cause=16,
        answered_call_ms=at - 7_000,
    )
    world.engine.driver.feed(event)
    await world.settle()
    (live,) = world.engine.driver.live.values()
    leg = live.call.leg(lost.id)
    assert leg is not None
    assert (leg.charge_micros, leg.free, leg.answered_call_ms) == (0, True, at - 7_000)
    free = await _free_micros(service, live.call.id)
    assert free == [rate_duration(leg.terms, 7_000).charge_micros]
    await service.ask(ada, "hangup")
    await world.run_out()
