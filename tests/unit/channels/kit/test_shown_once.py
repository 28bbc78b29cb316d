"""Secrets that a double tap may see again."""

from channels.kit.shown_once import MAX_REMEMBERED, REMEMBERED_S, ShownOnce


def test_a_secret_is_remembered_for_a_minute() -> None:
    """At the minute it is still there, a millisecond past it is gone."""
    shown = ShownOnce()
    shown.remember("form", "secret", 0)
    assert shown.again("form", REMEMBERED_S * 1000) == "secret"
    assert shown.again("other", 0) == ""
    assert shown.again("form", REMEMBERED_S * 1000 + 1) == ""
    assert shown.again("form", 0) == ""


def test_memory_is_bounded() -> None:
    """The oldest secret makes room for one too many."""
    shown = ShownOnce()
    for n in range(MAX_REMEMBERED + 1):
        shown.remember(f"form{n}", "secret", 0)
    assert shown.again("form0", 0) == ""
    assert shown.again("form1", 0) == "secret"
