"""The reaper: what is over is forgotten in time, money never; what was miscounted is put right."""

import pytest
from sqlalchemy import bindparam, func, select, update

from call_core.engine.reaper import Keep, Reaper
from call_core.storage import record_rows, tables
from call_core.storage.statements import select_statement, write_statement
from call_core.storage.transaction import Tx
from tests.integration.service.conftest import EVERY_STORE
from tests.support.service import Service
from tests.support.world import US, User

pytestmark = pytest.mark.anyio

DAY_S = 86_400
LOSE_COUNT = write_statement(
    update(tables.ports).values(used=bindparam("used")), name="lose_count_of_ports"
)
DIGITS = select_statement(
    select(func.count()).select_from(tables.numbers).where(tables.numbers.c.digits != ""),
    name="digits_kept",
)
TEXTS = select_statement(
    select(func.count())
    .select_from(tables.requests)
    .where(tables.requests.c.text != "", tables.requests.c.user_id != ""),
    name="texts_kept",
)
CALLEES = select_statement(
    select(func.count())
    .select_from(tables.counters)
    .where(tables.counters.c.kind.like("callee:%")),
    name="callees_kept",
)
MONEY = (tables.transfers, tables.cdrs, tables.calls, tables.legs, tables.accounts)


def _reaper(service: Service) -> Reaper:
    world = service.world
    return Reaper(world.store, world.house, world.wall, Keep(), world.call)


def _set_ports(tx: Tx, used: int) -> None:
    tx.write(LOSE_COUNT, used=used)


async def _ports(service: Service) -> int:
    house = service.world.house
    found = await service.world.store.read(
        lambda tx: tx.one(record_rows.PORTS_USED, switch=house.switch, trunk=house.trunk)
    )
    assert found is not None
    return int(found[0])


@EVERY_STORE
async def test_ports_are_counted_again(service: Service, ada: User) -> None:
    """A count that went wrong is what running calls use, a minute later."""
    await service.ask(ada, f"call {US}")
    assert await _ports(service) == 2
    await service.world.store.run(_set_ports, 997)
    assert await _reaper(service).clean() == []
    assert await _ports(service) == 2
    await service.world.run_out()
    assert await _ports(service) == 0


@pytest.mark.usefixtures("ada")
async def test_the_engine_cleans_up_by_itself(service: Service) -> None:
    """Once a minute, without being asked."""
    await service.world.store.run(_set_ports, 997)
    await service.world.advance(30)
    assert await _ports(service) == 997
    await service.world.advance(31)
    assert await _ports(service) == 0


@pytest.mark.parametrize(
    ("days", "claims", "texts", "messages", "digits"),
    [(29, 1, 1, 2, 2), (31, 1, 0, 0, 2), (89, 1, 0, 0, 2), (91, 0, 0, 0, 2), (401, 0, 0, 0, 0)],
)
async def test_everything_is_forgotten_in_its_time_and_money_never(
    service: Service, ada: User, days: int, claims: int, texts: int, messages: int, digits: int
) -> None:
    """Messages and texts after 30 days, claims after 90, digits after 400; bills stay."""
    service.world.script(US, talk_s=10)
    await service.ask(ada, f"call {US}")
    await service.world.run_out()
    before = [await service.count(table) for table in MONEY]
    service.world.wall.jump(days * DAY_S * 1000)
    service.world.call.jump(days * DAY_S * 1000)
    assert await _reaper(service).clean() == []

    mine = select_statement(
        select(func.count()).select_from(tables.requests).where(tables.requests.c.user_id != ""),
        name="claims_kept",
    )
    kept = [
        (await service.rows(mine))[0][0],
        (await service.rows(TEXTS))[0][0],
        await service.count(tables.outbox),
        (await service.rows(DIGITS))[0][0],
    ]
    assert kept == [claims, texts, messages, digits]
    assert [await service.count(table) for table in MONEY] == before
    assert (await service.rows(CALLEES))[0][0] == 0


async def test_what_may_still_be_needed_stays(service: Service, ada: User) -> None:
    """Counters of this hour, refs, and what a stored request repeats."""
    request = service.request(ada, f"call {US}")
    first = await service.world.core.handle(request)
    await _reaper(service).clean()
    assert (await service.rows(CALLEES))[0][0] == 1
    assert await service.world.core.handle(request) == first
    await service.world.run_out()
    assert await service.said(ada, f"why {first.ref}") == "why"


async def test_no_hold_outlives_its_call(service: Service, ada: User) -> None:
    """After every call the books hold nothing, and nothing is reported."""
    for result in ("answer", "busy", "no_answer"):
        service.world.script(US, result=result, talk_s=3)
        await service.ask(ada, f"call {US}", channel="web")
        await service.world.run_out()
    assert await _reaper(service).clean() == []
    assert (await service.world.account(ada.customer_id)).debits_pending == 0
