"""Targets: slots, numbers, names, and what is none of them."""

import pytest

from call_core.commands import Name, Number, Slot, Target
from call_core.errors import ParseError
from parsers.lexer import tokens_of
from parsers.targets import (
    MAX_NAME_CHARS,
    MAX_TARGETS,
    clean_name,
    name_of,
    parse_target,
    parse_targets,
    ref_of,
)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("mom", Name("mom")),
        ("  Mom  and\ndad. ", Name("Mom and dad")),
        ("AT&T", Name("AT&T")),
        ("7 eleven", Name("7 eleven")),
        ("bob from office", Name("bob from office")),
        ('"911 club"', Name("911 club")),
        ('"+1 616"', Name("+1 616")),
        ('"2"', Name("2")),
        ("*7", Slot(7)),
        ("* 123", Slot(123)),
        ("2", Number("2")),
        ("616 977\n9933", Number("616 977 9933")),
        ("tel:+16169779933", Number("+16169779933")),
        ("callto:+16169779933", Number("+16169779933")),
        ("112 now", Number("112")),
        ("please call 911", Number("911")),
    ],
)
def test_one_field_is_one_target(text: str, wanted: Target) -> None:
    """A slot, a number as written, or a name; quotes make a name of anything."""
    assert parse_target(text) == wanted


@pytest.mark.parametrize(
    ("text", "code", "leftover"),
    [
        ("", "not_understood", ""),
        ('""', "not_understood", '""'),
        ("---", "not_understood", "---"),
        ("mom, bob", "not_understood", ", bob"),
        ('"a" b', "not_understood", "b"),
        ('a ""', "not_understood", '""'),
        ('a "b" c', "not_understood", '"b" c'),
        ("4F7", "not_understood", "4F7"),
        ("mom 4F7", "not_understood", "4F7"),
        ("mom *7 x", "not_understood", "*7 x"),
        ("mom 0207 946 0018", "not_understood", "0207 946 0018"),
        ("0207 946 0018 please", "not_understood", "please"),
        ("415 555 1212, 212 555 0100", "two_numbers", None),
        ("415 555 1212\n212 555 0100", "two_numbers", None),
        ("555 1212 and 555 0100", "two_numbers", None),
        ("4" * 41, "number_too_long", None),
        ("\u0664", "lookalike_digits", None),
    ],
)
def test_what_is_no_target_is_refused_by_naming_the_rest(
    text: str, code: str, leftover: str | None
) -> None:
    """No part of a field is ever dropped."""
    error = parse_target(text)
    assert isinstance(error, ParseError)
    assert error.code == code
    if leftover is not None:
        assert error.fields["leftover"] == leftover


def test_two_numbers_are_both_named() -> None:
    """The core asks what is meant and needs both for it."""
    error = parse_target("415 555 1212 212 555 0100")
    assert isinstance(error, ParseError)
    assert error.fields["numbers"] == ["415 555 1212", "212 555 0100"]


def test_lists_are_separated_as_in_conferences() -> None:
    """Comma, semicolon, newline, `and`, `&`; glued numbers are cut."""
    text = 'mom, bob; dad\nann and "x and y" & *7, 415 555 1212 212 555 0100, 911 now'
    assert parse_targets(text) == (
        Name("mom"),
        Name("bob"),
        Name("dad"),
        Name("ann"),
        Name("x and y"),
        Slot(7),
        Number("415 555 1212"),
        Number("212 555 0100"),
        Number("911"),
    )
    assert parse_targets(" , ") == ()
    assert parse_targets('"') == ParseError("quote_not_closed", example='call "bob and sons"')


def test_two_hundred_targets_are_read_and_one_more_is_refused() -> None:
    """More than the core allows, so that the refusal of the 65th party is the core's own."""
    assert len(tuple(_names(MAX_TARGETS))) == MAX_TARGETS
    error = parse_targets(",".join(["ann"] * (MAX_TARGETS + 1)))
    assert isinstance(error, ParseError)
    assert error.code == "too_many_targets"


def _names(count: int) -> tuple[Target, ...]:
    targets = parse_targets(",".join(["ann"] * count))
    assert isinstance(targets, tuple)
    return targets


def test_a_name_has_at_most_forty_characters() -> None:
    """At the limit it is a name, one more is refused."""
    assert name_of("x" * MAX_NAME_CHARS) == Name("x" * MAX_NAME_CHARS)
    with pytest.raises(ParseError) as caught:
        name_of("x" * (MAX_NAME_CHARS + 1))
    assert caught.value.code == "name_too_long"


def test_names_and_refs_are_kept_in_one_form() -> None:
    """Sentence marks go from the end of a name; refs are upper case, brackets go."""
    assert clean_name(" Sam  Jr. ") == "Sam Jr"
    assert [ref_of(token) for token in tokens_of('4f7 [4F7] "4F7" mom')] == [
        "4F7",
        "4F7",
        None,
        None,
    ]
