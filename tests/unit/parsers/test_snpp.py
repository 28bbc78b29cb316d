from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parsers.snpp import (
    MAX_REPLY_CHARS,
    MessageStatus,
    Reply,
    ascii_text,
    format_status,
    format_time,
    line_text,
    parse_hold,
    parse_reply,
    parse_status,
    reply_line,
    split_command,
)

NOON_MS = 1_795_176_000_000  # 20 November 2026, 12:00 UTC


def instant(text: str) -> int:
    """Return an ISO instant in milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("PAGE 555", ("PAGE", "555")),
        ("pager  555 secret ", ("PAGE", "555 secret")),
        ("MCRESP 1 yes", ("MCRE", "1 yes")),
        ("NOQUEUE", ("NOQU", "")),
        ("2WAY", ("2WAY", "")),
        ("RES", ("RES", "")),
        ("", ("", "")),
    ],
)
def test_four_letters_of_a_verb_count(line: str, command: tuple[str, str]) -> None:
    """RFC 1861 section 4; case is ignored by every known server."""
    assert split_command(line) == command


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("261120143005", "UTC", "2026-11-20T14:30:05+00:00"),
        ("2611201430", "UTC", "2026-11-20T14:30:00+00:00"),
        ("20261120143005", "UTC", "2026-11-20T14:30:05+00:00"),
        ("261120143005 +0000", "America/New_York", "2026-11-20T14:30:05+00:00"),
        ("261120143005 -0500", "UTC", "2026-11-20T19:30:05+00:00"),
        ("261120143005-5", "UTC", "2026-11-20T19:30:05+00:00"),
        ("261120143005 +0530", "UTC", "2026-11-20T09:00:05+00:00"),
        ("261120143005", "America/New_York", "2026-11-20T14:30:05-05:00"),
    ],
)
def test_a_hold_has_ten_twelve_or_fourteen_digits(text: str, zone: str, expected: str) -> None:
    """HylaFAX leaves the seconds out; without an offset the time is the server's own."""
    assert parse_hold(text, ZoneInfo(zone)) == instant(expected)


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "26112014", "261120143", "26112014300", "2611201430055"),
        *("261320143005", "261131143005", "261120243005", "261120143005 +1500"),
        *("261120143005 +0099", "261120143005 0000", "261120143005 + 0000"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """Nothing is guessed."""
    assert parse_hold(text, UTC) is None


def test_replies_have_a_space_and_ascii_words() -> None:
    """Clients wait for the space; what has no ASCII form is written plainly."""
    assert reply_line(250, "") == b"250 \r\n"
    assert reply_line(550, "caf\u00e9 \u00a35\r\n250 OK") == b"550 cafe GBP 5 250 OK\r\n"
    assert len(reply_line(250, "x" * MAX_REPLY_CHARS)) == len(b"250 \r\n") + MAX_REPLY_CHARS
    assert reply_line(250, "x" * (MAX_REPLY_CHARS + 1)) == reply_line(250, "x" * MAX_REPLY_CHARS)
    assert ascii_text("a\u2026b\tc") == "a...b c"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("250 OK\r\n", (250, False, "OK")),
        ("250\r", (250, False, "")),
        ("214 help", (214, True, "help")),
        ("250-more", (250, True, "more")),
        ("25 OK", None),
        ("hello", None),
        ("250OK", None),
    ],
)
def test_a_reply_line_is_read(line: str, expected: tuple[int, bool, str] | None) -> None:
    """Three digits, then a space, a dash or the end; 214 always says that more follows."""
    assert parse_reply(line) == expected


def test_octets_that_are_no_utf8_are_latin1() -> None:
    """Old clients send accents in Latin-1; control characters become spaces."""
    assert line_text(b"caf\xe9") == line_text("caf\u00e9".encode()) == "caf\u00e9"
    assert line_text(b"a\0b\tc") == "a b c"


def test_a_status_has_the_shape_that_perl_reads() -> None:
    """`digits digits[+digits] text`, and the text is never empty."""
    status = MessageStatus(889, 2, NOON_MS, "Calling mom. 4F7.")
    assert format_time(NOON_MS) == "261120120000+0"
    assert format_status(status) == "2 261120120000+0 Calling mom. 4F7."
    assert format_status(MessageStatus(880, 1, NOON_MS, "")) == "1 261120120000+0 -"
    assert parse_status(Reply(889, format_status(status))) == status


@pytest.mark.parametrize(
    ("code", "final"),
    [
        *((960, False), (860, False), (861, False), (870, False)),
        *((880, True), (881, True), (888, True), (889, True), (780, True), (760, True)),
        (550, True),
    ],
)
def test_which_states_are_final(code: int, final: bool) -> None:  # noqa: FBT001  (a column)
    """RFC 1861 section 4.6.10; 760 is what its prose calls 780."""
    assert MessageStatus(code, 1, 0, "").is_final is final


def test_a_status_without_time_keeps_its_words() -> None:
    """The code counts, whatever the words are."""
    assert parse_status(Reply(550, "Unknown tag")) == MessageStatus(550, 0, 0, "Unknown tag")
    assert parse_status(Reply(889, "3 950925143501+7 yes please")) == MessageStatus(
        889, 3, instant("1995-09-25T14:35:01+07:00") + 3_155_760_000_000, "yes please"
    )


@given(st.integers(0, 10**9 - 1), st.integers(NOON_MS, NOON_MS + 10**12), st.text(max_size=90))
def test_statuses_are_read_back(sequence: int, at_ms: int, text: str) -> None:
    """What the server writes the client reads, to the second."""
    status = MessageStatus(889, sequence, at_ms // 1000 * 1000, ascii_text(text) or "-")
    assert parse_status(Reply(889, format_status(status))) == status
