"""The feature matrix of the READMEs."""

from typing import ClassVar

import pytest

from channels.kit.contract import Channel
from channels.kit.matrix import FEATURES, feature_matrix
from channels.kit.registry import channel_classes


class Pigeon(Channel):
    """A channel with two features."""

    name = "pigeon"
    about = "A strip of paper."
    features: ClassVar[frozenset[str]] = frozenset({"launch", "receipts"})


class Semaphore(Channel):
    """A channel with a feature that has no column."""

    name = "semaphore"
    features: ClassVar[frozenset[str]] = frozenset({"waving"})


def test_a_channel_is_a_row_and_a_feature_a_column() -> None:
    """What a channel has is marked below the feature's name, what it has not stays empty."""
    heading, _rule, row = feature_matrix({"pigeon": Pigeon}).splitlines()
    columns = [cell.strip() for cell in heading.strip("|").split("|")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[:2] == ["`pigeon`", "A strip of paper."]
    assert dict(zip(columns[2:], cells[2:], strict=True)) == {
        feature: "yes" if feature in {"launch", "receipts"} else "" for feature in FEATURES
    }


def test_a_feature_without_a_column_is_refused() -> None:
    """A feature that a channel makes up would otherwise be missing in the table unnoticed."""
    with pytest.raises(ValueError, match="channel semaphore: 'waving' is not one of launch,"):
        feature_matrix({"semaphore": Semaphore})


def test_every_channel_of_the_registry_is_in_it() -> None:
    """A new channel is in the matrix without a line of it being changed."""
    table = feature_matrix()
    assert [name for name in channel_classes() if f"| `{name}` |" not in table] == []


@pytest.mark.parametrize("name", sorted(channel_classes()))
def test_every_channel_says_what_it_is(name: str) -> None:
    """A row without a sentence, or with a bar in it, would break the table."""
    about = channel_classes()[name].about
    assert about
    assert "|" not in about
