import pytest

from call_core.commands import Call, Name, When
from call_core.errors import ParseError
from channels.kit.put_off import LEAST_MS, put_off
from parsers.grammar import parse
from parsers.when import read_when

NOW_MS = 1_795_176_000_000  # 20 November 2026, 12:00 UTC
HOUR_MS = 3_600_000
AT_ONE = read_when("2026-11-20 13:00 utc")


@pytest.mark.parametrize(
    ("text", "until_ms", "at"),
    [
        ("call mom", None, None),
        ("call mom", NOW_MS - HOUR_MS, None),
        ("call mom", NOW_MS + LEAST_MS - 1, None),
        ("call mom", NOW_MS + HOUR_MS, AT_ONE),
        ("conf mom, bob", NOW_MS + HOUR_MS, AT_ONE),
    ],
)
def test_a_call_gets_the_time_of_its_message(
    text: str, until_ms: int | None, at: When | None
) -> None:
    """What is past, or within a minute, is now."""
    assert getattr(put_off(parse(text), until_ms, NOW_MS), "at") == at  # noqa: B009  (a union)


def test_a_minute_ahead_is_later() -> None:
    """At the limit the time counts."""
    command = put_off(Call(Name("mom")), NOW_MS + LEAST_MS, NOW_MS)
    assert isinstance(command, Call)
    assert command.at == read_when("2026-11-20 12:01 utc")


@pytest.mark.parametrize("text", ["hangup", "call mom at 6pm", "balance"])
def test_what_cannot_be_put_off_is_told_so(text: str) -> None:
    """No call, or a call with another time."""
    assert put_off(parse(text), NOW_MS + HOUR_MS, NOW_MS) is None
    assert put_off(parse(text), NOW_MS, NOW_MS) == parse(text)


def test_what_cannot_be_read_stays_so() -> None:
    """The core answers it."""
    error = ParseError("empty")
    assert put_off(error, NOW_MS + HOUR_MS, NOW_MS) is error
