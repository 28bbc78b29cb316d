"""What refusals leave standing, and what a step that fails half way leaves to be done."""

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from call_core.calls.holds import held_and_spent_micros
from call_core.calls.model import Call
from call_core.calls.plan import next_attempt
from call_core.contracts import EventKind, SwitchEvent
from call_core.customers.limits import DEFAULT_LIMITS
from call_core.engine import driver
from call_core.errors import Fenced, StoreUnavailable
from call_core.ledger.accounts import available
from call_core.outcomes import Money
from call_core.storage import ledger_rows
from call_core.storage.ledger_rows import Entry
from call_core.storage.transaction import Tx
from call_core.units import amendments, changes, refs
from call_core.units.advance import advance_call, hold_for_new_legs
from call_core.units.house import House, Stamp
from tests.support.service import Service
from tests.support.world import UK, US, User

pytestmark = pytest.mark.anyio
STALE_MS = 600_001


async def _stale(service: Service, user: User) -> str:
    sent = service.world.wall.now_ms() - STALE_MS
    return await service.said(user, f"call {UK}", sent_wall_ms=sent)


async def test_a_go_that_was_refused_for_now_may_be_said_again(service: Service) -> None:
    """The balance was too small; once it is not, the same question is still open, and once."""
    ada = await service.world.user(await service.world.customer(micros=0))
    assert await _stale(service, ada) == "stale"
    assert await service.said(ada, "go") == "balance_too_small"
    await service.world.top_up(ada.customer_id, 50_000_000)
    assert await service.said(ada, "go") == "call_launched"
    assert await service.said(ada, "go") == "nothing_to_confirm"


async def test_a_question_without_a_free_ref_is_refused(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be asked is an answer too, and no crash."""
    monkeypatch.setattr(refs, "_TRIES", ())
    assert await _stale(service, ada) == "no_ref_left"


@pytest.mark.parametrize(
    ("asked", "gained", "longest_s"),
    [
        ("", 0, DEFAULT_LIMITS.first_calls_minutes * 60),
        (" max 20 min", DEFAULT_LIMITS.first_calls_minutes - 20, 1800),
        (" max 5 min", 15, 1200),
    ],
)
async def test_a_new_customers_call_is_extended_to_its_limit_only(
    service: Service, asked: str, gained: int, longest_s: int
) -> None:
    """What the service shortened stays so; a shorter wish grows up to the limit."""
    ada = await service.world.user(await service.world.customer(new=True))
    launched = await service.ask(ada, f"call {UK}{asked}")
    await service.world.advance(10)
    extended = await service.ask(ada, f"extend 15 {launched.ref}")
    assert (extended.code, extended.fields["minutes"]) == ("extended", gained)
    assert (await service.world.only_call()).max_seconds == longest_s


async def test_an_administrator_ends_neither_of_two_calls_with_one_ref(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ref is its user's own: where it names two calls, nobody's is hung up."""
    bob = await service.world.user(ada.customer_id, "Bob")
    boss = await service.world.user(ada.customer_id, "Boss", role="administrator", phones=False)
    monkeypatch.setattr(Stamp, "new_ref", lambda _, pairs: "7Q7" if pairs else "")
    for user in (ada, bob):
        assert (await service.ask(user, f"call {UK}")).ref == "7Q7"
    assert await service.said(boss, "hangup 7Q7") == "no_such_call"
    assert await service.said(bob, "hangup 7Q7") == "hung_up"


def _spend(tx: Tx, call: Call, left_micros: int, stamp: Stamp) -> None:
    """Take what the customer has, but for a rest."""
    account = ledger_rows.lock_account(tx, call.customer_id)
    assert account is not None
    takes = available(account) - left_micros
    entry = ledger_rows.adjustment(call, call.parties[1].last_leg, takes, "spent", stamp.call_ms)
    ledger_rows.post_entries(tx, [Entry(entry)], stamp.wall_ms)


def _amend(tx: Tx, house: House, call: Call, stamp: Stamp) -> Call:
    """Let the second leg turn out to have lasted six seconds more."""
    leg = call.parties[1].last_leg
    assert leg.ended_call_ms is not None
    longer = replace(leg, ended_call_ms=leg.ended_call_ms + 6_000)
    new = amendments.amend(tx, house, call, call.with_leg(longer), longer, stamp)
    return changes.commit_change(tx, house, call, new, stamp)


@pytest.mark.parametrize("left", [50_000_000, 100, 0])
async def test_an_amendment_takes_no_more_than_there_is_and_is_told(
    service: Service, ada: User, left: int
) -> None:
    """The rest is the operator's, and `why` adds up to what was paid."""
    world = service.world
    launched = await service.ask(ada, f"call {US}")
    await world.run_out()
    call = await world.only_call()
    await world.store.run(_spend, call, left, world.engine.driver.stamp())
    house, stamp = world.house, world.engine.driver.stamp()
    amended = await world.store.run(_amend, house, call, stamp)

    paid = left - await world.balance(ada.customer_id)
    rest = sum(
        each.amount_micros for each in await world.transfers(call.id) if each.code == "overrun"
    )
    assert paid + rest > 0
    assert paid == min(left, paid + rest)
    charged = sum(leg.charge_micros for leg in amended.legs())
    assert charged == sum(leg.charge_micros for leg in call.legs()) + paid
    why = await service.ask(ada, f"why {launched.ref}", channel="web")
    assert why.fields["total"] == Money(charged, "USD")


async def test_events_of_a_unit_that_breaks_are_not_lost(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in one unit is logged and tried again; the call is billed as if it had not been."""
    real = advance_call
    broken: list[object] = []

    def breaks_twice(*arguments: Any) -> object:  # noqa: ANN401  (whatever the driver gives)
        if len(broken) < 2:
            broken.append(arguments)
            raise RuntimeError
        return real(*arguments)

    await service.ask(ada, f"call {US}")
    with capture_logs() as logs:
        monkeypatch.setattr(driver, "advance_call", breaks_twice)
        await service.world.advance(20)
    assert [entry["event"] for entry in logs].count("driver.task_failed") == len(broken) == 2
    await service.world.run_out()
    assert [
        leg.duration_s for leg in await service.world.cdrs((await service.world.only_call()).id)
    ]


async def test_late_news_wait_for_a_database_that_is_away(
    service: Service, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An event of a finished call is tried again after a failure, and stored once."""
    real = advance_call
    tries: list[object] = []

    def away_twice(*arguments: Any) -> object:  # noqa: ANN401  (whatever the driver gives)
        tries.append(arguments)
        if len(tries) <= 2:
            raise StoreUnavailable if len(tries) == 1 else Fenced
        return real(*arguments)

    await service.ask(ada, f"call {US}")
    await service.world.run_out()
    call = await service.world.only_call()
    leg = call.parties[1].last_leg
    monkeypatch.setattr(driver, "advance_call", away_twice)
    monkeypatch.setattr(driver, "_RETRY_S", 0)
    event = SwitchEvent("late", EventKind.ENDED, leg.id, call.id, leg.ended_call_ms or 0)
    service.world.engine.driver.feed(event)
    await service.world.settle()
    assert len(tries) == 3


class _RolledBack(Exception):
    """Carries what a unit would have done out of a transaction that is not kept."""

    def __init__(self, call: Call) -> None:
        super().__init__()
        self.call = call


def _one_more_leg(tx: Tx, house: House, call: Call, stamp: Stamp) -> None:
    leg = replace(next_attempt(call.first.last_leg), originated_call_ms=stamp.call_ms)
    raise _RolledBack(hold_for_new_legs(tx, house, call, call.with_leg(leg), stamp))


@pytest.mark.parametrize(("left", "dialled"), [(None, True), (1_000_000, True), (0, False)])
async def test_a_leg_that_the_machine_adds_stays_within_the_cap(
    service: Service, ada: User, left: int | None, *, dialled: bool
) -> None:
    """The chair is rung again only if the cap still covers the first minute."""
    await service.ask(ada, f"call {US}")
    await service.world.advance(10)
    call = await service.world.only_call()
    cap = None if left is None else held_and_spent_micros(call) + left
    stamp = service.world.engine.driver.stamp()
    with pytest.raises(_RolledBack) as found:
        await service.world.store.run(
            _one_more_leg, service.world.house, replace(call, cap_micros=cap), stamp
        )
    assert found.value.call.first.last_leg.attempt == 2
    assert found.value.call.first.last_leg.ended is not dialled
