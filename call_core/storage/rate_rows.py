"""Tariffs and their rows; whole decks are kept in memory by version, which never changes."""

from collections.abc import Iterable

from sqlalchemy import bindparam, insert, select, update

from call_core.rating.deck import RateDeck, RateRow
from call_core.storage import tables
from call_core.storage.statements import Row, select_statement, upsert_statement, write_statement
from call_core.storage.transaction import Tx

_T, _R = tables.tariffs, tables.rates

TARIFF = select_statement(select(_T).where(_T.c.name == bindparam("name")), name="tariff")
TARIFFS = select_statement(select(_T).order_by(_T.c.name), name="tariffs")
INSERT_TARIFF = upsert_statement(
    lambda insert_into: insert_into(_T).on_conflict_do_nothing(index_elements=["name"]),
    name="insert_tariff",
)
RESERVE_VERSION = select_statement(
    update(_T)
    .where(_T.c.name == bindparam("key_name"))
    .values(loaded_version=_T.c.loaded_version + 1)
    .returning(_T.c.loaded_version),
    name="reserve_deck_version",
)
ACTIVATE = write_statement(
    update(_T)
    .where(_T.c.name == bindparam("key_name"))
    .values(active_version=bindparam("version")),
    name="activate_deck",
)
INSERT_RATE = write_statement(insert(_R), name="insert_rate")
RATES = select_statement(
    select(*(column for column in _R.c if column.name not in ("tariff", "version")))
    .where(_R.c.tariff == bindparam("tariff"), _R.c.version == bindparam("version"))
    .order_by(_R.c.row),
    name="rates",
)


def rate_row(row: Row) -> RateRow:
    """Return a stored row as the rater's; its id names tariff version and row."""
    number, prefix, destination, price, fee, first, following, minimum, *rest = row
    effective_from, effective_to, days, hours, blocked = rest
    return RateRow(
        f"{number}:{prefix}",
        prefix,
        destination,
        price,
        fee,
        first,
        following,
        minimum,
        effective_from,
        effective_to,
        days,
        hours,
        bool(blocked),
    )


def stored_rate(
    tariff: str, version: int, number: int, row: RateRow
) -> dict[str, int | str | None]:
    """Return the values of `INSERT_RATE` for a row of a deck."""
    return {
        "tariff": tariff,
        "version": version,
        "row": number,
        "prefix": row.prefix,
        "destination": row.destination,
        "price_micros_per_minute": row.price_micros_per_minute,
        "connect_fee_micros": row.connect_fee_micros,
        "first_increment_s": row.first_increment_s,
        "next_increment_s": row.next_increment_s,
        "minimum_s": row.minimum_s,
        "effective_from_ms": row.effective_from_ms,
        "effective_to_ms": row.effective_to_ms,
        "days": row.days,
        "hours": row.hours,
        "blocked": int(row.blocked),
    }


def insert_rates(
    tx: Tx, tariff: str, version: int, numbered: Iterable[tuple[int, RateRow]]
) -> None:
    """Write rows of a version that is not in force yet."""
    tx.run_many(
        INSERT_RATE, [stored_rate(tariff, version, number, row) for number, row in numbered]
    )


class Decks:
    """Decks by tariff and version. The active version is read in every unit; its rows once."""

    def __init__(self) -> None:
        self._decks: dict[tuple[str, int], RateDeck] = {}

    def active(self, tx: Tx, tariff: str, version: int | None = None) -> RateDeck | None:
        """Return the deck in force, None when the tariff has none.

        Args:
            tx: the transaction.
            tariff: its name.
            version: the one in force, where that was read before in this transaction.
        """
        kept = None if version is None else self._decks.get((tariff, version))
        if kept is not None:
            return kept
        row = tx.one(TARIFF, name=tariff)
        return None if row is None else self._deck(tx, row)

    def all_active(self, tx: Tx) -> dict[str, RateDeck]:
        """Return every deck in force by the name of its tariff, in one statement."""
        found = {row[0]: self._deck(tx, row) for row in tx.all(TARIFFS)}
        return {name: deck for name, deck in found.items() if deck is not None}

    def _deck(self, tx: Tx, row: Row) -> RateDeck | None:
        name, currency, timezone, quantum, version, _loaded = row
        if version == 0:
            return None
        deck = self._decks.get((name, version))
        if deck is None:
            rows = (rate_row(each) for each in tx.all(RATES, tariff=name, version=version))
            deck = RateDeck(name, version, currency, timezone, quantum, rows)
            self._decks = {k: v for k, v in self._decks.items() if k[0] != name}
            self._decks[(name, version)] = deck
        return deck

    def warm(self, tx: Tx) -> None:
        """Read every active deck, so that no unit has to."""
        self.all_active(tx)
