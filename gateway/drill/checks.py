"""What a drill cost, read from the database when everything has ended."""

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select

from call_core.rating.rater import rate_duration
from call_core.storage import call_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from gateway import books

_C, _R, _D = tables.calls, tables.requests, tables.cdrs
LIVE = select_statement(
    select(func.count()).select_from(_C).where(_C.c.ended_wall_ms.is_(None)), name="drill_live"
)
CALLS = select_statement(
    select(
        *(_C.c.id, _C.c.request_id, _C.c.due_call_ms, _C.c.launched_call_ms),
        *(_C.c.kind, _C.c.reason),
    ),
    name="drill_calls",
)
ANSWERED = select_statement(
    select(_R.c.external_id, _R.c.call_id, _R.c.id).where(_R.c.external_id.like(bindparam("keys"))),
    name="drill_requests",
)
BILLS = select_statement(select(_D.c.call_id, _D.c.id, _D.c.total_micros), name="drill_bills")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found.

    Attributes:
        lost: keys whose request or call is not there, or never ended.
        doubled: calls beyond the first of one request.
        wrong_money: sentences.
        cut: calls of two that did not end by somebody's hanging up, with the reason.
        latest_call_ms: how late the latest scheduled call was launched, by the switches' clock.
    """

    lost: tuple[str, ...]
    doubled: int
    wrong_money: tuple[str, ...]
    cut: tuple[str, ...]
    calls: int
    scheduled: int
    latest_call_ms: int


def live(tx: Tx) -> int:
    """Return how many calls have not ended."""
    row = tx.one(LIVE)
    return 0 if row is None else int(row[0])


def look(tx: Tx, launched: frozenset[str], prefix: str) -> Found:
    """Look for everything that must not be.

    Args:
        tx: reads only.
        launched: keys whose answer was that a call is launched or scheduled.
        prefix: of this drill's keys.
    """
    rows = tx.all(ANSWERED, keys=f"{prefix}-%")
    requests = {str(row[0]): str(row[1]) for row in rows}
    ours = {row[2] for row in rows}
    calls = [row for row in tx.all(CALLS) if row[1] in ours]
    ids = {row[0] for row in calls}
    lost = tuple(key for key in sorted(launched) if requests.get(key, "") not in ids)
    by_request = [row[1] for row in calls]
    _, wrong = books.verify(tx, _quiet)
    late = [row[3] - row[2] for row in calls if row[2] is not None and row[3] is not None]
    unlaunched = [row for row in calls if row[2] is not None and row[3] is None]
    return Found(
        lost + tuple(row[0] for row in unlaunched),
        len(by_request) - len(set(by_request)),
        (*wrong, *_wrong_bills(tx, sorted(ids))),
        tuple(f"{row[0]}: {row[5]}" for row in calls if row[4] == "call" and row[5] != "completed"),
        len(calls),
        len(late),
        max(late, default=0),
    )


def _quiet(_read: int, _all: int) -> None:
    """Show no progress."""


def _wrong_bills(tx: Tx, call_ids: list[str]) -> list[str]:
    """Compute every bill again from the times of its leg."""
    totals = {row[1]: row[2] for row in tx.all(BILLS)}
    wrong = []
    for call_id in call_ids:
        call = call_rows.load_call(tx, call_id)
        for leg in () if call is None else call.legs():
            if not leg.holds:
                continue
            total = totals.get(f"cdr_{leg.id}")
            due = 0
            if leg.answered_call_ms is not None and leg.ended_call_ms is not None:
                talked_ms = max(0, leg.ended_call_ms - leg.answered_call_ms)
                due = min(rate_duration(leg.terms, talked_ms).charge_micros, leg.held_micros)
            if not leg.settled or total != due:
                wrong.append(f"leg {leg.id}: billed {total}, due {due}, settled {leg.settled}")
    return wrong
