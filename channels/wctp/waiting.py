"""What waits to be fetched: messages for pollers, answers for transient clients. All in memory.

A message stays until the poller acknowledges its sequence number, so delivery is at least once. The
outbox hears of it: what nobody fetches in time goes to the user's next address, so a restart loses
nothing but the convenience.
"""

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import TypeVar

MOST_ADDRESSES = 10_000
MOST_PER_ADDRESS = 200
MOST_REMEMBERED = 20_000  # answers for transient clients, choices sent, ids fetched
TRACKING_DIGITS = 16

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """What we sent to a pager: the call it is about, and the commands behind its choices."""

    ref: str
    commands: tuple[tuple[str, str], ...]

    def command(self, words: str) -> str:
        """Return the command that an answer means: its choice's, or the words themselves."""
        wanted = words.strip().casefold()
        found = (command for label, command in self.commands if label.casefold() == wanted)
        return next(found, words)


@dataclass(slots=True)
class _Queued:
    number: int
    element: str
    until_wall_ms: int


class Waiting:
    """Queues by address, answers by tracking number, what was sent by message id."""

    def __init__(self, secret: bytes, keep_ms: int) -> None:
        self._secret = secret
        self._keep_ms = keep_ms
        self._queues: OrderedDict[str, OrderedDict[str, _Queued]] = OrderedDict()
        self._numbers = 0
        self._fetched: OrderedDict[str, None] = OrderedDict()
        self._answers: OrderedDict[str, tuple[str, str, int]] = OrderedDict()
        self._sent: OrderedDict[str, Sent] = OrderedDict()

    # --- pollers --------------------------------------------------------------------------------

    def put(self, address: str, message_id: str, element: str, now_ms: int) -> bool:
        """Let a message wait; False when the address has too many already."""
        queue = self._queues.setdefault(address, OrderedDict())
        self._queues.move_to_end(address)
        _bound(self._queues, MOST_ADDRESSES)
        self._expire(queue, now_ms)
        if message_id in queue:
            return True
        if len(queue) >= MOST_PER_ADDRESS:
            return False
        self._numbers += 1
        queue[message_id] = _Queued(self._numbers, element, now_ms + self._keep_ms)
        return True

    def poll(self, address: str, most: int, now_ms: int) -> list[tuple[int, str]]:
        """Return `(sequence number, element)` of what waits, the oldest first."""
        queue = self._queues.get(address, OrderedDict())
        self._expire(queue, now_ms)
        return [(each.number, each.element) for each in list(queue.values())[:most]]

    def acknowledge(self, address: str, number: str) -> None:
        """Forget a message that its poller has; what it could not take is not sent again either."""
        queue = self._queues.get(address, OrderedDict())
        for message_id, each in list(queue.items()):
            if str(each.number) == number:
                del queue[message_id]
                self._fetched[message_id] = None
                _bound(self._fetched, MOST_REMEMBERED)

    def is_fetched(self, message_id: str) -> bool:
        """Whether a poller has acknowledged a message."""
        return message_id in self._fetched

    @staticmethod
    def _expire(queue: OrderedDict[str, _Queued], now_ms: int) -> None:
        while queue and next(iter(queue.values())).until_wall_ms < now_ms:
            queue.popitem(last=False)

    # --- transient clients ----------------------------------------------------------------------

    def track(self, external_id: str, sender: str, text: str, now_ms: int) -> str:
        """Keep an answer and return its tracking number; a repeat has the same one."""
        digest = hmac.digest(self._secret, external_id.encode(), hashlib.sha256)
        number = str(int.from_bytes(digest[:8], "big") % 10**TRACKING_DIGITS)
        self._answers[number] = (sender, text, now_ms)
        _bound(self._answers, MOST_REMEMBERED)
        return number

    def answer(self, number: str, sender: str, now_ms: int) -> tuple[str, int] | None:
        """Return `(words, when)` of an answer, None when it is unknown or somebody else's."""
        found = self._answers.get(number)
        if found is None or found[0] != sender or now_ms - found[2] > self._keep_ms:
            return None
        return found[1], found[2]

    # --- what was sent --------------------------------------------------------------------------

    def remember(self, message_id: str, sent: Sent) -> None:
        """Keep what a message of ours offered."""
        self._sent[message_id] = sent
        _bound(self._sent, MOST_REMEMBERED)

    def sent(self, message_id: str) -> Sent:
        """Return what a message of ours offered; nothing when it is not known (any more)."""
        return self._sent.get(message_id, Sent("", ()))


def _bound(kept: OrderedDict[str, T], most: int) -> None:
    while len(kept) > most:
        kept.popitem(last=False)
