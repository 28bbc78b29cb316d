"""Limits on what may be tried: two that come at once see each other."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from call_core.administration import AddSender
from call_core.notices import to_json
from call_core.requests import Evidence
from call_core.storage import outbox_rows, record_rows
from call_core.units import access, joining, routes, verification
from call_core.units.house import DAY_MS, HOUR_MS
from tests.support.pauses import Pause, done_or_waiting
from tests.support.service import Service
from tests.support.world import User

pytestmark = [pytest.mark.anyio, pytest.mark.postgres]
Work = Coroutine[Any, Any, Any]


@pytest.fixture
def store_kind() -> str:
    """Where units run side by side."""
    return "postgres"


async def _both(service: Service, pause: Pause, first: Work, second: Work) -> list[Any]:
    """Do one thing up to the pause, then the other until it is done or waits, then both."""
    async with pause:
        paused = asyncio.create_task(first)
        await pause.reached()
        other = asyncio.create_task(second)
        await done_or_waiting(service.world.store, other)
    return list(await asyncio.gather(paused, other))


async def test_the_last_code_of_an_hour_is_tried_once(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A code that is right does not help who came too often."""
    world, pause = service.world, Pause()
    codes = [(await service.ask(ada, "device", channel="web")).fields["code"] for _ in range(2)]
    tried = joining.DEVICE_TRIES_PER_HOUR - 1
    hour = world.wall.now_ms() // HOUR_MS
    await world.store.run(record_rows.count, "device:peer", "join_tried", hour, tried)
    monkeypatch.setattr("call_core.units.joining.hash_of", pause.before(access.hash_of))
    first, second = (
        world.store.run(
            joining.join_device,
            str(code),
            "palm",
            f"hash {code}",
            "peer",
            world.engine.driver.stamp(),
        )
        for code in codes
    )
    assert [found is not None for found in await _both(service, pause, first, second)] == [
        True,
        False,
    ]


async def test_the_last_sign_in_code_of_a_day_is_sent_once(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever asks for codes cannot fill a mailbox by asking twice at once."""
    world, pause = service.world, Pause()
    second_address = "ada@home.example"
    await world.administer(AddSender(ada.id, "smtp", second_address))
    day = world.wall.now_ms() // DAY_MS
    sent = access.CODES_PER_DAY - 1
    await world.store.run(record_rows.count, ada.id, access.SIGN_IN, day, sent)
    monkeypatch.setattr("call_core.units.access.to_json", pause.before(to_json))
    first, second = (
        world.store.run(access.start_sign_in, address, world.engine.driver.stamp())
        for address in (ada.address, second_address)
    )
    assert await _both(service, pause, first, second) == [True, False]


async def test_the_last_verification_of_a_day_rings_once(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's phone is rung more often than the limit says."""
    world, pause = service.world, Pause()
    day = world.call.now_ms() // DAY_MS
    used = verification.VERIFICATIONS_PER_DAY - 1
    await world.store.run(record_rows.count, ada.id, "verifications", day, used)
    monkeypatch.setattr(routes, "routed", pause.before(routes.routed))
    first, second = (
        world.core.handle(service.request(ada, "verify office", channel="web")) for _ in range(2)
    )
    answers = await _both(service, pause, first, second)
    assert [answer.code for answer in answers] == [
        "verification_launched",
        "too_many_verifications",
    ]
    await world.run_out()


async def test_what_a_stranger_asked_in_somebodys_name_is_told_once(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message in ten minutes, however many come at once."""
    pause = Pause()
    monkeypatch.setattr(outbox_rows, "put", pause.before(outbox_rows.put))
    first, second = (
        service.world.core.handle(service.request(ada, "hangup", evidence=Evidence.CLAIMED))
        for _ in range(2)
    )
    await _both(service, pause, first, second)
    assert len(await service.outbox()) == 1
