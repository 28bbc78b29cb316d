"""Orders for tests of switches."""

from call_core.contracts import Order


def an_order(
    leg_id: str,
    *,
    at_call_ms: int,
    number: str = "+12025550101",
    ring_timeout_s: int = 30,
    limit_s: int = 3_600,
) -> Order:
    """Return an order for one leg of the call `call_1` in shard 3."""
    return Order(
        leg_id=leg_id,
        call_id="call_1",
        shard=3,
        number=number,
        trunk="trunk",
        caller_id="+12025550143",
        private=False,
        post_dial="",
        ring_timeout_s=ring_timeout_s,
        limit_s=limit_s,
        at_call_ms=at_call_ms,
    )
