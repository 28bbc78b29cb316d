"""A slice of the calls that are up for an hour; `make soak` holds five thousand."""

from pathlib import Path

import pytest

from tests.soak.long_calls import growth, measure

pytestmark = pytest.mark.timeout(180)
CALLS = 25


def test_an_hour_long_call_costs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """All of them stay up, paid for, and neither objects nor tasks nor open files become more."""
    samples = measure(CALLS, tmp_path)
    assert [(each.calls, each.legs) for each in samples] == [(CALLS, 2 * CALLS)] * len(samples)
    assert growth(samples) == ""
