"""What loading a price list would change against the deck in force, before anybody pays for it.

Dearer means: a call of three minutes and a second costs more, fee and increments included; when
that is equal, the price per minute, the fee, the increments and the minimum decide in this order.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from call_core.rating.deck import RateDeck, RateRow
from call_core.rating.increments import billable_seconds

LARGEST_INCREASES: Final = 10
"""How many increases the summary lists."""
YARDSTICK_MS: Final = 181_000
"""The call of comparison; the second past three minutes makes coarser increments show."""
BASIS_POINTS: Final = 10_000
SECONDS_PER_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class PriceIncrease:
    """A destination that gets dearer: its price per minute before and after, and by how much.

    `increase_basis_points` compares a call of `YARDSTICK_MS` (fee and increments included), in
    hundredths of a per cent; None when the destination was free before.
    """

    prefix: str
    destination: str
    old_price_micros_per_minute: int
    new_price_micros_per_minute: int
    increase_basis_points: int | None


@dataclass(frozen=True, slots=True)
class DeckChanges:
    """What new rows change against the deck in force; counts of rows, and the worst of them.

    `closed` counts what is sold now and no longer would be: rows that are missing, and rows that
    became blocked.
    """

    new: int
    increased: int
    decreased: int
    closed: int
    unchanged: int
    largest_increases: tuple[PriceIncrease, ...]


class DeckComparison:
    """Compares new rows with a deck one by one, so that a load needs only one pass."""

    __slots__ = ("_counts", "_increases", "_old", "_seen")

    def __init__(self, old: RateDeck | None) -> None:
        """Starts a comparison; None when the tariff has no deck yet."""
        self._old = old
        self._seen: set[str] = set()
        self._counts = dict.fromkeys(("new", "increased", "decreased", "closed", "unchanged"), 0)
        self._increases: list[tuple[int, int, PriceIncrease]] = []

    def add(self, row: RateRow) -> None:
        """Counts one new row."""
        self._seen.add(_key(row))
        old = self._match(row)
        kind = self._kind(old, row)
        self._counts[kind] += 1
        if old is not None and kind == "increased":
            self._note_increase(old, row)

    def changes(self) -> DeckChanges:
        """Gives the result; every row must have been added."""
        gone = {_key(row) for row in self._old.rows() if not row.blocked} if self._old else set()
        self._counts["closed"] += len(gone - self._seen)
        ordered = sorted(self._increases, reverse=True, key=lambda entry: entry[:2])
        self._increases = []
        return DeckChanges(**self._counts, largest_increases=tuple(entry[2] for entry in ordered))

    def _match(self, row: RateRow) -> RateRow | None:
        """Finds the old row of the same effective date, else the newest of the same window."""
        rows = self._old.rows_of(row.prefix) if self._old else ()
        same = [old for old in rows if (old.days, old.hours) == (row.days, row.hours)]
        dated = [old for old in same if old.effective_from_ms == row.effective_from_ms]
        return next(iter(dated or same), None)

    def _kind(self, old: RateRow | None, row: RateRow) -> str:
        if row.blocked:
            return "unchanged" if old is not None and old.blocked else "closed"
        if old is None or old.blocked:
            return "new"
        if _price(old) == _price(row):
            return "unchanged"
        before = (_yardstick(old), *_price(old))
        return "increased" if (_yardstick(row), *_price(row)) > before else "decreased"

    def _note_increase(self, old: RateRow, row: RateRow) -> None:
        before = _yardstick(old)
        rise = _yardstick(row) - before
        points = rise * BASIS_POINTS // before if before else None
        entry = PriceIncrease(
            row.prefix,
            row.destination,
            old.price_micros_per_minute,
            row.price_micros_per_minute,
            points,
        )
        # A destination that was free before goes before every percentage.
        rank = (2**63 if points is None else points, -self._counts["increased"], entry)
        if len(self._increases) < LARGEST_INCREASES:
            heapq.heappush(self._increases, rank)
        else:
            heapq.heappushpop(self._increases, rank)


def changes(old: RateDeck | None, rows: Iterable[RateRow]) -> DeckChanges:
    """Summarises what loading `rows` in place of `old` would change."""
    comparison = DeckComparison(old)
    for row in rows:
        comparison.add(row)
    return comparison.changes()


def _key(row: RateRow) -> str:
    return f"{row.prefix} {row.days} {row.hours}" if row.days or row.hours else row.prefix


def _price(row: RateRow) -> tuple[int, int, int, int, int]:
    return (
        row.price_micros_per_minute,
        row.connect_fee_micros,
        row.first_increment_s,
        row.next_increment_s,
        row.minimum_s,
    )


def _yardstick(row: RateRow) -> int:
    """Gives sixtieths of a micro that the call of comparison costs, not rounded."""
    billable_s = billable_seconds(
        YARDSTICK_MS, row.first_increment_s, row.next_increment_s, row.minimum_s
    )
    fee = row.connect_fee_micros * SECONDS_PER_MINUTE
    return fee + billable_s * row.price_micros_per_minute
