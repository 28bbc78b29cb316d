"""The calendar: what is scheduled launches once, at its time, with the prices of its time."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from call_core.administration import Freeze, Unfreeze
from call_core.calls.model import CallState
from call_core.customers.limits import Limits
from call_core.engine.scheduler import Scheduler
from call_core.outcomes import Instant, Phrase, Told
from call_core.storage import tables
from call_core.units.house import DAY_MS, Stamp
from tests.integration.service.conftest import EVERY_STORE, MakeService
from tests.support.service import Service
from tests.support.world import CALL_START_MS, OFFICE, UK, US, User, guests

pytestmark = pytest.mark.anyio

MINUTE_S = 60


async def _due(service: Service) -> str:
    """Return when the newest entry is due, in New York, with its offset."""
    call = (await service.world.calls())[-1]
    assert call.due_call_ms is not None
    local = datetime.fromtimestamp(call.due_call_ms / 1000, UTC)
    return local.astimezone(ZoneInfo("America/New_York")).strftime("%a %d %b %H:%M %z")


# The world begins on Monday 9 March 2026 at 12:00 UTC, 08:00 in New York, a day after the clocks
# went forward there; they go back on Sunday 1 November at two.
TIMES = {
    "today": (f"call {US} at 6pm", "Mon 09 Mar 18:00 -0400", ""),
    "in minutes": (f"call {US} in 10", "Mon 09 Mar 08:10 -0400", ""),
    "elsewhere": (f"call {US} at 3pm london", "Mon 09 Mar 11:00 -0400", ""),
    "a weekday": (f"call {US} at tue 9am", "Tue 10 Mar 09:00 -0400", ""),
    "a conference": (f"conf {US}, {UK} at mon 9am", "Mon 09 Mar 09:00 -0400", ""),
}


@pytest.mark.parametrize(("line", "due", "note"), TIMES.values(), ids=TIMES)
async def test_local_times_are_echoed_and_kept(
    service: Service, ada: User, line: str, due: str, note: str
) -> None:
    """A time is the user's own unless a place is named; the answer has instant and zone."""
    answer = await service.ask(ada, line)
    assert answer.kind == "scheduled"
    assert await _due(service) == due
    assert isinstance(answer.fields["at"], Instant)
    assert answer.fields["note"] == note
    assert not await service.legs_up()


@pytest.mark.parametrize(
    ("start", "line", "due"),
    [
        ("2026-03-07T20:00", "at sun 2:30am", "Sun 08 Mar 03:00 -0400"),
        ("2026-10-31T20:00", "at sun 1:30am", "Sun 01 Nov 01:30 -0400"),
    ],
    ids=["the gap", "the overlap"],
)
async def test_the_hours_of_the_clock_change_are_resolved_and_said(
    service: Service, ada: User, start: str, line: str, due: str
) -> None:
    """A time that does not exist is the next that does; one that exists twice is the first."""
    wanted = datetime.fromisoformat(start).replace(tzinfo=UTC).timestamp() * 1000
    service.world.call.jump(round(wanted) - service.world.call.now_ms())
    answer = await service.ask(ada, f"call {US} {line}")
    assert answer.kind == "scheduled", answer
    assert await _due(service) == due
    assert answer.fields["note"] != ""


@EVERY_STORE
async def test_a_scheduled_call_fires_once_with_two_schedulers(service: Service, ada: User) -> None:
    """Whoever else watches the same database, one phone rings once."""
    world = service.world
    await service.ask(ada, f"call {US} in 1")
    rivals = [
        Scheduler(world.store, world.house, world.engine.driver, world.call) for _ in range(3)
    ]
    world.call.jump(61_000)
    world.wall.jump(61_000)
    await asyncio.gather(*(each.look() for each in rivals))
    await world.settle()
    assert sum(each.launched for each in rivals) + world.engine.scheduler.launched == 1
    assert len(await service.legs_up()) == 1
    assert len(await service.audited("call.launched")) == 1


async def test_it_survives_a_restart(service: Service, ada: User) -> None:
    """What stands on the calendar launches although the process died before."""
    answer = await service.ask(ada, f"call {US} in 30")
    await service.restart()
    await service.world.advance(30 * MINUTE_S)
    call = await service.world.only_call()
    assert (call.ref, call.state) == (answer.ref, CallState.LAUNCHING)
    assert [notice.code for notice in await service.told()] == ["schedule_launched"]


@pytest.mark.parametrize(("late_s", "launches"), [(600, True), (601, False)])
async def test_after_an_outage_it_launches_up_to_ten_minutes_late(
    service: Service, ada: User, late_s: int, *, launches: bool
) -> None:
    """Later than that, the user is told that it was missed."""
    await service.ask(ada, f"call {US} in 30")
    await service.world.kill()
    service.world.call.jump((30 * MINUTE_S + late_s) * 1000)
    service.world.wall.jump((30 * MINUTE_S + late_s) * 1000)
    await service.world.start()
    assert len(await service.legs_up()) == int(launches)
    codes = [notice.code for notice in await service.told()]
    assert codes == ["schedule_launched" if launches else "schedule_missed"]
    await service.world.run_out()


async def test_a_call_from_the_page_tells_the_address_on_file(service: Service, ada: User) -> None:
    """Nobody looks at the page at that time, so the news go by mail."""
    await service.ask(ada, f"call {US} in 5", channel="web")
    await service.world.advance(5 * MINUTE_S)
    (row,) = service.sent
    assert (row.channel, row.address, row.kind) == ("smtp", ada.address, "notice")


async def test_a_shortfall_is_announced_fifteen_minutes_ahead(service: Service) -> None:
    """A dry run says what would refuse it; nothing is held meanwhile, and it may still work."""
    poor = await service.world.customer("Poor", micros=1_000)
    bob = await service.world.user(poor, "Bob")
    await service.ask(bob, f"call {US} in 30")
    assert (await service.world.account(poor)).debits_pending == 0
    await service.world.advance(14 * MINUTE_S)
    assert not await service.told()
    await service.world.advance(MINUTE_S)
    (warning,) = await service.told()
    assert warning.code == "schedule_short"
    (why,) = _why(warning.fields["why"])
    assert why.code == "balance_too_small"
    await service.world.top_up(poor, 10_000_000)
    await service.world.advance(15 * MINUTE_S)
    assert len(await service.legs_up()) == 1
    assert [notice.code for notice in await service.told()] == [
        "schedule_short",
        "schedule_launched",
    ]
    assert (await service.world.calls())[0].warned_call_ms is None


def _why(value: object) -> tuple[Phrase, ...]:
    assert isinstance(value, tuple)
    return value


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("change", "why"),
    [("poor", "balance_too_small"), ("frozen", "user_frozen"), ("unsold", "no_rate")],
)
async def test_admission_is_that_of_the_time(service: Service, change: str, why: str) -> None:
    """Money, freezes and prices count when it launches; a refusal is told with its reason."""
    world = service.world
    customer = await world.customer("Poor", micros=1_000 if change == "poor" else 10_000_000)
    bob = await world.user(customer, "Bob")
    await service.ask(bob, f"call {US} in 5")
    if change == "frozen":
        await world.administer(Freeze("user", bob.id))
    if change == "unsold":
        await world.deck([("44", "UK", 20_000, 0, 30, 6)])
    await world.advance(5 * MINUTE_S)
    assert not await service.legs_up()
    notice = (await service.told())[-1]
    assert notice.code == "schedule_refused"
    assert _why(notice.fields["why"])[0].code == why


async def test_prices_are_those_of_the_time(service: Service, ada: User) -> None:
    """A deck that changed between the order and the call bills the new price."""
    await service.ask(ada, f"call {US} in 5")
    await service.world.deck([("1", "United States", 30_000, 0, 6, 6)])
    await service.world.advance(5 * MINUTE_S)
    (call,) = await service.world.calls()
    assert {leg.terms.price_micros_per_minute for leg in call.legs()} == {30_000}


async def test_skip_late_and_at(service: Service, ada: User) -> None:
    """Drop it, come later, move it; each by its ref."""
    first = await service.ask(ada, f"call {US} at 6pm")
    service.world.wall.jump(1_000)
    second = await service.ask(ada, f"conf {US}, {UK} at 7pm")
    listed = await service.ask(ada, "next")
    assert [row.fields["ref"] for row in getattr(listed, "rows", ())] == [first.ref, second.ref]
    assert await service.said(ada, "late 5") == "late_noted"
    assert await service.said(ada, f"at {second.ref} tue 10:00") == "rescheduled"
    assert await _due(service) == "Tue 10 Mar 10:00 -0400"
    assert await service.said(ada, f"skip {first.ref}") == "skipped"
    assert await service.said(ada, f"skip {first.ref}") == "not_scheduled"
    calls = await service.world.calls()
    assert [(call.state, call.reason) for call in calls] == [
        (CallState.ENDED, "skipped"),
        (CallState.SCHEDULED, ""),
    ]
    assert calls[0].due_call_ms == CALL_START_MS + (10 * 60 + 5) * 60_000


async def test_hanging_up_a_scheduled_call_skips_it(service: Service, ada: User) -> None:
    """`hangup` with its ref takes it off the calendar; without one it means a running call."""
    answer = await service.ask(ada, f"call {US} in 30")
    assert await service.said(ada, "hangup") == "no_call_running"
    assert await service.said(ada, f"mute 1 {answer.ref}") == "no_call_running"
    assert await service.said(ada, f"hangup {answer.ref}") == "skipped"
    await service.world.advance(30 * MINUTE_S)
    assert not await service.legs_up()


async def test_an_administrator_takes_a_member_s_call_off(service: Service, ada: User) -> None:
    """Ending is allowed, moving is not; other customers see none of it."""
    boss = await service.world.user(ada.customer_id, "Boss", role="administrator", phones=False)
    eve = await service.world.user(await service.world.customer("Other"), "Eve", phones=False)
    answer = await service.ask(ada, f"call {US} in 30")
    assert await service.said(eve, f"hangup {answer.ref}") == "no_such_call"
    assert await service.said(boss, f"at {answer.ref} tue 10:00") == "not_your_call"
    assert await service.said(boss, f"hangup {answer.ref}") == "skipped"
    ((_, actor, _),) = await service.audited("call.skipped")
    assert actor == boss.id


@pytest.mark.parametrize(("line", "code"), [("late 5", "nothing_scheduled"), ("next", "next")])
async def test_an_empty_calendar(service: Service, ada: User, line: str, code: str) -> None:
    """Nothing scheduled is said so."""
    assert await service.said(ada, line) == code


async def test_there_are_at_most_so_many_entries(make_service: MakeService) -> None:
    """The limit is reached, one more is refused, and a skipped one makes room."""
    assert Limits().pending_schedules == 20
    service = await make_service(limits=Limits(pending_schedules=2))
    ada = await service.world.user(await service.world.customer(), "Ada")
    codes = [await service.said(ada, f"call {US} at {n}pm") for n in (4, 5, 6)]
    assert codes == ["call_scheduled", "call_scheduled", "too_many_scheduled"]
    ref = (await service.world.calls())[0].ref
    await service.said(ada, f"skip {ref}")
    assert await service.said(ada, f"call {US} at 7pm") == "call_scheduled"


async def test_a_frozen_user_s_calendar_goes_on_after_the_thaw(service: Service, ada: User) -> None:
    """What is due later is untouched by a freeze that ended before."""
    await service.ask(ada, f"call {US} in 30")
    await service.world.administer(Freeze("user", ada.id))
    await service.world.administer(Unfreeze("user", ada.id))
    await service.world.advance(30 * MINUTE_S)
    assert len(await service.legs_up()) == 1


async def test_the_last_minute_is_announced_although_a_shortfall_was_checked(
    service: Service, ada: User
) -> None:
    """The look ahead does not use up the warning of a call with a time limit."""
    for number in (US, OFFICE):
        service.world.script(number, talk_s=0)
    await service.ask(ada, f"call {US} at 9am max 3 min")
    await service.world.advance(60 * MINUTE_S)
    await service.world.run_out()
    assert "last_minute_time" in [notice.code for notice in await service.told()]


async def _days_later(service: Service, days: int) -> None:
    """Let the process be away for so many days, and clean up when it is back."""
    world = service.world
    await world.kill()
    world.call.jump(days * DAY_MS)
    world.wall.jump(days * DAY_MS)
    await world.start()
    await world.engine.reaper.clean()
    await world.settle()


async def test_what_was_proven_launches_in_four_months(service: Service, ada: User) -> None:
    """Five guests need a proven request; that one was is not forgotten before their day."""
    world = service.world
    people = ", ".join(guests(world, 5))
    answer = await service.ask(ada, f"conf {people} at 7 jul 9am", channel="web")
    assert answer.kind == "scheduled"
    await _days_later(service, 119)
    due_call_ms = (await world.only_call()).due_call_ms or 0
    by_ms = due_call_ms - world.call.now_ms() - 1_000
    world.call.jump(by_ms)
    world.wall.jump(by_ms)
    await world.advance(3)
    assert (await world.only_call()).state is CallState.LAUNCHING
    await service.ask(ada, f"hangup {answer.ref}", channel="web")
    await world.run_out()
    await _days_later(service, 91)
    assert await service.count(tables.requests) == 0


async def test_a_ref_names_what_is_scheduled_until_90_days_after_its_end(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`skip 4F7` skips what `next` shows as 4F7, whatever was called since."""
    world = service.world

    async def calls_now() -> str:
        """Launch a call whose ref is drawn like that of the one that is scheduled."""
        with monkeypatch.context() as patch:
            patch.setattr(Stamp, "new_ref", lambda _, pairs: ("7Q7", "7Q7Q7")[pairs > 1])
            answer = await service.ask(ada, f"call {US}", channel="web")
        await world.run_out()
        return answer.ref

    with monkeypatch.context() as patch:
        patch.setattr(Stamp, "new_ref", lambda _, pairs: "7Q7" * (pairs > 0))
        await service.ask(ada, f"call {US} at 7 jul 9am", channel="web")
    await _days_later(service, 91)
    assert await calls_now() == "7Q7Q7"
    shown = await service.ask(ada, "next", channel="web")
    assert isinstance(shown, Told)
    assert [row.fields["ref"] for row in shown.rows] == ["7Q7"]
    assert await service.said(ada, "skip 7Q7", channel="web") == "skipped"
    await _days_later(service, 89)
    assert await service.said(ada, "status 7Q7", channel="web") != "no_such_call"
    monkeypatch.setattr(Stamp, "new_ref", lambda _, pairs: ("7Q7", "7Q77Q7")[pairs > 1])
    assert (await service.ask(ada, f"call {UK}", channel="web")).ref == "7Q77Q7"
    await world.run_out()
    await _days_later(service, 2)
    assert (await service.ask(ada, f"call {UK}", channel="web")).ref == "7Q7"
    await world.run_out()
