"""One HTTP connection with limits: how long a request may take to come in, how long its head is.

uvicorn limits neither, so a peer that sends a byte a minute would keep a connection for ever. From
the first byte (or the opening of the connection) to the last one of the body there is one deadline;
what is late is answered 408 when nothing was answered yet, and the connection is closed.
"""

import asyncio
import http
import json
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 65_536
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
    """

    request_timeout_s: float = 20
    max_connections: int = 1000


class LimitedConnection(HttpToolsProtocol):
    """uvicorn's connection with a deadline for each request and a limit for its head."""

    limits = ConnectionLimits()

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401  (uvicorn's own)
        super().__init__(*arguments, **named)
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = 0
        self._in_head = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or say that there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.max_connections:
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE, f"retry-after: {RETRY_AFTER_S}\r\n")
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._disarm()
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
        """Count no further."""
        self._in_head, self._head_bytes = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Be content: the request is here."""
        self._disarm()
        self._in_head = True
        super().on_message_complete()

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
