"""Which language a telephone is spoken to in."""

import pytest

from channels.wap.negotiate import MAX_HEADER_CHARS, Kind, kind_for, qualities

KANNEL = "*/*, text/vnd.wap.wml, text/vnd.wap.wmlscript"
MSIE = "image/gif, image/x-xbitmap, image/jpeg, image/pjpeg, */*"


@pytest.mark.parametrize(
    ("accept", "agent", "kind"),
    [
        (KANNEL, "Nokia7110/1.0 (04.84)", Kind.WML),
        (KANNEL, "", Kind.WML),
        ("text/html, text/plain, text/sgml, text/css, */*;q=0.01", "Lynx/2.9.0dev.12", Kind.HTML),
        ("text/html, text/*;q=0.5, image/*, application/*", "w3m/0.5.3", Kind.HTML),
        (MSIE, "Mozilla/4.0 (compatible; MSIE 5.5)", Kind.HTML),
        ("", "", Kind.HTML),
        ("*/*", "Nokia7110/1.0 (04.84)", Kind.WML),
        ("*/*", "WapIDE-SDK/2.0;(R320s(Arial))", Kind.WML),
        ("*/*", "UP.Browser/3.1.02-SC01", Kind.WML),
        ("*/*", "Mozilla/5.0 Nokia", Kind.HTML),
        ("text/html", "Nokia6600/1.0", Kind.HTML),
        ("application/vnd.wap.xhtml+xml, text/vnd.wap.wml", "Nokia6230/2.0", Kind.XHTML_MP),
        ("application/vnd.wap.xhtml+xml;q=0.5, text/vnd.wap.wml", "", Kind.WML),
        ("application/vnd.wap.xhtml+xml, text/html", "", Kind.XHTML_MP),
        ("application/vnd.wap.xhtml+xml;q=0.8, text/html;q=0.9", "", Kind.HTML),
        ("text/html, text/vnd.wap.wml;q=0.6", "Opera/7.0", Kind.HTML),
        ("text/html, text/vnd.wap.wml", "", Kind.WML),
        ("application/xhtml+xml, text/vnd.wap.wml;q=0.5", "", Kind.HTML),
        ("text/vnd.wap.wml;q=0", "Eric", Kind.WML),
        ("TEXT/VND.WAP.WML; Q=1.0", "", Kind.WML),
    ],
)
def test_the_best_that_is_understood_is_sent(accept: str, agent: str, kind: Kind) -> None:
    """Accept decides, then the name; HTML is for everybody else."""
    assert kind_for({"accept": accept, "user-agent": agent}) is kind


def test_headers_that_name_a_subscriber_change_nothing() -> None:
    """They are a gateway's word, or anybody's."""
    assert kind_for({"x-up-subno": "1", "x-wap-network-client-msisdn": "44"}) is Kind.HTML


@pytest.mark.parametrize(
    ("accept", "read"),
    [
        ("a/b", {"a/b": 1000}),
        ("a/b;level=1;q=0.25, c/d;q=1.000", {"a/b": 250, "c/d": 1000}),
        ("a/b;q=x, c/d;q=2", {"a/b": 1000, "c/d": 1000}),
        ("x" * MAX_HEADER_CHARS, {"x" * MAX_HEADER_CHARS: 1000}),
        ("x" * (MAX_HEADER_CHARS + 1), {"x" * MAX_HEADER_CHARS: 1000}),
    ],
)
def test_qualities_are_read_in_thousandths(accept: str, read: dict[str, int]) -> None:
    """What cannot be read counts as wanted; what is too long is cut."""
    assert qualities(accept) == read
