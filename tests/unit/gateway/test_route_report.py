"""What `routes explain` says of a call that would leave now."""

import pytest

from call_core.storage import rate_rows
from call_core.storage.rate_rows import Decks
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.units.house import House
from call_core.units.lines import Lines, SwitchLine, TrunkLine
from gateway.deck_load import load_deck
from gateway.route_report import NotSoldError, Report, as_data, as_text, look

pytestmark = pytest.mark.anyio

ADA, LONDON = "+12125550990", "+442079460018"
HEADER = "prefix,destination,price_per_minute\n"
DECKS = {
    "buy-blue": ["1,US,0.004\n", "44,United Kingdom,0.005\n"],
    "buy-red": ["44,United Kingdom,0.003\n"],
    "std": ["1,US,0.02\n", "44,United Kingdom,0.0045\n"],
}
LINES = Lines(
    (
        TrunkLine("blue", "ny", 2, "buy-blue"),
        TrunkLine("red", "la", 1, "buy-red"),
        TrunkLine("grey", "la", 1, "buy-grey"),
    ),
    (SwitchLine("ny", 10), SwitchLine("la", 10)),
)
HOUSE = House("n", "ny", "main", 1, "+12025550143", Decks(), lines=LINES)


async def _quiet(_rows: int) -> None:
    return None


def _activate(tx: Tx, tariff: str) -> None:
    tx.write(rate_rows.ACTIVATE, key_name=tariff, version=1)


async def _look(store: Store, *numbers: str, tariff: str = "") -> Report:
    for name, rows in DECKS.items():
        await load_deck(
            store,
            name,
            [HEADER, *rows],
            currency="USD",
            timezone="UTC",
            mapping={},
            progress=_quiet,
        )
        await store.run(_activate, name)
    return await store.read(look, HOUSE, LINES, numbers, tariff, 0)


async def test_every_trunk_stands_there_with_its_price_and_fate(store: Store) -> None:
    """Blue carries both ends; red is cheaper for one of them, grey has no prices."""
    found = await _look(store, ADA, LONDON)
    text = as_text(found)
    assert "Switch ny: up, 10 ports free" in text
    assert "  blue on ny: prefix 44 United Kingdom, 0.005 USD a minute, 60/60; " in text
    assert "Chosen: blue, blue on ny; three minutes of the whole call cost 0.027." in text
    rows = [(each["number"], each["trunk"], each["verdict"]) for each in as_data(found)["offers"]]
    assert sorted(rows) == [
        (ADA, "blue", "chosen"),
        (ADA, "grey", "its tariff has no deck in force"),
        (ADA, "red", "no route"),
        (LONDON, "blue", "chosen"),
        (LONDON, "grey", "its tariff has no deck in force"),
        (LONDON, "red", "dearer"),
    ]


async def test_what_is_sold_below_cost_is_seen_with_the_tariff_of_customers(store: Store) -> None:
    """Blue would cost more than the customer pays; red cannot join both ends."""
    found = await _look(store, ADA, LONDON, tariff="std")
    assert as_text(found).endswith("Refused: the parties have no switch in common (+442079460018).")
    assert as_data(found)["refusal"] == "no_common_switch"
    with pytest.raises(NotSoldError, match=r"Tariff std does not sell \+4930123456"):
        await _look(store, "+4930123456", tariff="std")
