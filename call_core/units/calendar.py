"""The calendar: what is scheduled, skipped, late or moved; and launching what is due."""

from dataclasses import replace

from sqlalchemy import bindparam, select

from call_core import command_json
from call_core.calls.model import Call, CallState, Reason
from call_core.commands import Late, Next, Reschedule, Schedule, Skip
from call_core.evolve import evolve
from call_core.notices import Notice
from call_core.outcomes import Done, Instant, Launched, Outcome, Phrase, Refused, Told, Value
from call_core.requests import Evidence
from call_core.storage import call_rows, people_rows, tables
from call_core.storage.audit_chain import AuditEntry
from call_core.storage.people_rows import CallerRow
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import changes, find_call, launch, resolve
from call_core.units.caller import Ask, Asker, Stop, customer_of, frozen_of, user_of
from call_core.units.house import House, Stamp

_C = tables.calls
_MINUTE_MS = 60_000
WARN_BEFORE_MS = 15 * _MINUTE_MS
MOST_LISTED = 50

UPCOMING = select_statement(
    select(_C.c.id, _C.c.ref, _C.c.kind, _C.c.title, _C.c.due_call_ms, _C.c.timezone)
    .where(
        _C.c.customer_id == bindparam("customer_id"),
        _C.c.user_id == bindparam("user_id"),
        _C.c.ended_wall_ms.is_(None),
        _C.c.state == "SCHEDULED",
    )
    .order_by(_C.c.due_call_ms)
    .limit(MOST_LISTED),
    name="upcoming",
)
DUE = select_statement(
    select(_C.c.id, _C.c.due_call_ms, _C.c.warned_call_ms, _C.c.shard)
    .where(
        _C.c.ended_wall_ms.is_(None),
        _C.c.state == "SCHEDULED",
        _C.c.due_call_ms <= bindparam("before"),
    )
    .order_by(_C.c.due_call_ms)
    .limit(bindparam("most")),
    name="due_calls",
)
NEXT_DUE = select_statement(
    select(_C.c.due_call_ms)
    .where(
        _C.c.ended_wall_ms.is_(None),
        _C.c.state == "SCHEDULED",
        _C.c.due_call_ms > bindparam("after"),
    )
    .order_by(_C.c.due_call_ms)
    .limit(1),
    name="next_due_call",
)
NEXT_UNWARNED = select_statement(
    select(_C.c.due_call_ms)
    .where(
        _C.c.ended_wall_ms.is_(None),
        _C.c.state == "SCHEDULED",
        _C.c.warned_call_ms.is_(None),
        _C.c.due_call_ms > bindparam("after"),
    )
    .order_by(_C.c.due_call_ms)
    .limit(1),
    name="next_unwarned_call",
)
EVIDENCE = select_statement(
    select(tables.requests.c.evidence).where(tables.requests.c.id == bindparam("id")),
    name="evidence_of_request",
)


def calendar(tx: Tx, house: House, asker: Asker, command: Schedule, stamp: Stamp) -> Outcome:
    """Show or change what is scheduled.

    Raises:
        Stop: there is no such entry, or no such time.
    """
    match command:
        case Next():
            return _upcoming(tx, asker)
        case Skip(ref):
            return _skip(tx, house, asker, _scheduled(tx, asker, ref), stamp)
        case Late(minutes, ref):
            return _late(tx, house, asker, ref, minutes, stamp)
        case Reschedule(ref):
            call = _scheduled(tx, asker, ref)
            due = resolve.due(asker, command.at, stamp.call_ms, command)
            assert due is not None, command
            return _move(tx, house, asker, call, due.at_ms, due.zone, "rescheduled", stamp)


def hang_up(tx: Tx, house: House, asker: Asker, ref: str, stamp: Stamp) -> Outcome | None:
    """Take a scheduled call off the calendar: the user's own, or any of an administrator's.

    Returns:
        The answer; None when the call is not on the calendar, or no longer: it is looked at only
        once it is locked, since its time may come at this very moment.

    Raises:
        Stop: the ref names nothing that the asker may see.
    """
    call = find_call.by_ref(tx, asker, ref, lock=True)
    if call.state is not CallState.SCHEDULED:
        return None
    return _skip(tx, house, asker, call, stamp)


def _upcoming(tx: Tx, asker: Asker) -> Told:
    rows = tx.all(UPCOMING, customer_id=asker.customer.id, user_id=asker.user.id)
    phrases = tuple(
        Phrase(
            "next_row",
            {"ref": ref, "kind": kind, "title": title, "at": Instant(due, zone)},
        )
        for _, ref, kind, title, due, zone in rows
    )
    return Told("next", rows=phrases, fields={"count": len(rows)})


def _scheduled(tx: Tx, asker: Asker, ref: str) -> Call:
    call = find_call.by_ref(tx, asker, ref, lock=True)
    if call.state is not CallState.SCHEDULED:
        raise Stop("not_scheduled", ref=call.ref)
    if call.user_id != asker.user.id:
        raise Stop("not_your_call", ref=call.ref)
    return call


def _skip(tx: Tx, house: House, asker: Asker, call: Call, stamp: Stamp) -> Outcome:
    changes.commit_change(tx, house, call, _ended(call, Reason.SKIPPED, stamp), stamp)
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, "call.skipped", call.id))
    fields: dict[str, Value] = {}
    if call.due_call_ms is not None:
        fields["at"] = Instant(call.due_call_ms, call.timezone)
    return Done("skipped", call.ref, call.id, fields)


def _ended(call: Call, reason: Reason, stamp: Stamp) -> Call:
    return evolve(call, state=CallState.ENDED, reason=str(reason), ended_call_ms=stamp.call_ms)


def _late(
    tx: Tx, house: House, asker: Asker, ref: str | None, minutes: int, stamp: Stamp
) -> Outcome:
    if ref is None:
        rows = tx.all(UPCOMING, customer_id=asker.customer.id, user_id=asker.user.id)
        if not rows:
            raise Stop("nothing_scheduled", example="conf mom, bob at 6pm")
        ref = str(rows[0][1])
    call = _scheduled(tx, asker, ref)
    due = (call.due_call_ms or stamp.call_ms) + minutes * _MINUTE_MS
    return _move(tx, house, asker, call, due, call.timezone, "late_noted", stamp)


def _move(
    tx: Tx,
    house: House,
    asker: Asker,
    call: Call,
    due_call_ms: int,
    zone: str,
    code: str,
    stamp: Stamp,
) -> Outcome:
    new = evolve(call, due_call_ms=due_call_ms, timezone=zone, warned_call_ms=None)
    changes.commit_change(tx, house, call, new, stamp)
    tx.audit(AuditEntry(stamp.wall_ms, asker.user.id, "call.rescheduled", call.id))
    return Done(code, call.ref, call.id, {"at": Instant(due_call_ms, zone)})


# --- what is due --------------------------------------------------------------------------------


def owner_of(tx: Tx, house: House, call: Call) -> Asker | None:
    """Return the user of a stored call as the asker of its launch, as surely known as then."""
    row = tx.one(people_rows.CALLER_OF_USER, user_id=call.user_id)
    if row is None:
        return None
    return _asker(row, house, call, tx)


def _asker(row: CallerRow, house: House, call: Call, tx: Tx) -> Asker:
    frozen = frozen_of(row)
    asked = tx.one(EVIDENCE, id=call.request_id)
    # What was confirmed with a code counts as vouched for; so does what nobody remembers.
    evidence = max(Evidence.VOUCHED, Evidence(asked[0] if asked is not None else 0))
    confirmed = {"same_again", "stale"}
    if evidence is Evidence.PROVEN:
        confirmed.add("confirm_from_proven")
    return Asker(
        customer=customer_of(row, house.limits, frozen),
        user=user_of(row, frozen),
        tariff=row.tariff,
        default_phone_id=row.default_phone_id,
        evidence=evidence,
        scopes=("read", "call"),
        channel=call.channel,
        space="",
        address=call.address,
        thread=call.thread,
        request_id=call.request_id,
        in_session=not call.address,
        received_wall_ms=call.created_wall_ms,
        confirmed=frozenset(confirmed),
        daily_spend_micros=row.daily_spend_micros,
        frozen=frozen,
        deck_version=row.deck_version,
    )


def launch_due(tx: Tx, house: House, call_id: str, stamp: Stamp) -> Call | None:
    """Launch a scheduled call whose time has come, with full admission now.

    Too late, refused or in doubt, it ends with a notice instead. Doing it twice does it once: the
    second finds it no longer scheduled.
    """
    stamp = stamp.again()
    if house.restored_wall_ms is not None:
        return None
    call = call_rows.load_call(tx, call_id) if call_rows.claim(tx, call_id) else None
    if call is None or call.state is not CallState.SCHEDULED or call.due_call_ms is None:
        return None
    if call.due_call_ms > stamp.call_ms:
        return None
    if stamp.call_ms - call.due_call_ms > house.limits.launch_late_s * 1000:
        _not_launched(tx, house, call, Notice("schedule_missed", call.ref, _at(call)), stamp)
        return None
    asker = owner_of(tx, house, call)
    row = tx.one(call_rows.LOAD_COMMAND, id=call.id)
    if asker is None or row is None:
        return None
    command = replace(command_json.from_json(row[0]), at=None)
    # The warning ahead is not the last minute's of a running call.
    entry = evolve(call, warned_call_ms=None)
    try:
        outcome, launched = launch.launch(tx, house, asker, command, stamp, entry)
    except (Stop, Ask) as refused:
        _not_launched(tx, house, call, _refusal(call, refused), stamp)
        return None
    fields = outcome.fields if isinstance(outcome, Launched) else {}
    assert launched is not None, call
    changes.put_notice(tx, launched, Notice("schedule_launched", call.ref, fields, 600), stamp)
    return launched


def _at(call: Call) -> dict[str, Value]:
    return {"ref": call.ref, "at": Instant(call.due_call_ms or 0, call.timezone)}


def _refusal(call: Call, refused: Stop | Ask) -> Notice:
    fields = _at(call)
    if isinstance(refused, Stop) and isinstance(refused.outcome, Refused):
        fields["why"] = (Phrase(refused.outcome.code, refused.outcome.fields),)
    elif isinstance(refused, Ask):
        fields["why"] = (Phrase(refused.code, refused.fields),)
    return Notice("schedule_refused", call.ref, fields)


def _not_launched(tx: Tx, house: House, call: Call, notice: Notice, stamp: Stamp) -> None:
    ended = _ended(call, Reason.REFUSED, stamp)
    # The receipt of a call that never was would say nothing; the notice says why.
    stored = call_rows.save_call(tx, call, ended, stamp.wall_ms)
    changes.put_notice(tx, stored, notice, stamp)
    changes.announce(tx, stored)
    tx.audit(AuditEntry(stamp.wall_ms, house.node, "call.not_launched", call.id))


def warn_shortfall(tx: Tx, house: House, call_id: str, stamp: Stamp) -> bool:
    """Try a launch without doing it, 15 minutes ahead, and warn of what would refuse it.

    Returns:
        Whether the entry was looked at; it is looked at once.
    """
    stamp = stamp.again()
    call = call_rows.load_call(tx, call_id, lock=True)
    if call is None or call.state is not CallState.SCHEDULED or call.warned_call_ms is not None:
        return False
    asker = owner_of(tx, house, call)
    row = tx.one(call_rows.LOAD_COMMAND, id=call.id)
    if asker is None or row is None:
        return False
    command = replace(command_json.from_json(row[0]), at=None)
    stored = call_rows.save_call(
        tx, call, evolve(call, warned_call_ms=stamp.call_ms), stamp.wall_ms
    )
    try:
        launch.rehearse(tx, house, asker, command, stamp)
    except (Stop, Ask) as refused:
        notice = replace(_refusal(call, refused), code="schedule_short")
        changes.put_notice(tx, stored, notice, stamp)
    return True
