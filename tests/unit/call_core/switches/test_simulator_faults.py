import random

import pytest

from call_core.switches.simulator_faults import Faults, hits


def dice() -> random.Random:
    """Return the same dice every time."""
    return random.Random(7)  # noqa: S311  (faults, not secrets)


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        (Faults(), [0]),
        (Faults(drop=1), []),
        (Faults(drop=1, repeat=1), []),
        (Faults(repeat=1), [0, 0]),
        (Faults(delay_ms=40), [40]),
        (Faults(reorder=1), [0]),
        (Faults(reorder=0, reorder_ms=500, delay_ms=40), [40]),
    ],
)
def test_certain_faults(faults: Faults, expected: list[int]) -> None:
    """A share of 1 always happens, a share of 0 never."""
    assert faults.delays_ms(dice()) == expected


def test_reordering_stays_within_its_time() -> None:
    """Copies are late by 0 to `reorder_ms`, both ends included."""
    rng = dice()
    late = {delay for _ in range(500) for delay in Faults(reorder_ms=3).delays_ms(rng)}
    assert late == {0, 1, 2, 3}


def test_a_share_is_about_kept() -> None:
    """A quarter of the events is about a quarter."""
    rng = dice()
    dropped = sum(Faults(drop=0.25).delays_ms(rng) == [] for _ in range(2_000))
    assert 400 < dropped < 600


def test_without_faults_nothing_is_drawn() -> None:
    """A quiet switch leaves the dice alone, so adding a fault changes nothing before it."""
    rng = dice()
    assert not hits(0, rng)
    Faults().delays_ms(rng)
    assert rng.getstate() == dice().getstate()
