"""A small part of `python -m tests.fuzz`, the same inputs at every run."""

from pathlib import Path

import pytest

from parsers import verbs
from tests.fuzz.engine import fuzz
from tests.fuzz.targets import PARSERS

NOT_FED = frozenset({"__init__"})
ROUNDS = 1


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_but_the_error_type_gets_out(name: str) -> None:
    """Of changed corpora, and of text that nobody would write."""
    found = fuzz(PARSERS[name], 1, lambda rounds: rounds < ROUNDS)
    assert found.failures == {}
    assert found.inputs > 100


def test_every_parser_is_fed() -> None:
    """A new module of `parsers/` needs a target."""
    modules = {file.stem for file in Path(verbs.__file__).parent.glob("*.py")} - NOT_FED
    assert {module for target in PARSERS.values() for module in target.covers} == modules
