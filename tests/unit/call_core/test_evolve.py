"""A changed copy of a frozen value is the one that `dataclasses.replace` would give."""

from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from call_core.calls import model
from call_core.evolve import evolve


@dataclass(frozen=True)
class Point:
    """A value with a default."""

    x: int
    y: int = 2
    label: str = ""


def test_the_copy_has_the_changes_and_the_rest_of_the_old_value() -> None:
    """Equal to what `replace` gives; the old value stays as it was."""
    point = Point(1)

    changed = evolve(point, y=5)

    assert changed == replace(point, y=5) == Point(1, 5)
    assert hash(changed) == hash(Point(1, 5))
    assert point == Point(1)


def test_the_copy_is_frozen_too() -> None:
    """Nobody can change it behind the back of others who hold it."""
    with pytest.raises(FrozenInstanceError):
        evolve(Point(1), y=5).x = 3  # type: ignore[misc]


@pytest.mark.parametrize("hot", [model.Call, model.Party, model.Leg])
def test_the_values_of_a_call_can_be_copied_in_one_go(hot: type[object]) -> None:
    """They keep their fields in a dictionary, and nothing is computed when they are made."""
    assert not hasattr(hot, "__slots__")
    assert not hasattr(hot, "__post_init__")
