import asyncio
from fractions import Fraction

import pytest

from gateway.clocks import LONGEST_SLEEP_S, CallClock, WallClock


class Ticks:
    """Monotonic nanoseconds that a test moves."""

    def __init__(self) -> None:
        self.now_ns = 123_456_789

    def __call__(self) -> int:
        """Return the nanoseconds."""
        return self.now_ns


@pytest.mark.parametrize(
    ("speed", "elapsed_ns", "expected_ms"),
    [
        (Fraction(1), 0, 0),
        (Fraction(1), 999_999, 0),
        (Fraction(1), 1_000_000, 1),
        (Fraction(60), 1_000_000_000, 60_000),
        (Fraction(1, 3), 3_000_000_000, 1_000),
        (Fraction("2.5"), 2_000_000, 5),
        (Fraction(1_000), 86_400 * 10**9, 86_400_000_000),
    ],
)
def test_the_call_clock_runs_at_its_speed(
    speed: Fraction, elapsed_ns: int, expected_ms: int
) -> None:
    """Exact at any speed, from the instant it was given."""
    ticks = Ticks()
    clock = CallClock(1_700_000_000_000, speed, ticks)
    ticks.now_ns += elapsed_ns
    assert clock.now_ms() - 1_700_000_000_000 == expected_ms


@pytest.mark.parametrize("speed", [Fraction(0), Fraction(-1)])
def test_a_clock_that_stands_or_runs_back_is_refused(speed: Fraction) -> None:
    """No call would ever end on it."""
    with pytest.raises(ValueError, match="speed"):
        CallClock(0, speed)


def test_the_wall_clock_shows_milliseconds_since_1970() -> None:
    """It is after 2024 and does not run wild between two looks."""
    clock = WallClock()
    first = clock.now_ms()
    assert 1_704_067_200_000 < first <= clock.now_ms() < first + 60_000


@pytest.mark.anyio
@pytest.mark.parametrize(
    "clock", [WallClock(), CallClock(5_000), CallClock(5_000, Fraction(1_000))]
)
async def test_a_sleeper_never_wakes_early(clock: WallClock | CallClock) -> None:
    """When `sleep_until` returns, the clock has reached the instant."""
    for ahead_ms in (-1_000, 0, 1, 20):
        at_ms = clock.now_ms() + ahead_ms
        await clock.sleep_until(at_ms)
        assert clock.now_ms() >= at_ms


@pytest.mark.anyio
async def test_a_fast_clock_sleeps_short() -> None:
    """A simulated hour at speed 100,000 is a moment."""
    clock = CallClock(0, Fraction(100_000))
    async with asyncio.timeout(10):
        await clock.sleep_until(clock.now_ms() + 3_600_000)


@pytest.mark.anyio
@pytest.mark.parametrize("clock", [WallClock(), CallClock(0, Fraction(7))])
async def test_an_instant_that_never_comes_is_waited_for(
    clock: WallClock | CallClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far instants are slept in pieces, so that a corrected clock is noticed; nothing overflows."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise TimeoutError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(TimeoutError):
        await clock.sleep_until(1 << 62)
    assert slept == [LONGEST_SLEEP_S] * 3
