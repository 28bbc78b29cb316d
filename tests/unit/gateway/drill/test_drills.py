"""What a drill must show to be good."""

from dataclasses import replace
from typing import Any

import pytest

from gateway.drill.drills import MOST_LATE_S, Result

GOOD = Result(
    drill="kill-node",
    calls=10,
    requests_lost=0,
    calls_doubled=0,
    money_wrong=0,
    calls_cut=0,
    conferences=2,
    conferences_late_s=MOST_LATE_S,
    seconds_without_new_calls=3.0,
    take_over_s=3.0,
    repeats=1,
)


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"calls": 0}, False),
        ({"requests_lost": 1}, False),
        ({"calls_doubled": 1}, False),
        ({"money_wrong": 1}, False),
        ({"calls_cut": 1}, False),
        ({"calls_cut": 1, "drill": "stop-switch"}, True),
        ({"conferences_late_s": MOST_LATE_S + 0.1}, False),
    ],
)
def test_a_good_drill_launched_calls_and_cost_none(change: dict[str, Any], *, good: bool) -> None:
    """One that launched nothing has shown nothing."""
    assert replace(GOOD, **change).good is good
