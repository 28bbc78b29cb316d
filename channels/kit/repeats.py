"""Ids for wires that carry none: the same words within a window are the same request.

The first time that something is said its id is made of its digest and the 90 seconds of the clock
that it falls in; while it is repeated within the window, the id stays. A restart forgets it all:
what is repeated across one is the same request within the same 90 seconds, and beyond it the core's
own question about a call that was just launched stands guard.
"""

import hashlib
from collections import OrderedDict

WINDOW_MS = 90_000
"""Whoever overheard a page can say it again for so long and gets its answer, but no call."""
MOST_REMEMBERED = 20_000


def digest_of(*parts: str) -> str:
    """Return a hash of parts that no other division into parts has."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:32]


class Repeats:
    """What was said lately, by digest."""

    def __init__(self, window_ms: int = WINDOW_MS) -> None:
        self._window_ms = window_ms
        self._first: OrderedDict[str, int] = OrderedDict()

    def external_id(self, digest: str, now_wall_ms: int) -> str:
        """Return the id of a request, that of the first one when it is a repeat.

        The window counts from the first one: who goes on repeating is heard again after it.
        """
        first = self._first.get(digest)
        if first is None or now_wall_ms - first > self._window_ms:
            first = now_wall_ms
            self._first[digest] = first
            self._first.move_to_end(digest)
            while len(self._first) > MOST_REMEMBERED:
                self._first.popitem(last=False)
        return f"{digest}.{first // WINDOW_MS}"
