"""The strict reader of the From field and of address lists."""

import pytest

from call_core.errors import ParseError
from parsers.email_tokens import (
    DOMAIN_LENGTH_LIMIT,
    FIELD_LENGTH_LIMIT,
    LOCAL_PART_LENGTH_LIMIT,
    Kind,
    Mailbox,
    Token,
    mailboxes_in,
    normalise_address,
    parse_mailbox,
    tokenize,
)

LONG_DOMAIN = ".".join(["a" * 63] * 4)


@pytest.mark.parametrize(
    ("value", "name", "address"),
    [
        ("ann@x.example", "", "ann@x.example"),
        ("<ann@X.Example>", "", "ann@x.example"),
        ("Ann.B@x.example (Ann (the one) B.)", "", "Ann.B@x.example"),
        ("Ann Bee <ann@x.example>", "Ann Bee", "ann@x.example"),
        ('"Bee, Ann <b@y.example>" <ann@x.example>', "Bee, Ann <b@y.example>", "ann@x.example"),
        (r'"Ann \"B\" \\" <ann@x.example>', r'Ann "B" \ '[:-1], "ann@x.example"),
        ("Ann B. (work) <ann@x.example>", "Ann B.", "ann@x.example"),
        ("=?utf-8?Q?Zo=C3=AB?= <zoe@x.example>", "=?utf-8?Q?Zo=C3=AB?=", "zoe@x.example"),
        ("ann@x.example <ann@x.example>", "ann@x.example", "ann@x.example"),
        ("a+tag_1'x@localhost", "", "a+tag_1'x@localhost"),
        (f"{'a' * LOCAL_PART_LENGTH_LIMIT}@x", "", f"{'a' * LOCAL_PART_LENGTH_LIMIT}@x"),
        (f"a@{LONG_DOMAIN}", "", f"a@{LONG_DOMAIN}"),
    ],
)
def test_one_mailbox_is_read(value: str, name: str, address: str) -> None:
    """Display names, comments and quoting are understood; the domain becomes lower case."""
    assert parse_mailbox(value) == Mailbox(name, address)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ann",
        "@x.example",
        "ann@",
        "a@b@c.example",
        "ann@x.example, bob@y.example",
        "ann@x.example bob@y.example",
        "<ann@x.example> <bob@y.example>",
        "<ann@x.example> bob@y.example",
        "Friends: ann@x.example;",
        "Ann, B. <ann@x.example>",
        "ann@x.example <bob@y.example>",
        "ann > <bob@y.example>",
        "<ann@x.example",
        "<>",
        '"ann"@x.example',
        "ann @x.example",
        "ann.@x.example",
        "ann@x..example",
        "ann@-x.example",
        "ann@[127.0.0.1]",
        "zoë@x.example",
        "ann@xë.example",
        "ann(@x.example",
        "ann)@x.example",
        '"ann <ann@x.example>',
        '"ann\\',
        "(ann\\",
        f"{'a' * (LOCAL_PART_LENGTH_LIMIT + 1)}@x",
        f"a@{LONG_DOMAIN}{'a' * (DOMAIN_LENGTH_LIMIT + 1 - len(LONG_DOMAIN))}",
    ],
)
def test_anything_else_is_no_author(value: str) -> None:
    """Two readers could disagree, so there is no mailbox."""
    with pytest.raises(ParseError, match="mail_field_syntax"):
        parse_mailbox(value)


def test_the_length_of_a_field_is_limited() -> None:
    """At the limit it is read, one past it is refused."""
    field = "ann@x.example" + " " * (FIELD_LENGTH_LIMIT - len("ann@x.example"))
    assert parse_mailbox(field).address == "ann@x.example"
    with pytest.raises(ParseError, match="mail_field_too_long"):
        parse_mailbox(field + " ")


def test_tokens_know_what_they_touch() -> None:
    """A comment or a blank between two tokens is no touching."""
    assert tokenize('a="b";c (x) d', "=;") == [
        Token(Kind.ATOM, "a", glued=False),
        Token(Kind.SPECIAL, "=", glued=True),
        Token(Kind.QUOTED, "b", glued=True),
        Token(Kind.SPECIAL, ";", glued=True),
        Token(Kind.ATOM, "c", glued=True),
        Token(Kind.ATOM, "d", glued=False),
    ]


@pytest.mark.parametrize(
    ("value", "addresses"),
    [
        ("Ann <ann@x.example>, bob@y.example", ["ann@x.example", "bob@y.example"]),
        ("Friends: ann@x.example, bob@y.example;", ["ann@x.example", "bob@y.example"]),
        ("nonsense, <>, ann@x.example", ["ann@x.example"]),
        ("undisclosed-recipients:;", []),
        ('"no end', []),
        (", ".join(["a@x.example"] * 101), ["a@x.example"] * 100),
    ],
)
def test_lists_of_addresses_are_read_leniently(value: str, addresses: list[str]) -> None:
    """What cannot be read is left out; a hundred are enough."""
    assert [mailbox.address for mailbox in mailboxes_in(value)] == addresses


def test_only_the_domain_is_folded() -> None:
    """What a local part means is its provider's affair."""
    assert normalise_address("Ann.B@X.Example") == "Ann.B@x.example"
