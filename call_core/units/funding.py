"""Counts and sums that launching decides by, and the offer when money covers only a part."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from call_core.calls.holds import Budget, first_cover
from call_core.calls.model import MS, Call
from call_core.calls.rules import Rules
from call_core.commands import Call as CallCommand
from call_core.commands import Conference
from call_core.customers.admission import CalleeCount
from call_core.customers.limits import block_of
from call_core.ledger.accounts import available
from call_core.outcomes import Money, Phrase
from call_core.rating.rater import (
    Extension,
    LegCover,
    RateTerms,
    extension,
    legs_that_fit,
    longest_common_seconds,
)
from call_core.storage import ledger_rows, people_rows, record_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import changes
from call_core.units.caller import Ask, Asker, Choice, frozen_in
from call_core.units.house import Stamp

LAUNCHED = "launched"
_CALLS, _COUNTERS = tables.calls, tables.counters
_FEWEST_PEOPLE = 2
_MINUTE_S = 60

_LIVE = _CALLS.c.state.in_(["QUEUED", "LAUNCHING", "CONNECTED", "ENDING"])
_MINE = _CALLS.c.user_id == bindparam("user_id")


def _sum_where(condition: ColumnElement[bool], value: ColumnElement[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, value), else_=0)), 0)


_ZERO: ColumnElement[int] = literal_column("0")
_NO_KIND: ColumnElement[str] = literal_column("''")
_STANDING = select(
    _NO_KIND,
    _sum_where(_LIVE, literal_column("1")),
    _sum_where(and_(_LIVE, _MINE), _CALLS.c.free_first_leg),
    _sum_where(and_(_CALLS.c.state == "SCHEDULED", _MINE), literal_column("1")),
).where(_CALLS.c.customer_id == bindparam("customer_id"), _CALLS.c.ended_wall_ms.is_(None))


def _counter(subject: str, kind: ColumnElement[str] | str, bucket: str) -> ColumnElement[bool]:
    return and_(
        _COUNTERS.c.subject == bindparam(subject),
        _COUNTERS.c.kind == kind,
        _COUNTERS.c.bucket == bindparam(bucket),
    )


_COUNTS = select(_COUNTERS.c.kind, _COUNTERS.c.value).where(
    or_(
        _counter("customer_id", LAUNCHED, "second"),
        _counter("customer_id", changes.SPENT, "day"),
        _counter("user_id", changes.FREE_LEGS, "day"),
        _counter("customer_id", bindparam("callee"), "hour"),
        _counter("customer_id", bindparam("block"), "hour"),
    )
)
COUNTS = select_statement(_COUNTS, name="launch_counts")
_FREEZE, _USER = "freeze ", "user "
_FREEZES = select(_FREEZE + tables.freezes.c.kind + " " + tables.freezes.c.target, _ZERO)
_STATE = select(_USER + tables.users.c.state, _ZERO).where(
    tables.users.c.id == bindparam("user_id")
)
STANDING_AND_COUNTS = select_statement(
    union_all(
        _STANDING,
        *(rows.add_columns(_ZERO, _ZERO) for rows in (_COUNTS, _FREEZES, _STATE)),
    ),
    name="standing_and_counts",
)
"""What runs and waits, under the kind "", then the counters, what is frozen and the user's state:
one statement instead of four. Read once the customer's account is locked, it misses no freeze that
ended what ran, since that one locked it too."""


class Standing(NamedTuple):
    """The customer's live calls; of the user's own, those promised a free leg, and the calendar."""

    live_calls: int
    promised_free: int
    scheduled: int


class Counts(NamedTuple):
    """What was counted of the customer, of the user, and of one number that is to be rung."""

    launched_this_second: int
    spent_today_micros: int
    free_legs_today: int
    callee: CalleeCount


def standing_and_counts(
    tx: Tx, asker: Asker, digits: str, stamp: Stamp
) -> tuple[Asker, Standing, Counts]:
    """Return the asker as they stand now, what of the customer's runs, and a number's counters.

    Args:
        tx: the transaction, which holds the customer's account.
        asker: as read when the request began.
        digits: a number that is to be rung.
        stamp: now.
    """
    rows = tx.all(STANDING_AND_COUNTS, **_keys(asker, digits, stamp))
    found = {row[0]: int(row[1]) for row in rows}
    _, *sums = next(row for row in rows if not row[0])
    frozen = [kind.removeprefix(_FREEZE) for kind in found if kind.startswith(_FREEZE)]
    active = f"{_USER}active" in found
    standing = Standing(*(int(value) for value in sums))
    return asker.as_now(frozen_in(frozen), active=active), standing, _counts(digits, found)


def counts(tx: Tx, asker: Asker, digits: str, stamp: Stamp) -> Counts:
    """Return every counter that launching to a number decides by, in one statement."""
    return _counts(digits, dict(tx.all(COUNTS, **_keys(asker, digits, stamp))))


def _keys(asker: Asker, digits: str, stamp: Stamp) -> dict[str, int | str | None]:
    callee, block = callee_kinds(digits)
    return {
        "customer_id": asker.customer.id,
        "user_id": asker.user.id,
        "second": stamp.wall_ms // 1000,
        "day": stamp.day,
        "hour": stamp.hour,
        "callee": callee,
        "block": block,
    }


def _counts(digits: str, found: Mapping[str, int]) -> Counts:
    callee, block = callee_kinds(digits)
    return Counts(
        found.get(LAUNCHED, 0),
        found.get(changes.SPENT, 0),
        found.get(changes.FREE_LEGS, 0),
        CalleeCount(digits, found.get(callee, 0), found.get(block, 0)),
    )


def callee_kinds(digits: str) -> tuple[str, str]:
    """Return the counters of a number that is rung: its own, and that of its block."""
    return f"callee:{digits}", f"block:{block_of(digits)}"


def spent_today_micros(tx: Tx, asker: Asker, stamp: Stamp) -> int:
    """Return what today's calls have cost and what is held now."""
    account = ledger_rows.read_account(tx, asker.customer.id)
    held = 0 if account is None else account.debits_pending
    return held + record_rows.counted(tx, asker.customer.id, changes.SPENT, stamp.day)


def budget(tx: Tx, call: Call, day: int | None = None) -> Budget:
    """Return what more may be held for a customer now.

    Args:
        tx: the transaction; the account stays locked in it.
        call: whose customer.
        day: today, to count the daily limit too; None leaves it out.
    """
    account = ledger_rows.lock_account(tx, call.customer_id)
    if account is None:
        return Budget(0)
    left = available(account)
    caller = tx.one(people_rows.CALLER_OF_USER, user_id=call.user_id) if day is not None else None
    if day is None or caller is None or caller.daily_spend_micros is None:
        return Budget(left)
    spent = record_rows.counted(tx, call.customer_id, changes.SPENT, day)
    return Budget(left, caller.daily_spend_micros - spent - account.debits_pending)


def first_holds(terms: Sequence[RateTerms], rules: Rules, stated_seconds: int | None) -> Extension:
    """Return the holds that a launch begins with."""
    if stated_seconds is None:
        return first_cover(terms, rules)
    covers = stated_covers(terms, rules)
    return extension(covers, stated_seconds, rules.tax, rules.customer_country)


def stated_covers(terms: Sequence[RateTerms], rules: Rules) -> list[LegCover]:
    """Return the legs of a conference of stated length, A's first.

    The length counts from the first guest who accepted. Whoever answers before that is paid for
    longer: guests while they reach for the key, the chair while they are rung too. So the
    conference ends by the clock, not because the leg that was answered first ran dry.
    """
    guest_ms = rules.accept_timeout_s * MS
    chair_ms = guest_ms + rules.ring_timeout_s * MS
    return [LegCover(one, guest_ms if n else chair_ms) for n, one in enumerate(terms)]


def offer_smaller(
    asker: Asker,
    command: CallCommand | Conference,
    terms: Sequence[RateTerms],
    left_micros: int,
    stated_seconds: int,
    rules: Rules,
) -> None:
    """Offer fewer people for the whole time, or everybody for less.

    Raises:
        Ask: something fits; nothing is raised when nothing does.
    """
    if not isinstance(command, Conference):
        return
    covers, tax = stated_covers(terms, rules), (rules.tax, rules.customer_country)
    people = legs_that_fit(covers, left_micros, stated_seconds, *tax)
    shorter = longest_common_seconds(covers, left_micros, stated_seconds, *tax).seconds
    shorter //= _MINUTE_S
    minutes = stated_seconds // _MINUTE_S
    choices: list[Choice] = []
    if people > _FEWEST_PEOPLE:
        fewer = replace(command, participants=command.participants[: people - 1])
        phrase = Phrase("choice_fewer", {"people": people, "of": len(terms), "minutes": minutes})
        choices.append(Choice(phrase, fewer))
    if shorter:
        phrase = Phrase("choice_shorter", {"people": len(terms), "minutes": shorter})
        choices.append(Choice(phrase, replace(command, minutes=shorter)))
    if choices:
        raise Ask(
            "funds_cover_part",
            choices=tuple(choices),
            fields={"available": Money(max(0, left_micros), asker.customer.currency)},
        )
