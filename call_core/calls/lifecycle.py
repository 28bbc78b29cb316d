"""The steps of a whole call, one row each: from which state to which, and what causes it.

A call's state follows from its legs (`machine.py`) and never goes back. Several rows may be passed
in one step: a call whose last leg ends with the event that ends it goes to ENDED at once.
"""

from call_core.calls.model import CallState

_S = CallState

CALL_TRANSITIONS: dict[tuple[CallState, CallState], str] = {
    (_S.ASKED, _S.ENDED): "not confirmed",
    (_S.SCHEDULED, _S.LAUNCHING): "due and admitted",
    (_S.SCHEDULED, _S.ENDED): "skipped, refused or stopped",
    (_S.QUEUED, _S.LAUNCHING): "A is rung",
    (_S.QUEUED, _S.ENDING): "waited too long, or stopped",
    (_S.LAUNCHING, _S.CONNECTED): "somebody but A answered",
    (_S.LAUNCHING, _S.ENDING): "A or B not reached, or hung up",
    (_S.CONNECTED, _S.ENDING): "left, alone, money, time, or stopped",
    (_S.ENDING, _S.ENDED): "the last leg ended",
}
"""What leads from one state to the next."""

ORDER = (
    _S.ASKED,
    _S.SCHEDULED,
    _S.QUEUED,
    _S.LAUNCHING,
    _S.CONNECTED,
    _S.ENDING,
    _S.ENDED,
)
"""A call's state never goes back in this order."""


def may_become(state: CallState, later: CallState) -> bool:
    """Whether a call in `state` can be in `later` after any number of rows, none included."""
    return state is later or any(
        may_become(after, later) for before, after in CALL_TRANSITIONS if before is state
    )
