"""Which mails of a folder are due: the only thing a mailbox's thread remembers between two looks.

Whatever stands in the folder is still to do; this adds what failed lately and must wait, and what
was answered but could not be moved away. It may be lost at any time: the core knows each mail's
Message-ID, so a mail that is handled again gets the same outcome and no second call.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field

TRY_LIMIT = 8  # failures on one mail, two minutes with the usual pauses, before Failed
SKIP_S = 3_600.0  # how long a mail is left alone that cannot be had and perhaps not moved either


@dataclass(slots=True)
class Backoff:
    """Pauses that double, with jitter so that many mailboxes do not come back as one.

    Attributes:
        first_s, longest_s: bounds of the pause before the jitter, which takes up to half away.
    """

    first_s: float
    longest_s: float
    rng: random.Random

    def pause_s(self, failures: int) -> float:
        """Return the pause after so many failures in a row, 1 or more."""
        assert failures > 0, failures
        doublings = min(failures - 1, 32)  # beyond it every longest_s is reached
        full = min(self.first_s * 2.0**doublings, self.longest_s)
        return float(full * self.rng.uniform(0.5, 1.0))


@dataclass(slots=True)
class _Failure:
    given_before: int
    tries: int = 0
    due_s: float = 0.0


@dataclass(slots=True)
class Backlog:
    """What is known of the mails that stand in one folder, by UID.

    A UID means a mail only together with the folder's UIDVALIDITY (RFC 9051 section 2.3.1.1): when
    that changes, everything here is forgotten.
    """

    backoff: Backoff
    _uid_validity: int = -1
    _failures: dict[int, _Failure] = field(default_factory=dict)
    _answered: dict[int, str] = field(default_factory=dict)
    _given: int = 0
    _core_failures: int = 0
    _core_due_s: float = 0.0

    def opened(self, uid_validity: int) -> None:
        """Take note that the folder was selected."""
        if uid_validity != self._uid_validity:
            self._uid_validity = uid_validity
            self._failures.clear()
            self._answered.clear()

    def due(self, uids: Iterable[int], now_s: float) -> list[int]:
        """Return which of the mails in the folder may be tried now, oldest first.

        Those that failed come last: a server may hang up at one of them, every time.
        """
        present = sorted(uids)
        self._failures = {uid: self._failures[uid] for uid in present if uid in self._failures}
        self._answered = {uid: self._answered[uid] for uid in present if uid in self._answered}
        if now_s < self._core_due_s:
            return []
        again = [uid for uid, failure in self._failures.items() if failure.due_s <= now_s]
        return [uid for uid in present if uid not in self._failures] + again

    def given(self) -> None:
        """Take note that the server has given out a mail."""
        self._given += 1

    def is_hopeless(self, uid: int) -> bool:
        """Whether a mail failed too often while others came through: it is not the server alone."""
        failure = self._failures.get(uid)
        return (
            failure is not None
            and failure.tries >= TRY_LIMIT
            and self._given > failure.given_before
        )

    def skip(self, uid: int, now_s: float) -> None:
        """Leave a hopeless mail alone for an hour, if it stays at all; then it has one try."""
        failure = self._failures[uid]
        failure.tries, failure.due_s = TRY_LIMIT - 1, now_s + SKIP_S

    def answered(self, uid: int, folder: str) -> None:
        """Remember where a mail must go: it must only be moved, not handled again."""
        self._answered[uid] = folder
        self._core_failures = 0

    def destination(self, uid: int) -> str | None:
        """Return where a mail must go, None when it was not handled yet."""
        return self._answered.get(uid)

    def begun(self) -> list[int]:
        """Return the mails that were answered and, as far as is known, stand in the folder."""
        return sorted(self._answered)

    def failed(self, uid: int, now_s: float) -> int:
        """Put one mail off; return how often it has failed."""
        failure = self._failures.setdefault(uid, _Failure(self._given))
        failure.tries += 1
        failure.due_s = now_s + self.backoff.pause_s(failure.tries)
        return failure.tries

    def core_failed(self, now_s: float, at_least_s: float) -> None:
        """Put all mail off: the core cannot take anything now, and none may be given up for it."""
        self._core_failures += 1
        pause = self.backoff.pause_s(self._core_failures)
        self._core_due_s = now_s + min(max(pause, at_least_s), self.backoff.longest_s)

    def moved(self, uid: int) -> None:
        """Forget a mail that has left the folder."""
        self._failures.pop(uid, None)
        self._answered.pop(uid, None)

    def wait_s(self, now_s: float, poll_s: float) -> float:
        """Return how long to wait for new mail before something is due again."""
        dues = [failure.due_s for failure in self._failures.values()]
        if self._core_due_s > now_s:
            dues.append(self._core_due_s)
        return max(0.0, min([poll_s, *(due - now_s for due in dues)]))
