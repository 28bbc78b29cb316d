"""Billing increments, as tables and as laws."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_core.rating.increments import (
    billable_seconds,
    covered_seconds,
    seconds_to_increment_boundary,
)

# first/next, minimum: duration in ms = billed seconds
GOLDEN = """
    60/60  0   0=60 1=60 60000=60 60001=120 120000=120 120001=180
    30/6   0   0=30 1000=30 30000=30 30001=36 36000=36 36001=42 61000=66
    6/6    0   0=6 6000=6 6001=12 59999=60
    1/1    0   0=1 1=1 1000=1 1001=2 61250=62
    60/1   0   0=60 59000=60 60000=60 60001=61 61000=61
    1/1    30  0=30 29999=30 30001=31
    6/6    20  0=24 24000=24 24001=30
    30/6   60  0=60 60000=60 60001=66
"""
CASES = [
    (*map(int, steps.split("/")), int(minimum), *map(int, case.split("=")))
    for steps, minimum, *cases in (line.split() for line in GOLDEN.strip().splitlines())
    for case in cases
]
STEPS = st.tuples(st.integers(1, 120), st.integers(1, 120), st.integers(0, 300))


@pytest.mark.parametrize(("first_s", "next_s", "minimum_s", "duration_ms", "billed_s"), CASES)
def test_golden_increments(
    first_s: int, next_s: int, minimum_s: int, duration_ms: int, billed_s: int
) -> None:
    """Known durations bill exactly the known seconds."""
    assert billable_seconds(duration_ms, first_s, next_s, minimum_s) == billed_s


@given(st.integers(0, 10_000_000), STEPS)
def test_billed_seconds_are_the_least_boundary_that_covers(
    duration_ms: int, steps: tuple[int, int, int]
) -> None:
    """Nobody pays for less than was talked, nor for a whole step more."""
    first_s, next_s, minimum_s = steps
    billed_s = billable_seconds(duration_ms, *steps)
    least_s = max(-(-duration_ms // 1000), minimum_s, first_s)
    assert least_s <= billed_s < least_s + next_s
    assert (billed_s - first_s) % next_s == 0


@given(st.integers(0, 10_000), STEPS)
def test_covered_seconds_is_the_inverse(seconds: int, steps: tuple[int, int, int]) -> None:
    """What is covered by some seconds is the last boundary that they reach."""
    covered_s = covered_seconds(seconds, *steps)
    assert covered_s <= seconds
    assert seconds_to_increment_boundary(seconds + 1, *steps) > covered_s
    if covered_s:
        assert seconds_to_increment_boundary(covered_s, *steps) == covered_s
        assert seconds - covered_s < steps[1]
    else:
        assert seconds < seconds_to_increment_boundary(0, *steps)
