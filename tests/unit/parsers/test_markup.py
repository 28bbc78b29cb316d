"""Trees as XML and as HTML 3.2; what a person wrote stays what it is."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.markup import Written, element, escape, plain, write_html, write_xml


@pytest.mark.parametrize(
    ("tree", "xml", "markup"),
    [
        (element("br"), "<br/>", "<br>"),
        (element("p", None, "a", element("br"), "b"), "<p>a<br/>b</p>", "<p>a<br>b</p>"),
        (element("p"), "<p/>", "<p></p>"),
        (
            element("input", {"name": "to", "value": None, "size": "18"}),
            '<input name="to" size="18"/>',
            '<input name="to" size="18">',
        ),
        (
            element("a", {"href": '?a=1&b="'}, "<x>"),
            '<a href="?a=1&amp;b=&quot;">&lt;x&gt;</a>',
            '<a href="?a=1&amp;b=&quot;">&lt;x&gt;</a>',
        ),
        (element("p", None, Written("$(to)")), "<p>$(to)</p>", "<p>$(to)</p>"),
    ],
)
def test_trees_are_written(tree: object, xml: str, markup: str) -> None:
    """XML closes every element, HTML leaves empty ones open."""
    assert write_xml(tree) == xml  # type: ignore[arg-type]  # (a table of nodes)
    assert write_html(tree) == markup  # type: ignore[arg-type]  # (as above)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("]]>", "]]&gt;"),
        ("tab\tnul\0esc\x1bdel\x7f", "tab nul esc del "),
        ("half \ud800 none \ufffe", "half   none  "),
        ("Łódź 漢 🎉", "Łódź 漢 🎉"),
    ],
)
def test_what_markup_cannot_carry_becomes_blank(text: str, shown: str) -> None:
    """Controls and halves of characters go, letters of any script stay."""
    assert escape(text) == shown


@given(st.text())
def test_escaping_can_be_undone(text: str) -> None:
    """A reader of the page sees the text, but for what cannot be carried."""
    assert html.unescape(escape(text)) == plain(text)
