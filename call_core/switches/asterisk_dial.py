"""What Asterisk is asked to dial: the one place where a number becomes a dial string.

Nothing but E.164 gets through: whatever else stood in a dial string could choose another trunk, or
another technology.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from zlib import crc32

from call_core.contracts import Order

CONTEXT = "callgate"
EXTENSION = "leg"
ENDED_HANDLER = "callgate-ended,s,1"
LONGEST_ID = 64
SLOTS = 2_500
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_TRUNK = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_ID = re.compile(rf"[A-Za-z0-9_.-]{{1,{LONGEST_ID}}}")
_DIGITS = re.compile(r"[0-9*#,]{0,40}")
_APP = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class NotDialled(ValueError):
    """An order says something that must not reach a switch."""


@dataclass(frozen=True, slots=True)
class Originate:
    """One `POST /channels/{channel_id}`, checked.

    It goes to our context of the dialplan, not straight to the application: there the limit is
    armed at the instant of the answer, whether our process lives or not.
    """

    channel_id: str
    endpoint: str
    caller_id: str
    timeout_s: int
    variables: Mapping[str, str]

    def query(self) -> Mapping[str, str]:
        """Return the query of the request."""
        shown = {"callerId": self.caller_id} if self.caller_id else {}
        return shown | {
            "endpoint": self.endpoint,
            "context": CONTEXT,
            "extension": EXTENSION,
            "priority": "1",
            "timeout": str(self.timeout_s),
        }


def slot_of(leg_id: str) -> int:
    """Return which of the dialplan's slots keeps the end of a leg."""
    return crc32(leg_id.encode()) % SLOTS


def kept_in(leg_id: str) -> str:
    """Return the name of the variable that keeps the end of a leg."""
    return f"CALLGATE_ENDED_{slot_of(leg_id)}"


def owner_of(app: str, shard: int) -> str:
    """Return the name of the variable that says who gets the answered legs of a shard."""
    return f"CALLGATE_OWNER_{app}_{shard}"


def originate_of(order: Order, app: str, trunks: Collection[str], *, plus: bool) -> Originate:
    """Return the request for an order.

    Args:
        order: the leg.
        app: the application that gets the answered channel.
        trunks: the endpoints that there are.
        plus: whether the carrier wants the `+`.

    Raises:
        NotDialled: a part of the order is not what it must be.
    """
    _check(_E164, order.number, "a number")
    _check(_ID, order.leg_id, "a leg id")
    _check(_ID, order.call_id, "a call id")
    _check(_APP, app, "an application")
    _check(_TRUNK, order.trunk, "a trunk")
    _check(_DIGITS, order.post_dial, "digits")
    if order.caller_id:
        _check(_E164, order.caller_id, "a caller id")
    if order.trunk not in trunks:
        raise NotDialled("no such trunk")
    if order.ring_timeout_s < 1 or order.limit_s < 1:
        raise NotDialled("no time to ring or to talk")
    number = order.number if plus else order.number.removeprefix("+")
    return Originate(
        channel_id=order.leg_id,
        endpoint=f"PJSIP/{number}@{order.trunk}",
        caller_id="" if order.private else order.caller_id,
        timeout_s=order.ring_timeout_s,
        variables=_variables(order, app),
    )


def _variables(order: Order, app: str) -> Mapping[str, str]:
    found = {
        "CALLGATE_APP": app,
        "CALLGATE_CALL": order.call_id,
        "CALLGATE_SHARD": str(order.shard),
        "CALLGATE_SINCE": str(order.at_call_ms),
        "CALLGATE_LIMIT_S": str(order.limit_s),
        "CALLGATE_SLOT": str(slot_of(order.leg_id)),
        "CALLGATE_DIGITS": order.post_dial,
        "CHANNEL(hangup_handler_push)": ENDED_HANDLER,
    }
    if order.private or not order.caller_id:
        found |= {"CALLERID(num-pres)": "prohib", "CALLERID(name-pres)": "prohib"}
    return found


def _check(pattern: re.Pattern[str], text: str, what: str) -> None:
    if pattern.fullmatch(text) is None:
        raise NotDialled(f"not {what}")
