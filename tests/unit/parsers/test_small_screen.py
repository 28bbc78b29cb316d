"""Reading small pages: what the two writers write comes back, in WML and in HTML."""

import pytest

from call_core.errors import ParseError
from parsers import wml
from parsers.markup import Node, element, write_html
from parsers.small_html import Dialect, document
from parsers.small_screen import MAX_SCREEN_CHARS, Press, read_screen

NASTY = "<&\"'$()]]> $$ $(k)"


def deck(*content: Node, **how: dict[str, str]) -> str:
    """Return a deck as text."""
    return wml.write(wml.deck(NASTY, *content, **how))  # type: ignore[arg-type]  # (`fields` only)


def page(*content: Node) -> str:
    """Return a page for a Palm as text."""
    return document(NASTY, Dialect.CLIPPING, *content)


def test_titles_and_lines_come_back() -> None:
    """Words between breaks are lines; the heading of an HTML page is one of them."""
    content = (NASTY, element("br"), "two ", element("br"), " ")
    screen = read_screen(deck(*content))
    assert (screen.title, screen.words) == (NASTY, [NASTY, "two"])
    screen = read_screen(page(element("p", None, *content)))
    assert (screen.title, screen.text) == (NASTY, f"{NASTY}\n{NASTY}\ntwo")


def test_a_deck_has_links_fields_and_choices() -> None:
    """What a press sends is read with the variables that it sends."""
    options = (element("option", {"value": value}, NASTY) for value in ("", "office"))
    content = (
        "To ",
        element("input", {"name": "to"}),
        element("input", {"name": "code"}),
        element("select", {"name": "from"}, *options),
        wml.anchor(NASTY, "/wap", {"b": NASTY, "to": wml.variable("to")}),
        element("a", {"href": "wtai://wp/mc;+44"}, "Dial it"),
    )
    screen = read_screen(deck(*content, fields={"to": NASTY}))
    press, link = screen.presses
    assert press == Press(NASTY, "/wap", {"b": NASTY}, {"to": "to"})
    assert link == Press("Dial it", "wtai://wp/mc;+44")
    assert screen.inputs == {"to": NASTY, "code": "", "from": ""}
    assert screen.options == {"from": [("", NASTY), ("office", NASTY)]}
    assert screen.sent(press, {}) == {"b": NASTY, "to": NASTY}
    assert screen.sent(press, {"to": "mom"}) == {"b": NASTY, "to": "mom"}
    assert screen.sent(link, {}) == {}


def test_a_field_outside_a_link_is_nobodys() -> None:
    """A deck with a field where none may stand is read without it."""
    assert read_screen(deck(element("postfield", {"name": "b", "value": "1"}))).presses == []


def test_a_page_has_forms_with_several_buttons() -> None:
    """Each button sends its own name, the hidden fields and all fields of its form only."""
    content = (
        element("input", {"type": "hidden", "name": "s", "value": "seal"}),
        element("input", {"name": "to", "value": NASTY}),
        *(element("input", {"type": "checkbox", "name": "p", "value": each}) for each in "xy"),
        element(
            "select",
            {"name": "from"},
            element("option", {"value": ""}, "cell"),
            element("option", {"value": "office", "selected": "selected"}, NASTY),
        ),
        element("a", {"href": "tel:+44"}, "Dial it"),
        element("input", {"type": "submit", "name": "b:ring", "value": NASTY}),
    )
    home = element("input", {"type": "submit", "name": "b:home", "value": "Home"})
    screen = read_screen(
        page(
            element("form", {"action": "/pda", "method": "post"}, *content),
            element("form", {"action": "/two", "method": "post"}, home),
        )
    )
    link, press, other = screen.presses
    assert link == Press("Dial it", "tel:+44")
    typed = {name: name for name in ("to", "p", "from")}
    assert press == Press(NASTY, "/pda", {"s": "seal", "b:ring": NASTY}, typed)
    assert other == Press("Home", "/two", {"b:home": "Home"})
    assert screen.inputs == {"to": NASTY, "p": "", "from": "office"}
    assert screen.options == {
        "p": [("x", "x"), ("y", "y")],
        "from": [("", "cell"), ("office", NASTY)],
    }


def test_what_is_not_there_cannot_be_pressed() -> None:
    """The error says what is there."""
    screen = read_screen(deck(wml.anchor("Call", "/wap", {})))
    assert screen.press("Call").href == "/wap"
    with pytest.raises(ParseError) as caught:
        screen.press("Dial")
    assert caught.value == ParseError("no_such_press", label="Dial", there=["Call"])


def test_a_page_has_a_limit() -> None:
    """At the limit it is read, one past it is not."""
    text = write_html(element("p", None, "x" * (MAX_SCREEN_CHARS - len("<p></p>"))))
    assert len(text) == MAX_SCREEN_CHARS
    assert len(read_screen(text).text) == MAX_SCREEN_CHARS - len("<p></p>")
    with pytest.raises(ParseError, match="screen_too_long"):
        read_screen(f"{text} ")


def test_a_marked_section_is_a_comment() -> None:
    """Whatever its words are."""
    assert read_screen("<p>a<![CDATA[x]]>b<![x>c</p>").text == "abc"
    assert read_screen("a<![ without end").text.startswith("a")


def test_an_option_that_belongs_to_no_choice_is_no_danger() -> None:
    """A page that was torn in two still shows what it has."""
    assert read_screen("<p>x</option></p>").text == "x"
