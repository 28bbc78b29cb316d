"""Options behind a target: any order, values by type, nothing ignored."""

from dataclasses import asdict

import pytest

from call_core.commands import Amount, Name, Number, When
from call_core.errors import ParseError
from parsers.lexer import joined, tokens_of
from parsers.options import (
    FOR_CALL,
    FOR_CONFERENCE,
    FOR_QUOTE,
    MAX_BILLING_CODE_CHARS,
    MAX_TITLE_CHARS,
    Options,
    is_option_word,
    read_billing_code,
    read_cap,
    read_minutes,
    read_options,
    read_title,
)
from parsers.when import MAX_DURATION_MINUTES

_NINE = When("9am", hour=9, meridiem="am")


@pytest.mark.parametrize(
    ("text", "target", "fields"),
    [
        ("mom", "mom", {}),
        ("mom from office", "mom", {"origin": Name("office")}),
        ("mom From: 415 555 2671", "mom", {"origin": Number("415 555 2671")}),
        ("mom code ACME-12", "mom", {"billing_code": "ACME-12"}),
        ("mom max $5 max 20 min", "mom", {"max_cost": Amount("5", "$"), "max_minutes": 20}),
        ("mom max usd 5", "mom", {"max_cost": Amount("5", "USD")}),
        ("mom max and co", "mom max and co", {}),
        ("mom code code from from", "mom", {"billing_code": "code", "origin": Name("from")}),
        ("mom private", "mom", {"private": True}),
        ("mom private, from cell", "mom", {"private": True, "origin": Name("cell")}),
        ("mom private private eye", "mom private private eye", {}),
        ("mom at 9am", "mom", {"at": _NINE}),
        ("mom on 9am", "mom", {"at": _NINE}),
        ("mom in 10", "mom", {"at": When("in 10", in_minutes=10)}),
        ("mom in an hour", "mom", {"at": When("in an hour", in_minutes=60)}),
        (
            "mom at fri at 9am in london from cell",
            "mom",
            {
                "at": When("fri at 9am in london", weekday=5, hour=9, meridiem="am", zone="london"),
                "origin": Name("cell"),
            },
        ),
        (
            "mom tomorrow morning at 9",
            "mom",
            {"at": When("tomorrow morning at 9", day_offset=1, hour=9, meridiem="am")},
        ),
        ("mom, bob at 9am, for 30 min", "mom, bob ,", {"at": _NINE, "minutes": 30}),
        ("mom for half an hour", "mom", {"minutes": 30}),
        ('mom title "weekly sync"', "mom", {"title": "weekly sync"}),
        ("mom title weekly sync", "mom", {"title": "weekly sync"}),
        ("bob at the bar", "bob at the bar", {}),
        ("bob in love", "bob in love", {}),
        ("bob for president", "bob for president", {}),
        ("bob from", "bob from", {}),
        ("bob from, x", "bob from, x", {}),
        ("bob max power", "bob max power", {}),
        ("bob code", "bob code", {}),
        ("bob code -", "bob code -", {}),
        ("bob private eye", "bob private eye", {}),
        ("the tonight show", "the tonight show", {}),
        ('x "from" y', 'x "from" y', {}),
        ("from office", "from office", {}),
    ],
)
def test_options_end_the_target_when_a_value_of_their_type_follows(
    text: str, target: str, fields: dict[str, object]
) -> None:
    """The first token is the target's; an option word without its value is a word of the name."""
    tokens, options = read_options(tokens_of(text), FOR_CONFERENCE)
    found = {name: getattr(options, name) for name in asdict(Options())}
    assert joined(tokens).replace(" ,", ",").rstrip(",") == target.replace(" ,", "")
    assert found == {name: getattr(Options(), name) for name in found} | fields


@pytest.mark.parametrize(
    ("text", "code", "leftover"),
    [
        ("mom max 5", "max_unit_unclear", None),
        ("mom max 5 please", "max_unit_unclear", None),
        ("mom max 5.50", "max_unit_unclear", None),
        ("mom max $5 please", "not_understood", "please"),
        ("mom max 20 min please", "not_understood", "please"),
        ("mom max abc5x", "not_understood", None),
        ("mom max 20 min max 1h", "option_twice", None),
        ("mom max $5 max 6 USD", "option_twice", None),
        ("mom from a from b", "option_twice", None),
        ("mom code a code b", "option_twice", None),
        ("mom private private", "option_twice", None),
        ("mom at 9am from x at 9am", "option_twice", None),
        ("mom for 5 for 6", "option_twice", None),
        ("mom title a title b", "option_twice", None),
        ("mom code a b", "not_understood", "b"),
        ("mom private, bob", "not_understood", ", bob"),
        ("mom for 5 dollars", "not_understood", "dollars"),
        ('mom at 9am "x"', "not_understood", '"x"'),
        ("mom at fri", "time_missing", None),
        ("mom at 5pm, jordan", "not_understood", "jordan"),
        ("mom tonight", "time_missing", None),
        ('mom title "a" b', "not_understood", "b"),
        ("mom for 1441", "minutes_out_of_range", None),
    ],
)
def test_what_an_option_leaves_over_is_refused(text: str, code: str, leftover: str | None) -> None:
    """Twice the same, a unit that was not said, words behind the value: all are told."""
    with pytest.raises(ParseError) as caught:
        read_options(tokens_of(text), FOR_CONFERENCE)
    assert caught.value.code == code
    if leftover is not None:
        assert caught.value.fields["leftover"] == leftover


def test_an_option_that_the_command_does_not_have_is_part_of_the_name() -> None:
    """A quote has only `from`, a call has no title."""
    assert joined(read_options(tokens_of("mom max $5"), FOR_QUOTE)[0]) == "mom max $5"
    assert joined(read_options(tokens_of("mom title x"), FOR_CALL)[0]) == "mom title x"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("$5", Amount("5", "$")),
        ("$ 5", Amount("5", "$")),
        ("5$", Amount("5", "$")),
        ("$5.50", Amount("5.50", "$")),
        ("\u20ac5,50", Amount("5.50", "\u20ac")),
        ("5 usd", Amount("5", "USD")),
        ("usd 5", Amount("5", "USD")),
        ("USD5", Amount("5", "USD")),
        ("5 dollars", Amount("5", "$")),
        ("5 euros", Amount("5", "\u20ac")),
        ("5 pounds", Amount("5", "\u00a3")),
        ("20 min", 20),
        ("20min", 20),
        ("1 hour", 60),
        ("1h30", 90),
        ("2 hrs", 120),
    ],
)
def test_a_cap_is_money_or_minutes(text: str, wanted: Amount | int) -> None:
    """The unit decides; symbols, words and codes are currencies."""
    assert read_cap(tokens_of(text)) == wanted


@pytest.mark.parametrize("text", ["much", "", '"5"', "5 bananas", "1,5 min"])
def test_a_cap_without_a_unit_we_know_is_refused(text: str) -> None:
    """Nothing is assumed about somebody's money."""
    with pytest.raises(ParseError):
        read_cap(tokens_of(text))


def test_limits_hold_at_the_limit_and_one_past_it() -> None:
    """Billing codes, titles and minutes are bounded."""
    code, title = "A" * MAX_BILLING_CODE_CHARS, "t" * MAX_TITLE_CHARS
    assert read_billing_code(tokens_of(code)) == code
    assert read_title(tokens_of(title)) == title
    assert read_minutes(tokens_of(str(MAX_DURATION_MINUTES)), "") == MAX_DURATION_MINUTES
    for read, text in (
        (read_billing_code, code + "A"),
        (read_title, title + "t"),
        (read_title, '""'),
        (lambda tokens: read_minutes(tokens, ""), str(MAX_DURATION_MINUTES + 1)),
        (lambda tokens: read_minutes(tokens, ""), "0"),
        (lambda tokens: read_minutes(tokens, ""), '"5"'),
    ):
        with pytest.raises(ParseError):
            read(tokens_of(text))


def test_option_words_are_known() -> None:
    """The writer quotes names that are one of them."""
    assert is_option_word("private")
    assert is_option_word("tomorrow")
    assert not is_option_word("mom")
