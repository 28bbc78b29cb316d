"""One HTTP connection with limits: how long a request may take to come in, how long its head is.

uvicorn limits neither, so a peer that sends a byte a minute would keep a connection for ever. From
the first byte (or the opening of the connection) to the last one of the body there is one deadline;
what is late is answered 408 when nothing was answered yet, and the connection is closed. What does
not pass the gate (`admission`) is answered 503 from ready-made octets, and no application sees it.
"""

import asyncio
import http
import json
from dataclasses import dataclass, field
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.admission import BUSY, BUSY_AND_CLOSED, TICKET, Gate, Ticket

MAX_HEAD_BYTES = 65_536
MAX_UNREAD_BYTES = 65_536
"""Of the body of a request that is sent away; more is not waited for."""
RETRY_AFTER_S = 5
_DETAILS = {
    http.HTTPStatus.REQUEST_TIMEOUT: "The request was not here in time.",
    http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The head of the request is too long.",
    http.HTTPStatus.SERVICE_UNAVAILABLE: "Too many connections are open; try again later.",
}


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How much one peer may take.

    Attributes:
        request_timeout_s: longest from the first byte of a request to its last.
        max_connections: open at once; more are answered 503 and closed.
        gate: which requests the application is asked for.
    """

    request_timeout_s: float = 20
    max_connections: int = 1000
    gate: Gate = field(default_factory=Gate)


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's connection with a deadline for each request and a limit for its head."""

    limits = ConnectionLimits()

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  (uvicorn's own)
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True
        self._ticket = Ticket(self.limits.gate)
        self._sent_away = False
        self._unread_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE, f"retry-after: {RETRY_AFTER_S}\r\n")
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline, and the requests that waited behind one that is being answered."""
        self._disarm()
        for cycle, _ in self.pipeline:
            cast("dict[str, Ticket]", cycle.scope)[TICKET].leave()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; what begins a request has a deadline."""
        if self.transport.is_closing():
            return
        self._arm()
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin another request, which has its own deadline."""
        self._arm()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Count the head no further; let the request in, or send it away once it is here."""
        self._in_head, self._head_bytes = False, 0
        idle = getattr(self.cycle, "response_complete", True)  # None before the first request
        # Who waits for "100 Continue" would never send the rest, and an answer must not overtake.
        if idle and not self.expect_100_continue and not self.limits.gate.lets_in(self.url):
            self._sent_away, self._unread_bytes = True, 0
            return
        self._ticket = Ticket(self.limits.gate)
        cast("dict[str, object]", self.scope)[TICKET] = self._ticket
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass it on; nobody reads that of a request that is sent away."""
        if not self._sent_away:
            super().on_body(body)
            return
        self._unread_bytes += len(body)
        if self._unread_bytes > MAX_UNREAD_BYTES and not self.transport.is_closing():
            self.transport.write(BUSY_AND_CLOSED)
            self.transport.close()

    def on_message_complete(self) -> None:
        """Be content: the request is here."""
        self._disarm()
        self._in_head = True
        if self._sent_away:
            self._sent_away = False
            self._send_away()
            return
        self._ticket.enter()
        super().on_message_complete()

    def _send_away(self) -> None:
        if self.transport.is_closing():
            return
        if not self.parser.should_keep_alive():
            self.transport.write(BUSY_AND_CLOSED)
            self.transport.close()
            return
        self.transport.write(BUSY)
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _arm(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.limits.request_timeout_s, self._too_late)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_late(self) -> None:
        self._deadline = None
        if self.transport.is_closing():
            return
        begun = self._head_bytes > 0 or not self._in_head
        answered = getattr(self.cycle, "response_started", False)  # None before the first request
        if begun and (self._in_head or not answered):
            self._refuse(http.HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _refuse(self, status: http.HTTPStatus, more: str = "") -> None:
        """Answer for the application, which has not seen the request or not all of it."""
        code = status.phrase.lower().replace(" ", "_")
        problem = {
            "type": f"urn:callgate:{code}",
            "title": status.phrase,
            "status": int(status),
            "detail": _DETAILS[status],
            "code": code,
        }
        body = json.dumps(problem)
        self.transport.write(
            f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n{more}\r\n{body}".encode()
        )
        self.transport.close()


def limited(limits: ConnectionLimits) -> type[LimitedConnection]:
    """Return the class of connections with these limits; uvicorn makes them itself."""
    return type("LimitedConnection", (LimitedConnection,), {"limits": limits})
