"""SNPP, the Simple Network Paging Protocol, levels 1 to 3 (RFC 1861): words, replies, times.

    S: 220 Callgate SNPP                       C: LOGI 5550100001 0f3kq…
    S: 250 Hello                               C: PAGE callgate
    S: 250 Pager accepted                      C: MESS call mom
    S: 250 Message accepted                    C: SEND
    S: 250 Calling mom. 4F7. Answer your phone.

Only the first four letters of a verb count. A reply is three digits, a space and words that nobody
may read; `214` and `ddd-` say that more lines follow. The two engines are `parsers.snpp_server`
and `parsers.snpp_client`.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final

MAX_LINE_BYTES: Final = 2048  # RFC 1861 sets none; HylaFAX reads 1024
MAX_MESSAGE_BYTES: Final = 2048
MAX_REPLY_CHARS: Final = 400  # one packet and one small buffer; the .NET client reads 256 at once
MAX_REPLY_LINES: Final = 200
MAX_ID_CHARS: Final = 128
MAX_RECIPIENTS: Final = 16
MAX_CHOICES: Final = 16
MAX_CHOICE_CODE_CHARS: Final = 4  # "2 bytes" in the RFC, whose examples show two and four digits
MAX_CHOICE_CHARS: Final = 80
MAX_BAD_COMMANDS: Final = 10
MAX_EXPIRE_HOURS: Final = 168
_TEXT_SIGNS: Final = {"\u00a3": "GBP ", "\u20ac": "EUR ", "\u00a5": "JPY ", "\u2026": "..."}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOLD: Final = re.compile(r"(\d{10}|\d{12}|\d{14})(?: ?([+-])(\d{1,2})(\d{2})?)?")
_REPLY: Final = re.compile(r"(\d{3})(?:([ -])(.*))?", re.DOTALL)
_STATUS: Final = re.compile(r"\s*(\d{1,9})\s+(\d{12,14})([+-]\d{1,4})?(?:\s+(.*))?", re.DOTALL)
_LONG_HOLD_CHARS: Final = 14
_MOST_OFFSET_HOURS: Final = 14
_MINUTES: Final = 60


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply of a server: its code, the words of its last line, and the lines before that."""

    code: int
    text: str
    before: tuple[str, ...] = ()

    @property
    def family(self) -> int:
        """The first digit: 2 well, 4 closing, 5 refused, 7 to 9 two-way."""
        return self.code // 100


@dataclass(frozen=True, slots=True)
class MessageStatus:
    """What MSTA tells of a message (RFC 1861 section 4.6.10).

    Attributes:
        code: 860, 861, 870, 960 go on; 880, 881, 888, 889, 780 are final.
        sequence: rises with every change.
        at_wall_ms: when it changed.
        text: for 889 the reply; for 888 the chosen code, then words.
    """

    code: int
    sequence: int
    at_wall_ms: int
    text: str

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more; 760 is what the RFC's prose calls 780."""
        return self.code // 10 in {76, 78, 88} or self.code // 100 == 5  # noqa: PLR2004  (families)


def ascii_text(text: str) -> str:
    """Return words as they can stand in a line: ASCII without controls, as readable as can be."""
    for sign, written in _TEXT_SIGNS.items():
        text = text.replace(sign, written)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())


@lru_cache(maxsize=256)
def reply_line(code: int, text: str) -> bytes:
    """Return one reply; a space always follows the digits, because clients wait for it."""
    return f"{code:03} {ascii_text(text)[:MAX_REPLY_CHARS]}\r\n".encode("ascii")


def line_text(line: bytes) -> str:
    """Return a line of a peer as text: UTF-8, else Latin-1, with spaces for control characters."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        text = line.decode("latin-1")
    return "".join(" " if unicodedata.category(c) == "Cc" else c for c in text)


def split_command(line: str) -> tuple[str, str]:
    """Return the four letters that count, and what follows the verb.

    `PAGEr 5550100001` is `("PAGE", "5550100001")`; a word of fewer letters is returned as it is.
    """
    verb, _, rest = line.strip().partition(" ")
    return verb[:4].upper(), rest.strip()


def parse_reply(line: str) -> tuple[int, bool, str] | None:
    """Return `(code, whether more lines follow, words)` of a server's line, None if it is none."""
    found = _REPLY.fullmatch(line.rstrip("\r\n"))
    if found is None:
        return None
    code = int(found[1])
    return code, found[2] == "-" or code == 214, (found[3] or "").strip()  # noqa: PLR2004  (RFC 1861)


def parse_hold(text: str, server_zone: tzinfo) -> int | None:
    """Return the instant of a HOLD in milliseconds, None when it is no time.

    Twelve digits `YYMMDDHHMMSS`; ten and fourteen are sent too (HylaFAX leaves the seconds out, the
    RFC's own example as well). Without an offset the time is the server's own.
    """
    found = _HOLD.fullmatch(" ".join(text.split()))
    if found is None:
        return None
    digits, sign, hours, minutes = found.groups()
    if len(digits) != _LONG_HOLD_CHARS:
        digits = f"20{digits}"
    zone = server_zone if sign is None else _offset(sign, hours, minutes or "0")
    if zone is None:
        return None
    try:
        local = datetime.strptime(digits.ljust(_LONG_HOLD_CHARS, "0"), "%Y%m%d%H%M%S")  # noqa: DTZ007  (the zone follows)
        return (local.replace(tzinfo=zone) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def _offset(sign: str, hours: str, minutes: str) -> timezone | None:
    if int(hours) > _MOST_OFFSET_HOURS or int(minutes) >= _MINUTES:
        return None
    ahead = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-ahead if sign == "-" else ahead)


def format_time(at_wall_ms: int) -> str:
    """Return `YYMMDDHHMMSS+0`: the form of times in replies, in UTC."""
    return f"{_EPOCH + timedelta(milliseconds=at_wall_ms):%y%m%d%H%M%S}+0"


def format_status(status: MessageStatus) -> str:
    """Return the words of an MSTA reply; there is always a word, or Perl's client reads nothing."""
    return f"{status.sequence} {format_time(status.at_wall_ms)} {ascii_text(status.text) or '-'}"


def parse_status(reply: Reply) -> MessageStatus:
    """Read an MSTA reply; whatever its words are, the code counts."""
    found = _STATUS.fullmatch(reply.text)
    if found is None:
        return MessageStatus(reply.code, 0, 0, reply.text)
    at = parse_hold(f"{found[2]}{found[3] or '+0'}", UTC)
    return MessageStatus(reply.code, int(found[1]), at or 0, (found[4] or "").strip())
