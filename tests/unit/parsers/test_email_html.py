"""HTML mail: only what a person typed and can see."""

import pytest

from parsers.email_html import ELEMENT_LIMIT, HTML_LENGTH_LIMIT, html_to_text


@pytest.mark.parametrize(
    ("html", "text", "quoted"),
    [
        ("call <b>mo</b>m", "call mom", False),
        ("<p>call mom</p><p>from cell</p>", "call mom\n\nfrom cell", False),
        ("<div>From: 415</div><div>To: 212</div>", "From: 415\nTo: 212", False),
        ("a<br>b", "a\nb", False),
        ("<?xml version='1.0' encoding='utf-8'?><p>x</p>", "x", False),
        ("<title>t</title><style>s</style><script>j</script>x", "x", False),
        (
            "<p hidden>h</p><i style='DISPLAY : none'>h</i><i style='font-size:0px'>h</i>x",
            "x",
            False,
        ),
        ("<i style='visibility:hidden'>h</i><i style='mso-hide:all'>h</i>x", "x", False),
        ("<i style='font-size:0.9em'>seen</i>", "seen", False),
        ("x<blockquote>old</blockquote>y", "xy", True),
        ("x<div class='a gmail_quote'>old <p>older</p></div>", "x", True),
        ("x<div id=OLK_SRC_BODY_SECTION>old</div>", "x", True),
        ("x<div class=gmail_signature>415</div>", "x", False),
        ("x<div id=Signature>415</div>", "x", False),
        ("<p>x</p><div id=divRplyFwdMsg>old</div> older <p>oldest</p>", "x", True),
        ("<html hidden><p>x</p></html>", "x", False),
        ("<!-- only -->", "", False),
        ("", "", False),
        ("a <a href='tel:415'>here</a>", "a here", False),
    ],
)
def test_only_typed_and_visible_words_come_out(html: str, text: str, *, quoted: bool) -> None:
    """Quotes, signatures, styles and hidden text are taken out of the tree."""
    found, removed = html_to_text(html)
    assert (found.strip(), removed) == (text, quoted)


def test_html_is_read_up_to_its_limit() -> None:
    """New words stand at the top; what is past the limit is never read."""
    assert html_to_text("x" * HTML_LENGTH_LIMIT)[0] == "x" * HTML_LENGTH_LIMIT
    assert html_to_text("x" * HTML_LENGTH_LIMIT + "y")[0] == "x" * HTML_LENGTH_LIMIT


def test_elements_are_drawn_up_to_their_limit() -> None:
    """Of many the first are drawn; one past the limit is not, nor what stands in or behind it."""
    own = 2  # html and body
    rows = "".join(f"<p>{n}</p>" for n in range(ELEMENT_LIMIT + 1))
    drawn = html_to_text(rows)[0].split()
    assert drawn == [str(n) for n in range(ELEMENT_LIMIT - own)]
    nested = "<p>x</p>" * (ELEMENT_LIMIT - own - 1) + "<div>y<p>not</p>nor</div>nor"
    assert html_to_text(nested)[0].split()[-1] == "y"


@pytest.mark.parametrize("control", ["\x01", "\x0b", "\x1b", "&#1;", "&#27;", "\ufffe"])
def test_control_characters_are_no_danger(control: str) -> None:
    """They stand behind what is taken out, and the library would not write them again."""
    found, quoted = html_to_text(f"call mom<blockquote>old</blockquote>{control}<p>now")
    assert (found.split()[0], found.split()[-1], quoted) == ("call", "now", True)
    assert html_to_text(f"<p>{control}<i hidden>x</i>{control}call mom")[0].strip().endswith("mom")


def test_deep_nesting_is_no_danger() -> None:
    """Fifty thousand open elements give a text, not a recursion error."""
    assert html_to_text("<div>" * 20_000 + "x") in {("x", False), ("", False)}


@pytest.mark.parametrize("begin", ["<?xml version", " <?xml?>\n<?xml x", "<?xml?>" * 9])
def test_a_declaration_without_an_end_is_the_whole_mail(begin: str) -> None:
    """And is read at once; lxml would search it for seconds, by the square of its length."""
    assert html_to_text(begin + " " * HTML_LENGTH_LIMIT) == ("", False)
