"""Every read for pages, API and exports, on reader connections; limited to what one may see."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.sql import ColumnElement, Select

from call_core.calls import holds
from call_core.calls.causes import cause_of
from call_core.calls.model import Call, Leg, Party
from call_core.calls.rules import Rules
from call_core.contracts import (
    AddressView,
    BalanceView,
    CallView,
    Cdr,
    DirectoryEntry,
    LegView,
    Page,
    PartyView,
    PhoneView,
    Principal,
    RequestView,
    TokenView,
)
from call_core.customers.names import fold
from call_core.ledger.accounts import available
from call_core.outcomes import from_json
from call_core.storage import (
    access_rows,
    call_rows,
    ledger_rows,
    people_rows,
    record_rows,
    tables,
)
from call_core.storage.statements import Row, select_statement
from call_core.storage.transaction import Tx
from call_core.units.access import DEVICE_CHANNEL, DEVICE_LABEL
from call_core.units.changes import SPENT

_C, _D, _R, _U = tables.calls, tables.cdrs, tables.requests, tables.users
MOST = 200
_MINE = and_(
    _C.c.customer_id == bindparam("customer_id"),
    or_(_C.c.user_id == bindparam("user_id"), bindparam("all") == 1),
)
_ADMINISTRATOR = "administrator"


def _after(at: ColumnElement[int], key: ColumnElement[str]) -> ColumnElement[bool]:
    """Rows older than the cursor; rows of the same instant are told apart by their id.

    The first condition follows from the others; by it an index goes to the place at once, however
    much stands before it.
    """
    return and_(
        at <= bindparam("before_ms"),
        or_(at < bindparam("before_ms"), key < bindparam("before_id")),
    )


def _name_of(user_id: ColumnElement[str]) -> ColumnElement[str]:
    """Look a user up for each row; a join would let a database go through all users instead."""
    return select(_U.c.name).where(_U.c.id == user_id).scalar_subquery()


_PAGES = {
    scope: select(_C.c.id)
    .where(where == bindparam("owner"), _after(_C.c.created_wall_ms, _C.c.id))
    .order_by(_C.c.created_wall_ms.desc(), _C.c.id.desc())
    .limit(bindparam("most"))
    for scope, where in (("user", _C.c.user_id), ("customer", _C.c.customer_id))
}
CALLS = {scope: call_rows.call_set(page, scope) for scope, page in _PAGES.items()}
CALLERS = {
    scope: select_statement(
        page.with_only_columns(_C.c.user_id, _name_of(_C.c.user_id)), name=f"callers_of_{scope}"
    )
    for scope, page in _PAGES.items()
}
CALL_BY_ID = select_statement(
    select(_C.c.id).where(_MINE, _C.c.id == bindparam("id")), name="call_by_id"
)
CALL_BY_REF = select_statement(
    select(_C.c.id)
    .where(_MINE, _C.c.ref == bindparam("ref"))
    .order_by(_C.c.created_wall_ms.desc())
    .limit(1),
    name="call_by_ref",
)
_FROM, _TO = tables.numbers.alias("from_number"), tables.numbers.alias("to_number")
_CDRS: Select[Any] = (
    select(
        *(c for c in _D.c if c.name not in ("from_number_id", "to_number_id")),
        func.coalesce(_FROM.c.digits, ""),
        func.coalesce(_TO.c.digits, ""),
    )
    .outerjoin(_FROM, _FROM.c.id == _D.c.from_number_id)
    .outerjoin(_TO, _TO.c.id == _D.c.to_number_id)
)
_CDR_NAMES = (
    *(c.name for c in _D.c if c.name not in ("from_number_id", "to_number_id")),
    "from_number",
    "to_number",
)
CDRS = {
    scope: select_statement(
        _CDRS.where(where == bindparam("owner"), _after(_D.c.created_wall_ms, _D.c.id))
        .order_by(_D.c.created_wall_ms.desc(), _D.c.id.desc())
        .limit(bindparam("most")),
        name=f"cdrs_of_{scope}",
    )
    for scope, where in (("user", _D.c.user_id), ("customer", _D.c.customer_id))
}
CDRS_OF_CALL = select_statement(
    _CDRS.where(_D.c.call_id == bindparam("call_id")).order_by(_D.c.party, _D.c.attempt),
    name="cdrs_of_call",
)
CDRS_SINCE = select_statement(
    _CDRS.where(
        _D.c.created_wall_ms >= bindparam("after_ms"),
        or_(_D.c.created_wall_ms > bindparam("after_ms"), _D.c.id > bindparam("after_id")),
    )
    .order_by(_D.c.created_wall_ms, _D.c.id)
    .limit(bindparam("most")),
    name="cdrs_since",
)
REQUEST = select_statement(
    select(
        _R.c.id, _R.c.channel, _R.c.received_wall_ms, _R.c.text, _R.c.call_id, _R.c.outcome
    ).where(_R.c.id == bindparam("id"), _R.c.user_id == bindparam("user_id")),
    name="request_of_user",
)
# In no order: by an index of what has not ended, and not by the primary key through all the past.
LIVE_CALLS = call_rows.call_set(select(_C.c.id).where(_C.c.ended_wall_ms.is_(None)), "everybody")
LIVE_CALLERS = select_statement(
    select(_C.c.user_id, _name_of(_C.c.user_id)).where(_C.c.ended_wall_ms.is_(None)),
    name="callers_of_everybody",
)
LAST_MS = 2**62
LAST_ID = "~"
_CURSOR_DIGITS = 18


def _cursor(text: str) -> tuple[int, str]:
    """Read a cursor; a broken one begins at the newest."""
    at, _, key = text.partition(".")
    known = at.isascii() and at.isdigit() and len(at) <= _CURSOR_DIGITS
    return (int(at), key) if known and key else (LAST_MS, LAST_ID)


def _scope(who: Principal) -> tuple[str, str]:
    if who.role == _ADMINISTRATOR:
        return "customer", who.customer_id
    return "user", who.user_id


# --- calls --------------------------------------------------------------------------------------


def call_page(
    tx: Tx, who: Principal, limit: int, cursor: str, now_call_ms: int, rules: Rules
) -> Page[CallView]:
    """Return calls, newest first, in four statements however many there are."""
    scope, owner = _scope(who)
    before_ms, before_id = _cursor(cursor)
    page: dict[str, str | int] = {
        "owner": owner,
        "before_ms": before_ms,
        "before_id": before_id,
        "most": limit + 1,
    }
    calls = call_rows.load_calls(tx, CALLS[scope], **page)
    names: dict[str, str] = dict(tx.all(CALLERS[scope], **page)) if calls else {}
    last = calls[limit - 1] if len(calls) > limit else None
    following = f"{last.created_wall_ms}.{last.id}" if last is not None else ""
    views = (show(call, names.get(call.user_id, ""), now_call_ms, rules) for call in calls[:limit])
    return Page(tuple(views), following)


def find_call(tx: Tx, who: Principal, name: str) -> Call | None:
    """Return a call by id or ref, if `who` may see it."""
    mine: dict[str, str | int] = {
        "customer_id": who.customer_id,
        "user_id": who.user_id,
        "all": int(who.role == _ADMINISTRATOR),
    }
    row = tx.one(CALL_BY_ID, id=name, **mine) or tx.one(CALL_BY_REF, ref=name.upper(), **mine)
    return None if row is None else call_rows.load_call(tx, row[0])


def user_name(tx: Tx, user_id: str) -> str:
    """Return a user's name, "" when there is no such user."""
    row = tx.one(people_rows.CALLER_OF_USER, user_id=user_id)
    return "" if row is None else row.user_name


def view_of(tx: Tx, call: Call, now_call_ms: int, rules: Rules) -> CallView:
    """Return a stored call as pages show it."""
    return show(call, user_name(tx, call.user_id), now_call_ms, rules)


def show(call: Call, name: str, now_call_ms: int, rules: Rules) -> CallView:
    """Return a call as pages show it, with its cost as if it ended now. Pure."""
    parties = tuple(_party(call, party, now_call_ms, rules) for party in call.parties)
    return CallView(
        id=call.id,
        ref=call.ref,
        kind=call.kind,
        state=str(call.state),
        reason=call.reason,
        channel=call.channel,
        user_id=call.user_id,
        user_name=name,
        title=call.title,
        billing_code=call.billing_code,
        private=call.private,
        locked=call.locked,
        created_wall_ms=call.created_wall_ms,
        due_call_ms=call.due_call_ms,
        timezone=call.timezone,
        ended_call_ms=call.ended_call_ms,
        paid_until_call_ms=holds.paid_until_call_ms(call),
        cost_micros=sum(party.cost_micros for party in parties),
        currency=call.currency,
        parties=parties,
        version=call.version,
    )


def _party(call: Call, party: Party, now_call_ms: int, rules: Rules) -> PartyView:
    legs = tuple(_leg(call, leg, now_call_ms, rules) for leg in party.legs)
    return PartyView(
        n=party.n,
        role=str(party.role),
        label=party.label,
        number=party.last_leg.number,
        state=legs[-1].state,
        muted=party.muted,
        legs=legs,
        cost_micros=sum(leg.cost_micros for leg in legs),
    )


def _leg(call: Call, leg: Leg, now_call_ms: int, rules: Rules) -> LegView:
    return LegView(
        attempt=leg.attempt,
        state=str(leg.state),
        originated_call_ms=leg.originated_call_ms,
        ringing_call_ms=leg.ringing_call_ms,
        answered_call_ms=leg.answered_call_ms,
        ended_call_ms=leg.ended_call_ms,
        cause=cause_of(leg.cause).name if leg.ended else "",
        cost_micros=holds.running_cost_micros(call, leg, now_call_ms, rules),
    )


def live_calls(tx: Tx, now_call_ms: int, rules: Rules) -> list[CallView]:
    """Return every call that is not over, scheduled ones included; for the operator."""
    calls = call_rows.load_calls(tx, LIVE_CALLS)
    names: dict[str, str] = dict(tx.all(LIVE_CALLERS))
    calls.sort(key=lambda call: (call.created_wall_ms, call.id))
    return [show(call, names.get(call.user_id, ""), now_call_ms, rules) for call in calls]


# --- records ------------------------------------------------------------------------------------


def _cdr(row: Row) -> Cdr:
    values = dict(zip(_CDR_NAMES, row, strict=True))
    for name in ("customer_id", "user_id", "created_wall_ms"):
        del values[name]
    values["end_estimated"] = bool(values["end_estimated"])
    return Cdr(**values)


def cdr_page(tx: Tx, who: Principal, limit: int, cursor: str, call_id: str) -> Page[Cdr]:
    """Return records, newest first, or those of one call in the order of its parties."""
    if call_id:
        call = find_call(tx, who, call_id)
        rows = [] if call is None else tx.all(CDRS_OF_CALL, call_id=call.id)
        return Page(tuple(_cdr(row) for row in rows), "")
    scope, owner = _scope(who)
    before_ms, before_id = _cursor(cursor)
    rows = tx.all(
        CDRS[scope], owner=owner, before_ms=before_ms, before_id=before_id, most=limit + 1
    )
    following = ""
    if len(rows) > limit:
        last = dict(zip(_CDR_NAMES, rows[limit - 1], strict=True))
        following = f"{last['created_wall_ms']}.{last['id']}"
    return Page(tuple(_cdr(row) for row in rows[:limit]), following)


def cdrs_since(tx: Tx, after: str, most: int) -> Page[Cdr]:
    """Return records of everybody, oldest first, behind a cursor; for exports."""
    at, _, key = after.partition(".")
    rows = tx.all(CDRS_SINCE, after_ms=int(at or 0), after_id=key, most=most)
    following = ""
    if rows:
        last = dict(zip(_CDR_NAMES, rows[-1], strict=True))
        following = f"{last['created_wall_ms']}.{last['id']}"
    return Page(tuple(_cdr(row) for row in rows), following)


# --- money, people ------------------------------------------------------------------------------


def balance(tx: Tx, who: Principal, day: int) -> BalanceView:
    """Return the customer's money; `day` is today, by the switch's clock."""
    row = tx.one(people_rows.CALLER_OF_USER, user_id=who.user_id)
    account = ledger_rows.read_account(tx, who.customer_id)
    assert row is not None, who
    assert account is not None, who
    spent = record_rows.counted(tx, who.customer_id, SPENT, day)
    return BalanceView(
        currency=account.currency,
        plan=row.plan,
        posted_micros=account.credits_posted - account.debits_posted,
        held_micros=account.debits_pending,
        available_micros=available(account),
        credit_limit_micros=account.credit_limit_micros or 0,
        spent_today_micros=spent + account.debits_pending,
        daily_spend_micros=row.daily_spend_micros,
    )


def directory(tx: Tx, who: Principal, prefix: str) -> Sequence[DirectoryEntry]:
    """Return names in order."""
    folded = fold(prefix)
    rows = tx.all(
        people_rows.ENTRIES,
        customer_id=who.customer_id,
        user_id=who.user_id,
        prefix=folded,
        length=len(folded),
        most=MOST,
    )
    return [DirectoryEntry(row.name, row.number, row.extension, not row.user_id) for row in rows]


def phones(tx: Tx, who: Principal) -> Sequence[PhoneView]:
    """Return the user's own phones, the default first."""
    row = tx.one(people_rows.CALLER_OF_USER, user_id=who.user_id)
    rows = tx.all(people_rows.PHONES, user_id=who.user_id)
    default = row.default_phone_id if row is not None and row.default_phone_id else ""
    default = default or (rows[0].id if rows else "")
    views = [
        PhoneView(each.label, each.number, bool(each.verified), each.id == default) for each in rows
    ]
    return sorted(views, key=lambda view: not view.default)


def addresses(tx: Tx, who: Principal) -> Sequence[AddressView]:
    """Return the user's addresses in the order in which they are written to, then devices."""
    senders = [
        AddressView(channel, address, bool(opted_out))
        for _, _, address, channel, opted_out in tx.all(people_rows.SENDERS, user_id=who.user_id)
    ]
    devices = [
        AddressView(DEVICE_CHANNEL, view.label.removeprefix(DEVICE_LABEL), opted_out=False)
        for view in tokens(tx, who)
        if view.label.startswith(DEVICE_LABEL)
    ]
    return senders + devices


def tokens(tx: Tx, who: Principal) -> Sequence[TokenView]:
    """Return the user's tokens that still work."""
    return [
        TokenView(token_id, label, tuple(scopes.split(",")), created, expires, used)
        for token_id, label, scopes, created, expires, used in tx.all(
            access_rows.TOKENS, user_id=who.user_id
        )
    ]


def request(tx: Tx, who: Principal, request_id: str) -> RequestView | None:
    """Return what became of one of the user's requests."""
    row = tx.one(REQUEST, id=request_id, user_id=who.user_id)
    if row is None:
        return None
    identifier, channel, received, text, call_id, outcome = row
    return RequestView(identifier, channel, received, text, call_id, from_json(outcome))
