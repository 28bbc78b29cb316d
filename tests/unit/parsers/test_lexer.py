"""What people type becomes tokens, whatever their phone made of it."""

import pytest

from call_core.errors import ParseError
from parsers.lexer import MAX_TEXT_CHARS, Kind, joined, normalise, tokens_of, trimmed


def _texts(text: str) -> list[str]:
    return [token.text for token in tokens_of(normalise(text))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("call mom", "call mom"),
        ("616\u2011977\u20139933", "616-977-9933"),
        ("\u201cbob\u201d", '"bob"'),
        ("o\u2019brien", "o'brien"),
        ("\u202a+1\u00a0616\u202c", "+1 616"),
        ("\uff0b44", "+44"),
        ("a\tb", "a b"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\u2028b", "a\nb"),
        ("Jo\u0308rg", "J\u00f6rg"),
        ("a\u200bb\ufeff", "ab"),
    ],
)
def test_damage_by_phones_and_mail_programs_is_undone(text: str, wanted: str) -> None:
    """Look-alike punctuation becomes ASCII, invisible characters go, letters are composed."""
    assert normalise(text) == wanted


@pytest.mark.parametrize("digits", ["\u0663\u0664\u0665", "\uff11\uff12", "\u00b2", "\u2460"])
def test_digits_of_other_scripts_are_refused(digits: str) -> None:
    """What is read on the screen and what would be rung must be the same."""
    with pytest.raises(ParseError) as caught:
        normalise(f"call {digits}")
    assert caught.value.code == "lookalike_digits"


def test_text_of_the_longest_length_is_read_and_one_more_is_refused() -> None:
    """The limit is on the characters as they came."""
    assert normalise("x" * MAX_TEXT_CHARS)
    with pytest.raises(ParseError) as caught:
        normalise("x" * (MAX_TEXT_CHARS + 1))
    assert (caught.value.code, caught.value.fields["limit"]) == ("too_long", 2_000)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("conf mom, bob;dad&AT", ["conf", "mom", ",", "bob", ";", "dad", "&", "AT"]),
        (",, mom ,\n bob ;", ["mom", ",", "bob"]),
        ('call "bob, jr" x', ["call", "bob, jr", "x"]),
        ("4155551212,,1234#,2125550100", ["4155551212,,1234#", ",", "2125550100"]),
        ("4155551212,1234#", ["4155551212,1234#"]),
        ("4155551212,2125550100", ["4155551212", ",", "2125550100"]),
        ("+4420;ext=12;+44", ["+4420;ext=12", ";", "+44"]),
        ("max $5,50", ["max", "$5,50"]),
        ("", []),
    ],
)
def test_separators_pauses_and_quotes_are_told_apart(text: str, wanted: list[str]) -> None:
    """A comma separates, unless it is a pause before an extension or part of an amount."""
    assert _texts(text) == wanted


def test_a_quote_that_is_not_closed_is_refused() -> None:
    """An odd quote could hide anything behind it."""
    with pytest.raises(ParseError) as caught:
        tokens_of('call "bob')
    assert caught.value.code == "quote_not_closed"


def test_key_words_are_lower_case_without_colon_and_never_quoted() -> None:
    """`From:` is the word from; a quoted from is a name."""
    tokens = tokens_of('From: "From" ,x')
    assert [token.word for token in tokens] == ["from", "", "", "x"]
    assert [token.kind for token in tokens][1:3] == [Kind.QUOTED, Kind.SEPARATOR]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("AT&T  store", "AT&T store"),
        ("mom\nand dad", "mom and dad"),
        ('"a  b"', "a b"),
        ('x "a b"', 'x "a b"'),
        ("", ""),
    ],
)
def test_joined_words_stand_as_they_stood(text: str, wanted: str) -> None:
    """What touched still touches, everything else has one space."""
    assert joined(tokens_of(text)) == wanted


def test_trimming_leaves_no_separator_at_either_end() -> None:
    """Slices of a token list can begin and end with separators."""
    tokens = tokens_of("a , b , c")
    assert [token.text for token in trimmed(tokens[1:4])] == ["b"]
    assert trimmed(tokens[1:2]) == []
