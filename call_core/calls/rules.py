"""The figures of a call's plan: how long is waited for what. Defaults; settings may change them."""

from dataclasses import dataclass

from call_core.rating.rater import FREE_A_LEG_S, TaxHook, no_tax


@dataclass(frozen=True, slots=True)
class Rules:
    """Seconds unless the name says otherwise.

    Attributes:
        accept_timeout_s: an answered leg without its key press ends.
        ring_timeout_s: the switch gives up ringing; ring_guard_s later we do.
        first_cover_s: paid ahead at launch, beyond the first increment.
        extend_at_s: more is held when less than this is left; extend_by_s: how far it reaches.
        retry_money_s: a refused extension is tried again this often.
        last_minute_s: tone and notice when this much is left.
        grace_s: how long a conference waits for its lost chair.
        alone_s: how long one party may wait alone.
        closing_s: how long a closing prompt may take.
        longest_call_s: nobody talks longer, whatever was asked.
        cut_guard_ms: how much before `paid_until` we cut ourselves; the switch's own figure.
        redials_per_party: how often a party may be rung again.
        free_s: the free seconds of the A-leg.
    """

    accept_timeout_s: int = 20
    ring_timeout_s: int = 45
    ring_guard_s: int = 15
    first_cover_s: int = 120
    extend_at_s: int = 120
    extend_by_s: int = 240
    retry_money_s: int = 10
    last_minute_s: int = 60
    grace_s: int = 30
    alone_s: int = 60
    closing_s: int = 6
    longest_call_s: int = 4 * 3600
    cut_guard_ms: int = 500
    redials_per_party: int = 3
    free_s: int = FREE_A_LEG_S
    tax: TaxHook = no_tax
    customer_country: str = ""
