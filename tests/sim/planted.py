"""Bugs put in on purpose: `python -m tests.sim.planted` shows that the world finds each of them.

Every row patches the core for the time of one run, as a careless change would, and runs seeds until
an invariant breaks. `KNOWN` has the first seed that finds it; a test runs those.
"""

import argparse
import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

from sqlalchemy import bindparam, literal_column, or_, select, update

from call_core.calls import facts, holds, machine
from call_core.calls.facts import Merge, Merged
from call_core.calls.model import Call, Leg, LegState
from call_core.contracts import EventKind, SwitchEvent
from call_core.engine import driver, inbox, live_call, reaper, reconcile
from call_core.ledger.transfers import Transfer, TransferCode, TransferKind, void_of
from call_core.requests import Request
from call_core.storage import (
    call_rows,
    inbox_rows,
    ledger_rows,
    outbox_rows,
    request_rows,
    runner_inline,
    tables,
)
from call_core.storage.inbox_rows import InboxRow
from call_core.storage.ledger_rows import Entry
from call_core.storage.statements import select_statement, write_statement
from call_core.storage.transaction import Tx
from call_core.storage.waiting import Work, settle
from call_core.units import ports
from tests.sim.run import Result, run_seed

STEPS = 200
PATIENCE_S = 60

Patch = Callable[[], contextlib.AbstractContextManager[Any]]


def _instead(owner: Any, name: str, made: Callable[[Any], Any]) -> Patch:  # noqa: ANN401  (whatever it is given)
    """Return a patch that puts `made(original)` in the place of `owner.name`."""
    return lambda: mock.patch.object(owner, name, made(getattr(owner, name)))


def _missing_claim(claim: Callable[..., bool]) -> Callable[..., bool]:
    """Every request is a new one, whatever its id."""

    def always(tx: Tx, request: Request, request_id: str, *rest: str) -> bool:
        fresh = replace(request, external_id=f"{request.external_id}#{request_id}")
        return claim(tx, fresh, request_id, *rest)

    return always


def _double_post(entries: Callable[..., Any]) -> Callable[..., Any]:
    """A settlement charges once for the hold and once more."""

    def twice(*arguments: Any) -> Iterator[Entry]:  # noqa: ANN401  (whatever it is given)
        for entry in entries(*arguments):
            yield entry
            transfer = entry.transfer
            if transfer.kind is TransferKind.POST:
                yield Entry(
                    replace(
                        transfer,
                        id=f"{transfer.id}:more",
                        kind=TransferKind.SINGLE,
                        pending_id="",
                        amount_micros=1,
                    )
                )

    return twice


def _lost_release(entries: Callable[..., list[Entry]]) -> Callable[..., list[Entry]]:
    """A larger hold does not release the smaller one."""

    def kept(*arguments: Any) -> list[Entry]:  # noqa: ANN401  (whatever it is given)
        made = entries(*arguments)
        return [entry for entry in made if entry.transfer.kind is not TransferKind.VOID]

    return kept


def _revives(merge: Callable[[Leg, SwitchEvent], Merged]) -> Callable[..., Merged]:
    """A late event takes the end of a leg back."""

    def alive(leg: Leg, event: SwitchEvent) -> Merged:
        if leg.state is LegState.ENDED and not leg.settled and event.kind is not EventKind.ENDED:
            return Merged(replace(leg, ended_call_ms=None), Merge.MERGED)
        return merge(leg, event)

    return alive


def _no_fence(_: object) -> object:
    """The version is left out of the WHERE: whoever comes last wins."""
    calls = tables.calls
    names = call_rows._changing(calls, call_rows._CALL_FIXED)  # noqa: SLF001  (its inside is what is looked at)
    return write_statement(
        update(calls)
        .where(
            calls.c.id == bindparam("key_id"),
            or_(calls.c.version == bindparam("key_version"), calls.c.version > 0),
        )
        .values({name: bindparam(name) for name in names}),
        name="update_call",
    )


def _early_acknowledgement(_: object) -> Callable[..., None]:
    """Callers are told before the commit; later one commit in twenty fails."""
    count = [0]

    def commit(self: Any, work: Work, *, whole: bool) -> None:  # noqa: ANN401  (whatever it is given)
        del whole
        settle([work])
        count[0] += 1
        if work.error is None and (count[0] < 300 or count[0] % 20):
            self._session.commit(1)

    return commit


def _early_originate(step: Callable[..., Any]) -> Callable[..., Any]:
    """The switch is asked for what the unit is about to decide."""

    async def before(self: Any, live: Any) -> bool:  # noqa: ANN401  (whatever it is given)
        rules = self._house.rules
        now = self._clock.now_ms()
        ahead = machine.advance(live.call, live.events, now, rules).call
        for leg in machine.advance(ahead, (), now, rules).call.legs():
            before_it = live.call.leg(leg.id)
            planned = before_it is not None and before_it.originated_call_ms is None
            if planned and leg.originated_call_ms is not None:
                switch = self._switches.of(ahead.switch)
                await switch.originate(live_call.order_of(ahead, leg, self._house, now))
        done: bool = await step(self, live)
        return done

    return before


_OLD_HOLDS = select_statement(
    "SELECT id, debit_account, credit_account, amount_micros, currency, leg_id, call_id"
    " FROM transfers AS held WHERE kind = 'pending' AND at_wall_ms < :before AND NOT EXISTS"
    " (SELECT 1 FROM transfers AS over WHERE over.pending_id = held.id)",
    name="old_holds",
)


def _void_by_age(forget: Callable[..., None]) -> Callable[..., None]:
    """The reaper voids holds that are two minutes old."""

    def voids(tx: Tx, keep: Any, now_wall_ms: int) -> None:  # noqa: ANN401  (whatever it is given)
        forget(tx, keep, now_wall_ms)
        for row in tx.all(_OLD_HOLDS, before=now_wall_ms - 120_000):
            identifier, debit, credit, amount, currency, leg_id, call_id = row
            held = Transfer(
                identifier,
                debit,
                credit,
                amount,
                currency,
                TransferKind.PENDING,
                TransferCode.CALL,
                now_wall_ms,
                "",
                call_id,
                leg_id,
            )
            void = void_of(held, f"{identifier}:void", now_wall_ms)
            ledger_rows.post_entries(tx, [Entry(void, held)], now_wall_ms)

    return voids


def _our_clock(ended: Callable[[Leg, SwitchEvent], Leg]) -> Callable[..., Leg]:
    """A leg ended when we heard of it, here three seconds later, not when the switch says."""
    return lambda leg, event: ended(leg, replace(event, at_call_ms=event.at_call_ms + 3_000))


def _no_limit(wishes: Callable[[Call], Any]) -> Callable[..., Any]:
    """The switch's own limit is armed once and never again after an extension."""

    def stale(call: Call) -> Any:  # noqa: ANN401  (whatever it is given)
        return [
            replace(wish, limit_until_call_ms=wish.limit_until_call_ms and (1 << 60))
            for wish in wishes(call)
        ]

    return stale


def _no_order(_: object) -> object:
    """The head of a conversation does not hold up what follows."""
    out = tables.outbox
    columns = [out.c[name] for name in outbox_rows.OutboxRow._fields]
    return select_statement(
        select(*columns)
        .where(
            out.c.state == literal_column("'waiting'"),
            out.c.channel == bindparam("channel"),
            out.c.due_wall_ms <= bindparam("now"),
            outbox_rows._OURS,  # noqa: SLF001  (all of it but what holds back)
        )
        .order_by(out.c.due_wall_ms, out.c.seq)
        .limit(bindparam("most")),
        row=outbox_rows.OutboxRow._make,
        name="due_outbox",
    )


def _no_orphans(_: object) -> Callable[..., Any]:
    """Reconcile hangs up no leg that nobody wants."""

    async def nothing(*_: object) -> None:
        pass

    return nothing


def _forget_first(do: Callable[..., Any]) -> Callable[..., Any]:
    """A kept request is forgotten in a transaction of its own, before it is done."""

    def forget(tx: Tx, rows: Sequence[InboxRow]) -> None:
        for row in rows:
            tx.write(inbox_rows.FORGET, key_seq=row.seq)

    async def forget_and_do(self: inbox.Inbox, rows: list[InboxRow]) -> None:
        await self._store.run(forget, rows)
        await do(self, rows)

    return forget_and_do


def _bridged_too_late(_: object) -> Callable[..., Any]:
    """A leg counts as bridged once the switch has answered, whatever it said meanwhile."""

    async def bridge(self: Any, switch: Any, live: Any, wishes: Any) -> None:  # noqa: ANN401  (whatever it is given)
        del self
        fresh = [
            wish.leg.id for wish in wishes if wish.bridged and not live.asked[wish.leg.id].bridged
        ]
        if fresh:
            await switch.bridge(live.call.id, fresh)
        for leg_id in fresh:
            live.asked[leg_id].bridged = True

    return bridge


def _ended_is_patched(made: Callable[[Any], Any]) -> Patch:
    original = facts._FACTS[EventKind.ENDED]  # noqa: SLF001  (its inside is what is looked at)
    return lambda: mock.patch.dict(facts._FACTS, {EventKind.ENDED: made(original)})  # noqa: SLF001  (its inside is what is looked at)


PLANTED: dict[str, Patch] = {
    "a missing claim": _instead(request_rows, "claim", _missing_claim),
    "a double post": _instead(ledger_rows, "settlement_entries", _double_post),
    "a lost release of a hold": _instead(ledger_rows, "hold_entries", _lost_release),
    "a late event revives a leg": _instead(machine, "merge", _revives),
    "the fence left out of an UPDATE": _instead(call_rows, "UPDATE_CALL", _no_fence),
    "acknowledged before durable": _instead(
        runner_inline.InlineBackend, "_commit", _early_acknowledgement
    ),
    "originate before commit": _instead(driver.Driver, "_step", _early_originate),
    "the reaper voids by age": _instead(reaper, "forget", _void_by_age),
    "an extension forgets the cap": _instead(holds, "cap_left_micros", lambda _: lambda _: None),
    "settled by our clock": _ended_is_patched(_our_clock),
    "ports never freed": _instead(ports, "free_of_change", lambda _: lambda *_: None),
    "the switch's limit never armed": _instead(live_call, "wanted", _no_limit),
    "the outbox head does not block": _instead(outbox_rows, "DUE", _no_order),
    "a kept request is forgotten first": _instead(inbox.Inbox, "_do", _forget_first),
    "reconcile leaves orphans up": _instead(reconcile.Reconciler, "_hang_up_orphans", _no_orphans),
    "a refused bridge is not seen": _instead(live_call.Actuator, "_bridge", _bridged_too_late),
}

KNOWN: dict[str, int] = {
    "a missing claim": 1,
    "a double post": 1,
    "a lost release of a hold": 1,
    "a late event revives a leg": 36,
    "the fence left out of an UPDATE": 1,
    "acknowledged before durable": 1,
    "originate before commit": 1,
    "the reaper voids by age": 8,
    "an extension forgets the cap": 2,
    "settled by our clock": 1,
    "ports never freed": 1,
    "the switch's limit never armed": 6,
    "the outbox head does not block": 1,
    "a kept request is forgotten first": 1,
    "reconcile leaves orphans up": 29,
    "a refused bridge is not seen": 2,
}
"""The first seed that finds it."""


def find(name: str, seeds: Sequence[int] | None = None) -> tuple[Result | None, float]:
    """Run seeds with a bug in place until one breaks; return that run and the seconds it took."""
    begun = time.monotonic()
    for seed in seeds or range(1, 10_000):
        with PLANTED[name]():
            result = run_seed(seed, STEPS)
        spent = time.monotonic() - begun
        if result.broken is not None:
            return result, spent
        if spent > PATIENCE_S:
            break
    return None, time.monotonic() - begun


def main() -> int:
    """Look for every bug; the exit status is 1 when one was not found."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim.planted", description=__doc__)
    parser.add_argument("--first-seed", type=int, default=1)
    first = parser.parse_args().first_seed
    missed = 0
    print("| Bug | Seed | Steps | Seconds | Invariant |\n| --- | --- | --- | --- | --- |")  # noqa: T201  (a program prints)
    for name in PLANTED:
        found, spent = find(name, range(first, first + 10_000))
        if found is None or found.broken is None:
            missed += 1
            row = f"| {name} | not found | | {spent:.1f} | |"
        else:
            broken = found.broken
            row = f"| {name} | {found.seed} | {broken.step} | {spent:.1f} | {broken.invariant} |"
        print(row, flush=True)  # noqa: T201  (a program prints)
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
