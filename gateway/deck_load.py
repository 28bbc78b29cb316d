"""Loading a rate deck: streamed into a version that is not in force, all of it or nothing.

The file is read once. Rows go to the database in chunks, under a version number that nobody rates
by; activating it is one small command at the door. When a row is bad, the rest is only read, so
that every bad row is reported, and the version stays unused until the next load clears it away.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass

from call_core.rating.deck import DEFAULT_QUANTUM_MICROS, RateRow
from call_core.rating.deck_changes import DeckChanges, DeckComparison
from call_core.rating.deck_file import BadRow, read_deck
from call_core.storage import rate_rows
from call_core.storage.store import Store
from call_core.storage.transaction import Tx

CHUNK_ROWS = 2_000
MAX_BAD_ROWS = 10_000
"""Reading stops here: a file with so many bad rows is another kind of file."""

Progress = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of reading a file: nothing is in force yet.

    Attributes:
        version: to be activated; 0 when a row was bad.
        rows: good rows read.
        bad: every bad row.
        changes: against the deck in force; None when a row was bad.
    """

    version: int
    rows: int
    bad: tuple[BadRow, ...]
    changes: DeckChanges | None


class TariffDiffersError(Exception):
    """The tariff exists with another currency or time zone; the message is a sentence."""


async def load_deck(
    store: Store,
    tariff: str,
    lines: Iterable[str],
    *,
    currency: str,
    timezone: str,
    mapping: Mapping[str, str],
    progress: Progress,
) -> Loaded:
    """Read a deck into a new version of a tariff, which is made if there is none.

    Args:
        store: the database.
        tariff: its name.
        lines: the file.
        currency: of every price.
        timezone: IANA name; of days, hours and dates.
        mapping: our column name to the carrier's.
        progress: told the number of rows read, now and then.

    Raises:
        TariffDiffersError: the tariff has another currency or time zone.
    """
    version = await store.run(_reserve, tariff, currency, timezone)
    comparison = DeckComparison(await store.read(rate_rows.Decks().active, tariff))
    chunk: list[tuple[int, RateRow]] = []
    bad: list[BadRow] = []
    count = 0
    for row in read_deck(lines, mapping, timezone, currency=currency):
        if isinstance(row, BadRow):
            bad.append(row)
            if len(bad) >= MAX_BAD_ROWS:
                break
            continue
        count += 1
        comparison.add(row)
        chunk.append((count, row))
        if len(chunk) == CHUNK_ROWS:
            await _write(store, tariff, version, [] if bad else chunk)
            chunk = []
            await progress(count)
    await _write(store, tariff, version, [] if bad else chunk)
    await progress(count)
    if bad or not count:
        return Loaded(0, count, tuple(bad), None)
    return Loaded(version, count, (), comparison.changes())


async def _write(store: Store, tariff: str, version: int, chunk: list[tuple[int, RateRow]]) -> None:
    if chunk:
        await store.run(rate_rows.insert_rates, tariff, version, chunk)


def _reserve(tx: Tx, tariff: str, currency: str, timezone: str) -> int:
    """Make the tariff if it is not there and take the next version number (a unit of work)."""
    tx.write(
        rate_rows.INSERT_TARIFF,
        name=tariff,
        currency=currency,
        timezone=timezone,
        quantum_micros=DEFAULT_QUANTUM_MICROS,
        active_version=0,
        loaded_version=0,
    )
    found = tx.one(rate_rows.TARIFF, name=tariff)
    assert found is not None
    _, has_currency, has_timezone, *_ = found
    if (has_currency, has_timezone) != (currency, timezone):
        raise TariffDiffersError(
            f"Tariff {tariff} is in {has_currency}, {has_timezone}; load this deck with "
            f"--currency {has_currency} --timezone {has_timezone}, or under another name."
        )
    reserved = tx.one(rate_rows.RESERVE_VERSION, key_name=tariff)
    assert reserved is not None
    return int(reserved[0])
