"""Billing increments: how talked seconds become billed seconds.

An increment pair is written `first/next`: 30/6 bills the first 30 seconds whole, then steps of
6 seconds. The seconds at which a bill can stop are its *boundaries*: first, first + next,
first + 2 next ... A minimum raises the duration before it is rounded, so that every billed
duration, with or without a minimum, lies on a boundary and a hold can be computed from it.
"""

from typing import Final

MS_PER_SECOND: Final = 1000


def whole_seconds(duration_ms: int) -> int:
    """Rounds milliseconds up to whole seconds, the first step of every bill."""
    assert duration_ms >= 0, duration_ms
    return -(-duration_ms // MS_PER_SECOND)


def billable_seconds(duration_ms: int, first_s: int, next_s: int, minimum_s: int) -> int:
    """Gives the billed seconds of an answered leg that lasted `duration_ms`.

    An answered leg of 0 ms still bills its first increment. A leg that was never answered is
    not this function's business: its billed seconds are 0.
    """
    return seconds_to_increment_boundary(whole_seconds(duration_ms), first_s, next_s, minimum_s)


def seconds_to_increment_boundary(seconds: int, first_s: int, next_s: int, minimum_s: int) -> int:
    """Rounds seconds up to the nearest boundary; the first boundary is the least answer."""
    assert first_s > 0, first_s
    assert next_s > 0, next_s
    beyond_first = max(seconds, minimum_s) - first_s
    if beyond_first <= 0:
        return first_s
    return first_s - (-beyond_first // next_s) * next_s


def covered_seconds(seconds: int, first_s: int, next_s: int, minimum_s: int) -> int:
    """Rounds seconds down to the nearest boundary: what may be talked when `seconds` are paid.

    0 when the seconds do not reach the first boundary that can be billed at all.
    """
    if seconds < seconds_to_increment_boundary(0, first_s, next_s, minimum_s):
        return 0
    return first_s + (seconds - first_s) // next_s * next_s
