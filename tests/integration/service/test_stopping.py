"""What is frozen or disabled runs no more, whatever was being launched in that moment."""

import asyncio
from collections.abc import Callable

import pytest

from call_core.administration import Administration, DisableUser, Freeze
from call_core.units import calendar, gate, launch
from tests.support.pauses import Pause, done_or_waiting
from tests.support.service import Service
from tests.support.world import UK, US, User

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
STOPS: dict[str, tuple[Callable[[User], Administration], str]] = {
    "customer": (lambda ada: Freeze("customer", ada.customer_id, live=True), "customer_frozen"),
    "user": (lambda ada: Freeze("user", ada.id, live=True), "user_frozen"),
    "prefix": (lambda _: Freeze("prefix", US[:5], live=True), "prefix_frozen"),
    "all": (lambda _: Freeze("all", "", live=True), "service_frozen"),
    "disabled": (lambda ada: DisableUser(ada.id), "user_inactive"),
}


@pytest.fixture
def store_kind() -> str:
    """Where units run side by side."""
    return "postgres"


async def _nobody_talked(service: Service) -> None:
    await service.world.settle()
    await service.world.advance(60)
    calls = await service.world.calls()
    assert [(call.ended, call.talk_call_ms) for call in calls] in ([], [(True, None)])
    assert not await service.legs_up()


@pytest.mark.parametrize("kind", STOPS)
async def test_a_launch_that_is_not_committed_yet_is_stopped_too(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The stop waits for it, and then ends it with the rest."""
    core, pause = service.world.core, Pause()
    monkeypatch.setattr(launch, "launch", pause.after(launch.launch))
    async with pause:
        request = service.request(ada, f"call {US}", channel="web")
        asked = asyncio.create_task(core.handle(request))
        await pause.reached()
        command, _ = STOPS[kind]
        stop = service.request(None, command(ada), channel="cli")
        stopping = asyncio.create_task(core.handle(stop))
        await done_or_waiting(service.world.store, stopping)
    assert (await asked).code == "call_launched"
    assert (await stopping).fields["calls"] == 1
    await _nobody_talked(service)


@pytest.mark.parametrize("kind", STOPS)
async def test_a_launch_that_began_before_the_stop_reads_it(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """What was read with the user is not the last word: the stop came in between."""
    core, pause = service.world.core, Pause()
    monkeypatch.setattr(gate, "stale", pause.before(gate.stale))
    command, refusal = STOPS[kind]
    async with pause:
        request = service.request(ada, f"call {US}", channel="web")
        asked = asyncio.create_task(core.handle(request))
        await pause.reached()
        stopped = await core.handle(service.request(None, command(ada), channel="cli"))
        assert stopped.fields["calls"] == 0
    assert (await asked).code == refusal
    await _nobody_talked(service)


async def test_what_is_due_in_that_moment_does_not_ring(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduled call is launched with the user of its time, read under the lock."""
    world, pause = service.world, Pause()
    await service.ask(ada, f"call {US} in 10", channel="web")
    await world.advance(590)
    monkeypatch.setattr(calendar, "owner_of", pause.after(calendar.owner_of))
    async with pause:
        due = asyncio.create_task(world.advance(11))
        await pause.reached()
        stop = service.request(None, DisableUser(ada.id), channel="cli")
        stopping = asyncio.create_task(world.core.handle(stop))
        await done_or_waiting(service.world.store, stopping)
    await stopping
    await due
    await _nobody_talked(service)


async def test_nobody_is_added_whose_number_was_frozen_in_that_moment(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The running call rings nobody there, so it goes on; and nobody there joins it."""
    world, pause = service.world, Pause()
    world.script(UK, talk_s=0)
    launched = await service.ask(ada, f"call {UK}", channel="web")
    await world.advance(10)
    monkeypatch.setattr(gate, "stale", pause.before(gate.stale))
    command, refusal = STOPS["prefix"]
    async with pause:
        request = service.request(ada, f"add {US} {launched.ref}", channel="web")
        asked = asyncio.create_task(world.core.handle(request))
        await pause.reached()
        stopped = await world.core.handle(service.request(None, command(ada), channel="cli"))
        assert stopped.fields["calls"] == 0
    assert (await asked).code == refusal
    await world.run_out()
