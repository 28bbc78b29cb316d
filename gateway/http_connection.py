"""One HTTP connection with limits: how long a request may take to come in, how long its head is.

uvicorn limits neither, so a peer that sends a byte a minute would keep a connection for ever. From
the first byte (or the opening of the connection) to the last one of the body there is one deadline;
what is late is answered 408 when nothing was answered yet, and the connection is closed. What does
not pass the gate (`admission`) is answered 503 from ready-made octets, and no application sees it.

Requests that are sent behind one that is being answered wait for it, a few of them; they pass the
gate when their turn comes, and that is not before the peer has taken most of what it got. A peer
that takes nothing at all is cut off (`http_writing`).
"""

import asyncio
import http
import json
from dataclasses import dataclass, field
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.admission import BUSY, BUSY_AND_CLOSED, TICKET, Gate, Ticket
from gateway.http_writing import ImpatientTransport

MAX_HEAD_BYTES = 65_536
MAX_UNREAD_BYTES = 65_536
"""Of the body of a request that is sent away; more is not waited for."""
MAX_WAITING = 20
"""Requests behind the one of their connection that is being answered; then no more are read."""
RETRY_AFTER_S = 5
_DETAILS = {
    http.HTTPStatus.BAD_REQUEST: "That is no HTTP request.",
    http.HTTPStatus.REQUEST_TIMEOUT: "The request was not here in time.",
    http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "The head of the request is too long.",
    http.HTTPStatus.SERVICE_UNAVAILABLE: "Too many connections are open; try again later.",
}


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How much one peer may take.

    Attributes:
        request_timeout_s: longest from the first byte of a request to its last.
        write_timeout_s: longest that a peer takes nothing of what waits for it.
        max_connections: open at once; more are answered 503 and closed.
        gate: which requests the application is asked for.
    """

    request_timeout_s: float = 20
    write_timeout_s: float = 60
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
        self._sent_away = False
        self._unread_bytes = 0
        self._answered: RequestResponseCycle | None = None
        self._next_is_due = False
        self._last_words = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or say that there are too many."""
        self._writing = ImpatientTransport(transport, self.limits.write_timeout_s)
        super().connection_made(cast("asyncio.Transport", self._writing))
        if len(self.connections) > self.limits.max_connections:
            self._refuse(http.HTTPStatus.SERVICE_UNAVAILABLE, f"retry-after: {RETRY_AFTER_S}\r\n")
            return
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadlines; tell the application, whatever waits behind what it answers."""
        self._disarm()
        self._writing.forget()
        if self._answered is not None and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; what begins a request has a deadline."""
        if self._takes_no_more():
            return
        self._arm()
        if self._in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > MAX_HEAD_BYTES and not self._takes_no_more():
            self._refuse(http.HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin another request, which has its own deadline."""
        if not self._takes_no_more():
            self._arm()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Count the head no further; let the request in, or send it away once it is here."""
        if self._takes_no_more():
            return
        self._head_bytes = 0
        # Who waits for "100 Continue" would never send the rest, and an answer must not overtake.
        if self._is_idle() and not self.expect_100_continue and not self._lets_in(self.url):
            self._in_head, self._sent_away, self._unread_bytes = False, True, 0
            return
        if len(self.pipeline) >= MAX_WAITING:
            self._end_with(BUSY_AND_CLOSED)
            return
        cast("dict[str, object]", self.scope)[TICKET] = Ticket(self.limits.gate)
        super().on_headers_complete()
        self._in_head = False

    def on_body(self, body: bytes) -> None:
        """Pass it on; nobody reads that of a request that is sent away."""
        if self._takes_no_more():
            return
        if not self._sent_away:
            super().on_body(body)
            return
        self._unread_bytes += len(body)
        if self._unread_bytes > MAX_UNREAD_BYTES:
            self._end_with(BUSY_AND_CLOSED)

    def on_message_complete(self) -> None:
        """Be content: the request is here."""
        if self._takes_no_more():
            return
        self._disarm()
        self._in_head = True
        if self._sent_away:
            self._sent_away = False
            self._send_away(keeps=self.parser.should_keep_alive())
            return
        super().on_message_complete()
        if self.cycle is self._answered:
            _ticket(self.cycle).enter()

    def on_response_complete(self) -> None:
        """Begin with what waits behind it, once the peer has taken most of this answer."""
        if self._answered is not None:
            _ticket(self._answered).leave()
        while self.pipeline and not self.flow.write_paused and not self._lets_in_next():
            cycle, _ = self.pipeline.pop()
            cycle.response_started = cycle.response_complete = True
            self._send_away(keeps=cycle.keep_alive)
        self._next_is_due = self.flow.write_paused and not self.transport.is_closing()
        if self._next_is_due:
            self.flow.pause_reading()
        elif self._last_words and not self.pipeline and not self.transport.is_closing():
            self._end_with(self._last_words)
        else:
            super().on_response_complete()

    def resume_writing(self) -> None:
        """Go on: the peer has taken what it got."""
        super().resume_writing()
        if self._next_is_due:
            self.on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Say it as everything else that is refused is said."""
        del msg
        if not self._takes_no_more():
            self._refuse(http.HTTPStatus.BAD_REQUEST)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered, self._next_is_due = cycle, False
        if not cycle.more_body:  # it waited, and came whole meanwhile
            _ticket(cycle).enter()
        super()._start_asgi_task(cycle, app)

    def _is_idle(self) -> bool:
        return self._answered is None or self.cycle.response_complete

    def _takes_no_more(self) -> bool:
        return bool(self._last_words) or self.transport.is_closing()

    def _lets_in(self, url: bytes) -> bool:
        return not self.flow.write_paused and self.limits.gate.lets_in(url)

    def _lets_in_next(self) -> bool:
        cycle, _ = self.pipeline[-1]
        return cycle.waiting_for_100_continue or self._lets_in(cycle.scope["raw_path"])

    def _send_away(self, *, keeps: bool) -> None:
        """Say that there is too much to do; whoever takes none of many such answers is closed."""
        if self.transport.is_closing():
            return
        if not keeps or self.flow.write_paused:
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
        if self._is_behind_another() or (begun and (self._in_head or not answered)):
            self._refuse(http.HTTPStatus.REQUEST_TIMEOUT)
        else:
            self.transport.close()

    def _is_behind_another(self) -> bool:
        """Whether what is being read came behind a request that is not answered yet."""
        return not self._is_idle() and (self._in_head or self.cycle is not self._answered)

    def _end_with(self, words: bytes) -> None:
        """Close with this, but not before what came first is answered."""
        self._disarm()
        if not self._is_behind_another():
            self.transport.write(words)
            self.transport.close()
            return
        if not self._in_head:  # half of it is here
            self.pipeline.popleft()
            assert self._answered is not None
            self.cycle = self.pipeline[0][0] if self.pipeline else self._answered
            self._in_head = True
        self._last_words = words
        self.flow.pause_reading()

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
        self._end_with(
            f"HTTP/1.1 {int(status)} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n{more}\r\n{body}".encode()
        )


def _ticket(cycle: RequestResponseCycle) -> Ticket:
    return cast("dict[str, Ticket]", cycle.scope)[TICKET]


def limited(limits: ConnectionLimits) -> type[LimitedConnection]:
    """Return the class of connections with these limits; uvicorn makes them itself."""
    return type("LimitedConnection", (LimitedConnection,), {"limits": limits})
