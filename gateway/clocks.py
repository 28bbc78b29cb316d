"""The real clocks: the only place where the time of this machine is read.

`WallClock` is the world's time. `CallClock` is the switch's: with the simulator it may run faster,
and it goes on where it stood before a restart (the simulator's file keeps its base).
"""

import asyncio
import time
from collections.abc import Callable
from fractions import Fraction

NANOSECONDS_PER_MS = 1_000_000
LONGEST_SLEEP_S = 60.0  # after which the clock is asked again: the machine's time may be set


class WallClock:
    """Milliseconds since 1970, UTC, as this machine has them; follows when they are corrected."""

    def now_ms(self) -> int:
        """Return milliseconds since 1970, UTC."""
        return time.time_ns() // NANOSECONDS_PER_MS  # noqa: TID251  (this is the clock to ask)

    async def sleep_until(self, at_ms: int) -> None:
        """Return when `now_ms()` has reached `at_ms`, at once when it has."""
        while (remaining_ms := at_ms - self.now_ms()) > 0:  # noqa: ASYNC110  (no event: time passes)
            await asyncio.sleep(min(remaining_ms / 1000, LONGEST_SLEEP_S))


class CallClock:
    """The switch's time: starts at a given instant, never goes back, runs at a given speed.

    It runs by the machine's monotonic time, so that setting the wall clock moves no call.

    Args:
        start_call_ms: what it shows now.
        speed: its seconds per second, exact.
        monotonic_ns: nanoseconds that only go forward; a parameter for tests.

    Raises:
        ValueError: the speed is not positive.
    """

    def __init__(
        self,
        start_call_ms: int,
        speed: Fraction = Fraction(1),
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if speed <= 0:
            raise ValueError(f"a clock cannot run at speed {speed}")
        self.speed = speed
        self._start_call_ms = start_call_ms
        self._monotonic_ns = monotonic_ns
        self._started_ns = monotonic_ns()

    def now_ms(self) -> int:
        """Return the call time, in milliseconds since 1970, UTC."""
        elapsed_ns = self._monotonic_ns() - self._started_ns
        scaled = elapsed_ns * self.speed.numerator
        return self._start_call_ms + scaled // (self.speed.denominator * NANOSECONDS_PER_MS)

    async def sleep_until(self, at_ms: int) -> None:
        """Return when `now_ms()` has reached `at_ms`, at once when it has."""
        while (remaining_ms := at_ms - self.now_ms()) > 0:
            # Capped before it becomes a float: an instant that never comes is a huge integer.
            seconds = min(Fraction(remaining_ms, 1000) / self.speed, Fraction(LONGEST_SLEEP_S))
            await asyncio.sleep(float(seconds))
