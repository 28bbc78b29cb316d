"""A slice of the seeded world; `make soak` runs it for ten minutes."""

import os
import subprocess
import sys

import pytest

from tests.sim.planted import KNOWN, PLANTED, find
from tests.sim.run import run_seed
from tests.sim.seeds import ONCE_BROKEN

SLICE = range(1, 9)
STEPS = 80


@pytest.mark.parametrize("seed", SLICE)
def test_a_world_goes_well(seed: int) -> None:
    """Whatever a seed brings, every invariant holds after every step."""
    result = run_seed(seed, STEPS)
    assert result.broken is None, result.broken


@pytest.mark.parametrize(("seed", "steps", "what"), ONCE_BROKEN)
def test_what_once_broke_holds(seed: int, steps: int, what: str) -> None:
    """A seed that found a defect stays."""
    result = run_seed(seed, steps)
    assert result.broken is None, f"{what}: {result.broken}"


def test_a_seed_replays() -> None:
    """The same seed and steps give the same trace, in another process too."""
    here = run_seed(7, 40).trace_hash
    assert here == run_seed(7, 40).trace_hash
    there = subprocess.run(
        [sys.executable, "-m", "tests.sim", "--seed", "7", "--steps", "40"],
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert here[:16] in there.stdout


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str) -> None:
    """The world bites: a bug put in on purpose breaks an invariant."""
    found, _ = find(name, range(KNOWN[name], KNOWN[name] + 12))
    assert found is not None, name
