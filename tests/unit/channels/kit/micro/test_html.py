"""Pages as HTML: one form, a button per press, forms of their own for other states."""

import pytest

from channels.kit.micro.html import HtmlWriter
from channels.kit.micro.page import Box, Digits, Page, Pick, Press, Row, Words
from parsers.small_html import Dialect
from parsers.small_screen import Screen, read_screen
from tests.support.micro import NASTY, lint

ROWS: tuple[Row, ...] = (
    (Words(f"Hello {NASTY}"),),
    (Digits("+44 20 7946 0018", "+442079460018"),),
    (
        Pick("p", "With", (("mom", "mom"), (NASTY, NASTY)), several=True),
        Box("to", f"To {NASTY}", NASTY, max_chars=80),
        Box("k", "Secret", secret=True),
        Pick("from", "From", (("", "cell"), ("office", NASTY)), "office"),
        Press(NASTY, "ring", ("to",)),
    ),
    (Press("call", "verb:call"), Words(" rings")),
)
ELSEWHERE = Press("Try again", "ring", state="old", fields={"to": NASTY})


def written(dialect: Dialect, rows: tuple[Row, ...], *foot: Press) -> tuple[str, Screen]:
    """Return a page as text and as it is read; it keeps to its language."""
    body, size = HtmlWriter(dialect, "/pda").write(Page("t", rows), rows, foot, "seal")
    assert size == len(body)
    text = body.decode()
    lint(text)
    return text, read_screen(text)


@pytest.mark.parametrize("dialect", Dialect)
def test_every_block_is_written(dialect: Dialect) -> None:
    """What a person wrote comes back whole, in fields and labels."""
    text, screen = written(dialect, ROWS, Press("Home", "home"), ELSEWHERE)
    assert screen.words[0 if "<title>t</title></head><body><b>" in text else 1].strip()
    assert f"Hello {NASTY}" in screen.words
    assert "call" not in screen.words
    assert any("+44 20 7946 0018" in line for line in screen.words)
    assert screen.inputs == {"p": "", "to": NASTY, "k": "", "from": "office"}
    assert [value for value, _ in screen.options["p"]] == ["mom", NASTY]
    presses = {press.label: press for press in screen.presses}
    assert presses[NASTY].fields == {"s": "seal", "b:ring": NASTY}
    assert presses["Home"].fields == {"s": "seal", "b:home": "Home"}
    assert presses["Try again"].fields == {"s": "old", "to": NASTY, "b:ring": "Try again"}
    assert presses["Try again"].typed == {}
    assert ("Dial it" in presses) is (dialect is Dialect.XHTML_MP)
    assert 'type="password"' in text


@pytest.mark.parametrize("dialect", Dialect)
def test_words_alone_need_no_form(dialect: Dialect) -> None:
    """A page that only says something carries no state."""
    text, screen = written(dialect, ((Words("hello"),),))
    assert "seal" not in text
    assert "hello" in screen.words
    _, screen = written(dialect, ((Words("hello"),),), ELSEWHERE)
    assert [press.label for press in screen.presses] == ["Try again"]
