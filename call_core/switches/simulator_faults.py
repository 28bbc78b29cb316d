"""Faults on purpose: what the simulator's wire to us does wrong, drawn from a seeded generator."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Faults:
    """How often things go wrong; shares are from 0 (never) to 1 (always).

    Attributes:
        drop: share of leg events that are lost.
        repeat: share that is told twice, under the same id.
        reorder: share that is told late by up to `reorder_ms`, so that others overtake.
        reorder_ms: how late at most; 0 keeps the order.
        delay_ms: how late every event is.
        originate_fail: share of orders refused for certain (cause 41).
        lost_originate: share of orders that never arrive; the refusal says that it is not certain.
        lost_originate_answer: the same refusal, but the phone rings all the same.
    """

    drop: float = 0
    repeat: float = 0
    reorder: float = 1
    reorder_ms: int = 0
    delay_ms: int = 0
    originate_fail: float = 0
    lost_originate: float = 0
    lost_originate_answer: float = 0

    def delays_ms(self, rng: random.Random) -> list[int]:
        """Return how late each copy of one event arrives; none when it is lost."""
        if hits(self.drop, rng):
            return []
        copies = 2 if hits(self.repeat, rng) else 1
        return [self.delay_ms + self._lateness_ms(rng) for _ in range(copies)]

    def _lateness_ms(self, rng: random.Random) -> int:
        """Return how much later than the others one copy is."""
        if self.reorder_ms == 0 or not hits(self.reorder, rng):
            return 0
        return rng.randint(0, self.reorder_ms)


def hits(share: float, rng: random.Random) -> bool:
    """Whether a fault of this share happens now; nothing is drawn for one that never does."""
    return share > 0 and rng.random() < share
