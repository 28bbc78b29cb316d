"""Readers of shapes: there is one for every shape, and its table is complete."""

import pytest

from call_core.commands import Extend
from call_core.errors import ParseError
from parsers.lexer import tokens_of
from parsers.shapes import READERS, Arguments, is_digits
from parsers.verbs import VERBS, Shape, find


def test_every_shape_has_a_reader() -> None:
    """A new shape without a reader would be a verb that cannot be read."""
    assert set(READERS) == set(Shape)


def test_every_shape_is_used_by_a_verb() -> None:
    """A shape without a verb is dead."""
    assert {verb.shape for verb in VERBS} == set(Shape)


def test_arguments_are_taken_piece_by_piece_and_the_rest_is_refused() -> None:
    """A ref comes from the end, then the start, then the reply."""
    verb = find("extend")
    assert verb is not None
    arguments = Arguments(verb, tokens_of("5G8 15 4F7"), "6H9")
    assert [arguments.take_ref() for _ in range(3)] == ["4F7", "5G8", "6H9"]
    with pytest.raises(ParseError) as caught:
        arguments.end()
    assert caught.value.fields["leftover"] == "15"
    arguments.tokens = []
    assert arguments.make(15, None) == Extend(15)


def test_digits_are_counted() -> None:
    """A plain number of at most so many digits; never a quoted one."""
    tokens = tokens_of('12 123 "1" x')
    assert [is_digits(token, 2) for token in tokens] == [True, False, False, False]
