"""Pieces of a small page: every form of a tag, and pages that would keep a slower reader busy."""

import pytest

from call_core.errors import ParseError
from parsers.markup import element, write_html
from parsers.small_tags import MAX_REFERENCE_CHARS, Tag, pieces

ODD = "<&\"'$()]]> =/"

PIECES: tuple[tuple[str, list[Tag | str]], ...] = (
    ("", []),
    ("a &lt;b&gt; &amp; c", ["a <b> & c"]),
    ("<br/>", [Tag("br", {}, opens=True, closes=True)]),
    ("</P>", [Tag("p", {}, opens=False, closes=True)]),
    ("<A HREF=/x B='&quot;>'>", [Tag("a", {"href": "/x", "b": '">'}, opens=True, closes=False)]),
    ('<option selected value="" />', [Tag("option", {"selected": "", "value": ""}, True, True)]),  # noqa: FBT003  (as read)
    ("a<!-- <b> -->c<!-- d", ["a", "c"]),
    ('<?xml version="1.0"?><!DOCTYPE x><![CDATA[y]]>z', ["z"]),
    ("1 < 2 <3 <b <i", ["1 ", "<", " 2 ", "<", "3 ", "<", "b ", "<", "i"]),
    ('<a b="c>', ["<", 'a b="c>']),
)


@pytest.mark.parametrize(("text", "read"), PIECES)
def test_a_page_is_tags_and_words(text: str, read: list[Tag | str]) -> None:
    """What has no end is words; comments and declarations are nothing."""
    assert list(pieces(text)) == read


def test_what_is_written_is_read() -> None:
    """Odd characters come back from words and attributes."""
    page = write_html(element("p", {"title": ODD}, ODD))
    assert list(pieces(page)) == [
        Tag("p", {"title": ODD}, opens=True, closes=False),
        ODD,
        Tag("p", {}, opens=False, closes=True),
    ]


def test_a_reference_has_a_limit() -> None:
    """At the limit it is a character; beyond it the library would make a number of any length."""
    assert list(pieces(f"&#{'0' * (MAX_REFERENCE_CHARS - 3)}65;")) == ["A"]
    with pytest.raises(ParseError, match="screen_too_long"):
        list(pieces(f"&#{'0' * (MAX_REFERENCE_CHARS - 2)}65;"))


@pytest.mark.parametrize("part", ["<", "<a ", "<a b='", '<p a="b"c" d="#>', "</a "])
def test_nothing_without_an_end_is_looked_through_again(part: str) -> None:
    """As words it is all there, and at once; by the square this would take hours."""
    text = part * (200_000 // len(part))
    assert sum(len(piece) if isinstance(piece, str) else 1 for piece in pieces(text)) > 10_000


@pytest.mark.parametrize("part", ["<!--", "<![", "<?", "<a " + "b= " * 60_000 + ">"])
def test_what_is_skipped_is_skipped_once(part: str) -> None:
    """Comments in comments without an end, and a tag of many attributes."""
    assert len(list(pieces(part * (200_000 // len(part))))) <= 1
