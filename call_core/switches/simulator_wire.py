r"""The lines between a simulator that is a process of its own and the nodes that share it.

    -> {"id": 7, "do": "hang_up", "with": {"leg_id": "call_1.0.1", "cause": 16}}
    <- {"id": 7, "ok": null}
    <- {"id": 7, "error": "switch ny is disconnected"}
    <- {"event": {"event_id": "call_1.0.1:ringing", "kind": "ringing", …}}

One JSON object per line, UTF-8, over a local socket that only its owner may use.
"""

import json
from dataclasses import asdict
from typing import Any

from call_core.contracts import EventKind, LiveLeg, Order, Prompt, SwitchEvent, SwitchHealth

MAX_LINE_BYTES = 16 * 1024 * 1024
"""`live_legs` of a full switch is one line; a longer one ends the connection."""


def encode(message: dict[str, Any]) -> bytes:
    """Return a message as a line."""
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Return a line as a message.

    Raises:
        ValueError: it is none.
    """
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a line holds no JSON object")  # noqa: TRY004  (one error for any bad line)
    return message


def event_message(event: SwitchEvent) -> dict[str, Any]:
    """Return what tells an event."""
    return {"event": asdict(event)}


def event_of(values: dict[str, Any]) -> SwitchEvent:
    """Return an event that was told."""
    return SwitchEvent(**{**values, "kind": EventKind(values["kind"])})


def order_of(values: dict[str, Any]) -> Order:
    """Return an order that was asked."""
    return Order(**values)


def leg_of(values: dict[str, Any]) -> LiveLeg:
    """Return a leg that was listed."""
    return LiveLeg(**values)


def health_of(values: dict[str, Any]) -> SwitchHealth:
    """Return the health that was told."""
    return SwitchHealth(**values)


def prompt_of(name: str) -> Prompt:
    """Return a prompt by its name."""
    return Prompt(name)
