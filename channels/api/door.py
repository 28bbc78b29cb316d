"""Who calls the API, what their token may do, and the one way to the core.

`Idempotency-Key` is the request's external id: the core claims it for the user, and a repeat with
the same content gets the stored outcome again. Without the header every request is a new one.
"""

import hashlib
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from call_core.administration import Administration
from call_core.commands import Command
from call_core.contracts import Principal
from call_core.errors import ParseError
from call_core.ids import new_id
from call_core.outcomes import Asked, Launched, Outcome, Refused, Scheduled
from call_core.requests import Evidence, Request
from channels.api.models import OutcomeOut
from channels.api.problems import Problem
from channels.api.statuses import scope_needed, status_of_refusal
from channels.api.views import outcome_out
from channels.kit.contract import Environment
from channels.kit.render import Budget, render, render_phrase
from parsers.command_text import write

MAX_TOKEN_LENGTH = 200
MAX_KEY_LENGTH = 255
PREFIX = "/api/v1"

_SCHEME = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="An API token of a user. Its scopes: `read`, `call`, `admin`.",
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_SCHEME)]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY_LENGTH,
        pattern=r"^[!-~]+$",
        description="a repeat of the same request under the same key launches nothing",
        examples=["8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ),
]
Caller = Callable[..., Awaitable[Principal]]
Asking = Command | Administration | ParseError


@dataclass(frozen=True, slots=True)
class Ask:
    """One command of a client, with what makes a repeat recognisable."""

    command: Asking
    route: str
    content: str
    key: str | None
    text: str = ""


class Door:
    """Authentication and the way to the core."""

    def __init__(self, environment: Environment, rng: random.Random) -> None:
        self.core = environment.core
        self.test = environment.test_texts
        self._wall = environment.wall
        self._rng = rng

    def now_ms(self) -> int:
        """Return our clock's time."""
        return self._wall.now_ms()

    def caller(self, scope: str) -> Caller:
        """Return a dependency: who calls, if the token is good and has `scope`."""

        async def authenticated(credentials: Credentials) -> Principal:
            return await self._principal(credentials, scope)

        return authenticated

    async def submit(self, who: Principal, ask: Ask) -> Outcome:
        """Hand a command to the core.

        Raises:
            Problem: the token's scopes do not cover the command.
        """
        _require(who, scope_needed(ask.command))
        now_wall_ms = self._wall.now_ms()
        digest = hashlib.sha256(f"{ask.route}\n{ask.content}".encode()).hexdigest()
        request = Request(
            channel="api",
            id_space="api",
            external_id=ask.key or new_id("auto", now_wall_ms, self._rng),
            sender="",
            user_id=who.user_id,
            evidence=Evidence.PROVEN,
            received_wall_ms=now_wall_ms,
            command=ask.command,
            text=ask.text or _line(ask.command),
            fingerprint=digest[:32],
            scopes=who.scopes,
            in_session=True,
        )
        return await self.core.handle(request)

    async def answer(self, who: Principal, ask: Ask, response: Response) -> OutcomeOut:
        """Submit a command and return its outcome; 202 when something is under way.

        Raises:
            Problem: it was refused, or a question has to be answered first.
        """
        outcome = await self.submit(who, ask)
        self.refuse(outcome, ask.command, who)
        if isinstance(outcome, Launched | Scheduled):
            response.status_code = HTTPStatus.ACCEPTED
            response.headers["Location"] = f"{PREFIX}/calls/{outcome.call_id}"
        else:
            response.status_code = HTTPStatus.OK
        return outcome_out(outcome, who.timezone, test=self.test)

    def refuse(self, outcome: Outcome, command: Asking, who: Principal) -> None:
        """Raise the problem of an outcome that is a refusal or a question; others pass.

        Raises:
            Problem: with the status of `statuses`; 409 for a question, and how to answer it.
        """
        text = render(outcome, Budget.FULL, who.timezone, test=self.test)
        if isinstance(outcome, Refused):
            status = status_of_refusal(outcome.code, command)
            raise Problem(status, outcome.code, text, ref=outcome.ref, call_id=outcome.call_id)
        if isinstance(outcome, Asked):
            choices = [
                {"text": f"{outcome.ref} {n}".strip(), "label": render_phrase(it, who.timezone)}
                for n, it in enumerate(outcome.choices, start=1)
            ]
            answer = "" if choices else f"go {outcome.ref}".strip()
            raise Problem(
                HTTPStatus.CONFLICT,
                outcome.code,
                text,
                ref=outcome.ref,
                answer=answer,
                choices=choices,
            )

    async def _principal(
        self, credentials: HTTPAuthorizationCredentials | None, scope: str
    ) -> Principal:
        token = credentials.credentials if credentials else ""
        who = None
        if 0 < len(token) <= MAX_TOKEN_LENGTH:
            who = await self.core.principal_of_token(token, self._wall.now_ms())
        if who is None:
            raise Problem(
                HTTPStatus.UNAUTHORIZED,
                "unauthorized",
                "Send a valid token as Authorization: Bearer TOKEN.",
                {"WWW-Authenticate": 'Bearer realm="callgate"'},
            )
        _require(who, scope)
        return who


def _line(command: Asking) -> str:
    """Return a command as a line of the grammar, for the history; others have none."""
    return write(command) if isinstance(command, Command) else ""


def _require(who: Principal, scope: str) -> None:
    if scope not in who.scopes:
        raise Problem(
            HTTPStatus.FORBIDDEN,
            "insufficient_scope",
            f"This token lacks the scope `{scope}`; it has {', '.join(who.scopes) or 'none'}.",
            {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )
