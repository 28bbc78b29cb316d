"""The HTTP application: the channels' routes, health, and what every answer has in common.

Failures of ours are `problem+json` (RFC 9457) with an id that is also in the log; bodies have a
limit; answers carry conservative security headers unless a route set its own; streams of
server-sent events end when the process drains.
"""

import asyncio
import itertools
import secrets
from collections.abc import Iterable
from http import HTTPStatus

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from call_core.errors import CallCoreError
from channels.kit.contract import fault_of
from gateway.admission import TICKET, Ticket
from gateway.logs import bound

_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": (
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
}
_REQUEST_ID = "callgate.request_id"
_EVENT_STREAM = "text/event-stream"
_log = structlog.get_logger(__name__)


def create_app(
    routers: Iterable[APIRouter], *, max_body_bytes: int, stop: asyncio.Event, version: str
) -> FastAPI:
    """Return the application.

    Args:
        routers: of health and of the channels, in the order in which they are tried.
        max_body_bytes: a longer body is answered 413.
        stop: set when the process drains; ends event streams.
        version: shown in the OpenAPI document.
    """
    app = FastAPI(
        title="Callgate",
        version=version,
        description="Launch telephone calls and conferences; billed alike from every channel.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        max_body_size=max_body_bytes,
    )
    for router in routers:
        app.include_router(router)
    app.add_exception_handler(CallCoreError, _temporary)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_middleware(_Envelope, stop=stop)
    return app


async def _temporary(request: Request, error: Exception) -> Response:
    """Tell a failure of the core: it is temporary, and nothing was accepted."""
    fault = fault_of(error)
    code = getattr(error, "code", "internal")
    _log.warning("temporary_failure", path=request.url.path, code=code)
    return _problem(request.scope, fault.http, code, fault.text, fault.retry_after_s)


async def _refused(request: Request, error: Exception) -> Response:
    """Tell what HTTP itself refuses (404, 405, 413, …), in words for a person or as a problem."""
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    if "text/html" in request.headers.get("accept", ""):
        return PlainTextResponse(f"{phrase}.\n", error.status_code, headers=error.headers)
    code = phrase.lower().replace(" ", "_")
    made = _problem(request.scope, error.status_code, code, str(error.detail), title=phrase)
    made.headers.update(error.headers or {})
    return made


async def _gone(request: Request, error: Exception) -> Response:  # noqa: ARG001  (a handler's shape)
    """Answer a peer that went away, or was cut off, before its body was here; nobody reads it."""
    _log.info("client_gone", path=request.url.path)
    return Response(status_code=HTTPStatus.BAD_REQUEST)


def _defect(scope: Scope, error: Exception) -> Response:
    """Tell a defect of ours; the id leads to the log."""
    _log.error("unexpected", path=scope["path"], exc_info=error)
    fault = fault_of(error)
    return _problem(scope, fault.http, "internal", fault.text, fault.retry_after_s)


def _problem(
    scope: Scope,
    status: int,
    code: str,
    detail: str,
    retry_after_s: int = 0,
    title: str = "Temporary failure",
) -> Response:
    problem = {
        "type": f"urn:callgate:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "id": scope.get(_REQUEST_ID, ""),
    }
    headers = {"retry-after": str(retry_after_s)} if retry_after_s else {}
    return JSONResponse(problem, status, headers, media_type="application/problem+json")


class _Envelope:
    """Names each request, adds the headers, ends event streams when the process drains."""

    def __init__(self, app: ASGIApp, stop: asyncio.Event) -> None:
        self._app = app
        self._stop = stop
        self._ids = (f"http_{secrets.token_hex(5)}{number:06x}" for number in itertools.count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens inside."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope[_REQUEST_ID] = next(self._ids)
        ticket: Ticket | None = scope.get(TICKET)
        answer = _Answer(send, self._stop, ticket)
        with bound(request_id=scope[_REQUEST_ID]):
            try:
                await self._app(scope, receive, answer.send)
            except asyncio.CancelledError:
                if not answer.stopped:
                    raise
                await answer.close()
            except Exception as error:
                if answer.started:
                    raise
                await _defect(scope, error)(scope, receive, answer.send)
            finally:
                answer.forget()
                if ticket is not None:
                    ticket.leave()


class _Answer:
    """What was sent so far of one answer; a stream of events is cancelled when the process drains.

    Attributes:
        stopped: whether that was done.
    """

    def __init__(self, send: Send, stop: asyncio.Event, ticket: Ticket | None) -> None:
        self._send = send
        self._ticket = ticket
        self._stop = stop
        self._answering = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        self.stopped = False
        self.started = False
        self._ended = False

    async def send(self, message: Message) -> None:
        """Pass one message on, with the headers that every answer has."""
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if headers.get("content-type", "").startswith(_EVENT_STREAM):
                self._end_when_stopped()
        elif message["type"] == "http.response.body":
            self._ended = not message.get("more_body", False)
        await self._send(message)

    def _end_when_stopped(self) -> None:
        if self._ticket is not None:
            self._ticket.leave()

        async def watch() -> None:
            await self._stop.wait()
            self.stopped = True
            assert self._answering is not None
            self._answering.cancel()

        self._watch = asyncio.create_task(watch())

    def forget(self) -> None:
        """Watch no longer."""
        if self._watch is not None:
            self._watch.cancel()

    async def close(self) -> None:
        """End the answer if it has not ended."""
        if not self._ended:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
