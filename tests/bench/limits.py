"""Limits that no benchmark runs into."""

from dataclasses import replace

from call_core.customers.limits import DEFAULT_LIMITS

OPEN_LIMITS = replace(
    DEFAULT_LIMITS,
    concurrent_calls=10**6,
    calls_per_second=10**6,
    daily_spend_micros=10**15,
    destination_block_per_hour=10**6,
    callee_per_hour=10**6,
)
