"""What is known of switches and trunks: which rest, which are down, what money is worth."""

from dataclasses import replace

import pytest

from call_core.calls.causes import Cause
from call_core.contracts import EventKind, SwitchEvent
from call_core.units.lines import (
    FAILURES_BEFORE_REST,
    REST_MS,
    Health,
    Lines,
    SwitchLine,
    TrunkLine,
)
from tests.support.calls import a_leg, two_party


def _ends(health: Health, cause: Cause, *, answered: bool = False) -> None:
    before = two_party()
    leg = replace(
        a_leg(), ended_call_ms=5, cause=int(cause), answered_call_ms=2 if answered else None
    )
    health.note(before, before.with_leg(leg), 1_000)
    health.note(before.with_leg(leg), before.with_leg(leg), 1_000)


@pytest.mark.parametrize(
    ("last", "answered", "rests"),
    [(Cause.NO_CIRCUIT, False, True), (Cause.BUSY, False, False), (Cause.NO_CIRCUIT, True, False)],
)
def test_a_trunk_rests_after_failures_in_a_row(
    last: Cause,
    answered: bool,  # noqa: FBT001  (a row of the table)
    rests: bool,  # noqa: FBT001  (a row of the table)
) -> None:
    """A busy phone or a talk shows that the route works and begins the row anew."""
    health = Health()
    for _ in range(FAILURES_BEFORE_REST - 1):
        _ends(health, Cause.NETWORK_OUT_OF_ORDER)
    assert health.trunk_is_up("trunk", 1_000)
    _ends(health, last, answered=answered)
    assert health.trunk_is_up("trunk", 1_000) is not rests
    assert health.trunk_is_up("trunk", 1_000 + REST_MS)


def test_a_switch_is_down_from_its_loss_to_its_return() -> None:
    """Other events say nothing about it."""
    health = Health()
    for kind, down in (
        (EventKind.SWITCH_LOST, {"ny"}),
        (EventKind.RINGING, {"ny"}),
        (EventKind.SWITCH_BACK, set[str]()),
    ):
        health.told(SwitchEvent("e", kind, "", "", 0, switch="ny"))
        assert health.down == down


def test_lines_know_the_switch_of_a_trunk_and_the_worth_of_a_currency() -> None:
    """A trunk that is gone has none; a currency that nobody named counts as the common one."""
    lines = Lines((TrunkLine("b", "ny", 1, "t"),), (SwitchLine("ny", 1),), {"GBP": 1_300_000})
    assert (lines.switch_of("b"), lines.switch_of("x")) == ("ny", None)
    assert (lines.ppm("GBP"), lines.ppm("USD")) == (1_300_000, 1_000_000)
