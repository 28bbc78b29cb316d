"""The application of an organizer: small, without anything that a Palm cannot show."""

import pytest

from channels.pda.application import MAX_APPLICATION_BYTES, application
from parsers.small_screen import read_screen
from tests.support.micro import lint_html

BASE = "https://calls.example.org"


@pytest.mark.parametrize("base", [BASE, f"{BASE}/"])
def test_it_leads_to_us_from_anywhere(base: str) -> None:
    """The device opens it from its own memory, so its address is whole."""
    screen = read_screen(application(base, "/pda"))
    (press,) = screen.presses
    assert press.href == "https://calls.example.org/pda"
    assert press.fields == {"b:app": "Conference"}
    assert set(press.typed) == {"u", "k", "participants", "at", "from"}


def test_any_of_the_usual_phones_can_be_the_chairs() -> None:
    """Office, home or cell; the page that comes back has the user's own labels."""
    labels = [label for _, label in read_screen(application(BASE, "/pda")).options["from"]]
    assert labels == ["usual", "office", "home", "cell", "hotel"]


def test_it_is_web_clipping_and_small() -> None:
    """With the marks of Palm's builder, within its size."""
    text = application(BASE, "/pda")
    lint_html(text)
    assert '<meta name="PalmLauncherRevision" content="1.0">' in text
    assert len(text.encode()) <= MAX_APPLICATION_BYTES
