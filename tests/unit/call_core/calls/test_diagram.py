"""The generated parts of the documentation."""

import pytest

from call_core.calls.diagram import (
    begin_marker,
    call_diagram,
    documents,
    end_marker,
    fill,
    leg_diagram,
    leg_table,
)
from call_core.calls.facts import TRANSITIONS
from call_core.calls.model import CallState, LegState


def test_the_leg_diagram_has_every_way_on() -> None:
    """Each move of the table is an arrow, and nothing leads back."""
    lines = [line.strip() for line in leg_diagram().splitlines() if "-->" in line]
    arrows = {tuple(line.split(":")[0].split(" --> ")) for line in lines}
    order = ["[*]", *LegState]
    for (state, _), row in TRANSITIONS.items():
        if row in set(LegState) - {state}:
            assert (str(state), str(row)) in arrows
    assert all(
        order.index(before) < order.index(after) for before, after in arrows if after != "[*]"
    )
    assert ("ENDED", "[*]") in arrows
    assert "    RINGING --> ANSWERED: answered (key wanted), another key" in leg_diagram()


def test_the_call_diagram_has_every_state() -> None:
    """Each state of a call is in it."""
    assert all(str(state) in call_diagram() for state in CallState)


def test_the_leg_table_tells_both_sides_of_a_guard() -> None:
    """A cell says what happens, and what if the guard fails."""
    row = next(line for line in leg_table().splitlines() if line.startswith("| digit "))
    assert row.split(" | ")[1:4] == ["none", "ACCEPTED; else ANSWERED", "ACCEPTED; else ANSWERED"]
    assert row.split(" | ")[4:7] == ["ACCEPTED; else stays", "stays", "stays"]


def test_a_page_is_filled_between_its_markers() -> None:
    """What stands around the markers stays; filling twice changes nothing more."""
    page = f"before\n{begin_marker('guards')}\nyesterday\n{end_marker('guards')}\nafter\n"
    filled = fill(page)
    assert filled.startswith("before\n")
    assert filled.endswith("\nafter\n")
    assert documents()["guards"] in filled
    assert "yesterday" not in filled
    assert fill(filled) == filled


def test_a_part_without_an_end_is_refused() -> None:
    """Nothing after a lost marker is thrown away silently."""
    with pytest.raises(ValueError, match="guards has no end"):
        fill(begin_marker("guards"))
