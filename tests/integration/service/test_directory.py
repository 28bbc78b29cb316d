"""Directory, speed dial, default phone, and the way back for a minute."""

import pytest
from sqlalchemy import select

from call_core.administration import ForgetEntry, SaveEntry
from call_core.outcomes import Phone
from call_core.storage import people_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from tests.support.service import Service, call_id
from tests.support.world import CELL, OFFICE, UK, US, User

pytestmark = pytest.mark.anyio
_DETAILS = select_statement(select(tables.audit.c.detail), name="details_of_audit")


async def _names(service: Service, user: User, prefix: str = "") -> list[str]:
    listed = await service.ask(user, f"dir {prefix}".strip())
    return [str(row.fields["name"]) for row in getattr(listed, "rows", ())]


async def _rung(service: Service, user: User, target: str) -> str:
    """Call a target and return the number that it means."""
    service.world.wall.jump(1_000)
    answer = await service.ask(user, f"call {target}")
    if answer.code == "same_again":
        answer = await service.ask(user, "go")
    assert answer.code == "call_launched", answer
    return (await service.world.calls())[-1].parties[-1].last_leg.number


def _share(tx: Tx, customer_id: str, name: str, number: str) -> None:
    tx.write(
        people_rows.SAVE_ENTRY,
        customer_id=customer_id,
        user_id="",
        folded=name.casefold(),
        name=name,
        number=number,
        extension="",
    )


async def test_a_saved_name_calls_its_number(service: Service, ada: User) -> None:
    """Bare, after `call`, with its extension, and in any case and accent."""
    assert await service.said(ada, f"save José {UK} x12") == "saved"
    assert await _rung(service, ada, "jose") == UK
    assert await _rung(service, ada, "JOSÉ") == UK
    assert (await service.world.calls())[-1].parties[-1].last_leg.post_dial == "12"
    assert await service.said(ada, "josé") == "call_launched"
    assert await _names(service, ada, "jos") == ["José"]


@pytest.mark.parametrize("name", ["4F7", "4f7g2", "12345", "+44", "*7", "2", "---"])
async def test_names_that_mean_something_else_are_refused(
    service: Service, ada: User, name: str
) -> None:
    """What has the shape of a call's ref, or no letter at all, could never be called by name."""
    from call_core.commands import Number, Save  # noqa: PLC0415  (most tests write lines)

    assert await service.said(ada, Save(name, Number(UK))) == "name_reserved"
    assert await _names(service, ada) == []


async def test_saving_again_changes_and_undo_restores(service: Service, ada: User) -> None:
    """The last change is taken back, once."""
    await service.said(ada, f"save bob {UK}")
    await service.said(ada, f"save bob {US}")
    assert await service.said(ada, "undo") == "undone"
    assert await _rung(service, ada, "bob") == UK
    assert await service.said(ada, "undo") == "nothing_to_undo"


@pytest.mark.parametrize(("after_ms", "code"), [(60_000, "undone"), (60_001, "nothing_to_undo")])
async def test_undo_works_for_a_minute(
    service: Service, ada: User, after_ms: int, code: str
) -> None:
    """At sixty seconds it works, one past them it does not."""
    await service.said(ada, f"save bob {UK}")
    service.world.wall.jump(after_ms)
    assert await service.said(ada, "undo") == code
    assert await _names(service, ada) == ([] if code == "undone" else ["bob"])


async def test_forget_and_undo(service: Service, ada: User) -> None:
    """A forgotten entry comes back whole, extension included."""
    await service.said(ada, f"save bob {UK} x12")
    assert await service.said(ada, "forget BOB") == "forgotten"
    assert await service.said(ada, "forget bob") == "no_such_entry"
    assert await service.said(ada, "undo") == "undone"
    await _rung(service, ada, "bob")
    assert (await service.world.calls())[-1].parties[-1].last_leg.post_dial == "12"


async def test_slots(service: Service, ada: User) -> None:
    """A slot keeps what was written on it; undo gives it its former target."""
    assert await service.said(ada, "*7") == "slot_empty"
    await service.said(ada, f"save bob {UK}")
    assert await service.said(ada, "slot 7 bob") == "slot_set"
    assert await service.said(ada, f"slot 7 {US}") == "slot_set"
    assert await _rung(service, ada, "*7") == US
    assert await service.said(ada, "undo") == "undone"
    assert await _rung(service, ada, "*7") == UK
    assert await service.said(ada, "slot 8 nobody") == "name_unknown"


@pytest.mark.parametrize(
    ("slot", "code"), [(1, "slot_set"), (99, "slot_set"), (100, "no_such_slot")]
)
async def test_there_are_ninety_nine_slots(
    service: Service, ada: User, slot: int, code: str
) -> None:
    """From 1 to 99."""
    from call_core.commands import Number, SetSlot  # noqa: PLC0415  (most tests write lines)

    assert await service.said(ada, SetSlot(slot, Number(US))) == code


async def test_the_default_phone(service: Service, ada: User) -> None:
    """`use` changes which phone is rung first; undo changes it back."""
    assert await service.said(ada, "use cell") == "phone_used"
    await _rung(service, ada, US)
    assert (await service.world.calls())[-1].first.last_leg.number == CELL
    assert await service.said(ada, "undo") == "undone"
    await _rung(service, ada, UK)
    assert (await service.world.calls())[-1].first.last_leg.number == OFFICE
    assert await service.said(ada, "use boat") == "phone_not_yours"


async def test_company_entries_are_everybody_s_and_the_administrator_s_to_change(
    service: Service, ada: User
) -> None:
    """Members call them and cannot remove them; their own entry of the name goes first."""
    boss = await service.world.user(ada.customer_id, "Boss", role="administrator", phones=False)
    await service.world.store.run(_share, ada.customer_id, "bob", UK)
    assert await _rung(service, ada, "bob") == UK
    assert await service.said(ada, "forget bob") == "entry_is_shared"
    await service.said(ada, f"save bob {US}")
    assert await _rung(service, ada, "bob") == US
    assert await service.said(boss, "forget bob") == "forgotten"
    assert await service.said(ada, "forget bob") == "forgotten"
    assert await service.said(ada, "quote bob") == "name_unknown"
    assert await service.said(boss, "undo") == "undone"
    assert await _rung(service, ada, "bob") == UK


async def test_an_administrator_writes_the_company_s_entries(service: Service, ada: User) -> None:
    """Every user calls them at once; a member is refused by name; each change is audited."""
    boss = await service.world.user(ada.customer_id, "Boss", role="administrator", phones=False)
    save = SaveEntry(ada.customer_id, "desk", "(212) 555-0147 x12")
    assert await service.said(ada, save) == "not_administrator"
    assert await service.said(ada, ForgetEntry(ada.customer_id, "desk")) == "not_administrator"
    assert await service.said(boss, save, channel="api", scopes=("read", "call")) == "scope_missing"
    outcome = await service.ask(boss, save)
    assert outcome.code == "company_entry_saved"
    assert outcome.fields["number"] == Phone("+12125550147", "12")
    assert await _rung(service, ada, "desk") == "+12125550147"
    other = await service.world.customer("Other")
    assert await service.said(boss, SaveEntry(other, "desk", UK)) == "no_such_customer"
    assert await service.said(boss, ForgetEntry(ada.customer_id, "DESK")) == "company_entry_removed"
    assert await service.said(ada, "quote desk") == "name_unknown"
    audited = await service.audited("admin.SaveEntry") + await service.audited("admin.ForgetEntry")
    assert [row[1] for row in audited] == [boss.id, boss.id]
    assert "2125550147" not in str(await service.rows(_DETAILS))


async def test_directories_are_their_users_own(service: Service, ada: User) -> None:
    """Nobody sees another user's names."""
    bob = await service.world.user(ada.customer_id, "Bob", phones=False)
    await service.said(ada, f"save mom {UK}")
    assert await _names(service, bob) == []
    assert await service.said(bob, "forget mom") == "no_such_entry"


async def test_the_billing_code_of_a_call_is_corrected_and_taken_back(
    service: Service, ada: User
) -> None:
    """A call's code changes on its records by amendment, and undo amends once more."""
    world = service.world
    world.script(US, talk_s=30)
    answer = await service.ask(ada, f"call {US} code OLD-1")
    await world.run_out()
    assert await service.said(ada, f"code {answer.ref} NEW-2") == "billing_code_set"
    assert (await world.only_call()).billing_code == "NEW-2"
    assert await service.said(ada, "undo") == "undone"
    assert (await world.only_call()).billing_code == "OLD-1"
    assert len(await service.audited("call.billing_code")) == 2


async def test_a_running_call_goes_on_when_its_code_is_corrected(
    service: Service, ada: User
) -> None:
    """The driver takes the change up; nothing is fenced and the bill carries the new code."""
    service.world.script(US, talk_s=30)
    answer = await service.ask(ada, f"call {US}")
    await service.world.advance(10)
    assert await service.said(ada, f"code {answer.ref} NEW-2") == "billing_code_set"
    await service.world.run_out()
    assert {cdr.billing_code for cdr in await service.world.cdrs(call_id(answer))} == {"NEW-2"}
