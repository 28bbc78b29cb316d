"""What `/metrics` and traces look at: hooks of the running core, and ages read from its database.

The core knows neither; it tells whoever is hooked in (`Core.observe`, `Driver.observe`,
`Store.observe`, `Actuator.observe`), and nobody costs nothing.
"""

from collections.abc import Callable, Iterable
from typing import ParamSpec

from sqlalchemy import func, literal_column, select

from call_core.calls.model import Call, Leg
from call_core.contracts import Clock
from call_core.door import Core
from call_core.engine.engine import Engine
from call_core.outcomes import Outcome
from call_core.requests import Request
from call_core.storage import record_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.store import Store, UnitRun
from call_core.storage.transaction import Tx
from gateway.metrics import Labels, Metrics
from gateway.telemetry import Telemetry

_C, _L, _O, _T = tables.calls, tables.legs, tables.outbox, tables.transfers
_NS_PER_MS = 1_000_000
Ages = dict[Labels, float]
P = ParamSpec("P")

OLDEST_HOLDS = select_statement(
    select(_C.c.channel, _L.c.trunk, func.count(), func.min(_T.c.at_wall_ms))
    .select_from(_L)
    .join(_C, _C.c.id == _L.c.call_id)
    .join(_T, _T.c.id == _L.c.id + literal_column("':hold:1'"))
    .where(record_rows.UNSETTLED)
    .group_by(_C.c.channel, _L.c.trunk),
    name="oldest_holds",
)
"""By the transfer that first held money for a leg: an extension makes a new one."""
OLDEST_MESSAGES = select_statement(
    select(_O.c.channel, func.count(), func.min(_O.c.created_wall_ms))
    .where(_O.c.state == literal_column("'waiting'"))
    .group_by(_O.c.channel),
    name="oldest_messages",
)


def watch(
    core: Core, store: Store, wall: Clock, metrics: Metrics, traces: Telemetry | None
) -> None:
    """Count and trace what a core does from now on."""
    count = _Counting(metrics)
    hooks = (count,) if traces is None else (count, traces)
    core.observe = _each(hook.answered for hook in hooks)
    core.engine.driver.observe = _each(hook.changed for hook in hooks)
    store.observe = _each(hook.ran for hook in hooks)
    core.engine.driver.actuator.observe = _each(hook.asked for hook in hooks)
    _watch_engine(metrics, core.engine)
    _watch_store(metrics, store, wall)


def _each(tell: Iterable[Callable[P, None]]) -> Callable[P, None]:
    """Return what tells all of them; one alone is told directly."""
    listeners = tuple(tell)

    def told(*arguments: P.args, **named: P.kwargs) -> None:
        for listener in listeners:
            listener(*arguments, **named)

    return listeners[0] if len(listeners) == 1 else told


# --- what happens -------------------------------------------------------------------------------


class _Counting:
    """Counts what the core's hooks tell."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def answered(
        self,
        request: Request,
        request_id: str,  # noqa: ARG002  (the hook's shape)
        outcome: Outcome | None,
        began_ns: int,  # noqa: ARG002  (as above)
    ) -> None:
        """Count an answer; a failure of ours is none."""
        if outcome is not None:
            self._metrics.request_answered(request.channel, outcome.code)

    def changed(self, before: Call, after: Call) -> None:
        """Count the legs of one change of a call."""
        count_legs(self._metrics, before, after)

    def asked(self, verb: str, call: Call, leg: Leg, began_ns: int) -> None:  # noqa: ARG002  (as above)
        """Count a leg that the switch was asked for."""
        if verb == "originate":
            self._metrics.leg_originated(call.channel, leg.trunk)

    def ran(self, run: UnitRun) -> None:
        """Count a commit."""
        if not run.error:
            self._metrics.committed((run.ended_ns - run.began_ns) / _NS_PER_MS)


def count_legs(metrics: Metrics, before: Call, after: Call) -> None:
    """Count the legs that ended in one change of a call."""
    for leg in after.legs():
        was = before.leg(leg.id)
        if leg.originated_call_ms is None:
            continue
        if leg.ended and not (was is not None and was.ended):
            metrics.leg_ended(
                after.channel, leg.trunk, answered_ms=_answered_ms(leg), pdd_ms=_pdd_ms(leg)
            )


def _answered_ms(leg: Leg) -> int | None:
    if leg.answered_call_ms is None or leg.ended_call_ms is None:
        return None
    return max(0, leg.ended_call_ms - leg.answered_call_ms)


def _pdd_ms(leg: Leg) -> int | None:
    heard = leg.ringing_call_ms if leg.ringing_call_ms is not None else leg.answered_call_ms
    if heard is None or leg.originated_call_ms is None:
        return None
    return max(0, heard - leg.originated_call_ms)


# --- what is, when somebody looks ---------------------------------------------------------------


def _watch_engine(metrics: Metrics, engine: Engine) -> None:
    driver, inbox, outbox = engine.driver, engine.inbox, engine.outbox

    def calls() -> Ages:
        found: Ages = {}
        for live in list(driver.live.values()):
            key = (str(live.call.state), live.call.channel)
            found[key] = found.get(key, 0) + 1
        return found

    metrics.watch("callgate_calls", "Running calls.", ("state", "channel"), calls)
    singles: tuple[tuple[str, str, Callable[[], int]], ...] = (
        (
            "callgate_events_quarantined",
            "Switch events that no table row knows; each is a defect.",
            lambda: driver.quarantined,
        ),
        (
            "callgate_inbox_waiting",
            "Requests that were accepted and are not done yet.",
            lambda: inbox.waiting,
        ),
        ("callgate_inbox_kept", "Requests that had to wait so.", lambda: inbox.kept),
        ("callgate_inbox_done", "Requests that were done after waiting.", lambda: inbox.done),
        ("callgate_messages_sent", "Messages handed over.", lambda: outbox.sent),
        ("callgate_messages_dead", "Messages given up.", lambda: outbox.dead),
    )
    for name, documentation, read in singles:
        metrics.watch(name, documentation, (), _single(read))


def _single(read: Callable[[], int]) -> Callable[[], Ages]:
    return lambda: {(): read()}


def _watch_store(metrics: Metrics, store: Store, wall: Clock) -> None:
    def units() -> int:
        return store.statistics().units

    def waiting() -> Ages:
        now = store.statistics()
        return {("running",): now.waiting_running, ("new",): now.waiting_new}

    def synced() -> int:
        return store.statistics().synced

    metrics.watch("callgate_store_units", "Units of work that ran.", (), _single(units))
    metrics.watch("callgate_store_syncs", "Commits that wrote something.", (), _single(synced))
    metrics.watch("callgate_store_waiting", "Units that wait, by queue.", ("queue",), waiting)
    holds, messages = _Oldest(), _Oldest()

    async def look() -> None:
        holds.forget()
        messages.forget()
        held, waits = await store.read(_oldest)
        now = wall.now_ms()
        for *labels, count, since in held:
            holds.note(tuple(labels), count, now - since)
        for *labels, count, since in waits:
            messages.note(tuple(labels), count, now - since)

    metrics.before_reading(look)
    for what, found, labels in (
        ("holds", holds, ("channel", "trunk")),
        ("messages", messages, ("channel",)),
    ):
        one = what.removesuffix("s")
        told = {"hold": "open hold", "message": "message that waits to be sent"}[one]
        metrics.watch(f"callgate_{what}_open", f"Every {told}.", labels, found.counts.copy)
        metrics.watch(
            f"callgate_oldest_{one}_seconds", f"Age of the oldest {told}.", labels, found.ages.copy
        )


class _Oldest:
    """How many of something there are, and the age of the oldest, by labels."""

    def __init__(self) -> None:
        self.counts: Ages = {}
        self.ages: Ages = {}

    def forget(self) -> None:
        """Show nothing rather than what was true once."""
        self.counts.clear()
        self.ages.clear()

    def note(self, labels: Labels, count: int, age_ms: int) -> None:
        """Show this from now on."""
        self.counts[labels] = count
        self.ages[labels] = max(0, age_ms) / 1000


def _oldest(tx: Tx) -> tuple[list[tuple[str, str, int, int]], list[tuple[str, int, int]]]:
    held = [(str(a), str(b), int(c), int(d)) for a, b, c, d in tx.all(OLDEST_HOLDS)]
    return held, [(str(a), int(b), int(c)) for a, b, c in tx.all(OLDEST_MESSAGES)]
