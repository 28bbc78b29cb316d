"""Loading a rate deck into the database."""

import pytest

from call_core.storage import rate_rows
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from gateway.deck_load import CHUNK_ROWS, Loaded, TariffDiffersError, load_deck

pytestmark = pytest.mark.anyio
HEADER = "prefix,destination,price_per_minute\n"


async def load(store: Store, lines: list[str], currency: str = "USD", zone: str = "UTC") -> Loaded:
    """Load lines as the tariff t and remember the progress."""
    told: list[int] = []

    async def progress(rows: int) -> None:
        told.append(rows)

    loaded = await load_deck(
        store, "t", lines, currency=currency, timezone=zone, mapping={}, progress=progress
    )
    assert told[-1] == loaded.rows
    return loaded


def activate(tx: Tx, version: int) -> None:
    """Put a version in force."""
    tx.write(rate_rows.ACTIVATE, key_name="t", version=version)


async def test_a_deck_is_loaded_and_not_in_force_until_it_is_activated(store: Store) -> None:
    """Rows lie under a new version; nobody rates by them yet."""
    loaded = await load(store, [HEADER, "44,United Kingdom,0.012\n", "1,United States,0.009\n"])
    assert (loaded.version, loaded.rows, loaded.bad) == (1, 2, ())
    assert loaded.changes is not None
    assert loaded.changes.new == 2
    assert await store.read(rate_rows.Decks().active, "t") is None
    await store.run(activate, 1)
    deck = await store.read(rate_rows.Decks().active, "t")
    assert deck is not None
    assert {row.prefix for row in deck.rows()} == {"44", "1"}


async def test_one_bad_row_keeps_everything_out_and_all_are_reported(store: Store) -> None:
    """Every bad row comes with its line; the version is none."""
    lines = [HEADER, "44,UK,0.012\n", "x,Nowhere,1\n", "1,US,0.01\n", "33,France,free\n"]
    loaded = await load(store, lines)
    assert loaded.version == 0
    assert [(row.line, row.column) for row in loaded.bad] == [
        (3, "prefix"),
        (5, "price_per_minute"),
    ]
    assert await store.read(rate_rows.Decks().active, "t") is None


async def test_changes_are_told_against_the_deck_in_force(store: Store) -> None:
    """Dearer, new and no longer sold, before anybody pays for it."""
    first = await load(store, [HEADER, "44,UK,0.012\n", "1,US,0.009\n"])
    await store.run(activate, first.version)
    second = await load(store, [HEADER, "44,UK,0.024\n", "33,France,0.02\n"])
    assert second.version == 2
    assert second.changes is not None
    counts = (second.changes.new, second.changes.increased, second.changes.closed)
    assert counts == (1, 1, 1)


@pytest.mark.parametrize("rows", [CHUNK_ROWS, CHUNK_ROWS + 1])
async def test_a_full_chunk_and_one_row_more_are_both_whole(store: Store, rows: int) -> None:
    """No row is lost where one chunk ends and the next begins."""
    lines = [HEADER, *(f"{1_000_000 + number},Somewhere,0.01\n" for number in range(rows))]
    loaded = await load(store, lines)
    await store.run(activate, loaded.version)
    deck = await store.read(rate_rows.Decks().active, "t")
    assert deck is not None
    assert sum(1 for _ in deck.rows()) == rows == loaded.rows


@pytest.mark.parametrize(("currency", "zone"), [("GBP", "UTC"), ("USD", "Europe/London")])
async def test_a_tariff_keeps_its_currency_and_zone(store: Store, currency: str, zone: str) -> None:
    """Prices of another currency or clock would be read wrongly, so they are refused."""
    await load(store, [HEADER, "44,UK,0.012\n"])
    with pytest.raises(TariffDiffersError, match="--currency USD --timezone UTC"):
        await load(store, [HEADER, "44,UK,0.012\n"], currency, zone)


async def test_an_empty_file_is_no_deck(store: Store) -> None:
    """A header alone would close every destination."""
    assert (await load(store, [HEADER])).version == 0
