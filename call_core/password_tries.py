"""Wrong passwords per name: after five within ten minutes the name is refused for ten minutes.

The names are what was typed, on file or not, so that a refusal tells nobody who is on file. Kept in
memory: a restart forgets them, and who guesses does not cause it.
"""

from collections import OrderedDict
from dataclasses import dataclass

WRONG_TRIES = 5
WINDOW_MS = 600_000
MOST_REMEMBERED = 10_000
_LONGEST_NAME = 254


@dataclass(slots=True)
class _Wrong:
    count: int
    first_wall_ms: int
    last_wall_ms: int


class PasswordTries:
    """Counts wrong passwords; a right one clears its name."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, _Wrong] = OrderedDict()

    def refused(self, name: str, now_wall_ms: int) -> bool:
        """Whether no password of this name is looked at now."""
        wrong = self._wrong.get(_key(name))
        return (
            wrong is not None
            and wrong.count >= WRONG_TRIES
            and now_wall_ms - wrong.last_wall_ms < WINDOW_MS
        )

    def failed(self, name: str, now_wall_ms: int) -> None:
        """Note a wrong password."""
        key = _key(name)
        wrong = self._wrong.get(key)
        if wrong is None or now_wall_ms - wrong.first_wall_ms >= WINDOW_MS:
            wrong = self._wrong[key] = _Wrong(0, now_wall_ms, now_wall_ms)
        wrong.count += 1
        wrong.last_wall_ms = now_wall_ms
        self._wrong.move_to_end(key)
        while len(self._wrong) > MOST_REMEMBERED:
            self._wrong.popitem(last=False)

    def succeeded(self, name: str) -> None:
        """Forget what went wrong before a right password."""
        self._wrong.pop(_key(name), None)


def _key(name: str) -> str:
    return name.strip().casefold()[:_LONGEST_NAME]
