"""The rate deck: which price holds for a number at an instant.

The longest prefix wins, never the cheapest. Of the rows of one prefix those effective at the
instant count, by the deck's own time zone; a row for certain days or hours goes before a row for
always, then the newer effective date, then the narrower window. When none of a prefix's rows is
effective the next shorter prefix is tried. No row at all means: not sold. There is no default
price.

One dictionary per prefix length: 15 hash look-ups at most, whatever the deck's size.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from call_core.rating.windows import Window, parse_window

DEFAULT_INCREMENT_S: Final = 60
DEFAULT_QUANTUM_MICROS: Final = 100
"""A charge is a multiple of 0.0001 of the currency unless the tariff says otherwise."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE_ALL_TIME: Final = -(2**63)


@dataclass(frozen=True, slots=True)
class RateRow:
    """One price: a prefix, what a minute costs, how seconds are counted, when it holds.

    Attributes:
        rate_id: names the row within its tariff and version; kept on every bill.
        prefix: leading E.164 digits without "+".
        destination: the name people read.
        price_micros_per_minute: price of 60 seconds.
        connect_fee_micros: charged once, when the leg is answered.
        first_increment_s: seconds of the first billing step.
        next_increment_s: seconds of every further step.
        minimum_s: least seconds billed.
        effective_from_ms: first instant (ms since 1970 UTC); None: since ever.
        effective_to_ms: first instant no longer covered; None: for ever.
        days: ISO weekdays ("1-5"), "" for all; see `windows`.
        hours: "08:00-18:00", "" for all; see `windows`.
        blocked: the destination is not sold, whatever a shorter prefix says.
    """

    rate_id: str
    prefix: str
    destination: str
    price_micros_per_minute: int
    connect_fee_micros: int = 0
    first_increment_s: int = DEFAULT_INCREMENT_S
    next_increment_s: int = DEFAULT_INCREMENT_S
    minimum_s: int = 0
    effective_from_ms: int | None = None
    effective_to_ms: int | None = None
    days: str = ""
    hours: str = ""
    blocked: bool = False


class RateDeck:
    """One version of a tariff's prices, ready to be asked.

    Attributes:
        tariff: the tariff's name.
        version: which edition of it; a leg keeps the edition it was originated under.
        currency: ISO 4217 code of every amount in it.
        timezone: IANA name of the clock that days and hours are read by.
        quantum_micros: charges are rounded up to a multiple of this.
    """

    __slots__ = (
        "_tables",
        "_windows",
        "_zone",
        "currency",
        "quantum_micros",
        "tariff",
        "timezone",
        "version",
    )

    def __init__(
        self,
        tariff: str,
        version: int,
        currency: str,
        timezone: str,
        quantum_micros: int,
        rows: Iterable[RateRow],
    ) -> None:
        """Sorts the rows for look-up.

        Raises:
            ValueError: the time zone, the quantum, or a row's days or hours make no sense.
        """
        if quantum_micros <= 0:
            raise ValueError(f"The rounding step must be above zero, not {quantum_micros}.")
        self.tariff = tariff
        self.version = version
        self.currency = currency
        self.timezone = timezone
        self.quantum_micros = quantum_micros
        self._zone = zone_of(timezone)
        self._windows: dict[tuple[str, str], Window] = {}
        self._tables = self._sorted(rows)

    def find(self, digits: str, at_ms: int) -> RateRow | None:
        """Gives the row for a number (E.164 digits without "+") at an instant; None: not sold.

        A blocked row is returned like any other; the caller refuses the call by it.
        """
        for length, table in self._tables:
            rows = table.get(digits[:length])
            if rows is not None:
                row = self._effective(rows, at_ms)
                if row is not None:
                    return row
        return None

    def rows(self) -> Iterator[RateRow]:
        """Gives every row, longest prefixes first, in the order in which they are tried."""
        for _, table in self._tables:
            for rows in table.values():
                yield from rows

    def rows_of(self, prefix: str) -> tuple[RateRow, ...]:
        """Gives the rows of exactly this prefix in the order in which they are tried."""
        return dict(self._tables).get(len(prefix), {}).get(prefix, ())

    def _effective(self, rows: tuple[RateRow, ...], at_ms: int) -> RateRow | None:
        for row in rows:
            if row.effective_from_ms is not None and at_ms < row.effective_from_ms:
                continue
            if row.effective_to_ms is not None and at_ms >= row.effective_to_ms:
                continue
            if not (row.days or row.hours) or self._in_window(row, at_ms):
                return row
        return None

    def _in_window(self, row: RateRow, at_ms: int) -> bool:
        local = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(self._zone)
        return self._windows[row.days, row.hours].covers(local)

    def _sorted(
        self, rows: Iterable[RateRow]
    ) -> tuple[tuple[int, dict[str, tuple[RateRow, ...]]], ...]:
        tables: dict[int, dict[str, tuple[RateRow, ...]]] = {}
        shared: dict[str, list[RateRow]] = {}
        for row in rows:
            prefix = row.prefix
            if row.days or row.hours:
                self._learn_window(row)
            alone = (row,)
            # Most prefixes have one row; only the others pay for a list and a sort.
            first = tables.setdefault(len(prefix), {}).setdefault(prefix, alone)
            if first is not alone:
                shared.setdefault(prefix, [first[0]]).append(row)
        for prefix, together in shared.items():
            tables[len(prefix)][prefix] = tuple(sorted(together, key=self._precedence))
        return tuple(sorted(tables.items(), reverse=True))

    def _learn_window(self, row: RateRow) -> None:
        key = (row.days, row.hours)
        if key not in self._windows:
            self._windows[key] = parse_window(row.days, row.hours)

    def _precedence(self, row: RateRow) -> tuple[bool, int, int, str]:
        always = not (row.days or row.hours)
        since_ms = _BEFORE_ALL_TIME if row.effective_from_ms is None else row.effective_from_ms
        minutes = 0 if always else self._windows[row.days, row.hours].minutes_per_week()
        return always, -since_ms, minutes, row.rate_id


def zone_of(timezone: str) -> ZoneInfo:
    """Gives the time zone of an IANA name.

    Raises:
        ValueError: nothing is known by that name.
    """
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f'"{timezone[:64]}" is not a time zone; write it like Europe/London.'
        ) from error
