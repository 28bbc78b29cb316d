"""The figures of the plan."""

from call_core.calls.rules import Rules
from call_core.rating.rater import no_tax


def test_the_figures_of_the_plan() -> None:
    """What callers are told and billed by does not change by accident."""
    rules = Rules()
    assert (rules.accept_timeout_s, rules.alone_s, rules.grace_s) == (20, 60, 30)
    assert (rules.first_cover_s, rules.extend_at_s, rules.retry_money_s) == (120, 120, 10)
    assert (rules.last_minute_s, rules.cut_guard_ms, rules.free_s) == (60, 500, 60)
    assert (rules.redials_per_party, rules.tax) == (3, no_tax)


def test_an_extension_reaches_beyond_the_next() -> None:
    """Were it otherwise, money would be asked for again at once, without end."""
    assert Rules().extend_by_s > Rules().extend_at_s
