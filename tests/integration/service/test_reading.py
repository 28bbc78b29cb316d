"""What pages and the API read: pages of lists, one's own only, and streams that end."""

import asyncio

import pytest

from call_core import queries
from call_core.contracts import CallView, Principal
from call_core.storage.transaction import Tx
from tests.integration.service.conftest import EVERY_STORE
from tests.support.service import Service, call_id
from tests.support.world import UK, US, User

pytestmark = pytest.mark.anyio


async def _calls(service: Service, user: User, count: int, *, first: int = 0) -> list[str]:
    """Make scheduled calls and return their ids, oldest first."""
    made = []
    for n in range(first, first + count):
        service.world.wall.jump(n % 2)  # every other one in the same millisecond
        answer = await service.ask(user, f"call {US} at {1 + n // 60}:{n % 60:02}pm", channel="web")
        assert answer.kind == "scheduled", answer
        made.append(call_id(answer))
    return made


async def _pages(service: Service, who: Principal, limit: int) -> list[list[CallView]]:
    cursor, pages = "", []
    while True:
        page = await service.world.core.calls(who, limit, cursor)
        pages.append(list(page.items))
        cursor = page.next
        if not cursor:
            return pages


@EVERY_STORE
async def test_pages_hold_everything_once_newest_first(service: Service, ada: User) -> None:
    """Walking by the cursor shows each call once, in order, whatever the size of a page."""
    made = await _calls(service, ada, 7)
    who = await service.principal(ada)
    for limit, sizes in ((3, [3, 3, 1]), (7, [7]), (100, [7])):
        pages = await _pages(service, who, limit)
        assert [len(page) for page in pages] == sizes
        views = [view for page in pages for view in page]
        assert sorted(view.id for view in views) == sorted(made)
        assert [v.created_wall_ms for v in views] == sorted(
            (v.created_wall_ms for v in views), reverse=True
        )


async def test_a_cursor_is_stable_while_calls_are_made(service: Service, ada: User) -> None:
    """What is new meanwhile shifts nothing and repeats nothing."""
    made = await _calls(service, ada, 6)
    who = await service.principal(ada)
    first = await service.world.core.calls(who, 3, "")
    service.world.wall.jump(5)
    await _calls(service, ada, 2, first=6)
    second = await service.world.core.calls(who, 3, first.next)
    seen = [view.id for view in (*first.items, *second.items)]
    assert sorted(seen) == sorted(made)
    assert second.next == ""


@EVERY_STORE
async def test_a_page_costs_the_same_statements_however_many_calls_it_shows(
    service: Service, ada: User
) -> None:
    """Lists of calls, for pages and for the history by message, of members and administrators."""
    boss = await service.world.user(ada.customer_id, "Boss", role="administrator")
    everybody = [await service.principal(user) for user in (ada, boss)]

    def cost(tx: Tx, who: Principal, limit: int) -> tuple[int, int]:
        before, rules = tx.statements, service.world.house.rules
        page = queries.call_page(tx, who, limit, "", 0, rules)
        return len(page.items), tx.statements - before

    await _calls(service, ada, 1)
    few = [await service.world.store.read(cost, who, 50) for who in everybody]
    await _calls(service, ada, 11, first=1)
    await _calls(service, boss, 2, first=20)
    many = [await service.world.store.read(cost, who, 50) for who in everybody]
    assert [shown for shown, _ in few] == [1, 1]
    assert [shown for shown, _ in many] == [12, 14]
    assert [spent for _, spent in many] == [spent for _, spent in few] == [4, 4]


async def test_the_history_by_message_costs_the_same_statements(
    service: Service, ada: User
) -> None:
    """Ten calls or one."""
    world = service.world
    world.script(US, talk_s=5)
    spent = []
    for _ in range(2):
        for _ in range(4):
            world.wall.jump(100_000)
            assert (await service.ask(ada, f"call {US}")).kind in {"launched", "asked"}
            await service.ask(ada, "go")
            await world.run_out()
        before = world.store.statistics().by_unit["handle"].statements
        told = await service.ask(ada, "history")
        assert len(getattr(told, "rows", ())) >= 4
        spent.append(world.store.statistics().by_unit["handle"].statements - before)
    assert spent[0] == spent[1]


@pytest.mark.parametrize(
    "cursor", ["x", ".", "1", "²³.x", "99999999999999999999999.x", "-1.x", "\x00"]
)
async def test_a_broken_cursor_begins_at_the_newest(
    service: Service, ada: User, cursor: str
) -> None:
    """Whatever somebody writes there is no error of ours."""
    await _calls(service, ada, 1)
    who = await service.principal(ada)
    assert len((await service.world.core.calls(who, 5, cursor)).items) == 1
    assert (await service.world.core.cdrs(who, 5, cursor, "")).items == ()


async def test_everybody_sees_their_own(service: Service, ada: User) -> None:
    """Members theirs, administrators their customer's, nobody another customer's."""
    world, core = service.world, service.world.core
    bob = await world.user(ada.customer_id, "Bob")
    boss = await world.user(ada.customer_id, "Boss", role="administrator", phones=False)
    other = await world.customer("Other")
    eve = await world.user(other, "Eve", role="administrator", phones=False)
    world.script(US, talk_s=10)
    mine = await service.ask(ada, f"call {US}")
    await service.ask(bob, f"call {UK}")
    await world.run_out()
    seen = {}
    for user in (ada, bob, boss, eve):
        who = await service.principal(user)
        one = await core.call(who, mine.ref)
        records = await core.cdrs(who, 50, "", "")
        listed = await core.calls(who, 50, "")
        lines = await core.explain(who, call_id(mine))
        seen[user.name] = (
            len(listed.items),
            len(records.items),
            one is not None and one.id == call_id(mine),
            bool(lines),
        )
    assert seen["Ada"] == (1, 2, True, True)
    assert seen["Bob"][:2] == (1, 2)
    assert seen["Bob"][3] is False
    assert seen["Boss"] == (2, 4, True, True)
    assert seen["Eve"] == (0, 0, False, False)


async def test_records_are_paged_too(service: Service, ada: User) -> None:
    """Every record once."""
    for number in (US, UK):
        service.world.script(number, talk_s=5)
        await service.ask(ada, f"call {number}")
        await service.world.run_out()
    who, core = await service.principal(ada), service.world.core
    cursor, ids = "", []
    for _ in range(4):
        page = await core.cdrs(who, 1, cursor, "")
        ids += [cdr.id for cdr in page.items]
        cursor = page.next
    assert cursor == ""
    assert len(set(ids)) == 4


async def test_a_request_is_shown_to_its_user(service: Service, ada: User) -> None:
    """What became of it, with the typed outcome; nobody else's."""
    core = service.world.core
    answer = await service.ask(ada, f"call {US}")
    call = (await service.world.calls())[0]
    view = await core.request(await service.principal(ada), call.request_id)
    assert view is not None
    assert (view.outcome, view.call_id, view.text) == (answer, call.id, f"call {US}")
    bob = await service.world.user(ada.customer_id, "Bob", phones=False)
    assert await core.request(await service.principal(bob), call.request_id) is None
    assert await core.request(await service.principal(ada), "req_x") is None


async def _watch(service: Service, who: Principal, call_id: str, states: list[str]) -> None:
    async for view in service.world.core.call_events(who, call_id):
        if not states or states[-1] != view.state:
            states.append(view.state)


async def test_events_follow_a_call_to_its_end(service: Service, ada: User) -> None:
    """Each change is shown, and the stream ends with the call."""
    service.world.script(US, talk_s=10)
    answer = await service.ask(ada, f"call {US}")
    states: list[str] = []
    who = await service.principal(ada)
    watching = asyncio.create_task(_watch(service, who, call_id(answer), states))
    for _ in range(40):
        await service.world.advance(1)
    await asyncio.wait_for(watching, 5)
    assert states[0] == "LAUNCHING"
    assert states[-1] == "ENDED"
    assert "CONNECTED" in states


async def test_events_end_when_the_server_stops(service: Service, ada: User) -> None:
    """A page that is open does not keep the process from stopping; strangers see nothing."""
    answer = await service.ask(ada, f"call {US}")
    states: list[str] = []
    who = await service.principal(ada)
    watching = asyncio.create_task(_watch(service, who, call_id(answer), states))
    await service.world.settle()
    service.world.core.end_streams()
    await asyncio.wait_for(watching, 5)
    assert states == ["LAUNCHING"]
    eve = await service.world.user(await service.world.customer("Other"), "Eve", phones=False)
    unseen: list[str] = []
    await _watch(service, await service.principal(eve), call_id(answer), unseen)
    assert unseen == []
