"""Every request is done once, however often it comes."""

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from call_core.errors import CallCoreError, CommitUnknown, Overloaded, StoreUnavailable
from call_core.requests import Evidence
from call_core.storage import tables
from call_core.storage.audit_chain import broken_links
from call_core.storage.waiting import StoreLimits
from tests.integration.service.conftest import EVERY_STORE, Trouble
from tests.support.databases import Gate, held, sqlite_file
from tests.support.service import AUDIT, REQUESTS, Service
from tests.support.world import UK, CountedStore, User, World

pytestmark = pytest.mark.anyio


@EVERY_STORE
async def test_the_same_id_fifty_times_at_once_is_one_call(service: Service, ada: User) -> None:
    """Fifty copies of a mail ring one phone once and get fifty equal answers, in one mail."""
    request = service.request(ada, f"call {UK}")
    outcomes = await asyncio.gather(*(service.world.core.handle(request) for _ in range(50)))
    await service.world.settle()

    assert {outcome.code for outcome in outcomes} == {"call_launched"}
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert len(await service.world.calls()) == 1
    assert len(await service.legs_up()) == 1
    assert [row[0] for row in await service.outbox()] == ["outcome"]


@EVERY_STORE
async def test_a_repeat_after_a_restart_repeats_the_answer_only(
    service: Service, ada: User
) -> None:
    """A process that came later knows the request and does nothing again."""
    request = service.request(ada, f"call {UK}")
    first = await service.world.core.handle(request)
    await service.world.settle()
    await service.restart()

    assert await service.world.core.handle(request) == first
    await service.world.settle()
    assert len(await service.world.calls()) == 1
    assert len(await service.outbox()) == 1


async def test_the_same_id_with_other_content_is_refused_and_audited(
    service: Service, ada: User
) -> None:
    """An id that comes again with other words is an alarm, and does nothing."""
    request = service.request(ada, "balance")
    await service.world.core.handle(request)
    other = replace(service.request(ada, f"call {UK}"), external_id=request.external_id)

    assert (await service.world.core.handle(other)).code == "same_id_other_content"
    assert not await service.world.calls()
    assert len(await service.audited("request.same_id_other_content")) == 1
    assert (await service.world.core.handle(request)).code == "balance"


async def test_ids_of_different_users_and_spaces_do_not_clash(service: Service, ada: User) -> None:
    """The same external id of two users, or in two id spaces, is two requests."""
    bob = await service.world.user(ada.customer_id, "Bob", phones=False)
    codes = [
        await service.said(ada, "balance", external_id="same"),
        await service.said(bob, "phones", external_id="same"),
        await service.said(ada, "history", external_id="same", channel="web"),
    ]
    assert codes == ["balance", "phones", "history"]


async def test_one_mail_by_two_channels_of_a_space_is_one_request(
    service: Service, ada: User
) -> None:
    """What smtp took, imap finds taken: they share the id space `mail`."""
    request = service.request(ada, f"call {UK}")
    first = await service.world.core.handle(request)
    assert await service.world.core.handle(replace(request, channel="imap")) == first
    assert len(await service.world.calls()) == 1


async def test_a_replay_under_a_new_id_does_nothing(service: Service, ada: User) -> None:
    """A signature that was seen is refused under another message id."""
    assert await service.said(ada, f"call {UK}", replay_ids=("dkim:1",)) == "call_launched"
    assert await service.said(ada, f"call {UK}", replay_ids=("dkim:2", "dkim:1")) == "replayed"
    assert len(await service.world.calls()) == 1


@pytest.mark.parametrize("evidence", list(Evidence))
async def test_unknown_senders_are_refused_and_nothing_is_stored(
    service: Service, evidence: Evidence
) -> None:
    """Whoever is on nobody's file gets the one refusal; no row and no mail comes of it."""
    before = await service.count(tables.audit)
    outcome = await service.ask(None, f"call {UK}", sender="eve@example.com", evidence=evidence)
    assert (outcome.kind, outcome.code, dict(outcome.fields)) == ("refused", "unknown_sender", {})
    assert not [row for row in await service.rows(REQUESTS) if row[0] != "operator"]
    assert not await service.outbox()
    assert await service.count(tables.audit) == before


async def test_forged_gets_the_same_refusal_as_unknown(service: Service, ada: User) -> None:
    """A forger cannot tell whether the address is on file, and leaves nothing behind."""
    before = await service.count(tables.requests)
    forged = await service.ask(ada, f"call {UK}", evidence=Evidence.FORGED)
    unknown = await service.ask(None, f"call {UK}", sender="eve@example.com")
    assert forged == unknown
    assert await service.count(tables.requests) == before
    assert not await service.outbox()


async def test_a_database_that_is_away_is_a_temporary_failure(service: Service, ada: User) -> None:
    """What could not be stored is not acknowledged, and the same request works later."""
    request = service.request(ada, f"call {UK}")
    await service.world.kill()
    with pytest.raises(StoreUnavailable):
        await service.world.core.handle(request)
    await service.world.start()
    assert not await service.world.calls()
    assert (await service.world.core.handle(request)).code == "call_launched"


@pytest.mark.parametrize(
    ("where", "error"),
    [("execute", StoreUnavailable), ("commit", CommitUnknown), ("answer", CommitUnknown)],
)
async def test_a_failed_commit_is_told_and_a_retry_finishes_it_once(
    troubled: Service, trouble: Trouble, where: str, error: type[CallCoreError]
) -> None:
    """Whatever became of the commit, the caller learns of the doubt and may repeat without harm."""
    ada = await troubled.world.user(await troubled.world.customer(), "Ada")
    request = troubled.request(ada, f"call {UK}")
    getattr(trouble, where).add("handle")
    with pytest.raises(error):
        await troubled.world.core.handle(request)
    getattr(trouble, where).clear()
    await troubled.world.settle()

    assert (await troubled.world.core.handle(request)).code == "call_launched"
    await troubled.world.settle()
    assert len(await troubled.world.calls()) == 1
    assert len(await troubled.legs_up()) == 1
    assert len(await troubled.outbox()) == 1
    await troubled.world.run_out()


async def test_more_than_the_queue_holds_is_refused_whole(tmp_path: Path) -> None:
    """Beyond the queue's limit a request fails as overloaded and nothing of it is there."""
    path = sqlite_file(tmp_path)

    async def open_store() -> CountedStore:
        limits = StoreLimits(max_waiting_units=2)
        store = await CountedStore.open(f"sqlite:///{path}", node="test", limits=limits)
        assert isinstance(store, CountedStore)
        return store

    world = World(open_store)
    await world.start()
    await world.deck()
    service = Service(world)
    ada = await world.user(await world.customer(), "Ada")
    gate = Gate()
    holding = await held(world.store, gate)
    requests = [service.request(ada, f"save friend {UK}") for _ in range(6)]
    tasks = [asyncio.create_task(world.core.handle(each)) for each in requests]
    for refused in itertools.islice(asyncio.as_completed(tasks, timeout=5), 4):
        with pytest.raises(Overloaded):
            await refused
    gate.open()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    await holding

    assert [type(each) for each in outcomes].count(Overloaded) == 4
    done = [each for each in outcomes if not isinstance(each, BaseException)]
    assert [each.code for each in done] == ["saved", "saved"]
    mine = [row for row in await service.rows(REQUESTS) if row[1] == ada.id]
    assert len(mine) == 2
    await world.stop()
    world.sim.close()


async def test_the_audit_is_whole_after_all_of_it(service: Service, ada: User) -> None:
    """Every action of a user leaves a row, and no link of the chain is broken."""
    for line in (f"call {UK}", f"save bob {UK}", "hangup", "forget bob"):
        await service.ask(ada, line)
        service.world.wall.jump(1)
    actions = [row[0] for row in await service.rows(AUDIT) if row[1] == ada.id]
    assert actions == ["call.launched", "directory.saved", "call.hangup", "directory.forgotten"]
    assert await service.world.store.read(broken_links) == []
