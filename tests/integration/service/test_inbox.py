"""The inbox: what comes in a burst is kept, acknowledged, and done a moment later."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from call_core.engine import inbox as figures
from call_core.errors import Overloaded, ParseError, StoreUnavailable
from call_core.outcomes import Launched, Outcome
from call_core.requests import Evidence, Request
from call_core.storage import tables
from call_core.storage.inbox_rows import InboxRow
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units.handle import Handled, handle
from call_core.units.house import House
from call_core.units.inbox import keep
from tests.integration.service.conftest import EVERY_STORE
from tests.support.service import Service
from tests.support.world import User

pytestmark = pytest.mark.anyio
OF_ADA = select_statement(
    select(tables.requests.c.id).where(tables.requests.c.channel == "smtp"), name="mails"
)


@pytest.fixture(autouse=True)
def everything_is_kept(service: Service) -> None:
    """Nothing is done while its sender waits."""
    service.world.engine.inbox.direct_at_once = 0


async def _accept(service: Service, request: Request) -> Outcome | None:
    return await service.world.core.accept(request)


async def _until_done(service: Service) -> None:
    """Wait until nothing waits, and for what follows."""
    async with asyncio.timeout(20):
        while await service.count(tables.inbox):
            await service.world.settle()
            await asyncio.sleep(0.001)
    await service.world.settle()


async def _answers(service: Service) -> list[str]:
    """Return the codes of the answers that were written for senders, oldest first."""
    rows = await service.outbox()
    return [row[1].split('"code":"')[1].split('"')[0] for row in rows if row[0] == "outcome"]


@EVERY_STORE
async def test_a_burst_is_promised_and_then_done_once_each(service: Service, ada: User) -> None:
    """Fifty mails are all taken, and all are answered to the address they came from."""
    asked = [service.request(ada, "time tokyo") for _ in range(50)]
    promised = await asyncio.gather(*(_accept(service, each) for each in asked))
    assert promised == [None] * 50
    await _until_done(service)
    assert await _answers(service) == ["local_time"] * 50
    assert len(await service.rows(OF_ADA)) == 50


@EVERY_STORE
async def test_a_person_is_served_in_order(service: Service, ada: User) -> None:
    """What was sent later sees what was sent before."""
    for text in ("save bob +44 20 7946 0018", "slot 7 bob", "forget bob", "dir bob"):
        assert await _accept(service, service.request(ada, text)) is None
    await _until_done(service)
    assert await _answers(service) == ["saved", "slot_set", "forgotten", "directory"]


async def test_while_anything_waits_everything_does(service: Service, ada: User) -> None:
    """No later mail overtakes one that was kept, though there would be room for it."""
    first = service.request(ada, "save bob +44 20 7946 0018")
    await service.world.store.run(keep, first)
    service.world.engine.inbox.waiting = 1
    service.world.engine.inbox.direct_at_once = 8
    assert await _accept(service, service.request(ada, "forget bob")) is None
    await _until_done(service)
    assert await _answers(service) == ["saved", "forgotten"]
    quiet = await _accept(service, service.request(ada, "time tokyo"))
    assert quiet is not None
    assert quiet.code == "local_time"


@EVERY_STORE
async def test_a_kept_call_is_launched_and_billed(service: Service, ada: User) -> None:
    """It is the same call as any other."""
    assert await _accept(service, service.request(ada, "call +44 20 7946 0018")) is None
    await _until_done(service)
    assert await _answers(service) == ["call_launched"]
    assert len(service.world.engine.driver.live) == 1
    await service.world.run_out()
    await service.world.check()


async def test_the_same_mail_again_is_one_call(service: Service, ada: User) -> None:
    """While it waits the promise is repeated; once it is done the answer is there at once."""
    asked = service.request(ada, "call +44 20 7946 0018")
    copies = await asyncio.gather(*(_accept(service, asked) for _ in range(10)))
    assert copies == [None] * 10
    await _until_done(service)
    assert isinstance(await _accept(service, asked), Launched)
    assert await service.count(tables.calls) == 1


async def test_the_same_id_with_other_words_is_refused_while_it_waits(
    service: Service, ada: User
) -> None:
    """The first is done as it was written, and the audit has the second."""
    asked = service.request(ada, "time tokyo")
    other = replace(asked, text="call bob", fingerprint="other")
    async with asyncio.TaskGroup() as group:
        first = group.create_task(_accept(service, asked))
        second = group.create_task(_accept(service, other))
    assert first.result() is None
    refused = second.result()
    assert refused is not None
    assert refused.code == "same_id_other_content"
    await _until_done(service)
    assert await _answers(service) == ["local_time"]
    assert len(await service.audited("request.same_id_other_content")) == 1


async def test_strangers_and_forgers_are_refused_in_the_session(
    service: Service, ada: User
) -> None:
    """Nothing is kept for whom nobody knows: there is no address to answer to."""
    stranger = replace(service.request(ada, "time tokyo"), sender="eve@demo.example")
    forged = replace(service.request(ada, "time tokyo"), evidence=Evidence.FORGED)
    for each in (stranger, forged):
        refused = await _accept(service, each)
        assert refused is not None
        assert refused.code == "unknown_sender"
    assert await service.count(tables.inbox) == 0


async def test_an_emergency_number_is_answered_at_once(service: Service, ada: User) -> None:
    """Whoever needs help now does not wait behind others."""
    refused = await _accept(service, service.request(ada, "call 911"))
    assert refused is not None
    assert refused.code == "emergency"


async def test_what_must_wait_too_long_is_refused(service: Service, ada: User) -> None:
    """Of a queue that is full, or whose head does not move, its sender's server is told."""
    inbox = service.world.engine.inbox
    inbox.waiting = figures.MOST_WAITING
    with pytest.raises(Overloaded):
        await _accept(service, service.request(ada, "time tokyo"))
    inbox.waiting = 1
    inbox.oldest_wall_ms = service.world.wall.now_ms() - figures.LONGEST_WAIT_MS
    assert await _accept(service, service.request(ada, "time tokyo")) is None
    inbox.waiting = 1
    inbox.oldest_wall_ms = service.world.wall.now_ms() - figures.LONGEST_WAIT_MS - 1
    with pytest.raises(Overloaded):
        await _accept(service, service.request(ada, "time tokyo"))


@EVERY_STORE
async def test_what_a_dead_process_kept_is_done_by_the_next(service: Service, ada: User) -> None:
    """The promise outlives the process that made it."""
    asked = service.request(ada, "call +44 20 7946 0018")
    await service.world.store.run(keep, asked)
    await service.world.kill()
    await service.world.start()
    await _until_done(service)
    assert await service.count(tables.calls) == 1
    assert isinstance(await service.world.core.accept(asked), Launched)


async def test_what_waited_for_hours_asks_first(service: Service, ada: User) -> None:
    """A promise of this morning rings nobody at night without a question."""
    asked = service.request(ada, "call +44 20 7946 0018")
    old = replace(asked, received_wall_ms=asked.received_wall_ms - 3 * 3_600_000)
    assert await _accept(service, old) is None
    await _until_done(service)
    assert await _answers(service) == ["stale"]
    assert await service.count(tables.calls) == 0


def _defect(monkeypatch: pytest.MonkeyPatch, *, always: bool) -> None:
    """Let calls to Britain fail in a way that nobody foresaw; with `always`, refusals too."""

    def failing(tx: Tx, house: House, request: Request, *more: Any) -> Handled:  # noqa: ANN401  (the rest of `handle`)
        if "+44" in request.text and (always or not isinstance(request.command, ParseError)):
            raise ZeroDivisionError
        return handle(tx, house, request, *more)

    monkeypatch.setattr("call_core.units.inbox.handle", failing)
    monkeypatch.setattr(figures, "RETRY_S", 0.001)


async def test_what_a_defect_keeps_from_being_done_is_answered(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender is told that nothing was launched; what came with it is done."""
    _defect(monkeypatch, always=False)
    with capture_logs() as logs:
        for text in ("call +44 20 7946 0018", "time tokyo"):
            assert await _accept(service, service.request(ada, text)) is None
        await _until_done(service)
    assert [each["tries"] for each in logs if each["event"] == "inbox.failed"] == [1, 2, 3, 4, 5]
    assert await _answers(service) == ["not_done", "local_time"]


async def test_what_cannot_even_be_refused_is_dropped_and_audited(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not hold its sender up for ever."""
    _defect(monkeypatch, always=True)
    with capture_logs() as logs:
        for text in ("call +44 20 7946 0018", "time tokyo"):
            assert await _accept(service, service.request(ada, text)) is None
        await _until_done(service)
    assert [each["log_level"] for each in logs if each["event"] == "inbox.dropped"] == ["error"]
    assert await _answers(service) == ["local_time"]
    assert len(await service.audited("inbox.dropped")) == 1


async def test_while_the_database_is_away_what_is_kept_waits(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is done when the database is back, in its order."""
    monkeypatch.setattr(figures, "RETRY_S", 0.001)
    inbox, tries = service.world.engine.inbox, iter(range(3))
    do = inbox.do

    async def away(rows: Sequence[InboxRow]) -> None:
        if next(tries, None) is not None:
            raise StoreUnavailable
        await do(rows)

    inbox.do = away
    for text in ("save bob +44 20 7946 0018", "forget bob"):
        assert await _accept(service, service.request(ada, text)) is None
    await _until_done(service)
    assert await _answers(service) == ["saved", "forgotten"]
