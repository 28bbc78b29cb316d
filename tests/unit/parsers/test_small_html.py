"""Documents for small browsers: prologs, frames, what each of them needs."""

import pytest

from parsers.markup import element
from parsers.small_html import Dialect, document
from tests.support.micro import lint


@pytest.mark.parametrize(
    ("dialect", "media_type", "words"),
    [
        (
            Dialect.XHTML_MP,
            "application/vnd.wap.xhtml+xml; charset=utf-8",
            [
                '<?xml version="1.0" encoding="utf-8"?>',
                "XHTML Mobile 1.0",
                "<p><b>a &lt; b</b></p>",
            ],
        ),
        (
            Dialect.CLIPPING,
            "text/html; charset=utf-8",
            ["HTML 3.2 Final", '<meta name="PalmComputingPlatform" content="true">'],
        ),
        (Dialect.POCKET, "text/html; charset=utf-8", ["HTML 3.2 Final", '<table width="240"']),
    ],
)
def test_a_document_is_what_its_browser_takes(
    dialect: Dialect, media_type: str, words: list[str]
) -> None:
    """The type with its charset, the prolog, the title twice, the content, nothing forbidden."""
    text = document("a < b", dialect, element("p", None, "hello"))
    assert dialect.media_type == media_type
    assert [word for word in words if word not in text] == []
    assert text.count("a &lt; b") == 2
    assert "<p>hello</p>" in text
    lint(text)
