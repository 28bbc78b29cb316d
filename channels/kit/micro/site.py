"""The frame of every micro page: who presses, which page, one door to the core, faults.

Channels give it a way to choose a writer for a browser. Pages register in a table by name; a page
gets the visit and, unless it is open to everybody, the principal. It never sees keys or failures.
"""

import random
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

import structlog
from fastapi import Request, Response

from call_core.commands import Call, Command, Conference, Menu, Number
from call_core.contracts import Principal
from call_core.errors import CallCoreError, ParseError
from call_core.ids import new_id
from call_core.numbering import is_emergency
from call_core.outcomes import Outcome
from call_core.requests import Evidence
from call_core.requests import Request as CoreRequest
from channels.kit.contract import Environment, fault_of
from channels.kit.micro.page import Page, Press, Writer, action_text, lines_of, screen_of
from channels.kit.micro.visit import Visit, read_form, visit_of
from channels.kit.micro_session import MicroSessions, RecentSignIns
from channels.kit.page_tokens import TokenState, fingerprint
from channels.kit.render import render
from channels.kit.wording import shorten
from parsers.command_text import write
from parsers.markup import escape
from parsers.page_form import decode

OpenHandler = Callable[["MicroSite", Visit], Awaitable[Page]]
Handler = Callable[["MicroSite", Visit, Principal], Awaitable[Page]]

SIGN_IN = "start"
HOME = "home"
AGAIN = "again"
MAX_TITLE_CHARS = 60
MAX_ID_CHARS = 80  # of a request: 18 of the page, a dot, 32 of what was pressed
MAX_REPEATED_BYTES = 400  # of fields that "Try again" carries; more are typed again
_HEADERS = {"Vary": "Accept, User-Agent", "Cache-Control": "no-cache"}
_UNREADABLE = "This form could not be read, or is too long. Nothing was done."
_EXPIRED = (
    "That page was older than ten minutes, so you are signed out and nothing was done now. Sign in "
    "again; Calls shows what was done before."
)
_SIGN_IN = "Please sign in."
_TO_SIGN_IN = Press("Sign in", action_text(SIGN_IN))
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Book:
    """The pages of a site: those for everybody, and those for who signed in."""

    opened: Mapping[str, OpenHandler]
    own: Mapping[str, Handler]


class MicroSite:
    """The micro pages of one channel."""

    def __init__(
        self,
        channel: str,
        environment: Environment,
        sessions: MicroSessions,
        book: Book,
        rng: random.Random,
    ) -> None:
        self.channel = channel
        self.environment = environment
        self.core = environment.core
        self.sign_ins = RecentSignIns()
        self._sessions = sessions
        self._book = book
        self._rng = rng

    # --- the door -------------------------------------------------------------------------------

    async def submit(
        self, visit: Visit, who: Principal, command: Command | ParseError, text: str = ""
    ) -> tuple[Outcome, str]:
        """Hand a command to the core; return its answer, and the action that asks for it again.

        What was pressed, on which page, is the request's id: a double tap is the same request.
        """
        typed = sorted(f"{name}={value}" for name, value in visit.fields.items())
        content = fingerprint(visit.page, *visit.arguments, *typed)
        line = text or ("" if isinstance(command, ParseError) else write(command))
        request = self._request(visit, who, f"{visit.request_id}.{content}", command, line)
        outcome = await self.core.handle(request)
        return outcome, action_text(AGAIN, visit.request_id, content)

    async def answer_again(self, visit: Visit, who: Principal) -> Outcome:
        """Return the answer that the action names, for the rows that did not fit.

        The core finds the request by its id; when it knows none, a menu harms nobody.
        """
        external_id = ".".join(visit.arguments[:2])
        return await self.core.handle(self._request(visit, who, external_id, Menu(), ""))

    def _request(
        self,
        visit: Visit,
        who: Principal,
        external_id: str,
        command: Command | ParseError,
        text: str,
    ) -> CoreRequest:
        return CoreRequest(
            channel=self.channel,
            id_space=self.channel,
            external_id=external_id[:MAX_ID_CHARS],
            sender="",
            user_id=who.user_id,
            evidence=Evidence.PROVEN,
            received_wall_ms=visit.now_wall_ms,
            command=command,
            text=text,
            fingerprint=external_id.rpartition(".")[2],
            scopes=who.scopes,
            in_session=True,
        )

    async def _emergency(self, visit: Visit) -> Outcome | None:
        """Return the answer to an emergency number from somebody who is not signed in, or None."""
        command = decode(visit.fields)
        if not any(is_emergency(text) for text in _numbers(command)):
            return None
        request = CoreRequest(
            channel=self.channel,
            id_space=self.channel,
            external_id=f"emergency.{self._rng.getrandbits(64):x}",
            sender="",
            evidence=Evidence.FORGED,
            received_wall_ms=visit.now_wall_ms,
            command=command,
            in_session=True,
        )
        return await self.core.handle(request)

    # --- answering ------------------------------------------------------------------------------

    async def get(self, writer: Writer, max_bytes: int) -> Response:
        """Answer a GET: the page to sign in on."""
        visit = Visit(self.environment.wall.now_ms(), SIGN_IN)
        page = await self._book.opened[SIGN_IN](self, visit)
        return self._response(page, visit, writer, max_bytes)

    async def post(self, request: Request, writer: Writer, max_bytes: int) -> Response:
        """Answer a POST: whatever happens, with a page."""
        visit = Visit(self.environment.wall.now_ms())
        try:
            fields = await read_form(request)
            if fields is None:
                return self._response(_unreadable(), visit, writer, max_bytes)
            visit = visit_of(fields, visit.now_wall_ms)
            visit = await self._known(visit)
            page = await self._page(visit)
        except Exception as error:  # noqa: BLE001  (whatever it was, the visitor gets a page)
            page = self._fault(visit, error)
        return self._response(page, visit, writer, max_bytes)

    async def _known(self, visit: Visit) -> Visit:
        """Return the visit with who it is, as its state says."""
        opened = self._sessions.open(visit.state, visit.now_wall_ms)
        if opened.state is TokenState.EXPIRED and visit.page not in self._book.opened:
            return replace(visit, page=SIGN_IN, arguments=(_EXPIRED,))
        who = None
        if opened.session:
            who = await self.core.principal_of_session(opened.session, visit.now_wall_ms)
        session = opened.session if who else ""
        return replace(visit, session=session, request_id=opened.request_id, who=who)

    async def _page(self, visit: Visit) -> Page:
        if visit.who is None and (outcome := await self._emergency(visit)) is not None:
            return Page("Emergency", lines_of(render(outcome)), (_TO_SIGN_IN,))
        if visit.page in self._book.opened:
            return await self._book.opened[visit.page](self, visit)
        if visit.who is None:
            return await self._book.opened[SIGN_IN](self, replace(visit, arguments=(_SIGN_IN,)))
        handler = self._book.own.get(visit.page, self._book.own[HOME])
        return await handler(self, visit, visit.who)

    def _response(self, page: Page, visit: Visit, writer: Writer, max_bytes: int) -> Response:
        session = visit.session if page.session is None else page.session
        state = self._sessions.issue(session, visit.now_wall_ms)
        action = page.action or action_text(visit.page, *visit.arguments)
        title = f"TEST {page.title}" if self.environment.test_texts else page.title
        page = replace(page, title=shorten(title, MAX_TITLE_CHARS))
        body, _ = screen_of(page, visit.first, action, writer, state, max_bytes)
        headers = dict(_HEADERS)
        if page.retry_after_s:
            headers["Retry-After"] = str(page.retry_after_s)
        headers["Content-Type"] = writer.media_type
        return Response(body, page.status, headers)

    def _fault(self, visit: Visit, error: Exception) -> Page:
        fault = fault_of(error)
        text = fault.text
        if not isinstance(error, CallCoreError):
            error_id = new_id("err", visit.now_wall_ms, self._rng)
            _log.error("page_failed", error_id=error_id, exc_info=error)
            text = f"{text} Our reference is {error_id}."
        again = _TO_SIGN_IN
        if visit.page in self._book.own and _is_small(visit.fields):
            action = action_text(visit.page, *visit.arguments)
            again = Press("Try again", action, state=visit.state, fields=visit.fields)
        return Page(
            "Not done",
            lines_of(text),
            (again,),
            status=fault.http,
            retry_after_s=fault.retry_after_s,
        )


def _unreadable() -> Page:
    return Page("Not read", lines_of(_UNREADABLE), (_TO_SIGN_IN,), status=HTTPStatus.BAD_REQUEST)


def _is_small(fields: Mapping[str, str]) -> bool:
    return sum(len(escape(value).encode()) for value in fields.values()) <= MAX_REPEATED_BYTES


def _numbers(command: Command | ParseError) -> Iterator[str]:
    """Yield the numbers that a form asks to ring."""
    match command:
        case Call(to=Number(text)):
            yield text
        case Conference(participants=targets):
            yield from (target.text for target in targets if isinstance(target, Number))
        case _:
            return
