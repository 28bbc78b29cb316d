"""Units lock rows in one order, so that on PostgreSQL none wait for each other in a ring."""

import asyncio
from typing import Any

import pytest

from call_core.administration import HangUpCall, TopUp
from call_core.storage.sqlite import SqliteTx
from call_core.storage.statements import Statement
from tests.bench.limits import OPEN_LIMITS
from tests.integration.service.conftest import MakeService
from tests.support.service import Service, call_id
from tests.support.world import UK, US, User

pytestmark = pytest.mark.anyio
ROUNDS = 2
AT_ONCE = 4
WAIT_S = 121
PORTS = {"take_ports", "free_ports"}
OF_A_CUSTOMER = {"lock_call", "claim_call", "update_call", "count"}


async def _everything(service: Service, ada: User, rounds: int) -> None:
    """Launch now and later, add, hang up, settle and top up, of one customer, side by side."""
    world = service.world
    world.script(UK, ring_s=1, talk_s=5)
    world.script(US, ring_s=1, talk_s=5)
    for _ in range(rounds):
        world.wall.jump(120_000)
        launched = [
            await service.ask(ada, f"conf {UK}, {US} max {5 + n} min", channel="web")
            for n in range(AT_ONCE)
        ]
        live = [each for each in launched if each.kind == "launched"]
        assert live, launched
        asked = [
            *(
                service.request(ada, f"add +12125550{140 + n} {each.ref}", channel="web")
                for n, each in enumerate(live)
            ),
            *(
                service.request(None, TopUp(ada.customer_id, 1_000 + n), channel="cli")
                for n in range(AT_ONCE)
            ),
            *(
                service.request(None, HangUpCall(call_id(each)), channel="cli")
                for each in live[::2]
            ),
            *(service.request(ada, f"hangup {each.ref}", channel="web") for each in live[1::2]),
            service.request(ada, f"call {US} max 9 min", channel="web"),
            service.request(ada, f"call {US} in 2", channel="web"),
        ]
        await asyncio.gather(*(world.core.handle(each) for each in asked))
        await world.advance(WAIT_S)
        await world.run_out()


class Locks:
    """What each unit locked, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.units: dict[int, list[str]] = {}
        self._kept: list[SqliteTx] = []
        for name in ("all", "run", "write", "run_many"):
            monkeypatch.setattr(SqliteTx, name, self._noting(getattr(SqliteTx, name)))

    def _noting(self, usual: Any) -> Any:  # noqa: ANN401  (any of four methods)
        def method(
            tx: SqliteTx,
            statement: Statement[Any],
            *rows: Any,  # noqa: ANN401  (theirs)
            **values: Any,  # noqa: ANN401  (theirs)
        ) -> Any:  # noqa: ANN401  (theirs)
            name = statement.name
            if name == "find_account":
                name = str(values["id"]).partition(":")[0]
            if id(tx) not in self.units:
                self._kept.append(tx)  # so that no other gets its id
            self.units.setdefault(id(tx), []).append(name)
            return usual(tx, statement, *rows, **values)

        return method


def broken_rules(names: list[str]) -> list[str]:
    """Return what is wrong with the order of one unit's locks."""
    first = {name: names.index(name) for name in dict.fromkeys(names)}
    customer = first.get("customer")
    ports = [at for at, name in enumerate(names) if name in PORTS]
    house = [at for at, name in enumerate(names) if name == "operator"]
    wrong = []
    if ports or house:
        behind = [at for at, name in enumerate(names) if name in PORTS | {"operator"}]
        own = [at for at, name in enumerate(names) if name in OF_A_CUSTOMER]
        if customer is None or customer > min([*behind, *own]):
            wrong.append("something was locked before the customer's account")
    if ports and house and max(ports) > min(house):
        wrong.append("ports were locked behind an account of the house")
    return wrong


async def test_every_unit_locks_in_the_order_that_is_written_down(
    make_service: MakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer's account, behind which its calls are safe; then ports; then the house's."""
    service = await make_service(limits=OPEN_LIMITS)
    ada = await service.world.user(await service.world.customer())
    locks = Locks(monkeypatch)
    await _everything(service, ada, 1)
    seen = [names for names in locks.units.values() if "operator" in names or PORTS & set(names)]
    assert len(seen) > AT_ONCE
    assert [names for names in seen if "claim_call" in names]
    assert [(names, wrong) for names in seen if (wrong := broken_rules(names))] == []


class TestOnPostgres:
    """Where units run side by side."""

    @pytest.fixture
    def store_kind(self) -> str:
        """On that store only."""
        return "postgres"

    @pytest.mark.postgres
    async def test_nothing_has_to_be_repeated(self, make_service: MakeService) -> None:
        """A ring would be broken by the server, and the unit run again."""
        service = await make_service(limits=OPEN_LIMITS)
        ada = await service.world.user(await service.world.customer())
        repeated = service.world.store.statistics().repeated
        await _everything(service, ada, ROUNDS)
        assert service.world.store.statistics().repeated == repeated
