"""What loading a price list would change."""

import pytest

from call_core.rating.deck import RateDeck, RateRow
from call_core.rating.deck_changes import LARGEST_INCREASES, DeckChanges, PriceIncrease
from call_core.rating.deck_file import DeckComparison, changes


def row(prefix: str, price: int, **more: int | str | bool | None) -> RateRow:
    """Makes a row from what matters to a comparison."""
    return RateRow(f"1:{prefix}", prefix, f"D{prefix}", price, **more)  # type: ignore[arg-type]  # (table of fields)


def deck(*rows: RateRow) -> RateDeck:
    """Makes the deck in force."""
    return RateDeck("retail", 1, "USD", "UTC", 100, rows)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        (row("44", 100), row("44", 100), "unchanged"),
        (row("44", 100), row("44", 101), "increased"),
        (row("44", 100), row("44", 99), "decreased"),
        (row("44", 100), row("44", 100, connect_fee_micros=1), "increased"),
        (row("44", 100, next_increment_s=1), row("44", 100), "increased"),
        (row("44", 100), row("44", 100, next_increment_s=1), "decreased"),
        (row("44", 100), row("44", 100, first_increment_s=59), "decreased"),
        (row("44", 100), row("44", 100, minimum_s=60), "increased"),
        (row("44", 100), row("44", 100, effective_from_ms=5), "unchanged"),
        (row("44", 100), row("44", 100, blocked=True), "closed"),
        (row("44", 100, blocked=True), row("44", 100, blocked=True), "unchanged"),
        (row("44", 100, blocked=True), row("44", 100), "new"),
    ],
)
def test_each_row_counts_once(old: RateRow, new: RateRow, kind: str) -> None:
    """Dearer, cheaper, blocked or the same: as a caller would find it."""
    found = changes(deck(old), [new])
    counts = {name: getattr(found, name) for name in DeckChanges.__slots__[:5]}
    assert counts == {name: int(name == kind) for name in counts}


def test_rows_of_the_same_date_are_compared_first() -> None:
    """Loading the same two dated prices again changes nothing."""
    rows = [row("44", 100), row("44", 200, effective_from_ms=5)]
    assert changes(deck(*rows), rows) == DeckChanges(0, 0, 0, 0, 2, ())


def test_what_is_missing_is_closed_and_what_was_not_there_is_new() -> None:
    """Windows are compared with their own window only; a blocked row cannot close again."""
    old = deck(row("44", 1), row("45", 1, hours="08:00-09:00"), row("46", 1, blocked=True))
    found = changes(old, [row("44", 1), row("45", 1), row("47", 1), row("48", 1, blocked=True)])
    assert found == DeckChanges(
        new=2, increased=0, decreased=0, closed=2, unchanged=1, largest_increases=()
    )


def test_everything_is_new_without_a_deck() -> None:
    """The first load closes nothing."""
    assert changes(None, [row("44", 1), row("45", 1)]) == DeckChanges(2, 0, 0, 0, 0, ())


def test_the_largest_increases_come_first() -> None:
    """What was free before leads, then the largest share, and no more than the limit."""
    prefixes = [str(number) for number in range(100, 100 + LARGEST_INCREASES + 2)]
    old = deck(row("99", 0), *(row(prefix, 1000) for prefix in prefixes))
    comparison = DeckComparison(old)
    comparison.add(row("99", 5))
    for prefix in prefixes:
        comparison.add(row(prefix, 1000 + int(prefix)))
    found = comparison.changes()
    assert found.increased == LARGEST_INCREASES + 3
    assert len(found.largest_increases) == LARGEST_INCREASES
    assert found.largest_increases[0] == PriceIncrease("99", "D99", 0, 5, None)
    assert found.largest_increases[1] == PriceIncrease("111", "D111", 1000, 1111, 1110)
    assert [entry.prefix for entry in found.largest_increases[1:]] == prefixes[:-10:-1]


def test_equal_increases_keep_the_order_of_the_file() -> None:
    """Rows that rise alike are all listed, the first one first."""
    old = deck(row("44", 100), row("45", 100))
    new = [row("45", 200), row("44", 200), row("44", 200, effective_from_ms=5)]
    listed = changes(old, new).largest_increases
    assert [entry.prefix for entry in listed] == ["45", "44", "44"]
    assert {entry.increase_basis_points for entry in listed} == {10_000}
