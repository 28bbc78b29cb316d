"""Nothing from outside acts on a terminal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.printable import printable, printable_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;owned\x07", r"\u001b[2J\u001b]0;owned\u0007"),
        ("a\rb\x08c\x7f", r"a\u000db\u0008c\u007f"),
        ("\x9b31m", r"\u009b31m"),
        ("\u202etxt.exe\u2066", r"\u202etxt.exe\u2066"),
        ("two\u2028lines", r"two\u2028lines"),
        ("kept\nas\tit is: Zoë 电话 👩‍🔧", "kept\nas\tit is: Zoë 电话 👩‍🔧"),
    ],
)
def test_what_acts_is_shown(text: str, shown: str) -> None:
    """Escape sequences, backspaces, bells, C1 controls and directions; letters stay letters."""
    assert printable(text) == shown


def test_within_a_line_breaks_are_shown_too() -> None:
    """A value cannot begin a line of its own."""
    assert printable_line("x\n2026-01-01 [error] forged\ty") == (
        r"x\u000a2026-01-01 [error] forged\u0009y"
    )


@given(st.text())
def test_json_stays_the_same_json(text: str) -> None:
    """What is shown so in a JSON text still reads as what it was."""
    written = json.dumps({"name": text}, ensure_ascii=False)
    assert json.loads(printable(written)) == {"name": text}
