"""Administration: every command of the operator, what it leaves behind, and what it stops."""

import pytest
from sqlalchemy import select

from call_core.administration import (
    ActivateDeck,
    AddBillingCode,
    AddCustomer,
    AddPhone,
    AddSender,
    AddToken,
    AddUser,
    Administration,
    DisableUser,
    ForgetEntry,
    Freeze,
    HangUpCall,
    RevokeToken,
    SaveEntry,
    SetPassword,
    TopUp,
    Unfreeze,
)
from call_core.calls.model import CallState
from call_core.outcomes import Money
from call_core.storage import tables
from call_core.storage.audit_chain import broken_links
from call_core.storage.restored import RESTORED_FACT, release_restored
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import access
from call_core.units.house import Stamp
from tests.integration.service.conftest import EVERY_STORE
from tests.support.databases import PUT
from tests.support.service import AUDIT, Service, call_id
from tests.support.world import TARIFF, UK, US, User

pytestmark = pytest.mark.anyio

_DETAILS = select_statement(select(tables.audit.c.detail), name="audit_details")


async def _operate(service: Service, command: Administration) -> str:
    return await service.said(None, command, channel="cli")


OPERATED: dict[str, tuple[Administration, str, str]] = {
    "AddCustomer": (AddCustomer("New", "USD", "prepaid"), "customer_added", "customer_id"),
    "AddUser": (AddUser("Acme", "Bob"), "user_added", "user_id"),
    "AddPhone": (AddPhone("Ada", "boat", "+12125550103", trusted=True), "phone_added", "phone_id"),
    "AddSender": (AddSender("Ada", "smtp", "ada@example.org"), "sender_added", "sender_id"),
    "AddBillingCode": (AddBillingCode("Acme", "X-1"), "billing_code_added", "customer_id"),
    "SaveEntry": (SaveEntry("Acme", "desk", "+442079460018"), "company_entry_saved", "name"),
    "TopUp": (TopUp("Acme", 1_000_000), "topped_up", "customer_id"),
    "ActivateDeck": (ActivateDeck(TARIFF, 1), "deck_activated", "tariff"),
    "Freeze": (Freeze("prefix", "+882"), "frozen", "target"),
    "Unfreeze": (Unfreeze("all", ""), "unfrozen", "target"),
    "SetPassword": (SetPassword("Ada", "hash"), "password_set", "user_id"),
    "AddToken": (AddToken("Ada", "0" * 64, "mine"), "token_added", "token_id"),
    "DisableUser": (DisableUser("Ada"), "user_disabled", "user_id"),
}  # fmt: skip


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(("command", "code", "field"), OPERATED.values(), ids=OPERATED)
async def test_every_command_answers_with_what_it_made_and_is_audited(
    service: Service, command: Administration, code: str, field: str
) -> None:
    """The answer names the id; the audit names the operator; a repeat repeats the answer."""
    request = service.request(None, command, channel="cli")
    outcome = await service.world.core.handle(request)
    assert (outcome.kind, outcome.code) == ("done", code)
    assert outcome.fields[field]
    assert await service.world.core.handle(request) == outcome
    audited = await service.audited(f"admin.{type(command).__name__}")
    assert audited[-1][1] == "operator"
    assert await service.world.store.read(broken_links) == []


REFUSED: dict[str, Administration] = {
    "unknown_currency": AddCustomer("New", "ZZZ", "prepaid"),
    "unknown_plan": AddCustomer("New", "USD", "free"),
    "unknown_region": AddCustomer("New", "USD", "prepaid", regions=("XX",)),
    "unknown_tariff": AddCustomer("New", "USD", "prepaid", tariff="none"),
    "name_taken": AddCustomer("Acme", "USD", "prepaid"),
    "no_such_customer": AddUser("Nobody", "Bob"),
    "unknown_role": AddUser("Acme", "Bob", role="king"),
    "unknown_zone": AddUser("Acme", "Bob", timezone="Mars/Olympus"),
    "no_such_user": AddPhone("Nobody", "boat", "+12125550103"),
    "too_short": AddPhone("Ada", "boat", "+1212"),
    "unknown_channel": AddSender("Ada", "pigeon", "ada@example.org"),
    "address_taken": AddSender("Ada", "smtp", "ada@example.com"),
    "not_an_amount": TopUp("Acme", 0),
    "name_reserved": SaveEntry("Acme", "4F7", "+442079460018"),
    "name_too_long": SaveEntry("Acme", "x" * 65, "+442079460018"),
    "emergency": SaveEntry("Acme", "help", "911"),
    "unknown_country_code": SaveEntry("Acme", "desk", "0207 946 0018"),
    "no_such_entry": ForgetEntry("Acme", "desk"),
    "no_such_token": RevokeToken("tok_1"),
    "not_a_prefix": Freeze("prefix", "ghana"),
    "unknown_freeze": Freeze("ocean", "all"),
    "no_such_call": HangUpCall("4F7"),
}


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(("code", "command"), REFUSED.items(), ids=REFUSED)
async def test_what_cannot_be_done_says_why(
    service: Service, code: str, command: Administration
) -> None:
    """Each mistake has its own code, and nothing is changed."""
    before = len(await service.rows(AUDIT))
    assert await _operate(service, command) == code
    assert len(await service.rows(AUDIT)) == before


async def test_the_address_of_a_disabled_user_is_taken_too(service: Service, ada: User) -> None:
    """It is refused by name, not by a failure."""
    await _operate(service, AddUser("Acme", "Bob"))
    await _operate(service, DisableUser("Ada"))
    assert await _operate(service, AddSender("Bob", "smtp", ada.address)) == "address_taken"


@pytest.mark.usefixtures("ada")
async def test_a_top_up_says_what_is_available(service: Service) -> None:
    """The amount and the new balance, in the customer's currency."""
    poor = await service.world.customer("Poor", micros=0)
    outcome = await service.ask(None, TopUp(poor, 7_000_000), channel="cli")
    assert outcome.fields["available"] == Money(7_000_000, "USD")


FREEZES = {
    "customer": (Freeze("customer", "Acme"), "customer_frozen"),
    "user": (Freeze("user", "Ada"), "user_frozen"),
    "prefix": (Freeze("prefix", "+1312"), "prefix_frozen"),
    "all": (Freeze("all", ""), "service_frozen"),
}


@pytest.mark.parametrize(("freeze", "code"), FREEZES.values(), ids=FREEZES)
@pytest.mark.parametrize("live", [False, True], ids=["", "live"])
async def test_a_freeze_stops_launches_and_with_live_running_calls(
    service: Service, ada: User, freeze: Freeze, code: str, *, live: bool
) -> None:
    """New calls are refused by name; running ones end with a receipt only when asked to."""
    world = service.world
    for number in (US, "+12125550101"):
        world.script(number, talk_s=0)
    await service.ask(ada, f"call {US}")
    await world.advance(20)
    await world.administer(Freeze(freeze.kind, freeze.target, live))
    await world.advance(1)

    assert len(await service.legs_up()) == (0 if live else 2)
    assert [notice.code for notice in await service.told()] == ["receipt_stopped"] * live
    assert await service.said(ada, f"call {US}", channel="web") == code
    await world.administer(Unfreeze(freeze.kind, freeze.target))
    assert await service.said(ada, f"call {US}", channel="web") == "call_launched"


async def test_a_freeze_spares_everybody_else(service: Service, ada: User) -> None:
    """Another customer, another prefix: untouched, and running calls of theirs go on."""
    eve = await service.world.user(await service.world.customer("Other"), "Eve")
    await service.ask(eve, f"call {US}")
    await service.world.administer(Freeze("customer", "Acme", live=True))
    await service.world.administer(Freeze("prefix", "+49", live=True))
    assert len(await service.legs_up()) == 1
    assert await service.said(eve, f"call {UK}") == "call_launched"
    assert await service.said(ada, f"call {UK}") == "customer_frozen"


@EVERY_STORE
async def test_disabling_a_user_ends_everything_of_theirs(service: Service, ada: User) -> None:
    """Calls end with a notice, nothing scheduled rings, sessions and tokens work no more."""
    world, core = service.world, service.world.core
    now = world.wall.now_ms()
    await world.store.run(access.open_session, ada.id, "", access.hash_of("s"), _stamp(service))
    secret = await core.create_token(await service.principal(ada), "mine", ("read",), now)
    await service.ask(ada, f"call {UK} in 10")
    await service.ask(ada, f"call {US}")
    await world.advance(8)
    await world.administer(DisableUser(ada.id))
    await world.advance(1)

    assert not await service.legs_up()
    told = [notice.code for notice in await service.told()]
    assert told == ["token_on_file", "receipt_stopped"]
    assert await core.principal_of_session("s", now) is None
    assert await core.principal_of_token(secret, now) is None
    await world.advance(600)
    assert not await service.legs_up()
    assert [notice.code for notice in await service.told()][2:] == ["schedule_refused"]


def _stamp(service: Service) -> Stamp:
    return service.world.engine.driver.stamp()


async def test_the_operator_hangs_up_any_call(service: Service, ada: User) -> None:
    """By id or by ref, running or scheduled."""
    running = await service.ask(ada, f"call {US}")
    scheduled = await service.ask(ada, f"call {UK} in 10")
    assert await _operate(service, HangUpCall(running.ref.lower())) == "hung_up"
    assert await _operate(service, HangUpCall(call_id(scheduled))) == "hung_up"
    await service.world.advance(2)
    assert not await service.legs_up()
    states = {call.state for call in await service.world.calls()}
    assert states == {CallState.ENDED}


async def test_a_phone_number_stays_out_of_the_audit(service: Service, ada: User) -> None:
    """Neither a phone nor an address that may be one is written there in full."""
    await _operate(service, AddPhone(ada.id, "boat", "+12125550177"))
    await _operate(service, AddSender(ada.id, "sms", "+12125550177"))
    rows = await service.rows(_DETAILS)
    assert rows
    assert not [row for row in rows if "5550177" in row[0]]


class TestRestored:
    """A database out of a backup rings nobody for what came before."""

    @staticmethod
    def _mark(tx: Tx, now_wall_ms: int) -> None:
        tx.write(PUT, key=RESTORED_FACT, value=str(now_wall_ms))

    async def _restored(self, service: Service) -> None:
        world = service.world
        await world.settle()
        await world.store.run(self._mark, world.wall.now_ms())
        await service.restart()

    @pytest.mark.parametrize(
        ("age_ms", "code"), [(1, "frozen_after_restore"), (0, "call_launched")]
    )
    async def test_what_was_sent_before_is_not_launched(
        self, service: Service, ada: User, age_ms: int, code: str
    ) -> None:
        """It may have been launched in the hours that were lost; what is sent now rings."""
        await self._restored(service)
        now = service.world.wall.now_ms()
        assert await service.said(ada, f"call {US}", sent_wall_ms=now - age_ms) == code
        assert await service.said(ada, f"call {US} code A") == "call_launched"

    async def test_other_things_work(self, service: Service, ada: User) -> None:
        """Only ringing is dangerous twice."""
        await self._restored(service)
        late = service.world.wall.now_ms() - 1
        assert await service.said(ada, "balance", sent_wall_ms=late) == "balance"
        assert await service.said(ada, f"save bob {US}", sent_wall_ms=late) == "saved"

    async def test_schedules_wait_until_somebody_releases_them(
        self, service: Service, ada: User
    ) -> None:
        """Due entries are listed and not fired; after the release they go on as ever."""
        world = service.world
        await service.ask(ada, f"call {US} in 10")
        await service.ask(ada, f"call {UK} in 30")
        await self._restored(service)
        await world.advance(15 * 60)
        assert not await service.legs_up()
        assert len(getattr(await service.ask(ada, "next"), "rows", ())) == 2
        await world.store.run(release_restored)
        await world.engine.reread()
        await world.advance(1)
        assert len(await service.legs_up()) == 1
        await world.advance(15 * 60)
        assert len(await service.audited("call.launched")) == 2

    async def test_calls_that_waited_in_the_backup_are_not_rung(
        self, service: Service, ada: User
    ) -> None:
        """A launch that the backup caught half way ends with a notice."""
        world = service.world
        world.sim.disconnect()
        await service.ask(ada, f"call {US}")
        world.wall.jump(10)
        await world.store.run(self._mark, world.wall.now_ms())
        await world.kill()
        world.sim.reconnect()
        await world.start()
        assert not await service.legs_up()
        assert [notice.code for notice in await service.told()] == ["expired"]
