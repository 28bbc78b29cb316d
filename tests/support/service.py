"""Shorthands for tests of the service around calls: requests with every circumstance, tables."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import func, select

from call_core.administration import Administration
from call_core.commands import Command
from call_core.contracts import Principal
from call_core.errors import ParseError
from call_core.notices import Notice
from call_core.notices import from_json as notice_from_json
from call_core.outcomes import Outcome
from call_core.requests import Evidence, Request
from call_core.storage import tables
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.statements import Row, select_statement
from call_core.storage.transaction import Tx
from call_core.units import access
from parsers.grammar import parse
from tests.support.world import SPACES, User, World

SPACES["sms"] = "sms"
EVERY_SCOPE = ("read", "call", "admin")
_IDS = itertools.count(1)

AUDIT = select_statement(
    select(tables.audit.c.action, tables.audit.c.actor, tables.audit.c.subject).order_by(
        tables.audit.c.at_wall_ms, tables.audit.c.seq
    ),
    name="audit_rows",
)
OUTBOX = select_statement(
    select(
        tables.outbox.c.kind,
        tables.outbox.c.body,
        tables.outbox.c.state,
        tables.outbox.c.channel,
        tables.outbox.c.address,
        tables.outbox.c.attempts,
    ).order_by(tables.outbox.c.seq),
    name="outbox_rows",
)


def command_of(text: str) -> Command | ParseError:
    """Return what a line of the grammar asks, or why it cannot be read."""
    try:
        return parse(text)
    except ParseError as error:
        return error


REQUESTS = select_statement(
    select(tables.requests.c.principal, tables.requests.c.user_id), name="principals_of_requests"
)


def call_id(outcome: Outcome) -> str:
    """Return the call that an answer is about.

    Raises:
        AssertionError: it is about none.
    """
    found = getattr(outcome, "call_id", "")
    assert found, outcome
    return str(found)


class Service:
    """A world, and requests to it with every circumstance."""

    def __init__(self, world: World) -> None:
        self.world = world

    def request(
        self,
        user: User | None,
        what: str | Command | Administration,
        *,
        channel: str = "smtp",
        **more: Any,  # noqa: ANN401  (further fields of Request)
    ) -> Request:
        """Return a request of a user; by mail it is known by its sender."""
        text = what if isinstance(what, str) else ""
        mail = channel in ("smtp", "sms")
        made = Request(
            channel=channel,
            id_space=SPACES[channel],
            external_id=f"id-{next(_IDS)}",
            sender=user.address if mail and user is not None else "",
            evidence=Evidence.PROVEN,
            received_wall_ms=self.world.wall.now_ms(),
            command=command_of(what) if isinstance(what, str) else what,
            text=text,
            fingerprint=text,
            user_id=None if mail or user is None else user.id,
            scopes=EVERY_SCOPE,
            in_session=not mail,
        )
        return replace(made, **more)

    async def ask(
        self,
        user: User | None,
        what: str | Command | Administration,
        **more: Any,  # noqa: ANN401  (of `request`)
    ) -> Outcome:
        """Send a request and let everything settle."""
        outcome = await self.world.core.handle(self.request(user, what, **more))
        await self.world.settle()
        return outcome

    async def said(
        self,
        user: User | None,
        what: str | Command | Administration,
        **more: Any,  # noqa: ANN401  (of `request`)
    ) -> str:
        """Send a request and return the code of its answer."""
        return (await self.ask(user, what, **more)).code

    async def rows(self, statement: Any) -> list[Row]:  # noqa: ANN401  (a statement of rows)
        """Return the rows of a statement without values."""
        return await self.world.store.read(_all, statement)

    async def count(self, table: Any) -> int:  # noqa: ANN401  (a Table)
        """Return how many rows a table has."""
        rows = await self.rows(select_statement(select(func.count()).select_from(table)))
        return int(rows[0][0])

    async def audited(self, action: str) -> list[Row]:
        """Return audit rows `(action, actor, subject)` of one action."""
        return [row for row in await self.rows(AUDIT) if row[0] == action]

    async def told(self) -> list[Notice]:
        """Return the notices that were written for users, oldest first."""
        return [notice_from_json(row[1]) for row in await self.rows(OUTBOX) if row[0] == "notice"]

    async def outbox(self) -> Sequence[Row]:
        """Return `(kind, body, state, channel, address, attempts)`, oldest first."""
        return await self.rows(OUTBOX)

    async def principal(self, user: User) -> Principal:
        """Return a user as pages know them."""
        found = await self.world.store.read(
            access.principal, user.id, access.PERSON_SCOPES, "", user.address
        )
        assert found is not None, user
        return found

    async def legs_up(self) -> list[str]:
        """Return the ids of the legs that the switch has now."""
        return [leg.leg_id for leg in await self.world.sim.live_legs()]

    async def restart(self) -> None:
        """Let the process die and another one start."""
        await self.world.kill()
        await self.world.start()

    @property
    def sent(self) -> list[OutboxRow]:
        """What channels delivered."""
        return self.world.sent


def _all(tx: Tx, statement: Any) -> list[Row]:  # noqa: ANN401  (a statement of rows)
    return tx.all(statement)
