"""Pages as decks: links that post, fields that are emptied, numbers that phones can dial."""

from channels.kit.micro.page import Box, Digits, Page, Pick, Press, Row, Words
from channels.wap.deck import DeckWriter
from parsers.small_screen import Press as ReadPress
from parsers.small_screen import read_screen
from tests.support.micro import NASTY, lint

ROWS: tuple[Row, ...] = (
    (Words(f"Hello {NASTY}"),),
    (Digits("+44 20 7946 0018", "+442079460018"),),
    (
        Pick("p", "With", (("mom", "mom"), (NASTY, NASTY)), several=True),
        Box("to", f"To {NASTY}", NASTY, max_chars=80),
        Box("k", "Secret", secret=True),
        Pick("from", "From", (("", "cell"), ("office", NASTY)), "office"),
        Press(NASTY, "ring", ("to", "from")),
    ),
    (Press("call", "verb:call"), Words(" rings")),
    (Press("Try again", "ring", state="old", fields={"to": NASTY}),),
)


def test_every_block_is_written() -> None:
    """What a person wrote comes back whole, in fields and labels; a press sends what it names."""
    page = Page(NASTY, ROWS, forget=True)
    body, size = DeckWriter("/wap").write(page, ROWS, (Press("Home", "home"),), "seal")
    text = body.decode()
    lint(text)
    screen = read_screen(text)
    assert screen.title == NASTY
    assert screen.words[0] == f"Hello {NASTY}"
    assert "+44 20 7946 0018" in screen.words
    assert screen.inputs == {"p": "", "to": NASTY, "k": "", "from": "office"}
    assert screen.options["p"] == [("mom", "mom"), (NASTY, NASTY)]
    assert screen.presses == [
        ReadPress("Dial it", "wtai://wp/mc;+442079460018"),
        ReadPress(NASTY, "/wap", {"b": "ring", "s": "seal"}, {"to": "to", "from": "from"}),
        ReadPress("call", "/wap", {"b": "verb:call", "s": "seal"}),
        ReadPress("Try again", "/wap", {"b": "ring", "s": "old", "to": NASTY}),
        ReadPress("Home", "/wap", {"b": "home", "s": "seal"}),
    ]
    assert 'type="password"' in text
    assert 'newcontext="true"' in text
    assert not text.endswith("<br/></p></card></wml>")
    assert 0 < size < len(body)


def test_a_deck_without_fields_sets_none() -> None:
    """And one without anything is still a deck."""
    body, _ = DeckWriter("/wap").write(Page("t", ()), (), (), "seal")
    assert b"onevent" not in body
    lint(body.decode())
