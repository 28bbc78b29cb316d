"""Every line of every logger has one shape and no secrets."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from gateway import logs
from gateway.settings_sections import LogSettings


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """A configured stream; the root logger is as it was afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    logs.configure(LogSettings(format="json"), out)
    yield out
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    """Return what was written, parsed."""
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_our_events_and_a_librarys_have_the_same_shape(stream: io.StringIO) -> None:
    """Timestamp, level, logger and event are in every line, whoever wrote it."""
    structlog.get_logger("ours").info("launched", to="+442079460018")
    logging.getLogger("uvicorn.error").warning("talking to %s", "+442079460018")
    ours, theirs = lines(stream)
    for line in (ours, theirs):
        assert {"timestamp", "level", "logger", "event"} <= line.keys()
    assert ours["to"] == "+44…0018"
    assert theirs["event"] == "talking to +44…0018"


def test_bound_names_are_in_every_line_below(stream: io.StringIO) -> None:
    """Call, request and channel are bound once and are gone after the context."""
    with logs.bound(call_id="call_1", request_id="req_1", channel="smtp"):
        logging.getLogger("any").info("inside")
    logging.getLogger("any").info("outside")
    inside, outside = lines(stream)
    assert (inside["call_id"], inside["request_id"], inside["channel"]) == (
        "call_1",
        "req_1",
        "smtp",
    )
    assert "call_id" not in outside


def test_a_traceback_is_masked_too(stream: io.StringIO) -> None:
    """An exception whose message holds a number or a password does not leak them."""
    try:
        int("password=hunter2 for +442079460018")
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    text = stream.getvalue()
    assert "hunter2" not in text
    assert "7946" not in text
    assert "ValueError" in text


def test_extra_values_of_the_standard_library_are_masked(stream: io.StringIO) -> None:
    """What a library gives as `extra` is shown and masked."""
    logging.getLogger("lib").info("x", extra={"token": "abc", "number": "+442079460018"})
    (line,) = lines(stream)
    assert (line["token"], line["number"]) == ("***", "+44…0018")


def test_what_json_cannot_hold_is_written_as_masked_text(stream: io.StringIO) -> None:
    """An object in an event is shown by its masked repr instead of failing the line."""

    class Odd:
        def __repr__(self) -> str:
            return "Odd(+442079460018)"

    structlog.get_logger("ours").info("odd", value=Odd())
    assert lines(stream)[0]["value"] == "Odd(+44…0018)"


def test_less_important_events_are_left_out(stream: io.StringIO) -> None:
    """At level info, debug events and uvicorn's access log are not written."""
    structlog.get_logger("ours").debug("detail")
    logging.getLogger("uvicorn.access").info("GET /")
    assert stream.getvalue() == ""


def test_console_is_masked_as_well() -> None:
    """A person at a terminal sees the same masked values."""
    out = io.StringIO()
    logs.configure(LogSettings(format="console"), out)
    structlog.get_logger("ours").info("launched", to="+442079460018")
    assert "+44…0018" in out.getvalue()
    structlog.reset_defaults()


FORGED = "Ada\n2026-01-01T00:00:00Z [error    ] forged\r\x1b[2J\x1b]0;owned\x07\u202e"


def console(out: io.StringIO) -> None:
    """Log as a person reads it, into this."""
    logs.configure(LogSettings(format="console"), out)


@pytest.mark.parametrize("name", ["name", "event"])
def test_no_value_begins_a_line_or_acts_on_a_terminal(stream: io.StringIO, name: str) -> None:
    """A caller's line breaks and escape sequences are shown, in either format."""
    logger = structlog.get_logger("ours")
    for configure in (lambda _: None, console):
        configure(stream)
        stream.truncate(0)
        stream.seek(0)
        logger.info(FORGED) if name == "event" else logger.info("said", name=FORGED)
        text = stream.getvalue()
        assert text.count("\n") == 1, text
        assert text.rstrip("\n").isprintable(), text
        assert "forged" in text


def test_no_line_of_a_traceback_looks_like_an_event(stream: io.StringIO) -> None:
    """What an exception says of a caller's words is indented, its escape sequences shown."""
    console(stream)
    try:
        int(FORGED)
    except ValueError:
        structlog.get_logger("ours").exception("failed")
    first, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert "failed" in first
    assert all(line.startswith("  ") for line in rest)
    assert "\x1b" not in stream.getvalue()
