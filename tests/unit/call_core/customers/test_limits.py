import pytest

from call_core.customers.limits import (
    DEFAULT_LIMITS,
    Limits,
    block_of,
    first_calls_limit_minutes,
)


def test_defaults_for_a_new_customer() -> None:
    """What a new customer may do, as the manual promises it."""
    assert DEFAULT_LIMITS.concurrent_calls == 2
    assert DEFAULT_LIMITS.daily_spend_micros == 20_000_000
    assert (DEFAULT_LIMITS.parties, DEFAULT_LIMITS.redials_per_party) == (64, 3)
    assert (DEFAULT_LIMITS.pending_schedules, DEFAULT_LIMITS.repeat_window_s) == (20, 90)
    assert (DEFAULT_LIMITS.free_legs_per_day, DEFAULT_LIMITS.free_leg_s) == (5, 60)


@pytest.mark.parametrize(("completed", "minutes"), [(0, 30), (9, 30), (10, None)])
def test_the_first_ten_calls_are_short(completed: int, minutes: int | None) -> None:
    """The tenth call is still limited, the eleventh is not."""
    assert first_calls_limit_minutes(completed, Limits()) == minutes


@pytest.mark.parametrize(
    ("digits", "block"), [("+442079460018", "4420794"), ("+6834112", "6834112"), ("+1", "1")]
)
def test_block_of(digits: str, block: str) -> None:
    """Numbers of one range share a block."""
    assert block_of(digits) == block
