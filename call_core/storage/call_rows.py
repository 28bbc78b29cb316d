"""Calls, parties and legs in their tables: load whole, write what changed, fenced.

Every write of an existing call names the version (and epoch) that it was read at; another writer
having been faster is `Fenced`, and whoever wrote it reads again.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import and_, bindparam, func, insert, select, update
from sqlalchemy.sql import Select, Update

from call_core.calls.model import Call, CallState, Leg, Party, Role
from call_core.errors import Fenced
from call_core.evolve import evolve
from call_core.rating.rater import RateTerms
from call_core.storage import ledger_rows, tables
from call_core.storage.statements import Statement, Value, select_statement, write_statement
from call_core.storage.transaction import Tx

Row = dict[str, Any]

_CALL_FIXED = (
    *("id", "ref", "user_id", "customer_id", "channel", "address", "request_id", "thread"),
    *("currency", "command", "created_wall_ms", "timezone"),
)
_LEG_FIXED = ("id", "call_id", "n", "attempt", "caller_number_id", "accept", "keys", "moves")
_PARTY_FIXED = ("call_id", "n")


def _changing(table: Any, fixed: Iterable[str]) -> list[str]:  # noqa: ANN401  (Table or Alias)
    return [column.name for column in table.c if column.name not in fixed]


def _update_of(table: Any, fixed: Iterable[str], *keys: str) -> Update:  # noqa: ANN401  (as above)
    names = _changing(table, fixed)
    return (
        update(table)
        .where(and_(*(table.c[key] == bindparam(f"key_{key}") for key in keys)))
        .values({name: bindparam(name) for name in names})
    )


def _dicts(table: Any, *more: str) -> Any:  # noqa: ANN401  (a row maker for any table)
    names = (*(column.name for column in table.c), *more)
    return lambda row: dict(zip(names, row, strict=True))


INSERT_CALL = write_statement(insert(tables.calls), name="insert_call")
INSERT_PARTY = write_statement(insert(tables.parties), name="insert_party")
INSERT_LEG = write_statement(insert(tables.legs), name="insert_leg")
INSERT_NUMBER = write_statement(insert(tables.numbers), name="insert_number")
UPDATE_CALL = write_statement(
    _update_of(tables.calls, _CALL_FIXED, "id", "version"), name="update_call"
)
UPDATE_PARTY = write_statement(
    _update_of(tables.parties, _PARTY_FIXED, "call_id", "n"), name="update_party"
)
UPDATE_LEG = write_statement(_update_of(tables.legs, _LEG_FIXED, "id"), name="update_leg")
LOAD_CALL = select_statement(
    select(tables.calls).where(tables.calls.c.id == bindparam("id")),
    row=_dicts(tables.calls),
    name="load_call",
)
LOCK_CALL = select_statement(
    select(tables.calls).where(tables.calls.c.id == bindparam("id")).with_for_update(),
    row=_dicts(tables.calls),
    name="lock_call",
)
CUSTOMER_OF_CALL = select_statement(
    select(tables.calls.c.customer_id).where(tables.calls.c.id == bindparam("id")),
    name="customer_of_call",
)
CLAIM_CALL = select_statement(
    select(tables.calls.c.id)
    .where(tables.calls.c.id == bindparam("id"))
    .with_for_update(skip_locked=True),
    name="claim_call",
)
LOAD_PARTIES = select_statement(
    select(tables.parties)
    .where(tables.parties.c.call_id == bindparam("call_id"))
    .order_by(tables.parties.c.n),
    row=_dicts(tables.parties),
    name="load_parties",
)
_NUMBER = tables.numbers.alias("number")
_CALLER = tables.numbers.alias("caller")
_LEG_COLUMNS = (
    tables.legs,
    func.coalesce(_NUMBER.c.digits, ""),
    func.coalesce(_NUMBER.c.extension, ""),
    func.coalesce(_CALLER.c.digits, ""),
)
LOAD_LEGS = select_statement(
    select(*_LEG_COLUMNS)
    .outerjoin(_NUMBER, _NUMBER.c.id == tables.legs.c.number_id)
    .outerjoin(_CALLER, _CALLER.c.id == tables.legs.c.caller_number_id)
    .where(tables.legs.c.call_id == bindparam("call_id"))
    .order_by(tables.legs.c.n, tables.legs.c.attempt),
    row=_dicts(tables.legs, "number", "post_dial", "caller_id"),
    name="load_legs",
)


class CallSet(NamedTuple):
    """Statements that read many calls at once: three, however many calls there are."""

    calls: Statement[Row]
    parties: Statement[Row]
    legs: Statement[Row]


def call_set(chosen: Select[Any], name: str) -> CallSet:
    """Return the statements for the calls whose ids `chosen` selects, in its order.

    The choice stands in each of them: a list of ids has no fixed text.
    """
    ids = chosen.subquery("chosen")
    picked = select(ids.c.id)
    parties, legs = tables.parties, tables.legs
    return CallSet(
        select_statement(
            chosen.with_only_columns(*tables.calls.c),
            row=_dicts(tables.calls),
            name=f"calls_of_{name}",
        ),
        select_statement(
            select(parties).where(parties.c.call_id.in_(picked)).order_by(parties.c.n),
            row=_dicts(parties),
            name=f"parties_of_{name}",
        ),
        select_statement(
            select(*_LEG_COLUMNS)
            .outerjoin(_NUMBER, _NUMBER.c.id == legs.c.number_id)
            .outerjoin(_CALLER, _CALLER.c.id == legs.c.caller_number_id)
            .where(legs.c.call_id.in_(picked))
            .order_by(legs.c.n, legs.c.attempt),
            row=_dicts(legs, "number", "post_dial", "caller_id"),
            name=f"legs_of_{name}",
        ),
    )


def load_calls(tx: Tx, chosen: CallSet, **values: Value) -> list[Call]:
    """Return every chosen call with its parties and legs, in the choice's order."""
    rows = tx.all(chosen.calls, **values)
    if not rows:
        return []
    parties: defaultdict[str, list[Row]] = defaultdict(list)
    for row in tx.all(chosen.parties, **values):
        parties[row["call_id"]].append(row)
    legs: defaultdict[str, list[Leg]] = defaultdict(list)
    for row in tx.all(chosen.legs, **values):
        legs[row["call_id"]].append(_leg(row))
    return [_call(row, parties[row["id"]], legs[row["id"]]) for row in rows]


LIVE_CALLS = select_statement(
    select(
        tables.calls.c.id, tables.calls.c.version, tables.calls.c.state, tables.calls.c.shard
    ).where(tables.calls.c.ended_wall_ms.is_(None)),
    name="live_calls",
)
LOAD_COMMAND = select_statement(
    select(tables.calls.c.command).where(tables.calls.c.id == bindparam("id")), name="load_command"
)


def _fixed_of_call(call: Call, command: str) -> dict[str, Value]:
    return {
        "id": call.id,
        "ref": call.ref,
        "user_id": call.user_id,
        "customer_id": call.customer_id,
        "channel": call.channel,
        "address": call.address,
        "request_id": call.request_id,
        "thread": call.thread,
        "currency": call.currency,
        "command": command,
        "created_wall_ms": call.created_wall_ms,
        "timezone": call.timezone,
    }


def _changing_of_call(call: Call, ended_wall_ms: int | None) -> dict[str, Value]:
    return {
        "kind": call.kind,
        "state": call.state.value,
        "reason": call.reason,
        "title": call.title,
        "billing_code": call.billing_code,
        "private": int(call.private),
        "locked": int(call.locked),
        "cap_micros": call.cap_micros,
        "max_seconds": call.max_seconds,
        "stated_seconds": call.stated_seconds,
        "free_first_leg": int(call.free_first_leg),
        "switch": call.switch,
        "shard": call.shard,
        "epoch": call.epoch,
        "version": call.version,
        "due_call_ms": call.due_call_ms,
        "launched_call_ms": call.launched_call_ms,
        "talk_call_ms": call.talk_call_ms,
        "grace_call_ms": call.grace_call_ms,
        "warned_call_ms": call.warned_call_ms,
        "retry_money_call_ms": call.retry_money_call_ms,
        "ended_call_ms": call.ended_call_ms,
        "ended_wall_ms": ended_wall_ms,
    }


def _changing_of_party(party: Party) -> dict[str, Value]:
    return {
        "role": party.role.value,
        "label": party.label,
        "number_id": party.number_id,
        "accept": int(party.accept),
        "muted": int(party.muted),
        "dropped": int(party.dropped),
        "redials": party.redials,
    }


def _fixed_of_leg(call_id: str, leg: Leg) -> dict[str, Value]:
    return {
        "id": leg.id,
        "call_id": call_id,
        "n": leg.n,
        "attempt": leg.attempt,
        "caller_number_id": leg.caller_number_id,
        "accept": int(leg.accept),
        "keys": leg.keys,
        "moves": int(leg.moves),
    }


def _changing_of_leg(leg: Leg) -> dict[str, Value]:
    return {
        "number_id": leg.number_id,
        "state": leg.state.value,
        "trunk": leg.trunk,
        "terms": leg.terms.to_json(),
        "buy_terms": "" if leg.buy_terms is None else leg.buy_terms.to_json(),
        "keyed": leg.keyed,
        "originated_call_ms": leg.originated_call_ms,
        "ringing_call_ms": leg.ringing_call_ms,
        "answered_call_ms": leg.answered_call_ms,
        "accepted_call_ms": leg.accepted_call_ms,
        "bridged_call_ms": leg.bridged_call_ms,
        "ended_call_ms": leg.ended_call_ms,
        "cause": leg.cause,
        "hangup_by": leg.hangup_by,
        "hangup_asked": leg.hangup_asked,
        "end_estimated": int(leg.end_estimated),
        "holds": leg.holds,
        "held_micros": leg.held_micros,
        "paid_seconds": leg.paid_seconds,
        "charge_micros": leg.charge_micros,
        "settled": int(leg.settled),
        "free": int(leg.free),
    }


def insert_call(tx: Tx, call: Call, command: str) -> None:
    """Write a new call with its parties and legs; its numbers are written by `insert_numbers`."""
    tx.write(INSERT_CALL, **_fixed_of_call(call, command), **_changing_of_call(call, None))
    _insert_parties(tx, call.id, call.parties)
    _insert_legs(tx, call.id, call.legs())


def _insert_parties(tx: Tx, call_id: str, parties: Iterable[Party]) -> None:
    rows = [{"call_id": call_id, "n": party.n, **_changing_of_party(party)} for party in parties]
    tx.run_many(INSERT_PARTY, rows)


def _insert_legs(tx: Tx, call_id: str, legs: Iterable[Leg]) -> None:
    rows = [_fixed_of_leg(call_id, leg) | _changing_of_leg(leg) for leg in legs]
    tx.run_many(INSERT_LEG, rows)


def insert_numbers(tx: Tx, rows: Iterable[dict[str, Value]]) -> None:
    """Write telephone digits: id, call_id, digits, extension, masked, region, created_wall_ms."""
    tx.run_many(INSERT_NUMBER, list(rows))


def save_call(tx: Tx, old: Call, new: Call, now_wall_ms: int) -> Call:
    """Write what differs between two versions of a call; the version counts up.

    Raises:
        Fenced: the stored call is not the `old` one any more.
    """
    stored = evolve(new, version=old.version + 1)
    changing = _changing_of_call(stored, now_wall_ms if new.ended else None)
    if tx.run(UPDATE_CALL, key_id=old.id, key_version=old.version, **changing) != 1:
        raise Fenced(old.id)
    if stored.parties is not old.parties:
        _save_parties(tx, old, stored)
        _save_legs(tx, old, stored)
    return stored


def _save_parties(tx: Tx, old: Call, new: Call) -> None:
    before = {party.n: party for party in old.parties}
    _insert_parties(tx, new.id, [party for party in new.parties if party.n not in before])
    rows = [
        {"key_call_id": new.id, "key_n": party.n, **_changing_of_party(party)}
        for party in new.parties
        if (was := before.get(party.n)) is not None
        and party is not was
        and evolve(party, legs=was.legs) != was
    ]
    tx.run_many(UPDATE_PARTY, rows)


def _save_legs(tx: Tx, old: Call, new: Call) -> None:
    before = {leg.id: leg for leg in old.legs()}
    _insert_legs(tx, new.id, [leg for leg in new.legs() if leg.id not in before])
    rows = [
        {"key_id": leg.id, **_changing_of_leg(leg)}
        for leg in new.legs()
        if (was := before.get(leg.id)) is not None and leg is not was and leg != was
    ]
    tx.run_many(UPDATE_LEG, rows)


def load_call(tx: Tx, call_id: str, *, lock: bool = False) -> Call | None:
    """Return a call with its parties and legs, None when there is none.

    Args:
        tx: the transaction.
        call_id: its id.
        lock: hold the row until the transaction ends, for a unit that will write it; its customer's
            account before it, as everywhere (README.md, One order of locks).
    """
    if lock:
        _lock_customer_of(tx, call_id)
    row = tx.one(LOCK_CALL if lock else LOAD_CALL, id=call_id)
    if row is None:
        return None
    parties = tx.all(LOAD_PARTIES, call_id=call_id)
    legs = [_leg(each) for each in tx.all(LOAD_LEGS, call_id=call_id)]
    return _call(row, parties, legs)


def _lock_customer_of(tx: Tx, call_id: str) -> None:
    owner = tx.one(CUSTOMER_OF_CALL, id=call_id)
    if owner is not None:
        ledger_rows.lock_account(tx, owner[0])


def claim(tx: Tx, call_id: str) -> bool:
    """Lock a call that one of several processes is to work on; False when another has it.

    Its customer's account before it, as in `load_call`.
    """
    _lock_customer_of(tx, call_id)
    return tx.one(CLAIM_CALL, id=call_id) is not None


def _call(row: Row, parties: list[Row], legs: list[Leg]) -> Call:
    values = dict(row)
    for name in ("command", "ended_wall_ms"):
        del values[name]
    for name in ("private", "locked", "free_first_leg"):
        values[name] = bool(values[name])
    values["state"] = CallState(values["state"])
    made = tuple(_party(each, tuple(leg for leg in legs if leg.n == each["n"])) for each in parties)
    return Call(**values, parties=made)


def _party(row: Row, legs: tuple[Leg, ...]) -> Party:
    return Party(
        n=row["n"],
        role=Role(row["role"]),
        label=row["label"],
        number_id=row["number_id"],
        accept=bool(row["accept"]),
        muted=bool(row["muted"]),
        dropped=bool(row["dropped"]),
        redials=row["redials"],
        legs=legs,
    )


def _leg(row: Row) -> Leg:
    values = dict(row)
    for name in ("call_id", "state"):
        del values[name]
    for name in ("accept", "moves", "end_estimated", "settled", "free"):
        values[name] = bool(values[name])
    values["terms"] = RateTerms.from_json(values["terms"])
    values["buy_terms"] = RateTerms.from_json(values["buy_terms"]) if values["buy_terms"] else None
    return Leg(**values)
