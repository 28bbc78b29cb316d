"""The frame of every page: who looks, headers, cookies, templates, faults, and the one door.

Pages register here as *pages* (GET) and *forms* (POST); a handler gets the visit and, when it asks
for somebody signed in, the principal. It never sees tokens, cookies or failures.
"""

import random
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from call_core.administration import Administration
from call_core.commands import Command
from call_core.contracts import Principal
from call_core.errors import CallCoreError, ParseError
from call_core.ids import new_id
from call_core.outcomes import Done, Launched, Outcome, Refused, Scheduled
from call_core.requests import Evidence
from call_core.requests import Request as CoreRequest
from channels.kit import page_tokens
from channels.kit.contract import Environment, fault_of
from channels.kit.streams import Streams
from channels.web import formatting
from channels.web.answers import Answer, answer_of, from_text, to_text
from channels.web.templating import make_templates, static_files
from channels.web.visits import (
    TOKEN_FIELD,
    Cookies,
    Visit,
    came_from_us,
    read_form,
    token_state,
    visit_of,
)
from parsers.command_text import write

Handler = Callable[[Visit, Principal], Awaitable[Response]]
OpenHandler = Callable[[Visit], Awaitable[Response]]
Showing = Callable[[Visit, Principal, Answer | None], Awaitable[Response]]

HOME = "/"
SIGN_IN = "/sign-in"
SAID_S = 600  # how long a call's page shows the answer that led to it
STATIC_MAX_AGE_S = 31_536_000  # the address of a static file changes with its content

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SAID = "callgate_said"
Asking = Command | Administration | ParseError
_EXPIRED = (
    "This page was open for more than an hour, so nothing was done. Here is a fresh one; "
    "please send it again."
)
_NOT_OURS = (
    "This form was not made for you by this site, or you signed in again since. Nothing was done. "
    "Go back, reload the page and send it again."
)
_log = structlog.get_logger(__name__)


class Site:
    """The pages of one gateway."""

    def __init__(
        self, environment: Environment, streams: Streams, session_days: int, rng: random.Random
    ) -> None:
        self.environment = environment
        self.core = environment.core
        self.streams = streams
        self.rng = rng
        self.cookies = Cookies(urlsplit(environment.public_url).scheme == "https", session_days)
        self.showing: dict[str, Showing] = {}
        self._pages: set[str] = set()
        self.links: list[tuple[str, str]] = []
        self.static = static_files()
        self._templates = make_templates(self.static)

    # --- registering ----------------------------------------------------------------------------

    def page(self, router: APIRouter, path: str, handler: Handler) -> None:
        """Serve a page for those who signed in; others are sent to sign in."""

        async def signed_in(visit: Visit) -> Response:
            if visit.signed_in is None:
                return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
            return await handler(visit, visit.signed_in)

        self.open_page(router, path, signed_in)

    def open_page(self, router: APIRouter, path: str, handler: OpenHandler) -> None:
        """Serve a page for everybody."""

        async def endpoint(request: Request) -> Response:
            return await self._guarded(request, handler)

        self._pages.add(path)
        router.add_api_route(path, endpoint, methods=["GET", "HEAD"], include_in_schema=False)

    def _take(
        self, router: APIRouter, path: str, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> None:
        """Serve a form's address; whoever merely looks at it (a reload) goes to the page above."""

        async def look(request: Request) -> Response:
            above = request.url.path.rpartition("/")[0]
            return RedirectResponse(above or HOME, HTTPStatus.SEE_OTHER)

        router.add_api_route(path, endpoint, methods=["POST"], include_in_schema=False)
        if path not in self._pages:
            router.add_api_route(path, look, methods=["GET", "HEAD"], include_in_schema=False)

    def form(self, router: APIRouter, path: str, handler: Handler) -> None:
        """Take a form from those who signed in."""

        async def for_principal(visit: Visit) -> Response:
            assert visit.signed_in is not None, "asked below, before the token"
            return await handler(visit, visit.signed_in)

        async def signed_in(visit: Visit) -> Response:
            if visit.signed_in is None:
                return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
            return await self._checked(for_principal, visit)

        async def endpoint(request: Request) -> Response:
            return await self._guarded(request, signed_in)

        self._take(router, path, endpoint)

    def open_form(self, router: APIRouter, path: str, handler: OpenHandler) -> None:
        """Take a form from everybody; where it came from and its token are checked."""

        async def endpoint(request: Request) -> Response:
            return await self._guarded(request, partial(self._checked, handler))

        self._take(router, path, endpoint)

    # --- the door -------------------------------------------------------------------------------

    async def submit(self, visit: Visit, who: Principal, command: Asking) -> Outcome:
        """Hand a command to the core; the form's token is the request's external id."""
        content = sorted(f"{name}={value}" for name, value in visit.fields.items())
        request = CoreRequest(
            channel="web",
            id_space="web",
            external_id=visit.token,
            sender="",
            user_id=who.user_id,
            evidence=Evidence.PROVEN,
            received_wall_ms=visit.now_wall_ms,
            command=command,
            text=visit.fields.get("text", "") or _line(command),
            fingerprint=page_tokens.fingerprint(visit.request.url.path, *content),
            scopes=who.scopes,
            in_session=True,
        )
        return await self.core.handle(request)

    async def do(
        self,
        visit: Visit,
        who: Principal,
        command: Asking,
        back: str = HOME,
    ) -> Response:
        """Submit a command and show its answer: on the call's page, or where it was asked."""
        outcome = await self.submit(visit, who, command)
        answer = answer_of(outcome, command, who.timezone, test=self.environment.test_texts)
        if isinstance(outcome, Launched | Scheduled | Done) and outcome.call_id:
            return self.say_at(visit, f"/calls/{outcome.call_id}", answer)
        if back.startswith("/calls/"):
            return self.say_at(visit, back, answer)
        show = self.showing.get(back, self.showing[HOME])
        response = await show(visit, who, answer)
        if isinstance(outcome, Refused):
            response.status_code = HTTPStatus.UNPROCESSABLE_ENTITY
        return response

    def say_at(self, visit: Visit, path: str, answer: Answer) -> Response:
        """Send the browser to `path` and show the answer there."""
        response = RedirectResponse(path, HTTPStatus.SEE_OTHER)
        sealed = page_tokens.seal(visit.secret, to_text(answer))
        response.set_cookie(
            _SAID,
            sealed,
            max_age=SAID_S,
            path=path,
            secure=self.cookies.secure,
            httponly=True,
            samesite="lax",
        )
        return response

    def said(self, visit: Visit) -> Answer | None:
        """Return the answer that led to this page, None if there is none."""
        return from_text(page_tokens.unseal(visit.secret, visit.request.cookies.get(_SAID, "")))

    # --- showing --------------------------------------------------------------------------------

    def html(self, visit: Visit, template: str, **values: object) -> HTMLResponse:
        """Render a page."""
        return HTMLResponse(self.text(visit, template, **values))

    def text(self, visit: Visit, template: str, **values: object) -> str:
        """Render a template for this visitor: their zone, their currency, their form tokens."""
        who = visit.signed_in
        timezone = who.timezone if who else "UTC"
        return self._templates.get_template(template).render(
            who=who,
            path=visit.request.url.path,
            links=self.links,
            test=self.environment.test_texts,
            new_token=partial(page_tokens.issue, visit.secret, visit.now_wall_ms, self.rng),
            token_field=TOKEN_FIELD,
            instant=partial(formatting.instant, timezone=timezone),
            clock=partial(formatting.clock, timezone=timezone),
            **values,
        )

    def message(self, visit: Visit, status: HTTPStatus, title: str, text: str) -> HTMLResponse:
        """Render a page that only says something."""
        response = self.html(visit, "message.html", title=title, text=text)
        response.status_code = status
        return response

    # --- within ---------------------------------------------------------------------------------

    async def _checked(self, handler: OpenHandler, visit: Visit) -> Response:
        request = visit.request
        fields = await read_form(request)
        if fields is None:
            return self.message(
                visit, HTTPStatus.BAD_REQUEST, "Not a form", "This form could not be read."
            )
        token = fields.get(TOKEN_FIELD, "")
        state = token_state(visit, token)
        if state is page_tokens.TokenState.EXPIRED:
            return self.message(visit, HTTPStatus.FORBIDDEN, "Too late", _EXPIRED)
        if not came_from_us(request, self.environment.public_url) or (
            state is page_tokens.TokenState.FORGED
        ):
            return self.message(visit, HTTPStatus.FORBIDDEN, "Not from this page", _NOT_OURS)
        said = {name: value for name, value in fields.items() if name != TOKEN_FIELD}
        return await handler(
            Visit(
                request, visit.secret, visit.signed_in, visit.now_wall_ms, said, token, visit.fresh
            )
        )

    async def _guarded(self, request: Request, handler: OpenHandler) -> Response:
        now_wall_ms = self.environment.wall.now_ms()
        visit = Visit(request, "", None, now_wall_ms)
        try:
            visit = await visit_of(request, self.core, self.cookies, now_wall_ms, self.rng)
            response = await handler(visit)
        except HTTPException as error:
            status = HTTPStatus(error.status_code)
            response = self.message(visit, status, status.phrase, str(error.detail))
        except Exception as error:  # noqa: BLE001  (whatever it was, the visitor gets a page)
            response = self._fault(visit, error)
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if visit.fresh:
            self.cookies.set_visit(response, visit.secret)
        return response

    def _fault(self, visit: Visit, error: Exception) -> Response:
        fault = fault_of(error)
        text = fault.text
        if not isinstance(error, CallCoreError):
            error_id = new_id("err", visit.now_wall_ms, self.rng)
            _log.error("page_failed", error_id=error_id, exc_info=error)
            text = f"{text} Our reference is {error_id}."
        response = self.message(visit, HTTPStatus(fault.http), "Please try again", text)
        response.headers["Retry-After"] = str(fault.retry_after_s)
        return response


def _line(command: Asking) -> str:
    """Return what the form said as a line of the grammar, for the history; others have none."""
    return write(command) if isinstance(command, Command) else ""
