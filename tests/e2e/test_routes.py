"""`callgate routes explain` on a service with two sites."""

import json
from pathlib import Path

import pytest

from tests.support.command_line import Cli

pytestmark = pytest.mark.enable_socket

SITES = """
[switches.ny]
[switches.la]
[trunks.blue]
switch = "ny"
tariff = "buy-blue"
[trunks.red]
switch = "la"
tariff = "buy-red"
"""
DECK = "prefix,destination,price_per_minute\n1,United States,{}\n44,United Kingdom,{}\n"


def test_routes_explain_shows_each_offer_and_the_choice(tmp_path: Path) -> None:
    """Decks are loaded like any other; one trunk alone has nothing to explain."""
    cli = Cli(tmp_path)
    cli.run("db", "upgrade")
    assert "nothing to choose" in cli.run("routes", "explain", "+442079460018", status=1).stderr
    (tmp_path / "callgate.toml").write_text(SITES, encoding="utf-8")
    for trunk, prices in (("blue", (0.004, 0.009)), ("red", (0.005, 0.006))):
        deck = tmp_path / f"{trunk}.csv"
        deck.write_text(DECK.format(*prices), encoding="utf-8")
        cli.run("rates", "load", f"buy-{trunk}", str(deck), "--yes")

    found = cli.json("routes", "explain", "+442079460018", "--from", "+12125550990")
    assert found["switch"] == "la"
    assert [each["verdict"] for each in found["offers"]] == ["dearer", "chosen", "chosen", "dearer"]
    shown = cli.run("routes", "explain", "+44 20 7946 0018").stdout
    assert "Chosen: red on la" in shown
    assert json.dumps(found)
    assert "no number in E.164" in cli.run("routes", "explain", "mom", status=2).stderr
    unsold = cli.run("routes", "explain", "+442079460018", "--tariff", "std", status=1)
    assert "does not sell" in unsold.stderr
