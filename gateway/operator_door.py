"""How the operator's tools reach the core: the same door as every channel, channel `cli`."""

import hashlib
import random

from call_core.administration import Administration
from call_core.commands import Command, Detach
from call_core.contracts import CallCore
from call_core.door import TOKEN_PREFIX
from call_core.errors import ParseError
from call_core.ids import new_id, new_secret
from call_core.outcomes import Done, Outcome, Refused
from call_core.requests import Evidence, Request

CHANNEL = "cli"
TOKEN_LENGTH = 32


class RefusedError(Exception):
    """The core refused what was asked.

    Attributes:
        outcome: why.
    """

    def __init__(self, asked: object, outcome: Refused) -> None:
        super().__init__(f"{type(asked).__name__} was refused: {outcome.code}")
        self.outcome = outcome


async def ask(
    core: CallCore,
    asked: Administration | Command | ParseError,
    now_wall_ms: int,
    *,
    user_id: str | None = None,
    text: str = "",
) -> Outcome:
    """Hand one command to the door, as the operator or for one user.

    Raises:
        RefusedError: it was refused.
        CallCoreError: nothing was committed.
    """
    outcome = await core.handle(request_of(asked, now_wall_ms, user_id=user_id, text=text))
    if isinstance(outcome, Refused):
        raise RefusedError(asked, outcome)
    return outcome


def request_of(
    asked: Administration | Command | ParseError,
    now_wall_ms: int,
    *,
    user_id: str | None = None,
    text: str = "",
) -> Request:
    """Return a request of the command line: proven, and new each time.

    An administrator's scope goes with the operator's own commands, a user's with a user's; but the
    operator takes off what is on a user's file, too.
    """
    return Request(
        channel=CHANNEL,
        id_space=CHANNEL,
        external_id=new_id("cli", now_wall_ms, random.SystemRandom()),
        sender="" if user_id else CHANNEL,
        user_id=user_id,
        evidence=Evidence.PROVEN,
        received_wall_ms=now_wall_ms,
        command=asked,
        text=text,
        fingerprint=hashlib.sha256(repr(asked).encode()).hexdigest(),
        scopes=_scopes(asked) if user_id else ("admin",),
        in_session=True,
    )


def _scopes(asked: Administration | Command | ParseError) -> tuple[str, ...]:
    return ("read", "call", "admin") if isinstance(asked, Detach) else ("read", "call")


def made_id(outcome: Outcome, name: str) -> str:
    """Return an id that an administrative command made (`customer_id`, `user_id`, …)."""
    assert isinstance(outcome, Done), outcome
    return str(outcome.fields[name])


def new_token() -> str:
    """Return a fresh API token; only its hash is stored."""
    return TOKEN_PREFIX + new_secret(random.SystemRandom(), TOKEN_LENGTH)
