"""The small browser: reads forms and answers, and fills the form that fits."""

import pytest

from channels.web.browser import Form, form_of, read_page

PAGE = """
<form method="post" action="/call"><input type="hidden" name="form" value="a&amp;b">
<input name="to"></form><form action="/command"><input type="hidden" name="form" value="c"></form>
<section id="answer"><h2>Ringing</h2><p>your phone<br>now</p></section><p>not this</p>
"""


def test_forms_and_the_answer_are_found() -> None:
    """Hidden fields come with their form, the answer without its marks."""
    forms, answer = read_page(PAGE)
    assert forms == [Form("/call", {"form": "a&b"}), Form("/command", {"form": "c"})]
    assert answer == "Ringing\nyour phone\nnow"


@pytest.mark.parametrize(
    ("text", "action", "fields"),
    [
        ("mom", "/call", {"to": "mom"}),
        (
            "call mom from office code ACME-12 max $5 private",
            "/call",
            {"to": "mom", "from": "office", "code": "ACME-12", "max": "$5", "private": "on"},
        ),
        ("conf mom, bob for 30 min", "/conference", {"participants": "mom\nbob", "minutes": "30"}),
        ("hangup 4F7", "/command", {"text": "hangup 4F7"}),
        ("call", "/command", {"text": "call"}),
    ],
)
def test_the_form_that_fits_is_filled(text: str, action: str, fields: dict[str, str]) -> None:
    """A call, a conference, and everything else as one line."""
    assert form_of(text) == (action, fields)
