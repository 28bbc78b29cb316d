"""The small client: what text becomes which body."""

import pytest

from channels.api.client import body_of


@pytest.mark.parametrize(
    ("text", "path", "body"),
    [
        ("mom", "/calls", {"to": "mom"}),
        (
            "call +44 20 7946 0018 from office code ACME-12 max $5 private",
            "/calls",
            {
                "to": "+44 20 7946 0018",
                "from": "office",
                "billing_code": "ACME-12",
                "max_cost": "5",
                "private": True,
            },
        ),
        (
            'conf mom, *7 title "weekly news" for 30 min',
            "/conferences",
            {"participants": ["mom", "*7"], "title": "weekly news", "minutes": 30},
        ),
        ("hangup 4F7", "/commands", {"text": "hangup 4F7"}),
        ("call", "/commands", {"text": "call"}),
    ],
)
def test_text_becomes_the_body_that_fits(text: str, path: str, body: dict[str, object]) -> None:
    """A call, a conference, and everything else as one line."""
    assert body_of(text) == (path, body)
