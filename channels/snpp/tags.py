"""Message tags of two-way transactions: what MSTA tells, until KTAG or the end of its time.

Kept in memory: after a restart a tag is unknown (550), and the history on another channel tells
what became of the request. A tag is found by number and pass code, and only by its own user.
"""

import random
from collections import OrderedDict
from dataclasses import dataclass

from parsers.snpp import MessageStatus

MOST_TAGS = 10_000  # the oldest go first
TAG_DIGITS = 9
PASS_DIGITS = 8
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class _Tag:
    user_id: str
    pass_code: str
    status: MessageStatus
    until_wall_ms: int


class Tags:
    """Answers that clients may ask for.

    Args:
        rng: `random.SystemRandom` in production.
        hours: how long one is kept when the client wants it no shorter.
    """

    def __init__(self, rng: random.Random, hours: int) -> None:
        self._rng = rng
        self._hours = hours
        self._tags: OrderedDict[str, _Tag] = OrderedDict()

    def keep(self, user_id: str, status: MessageStatus, hours: int | None) -> tuple[str, str]:
        """Keep an answer; return its tag and pass code, digits as Perl's client wants them."""
        while (tag := self._digits(TAG_DIGITS)) in self._tags:
            pass
        pass_code = self._digits(PASS_DIGITS)
        kept_h = min(hours or self._hours, self._hours)
        until = status.at_wall_ms + kept_h * _HOUR_MS
        self._tags[tag] = _Tag(user_id, pass_code, status, until)
        while len(self._tags) > MOST_TAGS:
            self._tags.popitem(last=False)
        return tag, pass_code

    def find(self, user_id: str, tag: str, pass_code: str, now_ms: int) -> MessageStatus | None:
        """Return the answer, None for a tag that is unknown, of somebody else or out of time."""
        found = self._tags.get(tag)
        if found is None or (found.user_id, found.pass_code) != (user_id, pass_code):
            return None
        if now_ms > found.until_wall_ms:
            del self._tags[tag]
            return None
        return found.status

    def drop(self, user_id: str, tag: str, pass_code: str, now_ms: int) -> bool:
        """Forget an answer; False when there was none."""
        if self.find(user_id, tag, pass_code, now_ms) is None:
            return False
        del self._tags[tag]
        return True

    def _digits(self, count: int) -> str:
        return str(self._rng.getrandbits(64) % (9 * 10 ** (count - 1)) + 10 ** (count - 1))
