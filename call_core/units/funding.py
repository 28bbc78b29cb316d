"""Counts and sums that launching decides by, and the offer when money covers only a part."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import bindparam, case, func, select

from call_core.commands import Call, Conference
from call_core.outcomes import Money, Phrase
from call_core.rating.rater import LegCover, RateTerms, legs_that_fit, longest_common_seconds
from call_core.storage import ledger_rows, record_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.transaction import Tx
from call_core.units import changes
from call_core.units.caller import Ask, Asker, Choice
from call_core.units.house import Stamp

_CALLS = tables.calls
_FEWEST_PEOPLE = 2
_MINUTE_S = 60

LIVE_COUNTS = select_statement(
    select(
        func.count(),
        func.coalesce(
            func.sum(
                case((_CALLS.c.user_id == bindparam("user_id"), _CALLS.c.free_first_leg), else_=0)
            ),
            0,
        ),
    ).where(
        _CALLS.c.customer_id == bindparam("customer_id"),
        _CALLS.c.ended_wall_ms.is_(None),
        _CALLS.c.state.in_(["QUEUED", "LAUNCHING", "CONNECTED", "ENDING"]),
    ),
    name="live_counts",
)
PENDING_SCHEDULES = select_statement(
    select(func.count()).where(
        _CALLS.c.customer_id == bindparam("customer_id"),
        _CALLS.c.user_id == bindparam("user_id"),
        _CALLS.c.ended_wall_ms.is_(None),
        _CALLS.c.state == "SCHEDULED",
    ),
    name="pending_schedules",
)


def live_counts(tx: Tx, asker: Asker) -> tuple[int, int]:
    """Return the customer's running calls, and how many of the user's were promised a free leg."""
    row = tx.one(LIVE_COUNTS, customer_id=asker.customer.id, user_id=asker.user.id)
    return (0, 0) if row is None else (int(row[0]), int(row[1]))


def pending_schedules(tx: Tx, asker: Asker) -> int:
    """Return how many calls stand on the user's calendar."""
    row = tx.one(PENDING_SCHEDULES, customer_id=asker.customer.id, user_id=asker.user.id)
    return 0 if row is None else int(row[0])


def spent_today_micros(tx: Tx, asker: Asker, stamp: Stamp) -> int:
    """Return what today's calls have cost and what is held now."""
    account = ledger_rows.read_account(tx, asker.customer.id)
    held = 0 if account is None else account.debits_pending
    return held + record_rows.counted(tx, asker.customer.id, changes.SPENT, stamp.day)


def offer_smaller(
    asker: Asker,
    command: Call | Conference,
    terms: Sequence[RateTerms],
    left_micros: int,
    stated_seconds: int,
) -> None:
    """Offer fewer people for the whole time, or everybody for less.

    Raises:
        Ask: something fits; nothing is raised when nothing does.
    """
    if not isinstance(command, Conference):
        return
    covers = [LegCover(each) for each in terms]
    people = legs_that_fit(covers, left_micros, stated_seconds)
    shorter = longest_common_seconds(covers, left_micros, stated_seconds).seconds // _MINUTE_S
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
