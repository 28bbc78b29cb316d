"""How many datagrams one address may send: a bucket that refills, for the addresses seen lately."""

from collections import OrderedDict

MOST_REMEMBERED = 10_000
MS_PER_S = 1000


class Flood:
    """Datagrams by address. A second's worth may come at once.

    The sender's address of a datagram can be made up, so this protects us and not one peer from
    another: whoever is pretended to be gets silence too, and its client sends again.

    Args:
        per_second: how many of one address are looked at.
    """

    def __init__(self, per_second: int) -> None:
        self._most = per_second * MS_PER_S
        self._per_ms = per_second
        self._left: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def allows(self, peer: str, now_wall_ms: int) -> bool:
        """Count one datagram; False when it is one too many."""
        left, last_wall_ms = self._left.pop(peer, (self._most, now_wall_ms))
        passed_ms = max(0, now_wall_ms - last_wall_ms)
        left = min(self._most, left + passed_ms * self._per_ms)
        is_allowed = left >= MS_PER_S
        self._left[peer] = (left - MS_PER_S if is_allowed else left, now_wall_ms)
        while len(self._left) > MOST_REMEMBERED:
            self._left.popitem(last=False)
        return is_allowed
