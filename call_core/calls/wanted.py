"""What the switch should have now: effects derived from the call, not remembered.

`wanted(call)` is compared with what the switch has (or was asked for) after every unit, at start,
at take-over and once a second; the driver acts on the difference. So a process that dies between
commit and action loses nothing.
"""

from dataclasses import dataclass

from call_core.calls.machine import closing_prompt
from call_core.calls.model import VERIFICATION, Call, CallState, Leg, Party
from call_core.contracts import Prompt


@dataclass(frozen=True, slots=True)
class WantedLeg:
    """How one leg should be on the switch.

    Attributes:
        leg: the leg itself.
        exists: it should be there (originated); False: it should be hung up.
        hangup_cause: with which cause, when it should not exist.
        limit_until_call_ms: when the switch must cut it by itself; None before the answer.
        prompt: what it should hear; None for nothing.
        muted: its voice is not let through.
        bridged: it should be in the call's bridge.
    """

    leg: Leg
    exists: bool
    hangup_cause: int = 0
    limit_until_call_ms: int | None = None
    prompt: Prompt | None = None
    muted: bool = False
    bridged: bool = False


def wanted(call: Call) -> list[WantedLeg]:
    """Return the wish for every leg that was originated and has not ended."""
    bridge = _bridged(call)
    return [
        _wanted_leg(call, party, leg, bridge)
        for party in call.parties
        for leg in party.legs
        if leg.originated_call_ms is not None and not leg.ended
    ]


def _bridged(call: Call) -> frozenset[str]:
    """Return the legs that should hear each other: two or more, or none."""
    talking = {leg.id for leg in call.legs() if leg.talking}
    return frozenset(talking) if len(talking) > 1 else frozenset()


def _wanted_leg(call: Call, party: Party, leg: Leg, bridge: frozenset[str]) -> WantedLeg:
    if leg.hangup_asked:
        return WantedLeg(leg, exists=False, hangup_cause=leg.hangup_asked)
    return WantedLeg(
        leg,
        exists=True,
        limit_until_call_ms=leg.paid_until_call_ms,
        prompt=_prompt(call, party, leg),
        muted=party.muted,
        bridged=leg.id in bridge,
    )


def _prompt(call: Call, party: Party, leg: Leg) -> Prompt | None:
    if leg.answered_call_ms is None:
        return None
    first = party.n == call.first.n
    if leg.accepted_call_ms is None and call.kind == VERIFICATION:
        return Prompt.VERIFY
    if leg.accepted_call_ms is None:
        return Prompt.ACCEPT if first else Prompt.ACCEPT_INVITED
    if first and call.state is CallState.ENDING:
        return closing_prompt(call)
    if first and call.warned_call_ms is not None:
        return Prompt.ENDING_SOON
    return None
