"""What must be true after every commit, looked at with plain SQL and no code of the core.

The books are replayed transfer by transfer as they come, so a look costs what is new, not what was.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

_NEW_TRANSFERS = """
    SELECT rowid, id, kind, debit_account, credit_account, amount_micros, pending_id, leg_id, code
    FROM transfers WHERE rowid > ? ORDER BY rowid
"""
_ACCOUNTS = """
    SELECT id, kind, credit_limit_micros,
           debits_pending, debits_posted, credits_pending, credits_posted FROM accounts
"""
_OPEN_LEGS = (
    "SELECT id, holds, held_micros, ended_call_ms FROM legs WHERE settled = 0 AND holds > 0"
)
_LIVE = "SELECT id, version, state FROM calls WHERE ended_wall_ms IS NULL"
_NEW_CDRS = """
    SELECT cdrs.rowid, cdrs.id, cdrs.total_micros, cdrs.charge_micros, cdrs.tax_micros,
           cdrs.answer_call_ms, cdrs.end_call_ms, legs.id, legs.settled, legs.charge_micros,
           legs.held_micros, legs.ended_call_ms
    FROM cdrs LEFT JOIN legs ON cdrs.id = 'cdr_' || legs.id
    WHERE cdrs.rowid > ? ORDER BY cdrs.rowid
"""
_OVER_CAP = """
    SELECT calls.id, calls.cap_micros,
           sum(CASE WHEN legs.settled THEN legs.charge_micros ELSE legs.held_micros END) AS used
    FROM calls JOIN legs ON legs.call_id = calls.id
    WHERE calls.cap_micros IS NOT NULL
    GROUP BY calls.id HAVING used > calls.cap_micros
"""
_PORTS = "SELECT coalesce(sum(used), 0) FROM ports"
_REVIVED = """
    SELECT legs.id FROM legs JOIN calls ON calls.id = legs.call_id
    WHERE calls.ended_wall_ms IS NULL AND legs.ended_call_ms IS NULL
"""
_EMPTY_OUTCOMES = "SELECT id FROM requests WHERE outcome = ''"
_TWO_CALLS = """
    SELECT request_id FROM calls WHERE request_id <> '' GROUP BY request_id HAVING count(*) > 1
"""
_FREE_LEGS = """
    SELECT calls.user_id, transfers.at_call_ms / 86400000, count(*)
    FROM transfers JOIN calls ON calls.id = transfers.call_id
    WHERE transfers.code = 'free_leg' GROUP BY 1, 2 HAVING count(*) > ?
"""
FREE_LEGS_PER_DAY = 5


class Watch:
    """Looks at the store after every commit.

    Args:
        connection: of the database in memory; nothing is under way on it when `look` is called.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._last_transfer = self._last_cdr = 0
        self._counters: dict[str, Counter[str]] = defaultdict(Counter)
        self._open: dict[str, tuple[str, str, str, int]] = {}
        self.charged: Counter[str] = Counter()
        self._posts: Counter[str] = Counter()
        self._versions: dict[str, int] = {}
        self._over: set[str] = set()
        self._ended_legs: set[str] = set()

    @property
    def calls_ended(self) -> int:
        """How many calls have ended so far."""
        return len(self._over)

    def _rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._db.execute(sql, values)]

    def look(self) -> Iterator[tuple[str, str]]:
        """Yield the name of every invariant that is broken, and how."""
        yield from self._transfers()
        yield from self._accounts()
        yield from self._holds()
        yield from self._records()
        yield from self._calls()

    def look_long(self) -> Iterator[tuple[str, str]]:
        """The same for what needs a look at everything."""
        for (request_id,) in self._rows(_EMPTY_OUTCOMES):
            yield "request_without_outcome", request_id
        for (request_id,) in self._rows(_TWO_CALLS):
            yield "one_call_per_request", request_id
        for user_id, day, count in self._rows(_FREE_LEGS, FREE_LEGS_PER_DAY):
            yield "free_exposure", f"{user_id} had {count} free legs on day {day}"

    def _transfers(self) -> Iterator[tuple[str, str]]:
        for row in self._rows(_NEW_TRANSFERS, self._last_transfer):
            rowid, identifier, kind, debit, credit, amount, pending_id, leg_id, code = row
            self._last_transfer = rowid
            if kind == "pending":
                self._open[identifier] = (debit, credit, leg_id, amount)
                self._counters[debit]["debits_pending"] += amount
                self._counters[credit]["credits_pending"] += amount
                continue
            if kind in ("post", "void"):
                held = self._open.pop(pending_id, None)
                if held is None or held[:2] != (debit, credit) or amount > held[3]:
                    yield "one_settlement", f"{identifier} ends {pending_id}, open was {held}"
                    continue
                self._counters[debit]["debits_pending"] -= held[3]
                self._counters[credit]["credits_pending"] -= held[3]
            if kind != "void":
                self._counters[debit]["debits_posted"] += amount
                self._counters[credit]["credits_posted"] += amount
                yield from self._posted(kind, debit, credit, amount, leg_id, code)

    def _posted(
        self, kind: str, debit: str, credit: str, amount: int, leg_id: str, code: str
    ) -> Iterator[tuple[str, str]]:
        customers = debit.startswith("customer:"), credit.startswith("customer:")
        if leg_id and any(customers):
            self.charged[leg_id] += amount if customers[0] else -amount
        if leg_id and kind == "post":
            self._posts[leg_id] += 1
            if self._posts[leg_id] > 1:
                yield "one_settlement", f"leg {leg_id} was posted {self._posts[leg_id]} times"
        if leg_id and kind == "single" and customers[0] and code != "adjustment":
            yield "one_settlement", f"leg {leg_id} was charged without its hold"

    def _accounts(self) -> Iterator[tuple[str, str]]:
        sums: Counter[str] = Counter()
        for identifier, kind, limit, *stored in self._rows(_ACCOUNTS):
            names = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
            replayed = [self._counters[identifier][name] for name in names]
            if stored != replayed:
                yield "balance_replays", f"{identifier} has {stored}, its log gives {replayed}"
            held, out, coming, paid = stored
            sums["posted"] += out - paid
            sums["pending"] += held - coming
            left = paid + (limit or 0) - out - held
            if kind == "customer_prepaid" and left < 0:
                yield "prepaid_not_below_zero", f"{identifier} is at {left}"
            if kind == "customer_postpaid" and left < 0:
                yield "credit_limit", f"{identifier} is {-left} over its limit"
        for phase, difference in sums.items():
            if difference:
                yield "ledger_sums_to_zero", f"{phase} differ by {difference}"

    def _holds(self) -> Iterator[tuple[str, str]]:
        held: dict[str, list[int]] = defaultdict(list)
        for _, _, leg_id, amount in self._open.values():
            held[leg_id].append(amount)
        count = 0
        for leg_id, _, micros, _ in self._rows(_OPEN_LEGS):
            count += 1
            mine = held.pop(leg_id, [])
            if mine != [micros]:
                yield "one_hold_per_leg", f"{leg_id} should hold {micros} and holds {mine}"
        for leg_id, amounts in held.items():
            yield "no_hold_without_leg", f"{leg_id} holds {amounts} after its end"
        ((used,),) = self._rows(_PORTS)
        if used != count:
            yield "ports_are_live_legs", f"{used} ports are taken by {count} legs"

    def _records(self) -> Iterator[tuple[str, str]]:
        for row in self._rows(_NEW_CDRS, self._last_cdr):
            rowid, identifier, total, charge, tax, answered, ended, leg_id, settled, *leg = row
            charged, held, leg_ended = leg if leg_id else (0, 0, 0)
            self._last_cdr = rowid
            if leg_id is None or not settled:
                yield "record_of_a_settled_leg", f"{identifier} has leg {leg_id}"
            elif not total == charged == self.charged[leg_id] == charge + tax or total > held:
                words = f"bills {total}, leg {charged} of {held}, ledger {self.charged[leg_id]}"
                yield "record_is_the_money", f"{identifier} {words}"
            elif ended != leg_ended or (answered is not None and ended < answered):
                yield "record_is_the_leg", f"{identifier} ended {ended}, leg {leg_ended}"

    def _calls(self) -> Iterator[tuple[str, str]]:
        live = {identifier: version for identifier, version, _ in self._rows(_LIVE)}
        for identifier, version in live.items():
            if identifier in self._over:
                yield "ended_is_ended", f"{identifier} is alive again"
            if version < self._versions.get(identifier, 0):
                yield "versions_go_up", f"{identifier} went back to {version}"
        self._over.update(self._versions.keys() - live.keys())
        self._versions = live
        open_legs = {leg_id for (leg_id,) in self._rows(_REVIVED)}
        for leg_id in sorted(open_legs & self._ended_legs):
            yield "ended_is_ended", f"leg {leg_id} is alive again"
        sql = "SELECT legs.id FROM legs JOIN calls ON calls.id = legs.call_id"
        sql += " WHERE legs.ended_call_ms IS NOT NULL AND calls.ended_wall_ms IS NULL"
        self._ended_legs.update(leg_id for (leg_id,) in self._rows(sql))
        for identifier, cap, used in self._rows(_OVER_CAP):
            yield "cap", f"{identifier} uses {used} of {cap}"
