"""The gate before the HTTP application: more than can be done soon is sent away at once.

A refusal that has gone through routing, authentication and a place in the store's queue costs as
much as half a launch, so that a crowd ten times as large as what can be done would leave little
time to do any of it. Here a refusal costs the reading of the request's head.

A request counts from the moment it is here whole until it is answered: who sends slowly takes no
place, nor does what waits behind another request of its connection. A stream of events stops
counting when it begins.
"""

import json
from http import HTTPStatus

from call_core.errors import Overloaded
from channels.kit.contract import fault_of

MOST_AT_ONCE = 200
ALWAYS = (b"/healthz", b"/readyz", b"/metrics")
"""What must be answered even now, or the process would be taken for dead."""
TICKET = "callgate.ticket"
"""The request's ticket in its ASGI scope."""


class Gate:
    """Counts requests.

    Args:
        most: this many are answered at once; further ones are sent away.

    Attributes:
        inside: how many are being answered.
        sent_away: how many were not let in so far.
    """

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._most = most
        self.inside = 0
        self.sent_away = 0

    def lets_in(self, url: bytes) -> bool:
        """Whether a request for this may be answered; one that may not is counted."""
        if self.inside < self._most or url.startswith(ALWAYS):
            return True
        self.sent_away += 1
        return False


class Ticket:
    """One request's place."""

    __slots__ = ("_gate", "_inside", "_over")

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._inside = self._over = False

    def enter(self) -> None:
        """Count it: the request is here whole."""
        if not (self._inside or self._over):
            self._inside = True
            self._gate.inside += 1

    def leave(self) -> None:
        """Count it no longer; harmless twice, and before `enter`."""
        self._over = True
        if self._inside:
            self._inside = False
            self._gate.inside -= 1

    def __del__(self) -> None:
        """Give the place back whatever happened to the request."""
        self.leave()


def _busy(connection: bytes) -> bytes:
    fault = fault_of(Overloaded("the gate is full"))
    problem = {
        "type": f"urn:callgate:{Overloaded.code}",
        "title": "Temporary failure",
        "status": fault.http,
        "detail": fault.text,
        "code": Overloaded.code,
    }
    body = json.dumps(problem).encode()
    return (
        b"HTTP/1.1 %d %s\r\ncontent-type: application/problem+json\r\ncontent-length: %d\r\n"
        b"retry-after: %d\r\ncache-control: no-store\r\n%s\r\n%s"
        % (
            fault.http, HTTPStatus(fault.http).phrase.encode(), len(body), fault.retry_after_s,
            connection, body,
        )
    )  # fmt: skip


BUSY = _busy(b"")
BUSY_AND_CLOSED = _busy(b"connection: close\r\n")
"""The whole answer to who is sent away, as it goes over the wire."""
