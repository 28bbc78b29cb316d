"""Telephone numbers by shape: found, split, and told from names and sentences."""

import pytest

from call_core.commands import Number
from call_core.errors import ParseError
from parsers.numbers import (
    MAX_DIGITS,
    digits_of,
    emergency_in,
    is_vanity,
    looks_like_number,
    number_of,
    number_run,
    split_numbers,
)


@pytest.mark.parametrize(
    "text",
    [
        "616 977 9933",
        "+1 (616) 977-9933",
        "(415) 555.1212",
        "+44 (0)20 7946 0018",
        "00 44 20 7946 0018",
        "011 44 20 7946 0018",
        "0207/9460018",
        "555-1212",
        "616 977 9933 x12",
        "616 977 9933 ext 12",
        "616 977 9933 ext. 12",
        "616 977 9933 extension 12",
        "616 977 9933 #12",
        "6169779933,,1234#",
        "6169779933p12w3",
        "+442079460018;ext=7",
        "911",
        "9-1-1",
        "17",
        "+9",
        "1-800-FLOWERS",
        "1 800 FLOWERS",
        "800 FLOWERS",
        "0800 REVERSE",
        "415-CALL-MOM",
        "+1 800 FLOWERS",
        "2O2 555 O1OO",
    ],
)
def test_one_number_in_any_dress_is_one_number(text: str) -> None:
    """Separators, prefixes, extensions, pauses and vanity letters are part of one number."""
    assert looks_like_number(text)
    assert split_numbers(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2",
        "mom",
        "7 eleven",
        "4th floor",
        "747 pilots bar",
        "911 HELP NOW",
        "911-POLICES",
        "*7",
        "call 911",
        "+",
        "()",
        "1-800-AB",
        "800 GO",
        "x12",
        "616 977 9933 home",
    ],
)
def test_names_and_sentences_are_no_numbers(text: str) -> None:
    """A lone digit, letters in the wrong place, or a name with a digit is not a number."""
    assert not looks_like_number(text)
    assert split_numbers(text) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("415 555 1212 212 555 0100", ["415 555 1212", "212 555 0100"]),
        ("4155551212 2125550100", ["4155551212", "2125550100"]),
        ("41555512122125550100", ["4155551212", "2125550100"]),
        ("(415) 555 1212 (212) 555 0100", ["(415) 555 1212", "(212) 555 0100"]),
        ("1 415 555 1212 1 212 555 0100", ["1 415 555 1212", "1 212 555 0100"]),
        ("415 555 1212 / 212 555 0100", ["415 555 1212", "212 555 0100"]),
        (
            "415 555 1212 212 555 0100 303 555 0199",
            ["415 555 1212", "212 555 0100", "303 555 0199"],
        ),
        ("415 555 1212 x12 212 555 0100", ["415 555 1212 x12", "212 555 0100"]),
        ("415 555 1212 212 555 0100 x12", ["415 555 1212", "212 555 0100 x12"]),
        ("+44 20 7946 0018 +1 616 977 9933", ["+44 20 7946 0018", "+1 616 977 9933"]),
        ("0207 946 0018 0161 496 0000", ["0207 946 0018", "0161 496 0000"]),
        ("+44 20 7946 0018 0161 496 0000", ["+44 20 7946 0018", "0161 496 0000"]),
    ],
)
def test_glued_numbers_are_cut_where_one_ends(text: str, wanted: list[str]) -> None:
    """Two numbers side by side are two numbers, with or without a separator."""
    assert split_numbers(text) == wanted


def test_what_is_too_long_and_has_no_seam_stays_whole() -> None:
    """No cut is invented; the core says that it is no number."""
    assert split_numbers("5551 5552 5553 5554 5555") == ["5551 5552 5553 5554 5555"]
    assert split_numbers("0111 0222 033333333333") == ["0111 0222 033333333333"]


def test_a_number_has_at_most_forty_digits() -> None:
    """At the limit it is kept as written, one more is refused."""
    assert number_of("1" * MAX_DIGITS) == Number("1" * MAX_DIGITS)
    with pytest.raises(ParseError) as caught:
        number_of("1" * (MAX_DIGITS + 1))
    assert caught.value.code == "number_too_long"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["911", "now"], "911"),
        (["112,", "help"], "112"),
        (["please", "call", "911!"], "911"),
        (["119", "quick"], "119"),
        (["studio", "54"], None),
        (["555", "bar"], None),
        ([], None),
    ],
)
def test_an_emergency_number_is_heard_in_a_sentence(words: list[str], wanted: str | None) -> None:
    """At the start any 0xx, 1xx, 9xx; inside a sentence the best known ones."""
    assert emergency_in(words) == wanted


def test_helpers_count_and_strip() -> None:
    """Digits are only 0 to 9; a run ends at the first word that no number has."""
    assert digits_of("+1 (616) x12") == "161612"
    assert number_run(["415", "555", "1212", "mom", "4"]) == 3
    assert number_run(["415", "555"]) == 2
    assert is_vanity("1-800-FLOWERS")
    assert not is_vanity("1-800-356-9377")
