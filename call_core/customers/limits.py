"""Every limit of a customer by name, with its default. Settings under `limits.` override them.

Counts refuse when the next one would go beyond the limit: with `concurrent_calls` 2 the second
call launches and the third is refused.
"""

from dataclasses import dataclass
from typing import Final

_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one customer; money in micros of the customer's currency.

    Attributes:
        concurrent_calls: calls alive at once.
        calls_per_second: launches of one customer in any one second.
        daily_spend_micros: posted and held within the customer's day.
        first_calls, first_calls_minutes: the first calls of a new customer are this short.
        destination_block_per_hour: calls to one block of numbers (`block_of`).
        callee_per_hour: calls of one customer to one number.
        redials_per_party: further attempts to reach the same party of a call.
        pending_schedules: calls on a user's calendar.
        parties: people in one call, the chair among them.
        repeat_window_s: the same words again within this time ask "same again?"; 0 never asks.
        free_legs_per_day, free_leg_s: answered A-legs that cost nothing when B never answered.
        vouched_daily_spend_micros, vouched_parties: beyond these a VOUCHED launch needs a `go`.
        question_ttl_s: an open question waits this long.
        undo_s: `undo` works this long.
        stale_after_s: a request sent earlier than this asks instead of ringing.
        ring_timeout_s, accept_timeout_s: how long a phone rings, and waits for the key.
        alone_s, chair_grace_s: a conference of one, and one without its chair, live this long.
        launch_late_s: a scheduled call launches at most this late.
    """

    concurrent_calls: int = 2
    calls_per_second: int = 5
    daily_spend_micros: int = 20 * _MICROS
    first_calls: int = 10
    first_calls_minutes: int = 30
    destination_block_per_hour: int = 20
    callee_per_hour: int = 10
    redials_per_party: int = 3
    pending_schedules: int = 20
    parties: int = 64
    repeat_window_s: int = 90
    free_legs_per_day: int = 5
    free_leg_s: int = 60
    vouched_daily_spend_micros: int = 10 * _MICROS
    vouched_parties: int = 4
    question_ttl_s: int = 600
    undo_s: int = 60
    stale_after_s: int = 600
    ring_timeout_s: int = 45
    accept_timeout_s: int = 20
    alone_s: int = 60
    chair_grace_s: int = 30
    launch_late_s: int = 600


DEFAULT_LIMITS: Final = Limits()

_BLOCK_DIGITS: Final = 7


def block_of(digits: str) -> str:
    """Gives the block of numbers that fraud is counted by: the first seven digits after `+`.

    Fraudsters own whole ranges and spread their calls over them, so one number's count sees
    nothing.
    """
    return digits.removeprefix("+")[:_BLOCK_DIGITS]


def first_calls_limit_minutes(completed_calls: int, limits: Limits) -> int | None:
    """Gives the longest duration of a new customer's next call, None when it is no longer new."""
    return limits.first_calls_minutes if completed_calls < limits.first_calls else None
