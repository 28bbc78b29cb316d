"""WML decks: dollars, fields, and how large they are at most when compiled."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers import wml
from parsers.markup import element, plain

TEXTS = ["$", "$$", "$(k)", "<&\"'$()]]>", "a$b", "\0$\x1b"]


@pytest.mark.parametrize("text", TEXTS)
def test_dollars_are_doubled(text: str) -> None:
    """No text of a person's can name a variable."""
    assert wml.escape(text).count("$") == 2 * text.count("$")


@given(st.text())
def test_a_text_comes_back(text: str) -> None:
    """A phone shows what was written, but for what markup cannot carry."""
    tree = wml.deck("t", text)
    root = ET.fromstring(wml.write(tree))  # noqa: S314  (a deck of ours)
    assert (root.findtext("card/p") or "").replace("$$", "$") == plain(text)


def test_a_deck_is_one_card_in_wml_1_1() -> None:
    """Prolog, no caching, text in a paragraph."""
    assert wml.write(wml.deck("Call", "mom")) == (
        '<?xml version="1.0"?>\n<!DOCTYPE wml PUBLIC "-//WAPFORUM//DTD WML 1.1//EN" '
        '"http://www.wapforum.org/DTD/wml_1.1.xml">\n<wml><head><meta http-equiv="Cache-Control" '
        'content="no-cache" forua="true"/></head><card title="Call"><p>mom</p></card></wml>'
    )


def test_fields_are_set_when_the_deck_is_entered() -> None:
    """What was typed on an earlier deck does not appear again."""
    written = wml.write(wml.deck("Call", fields={"to": "", "from": "$"}))
    assert (
        '<onevent type="onenterforward"><refresh><setvar name="to" value=""/>'
        '<setvar name="from" value="$$"/></refresh></onevent><p/>'
    ) in written


@pytest.mark.parametrize("forget", [True, False])
def test_a_deck_can_end_the_history(forget: bool) -> None:  # noqa: FBT001  (a table)
    """After signing in nobody goes back to the password."""
    assert ('newcontext="true"' in wml.write(wml.deck("t", forget=forget))) is forget


def test_a_link_posts_fields_and_variables() -> None:
    """Ours are written as they are, a person's are escaped."""
    link = wml.anchor("Call $", "/wap", {"b": "ring:$", "to": wml.variable("to")})
    assert wml.write(link).endswith(
        '<anchor>Call $$<go href="/wap" method="post"><postfield name="b" value="ring:$$"/>'
        '<postfield name="to" value="$(to)"/></go></anchor>'
    )


@pytest.mark.parametrize(
    ("content", "size"),
    [
        ((), 0),
        (("",), 3),
        (("abc",), 6),
        (("Ł$",), 6),
        ((element("br"),), 2),
        ((element("a", {"href": "xy"}),), 8),
        ((element("a", {"href": wml.variable("x")}, "b"),), 14),
    ],
)
def test_size_is_counted_as_a_compiler_writes(content: tuple[object, ...], size: int) -> None:
    """One byte for a name, two around a string, one at the end of attributes and of content."""
    empty = wml.compiled_bytes(element("wml", None, element("p")))
    assert empty == 6 + 1 + 1 + 1
    deck = element("wml", None, element("p", None, *content))  # type: ignore[arg-type]  # (a table)
    assert wml.compiled_bytes(deck) == empty + size
