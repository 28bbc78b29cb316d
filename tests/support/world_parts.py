"""What the world is made of: a store that counts, a switch that remembers, decks and rows."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar, TypeVarTuple

from sqlalchemy import bindparam, select, update

from call_core import queries
from call_core.calls.model import Call
from call_core.contracts import Cdr, EventKind, Order, SwitchEvent
from call_core.ledger.accounts import Account
from call_core.rating.deck import RateRow
from call_core.storage import call_rows, rate_rows, tables
from call_core.storage.statements import Row, Statement, select_statement, write_statement
from call_core.storage.store import Priority, Store
from call_core.storage.transaction import Tx
from call_core.switches.simulator import Simulator
from tests.support.invariants import accounts

ResultT = TypeVar("ResultT")
ArgumentTs = TypeVarTuple("ArgumentTs")
_TEMPORARY_FAILURE = 41

CALL_START_MS = 1_773_057_600_000  # Monday 9 March 2026, 12:00 UTC
WALL_AHEAD_MS = 3 * 86_400_000
SERVICE_NUMBER = "+12025550143"
OFFICE, CELL = "+12125550101", "+12125550102"
UK, US = "+442079460018", "+13125550123"
TARIFF = "std"
SPACES = {"smtp": "mail", "web": "web", "api": "api", "cli": "cli"}
PAGE_ROWS = 5
RATES = (
    ("1", "United States", 10_000, 0, 6, 6),
    ("44", "United Kingdom", 20_000, 0, 30, 6),
    ("49", "Germany", 30_000, 5_000, 60, 60),
)
"""Prefix, destination, micros per minute, connect fee, first and next increment."""


@dataclass(frozen=True, slots=True)
class User:
    """A user of the world, signed in."""

    id: str
    name: str
    customer_id: str
    address: str = ""


class Bill(NamedTuple):
    """One leg's record, as far as most tests look at it."""

    leg: str
    billable_s: int
    total_micros: int
    hangup_cause: str
    hangup_by: str


VERIFY_BY_KEY = write_statement(
    update(tables.phones)
    .where(tables.phones.c.id == bindparam("key_id"))
    .values(verified="key", accept_key=bindparam("accept_key")),
    name="verify_by_key",
)
NO_LONGER_NEW = write_statement(
    update(tables.customers)
    .where(tables.customers.c.id == bindparam("key_id"))
    .values(launched_calls=10),
    name="no_longer_new",
)
EVERY_CALL = select_statement(
    select(tables.calls.c.id).order_by(tables.calls.c.created_wall_ms, tables.calls.c.id),
    name="every_call",
)
EVERY_MESSAGE = select_statement(
    select(tables.outbox.c.kind, tables.outbox.c.body, tables.outbox.c.call_id).order_by(
        tables.outbox.c.seq
    ),
    name="every_message",
)


class RecordingSimulator(Simulator):
    """The simulator, which remembers what it was asked to ring, and whose lines may break."""

    def __init__(self, **how: Any) -> None:  # noqa: ANN401  (of Simulator)
        super().__init__(**how)
        self.ordered: list[Order] = []
        self.broken: set[str] = set()

    async def originate(self, order: Order) -> None:
        """Ring a number, and remember it."""
        self.ordered.append(order)
        await super().originate(order)

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield events; a leg whose line broke ended by the network, not by anybody's hand."""
        async for event in super().events():
            broke = event.kind is EventKind.ENDED and event.leg_id in self.broken
            yield replace(event, cause=_TEMPORARY_FAILURE) if broke else event


class CountedStore(Store):
    """A store that knows how much of what it was given is under way."""

    under_way = 0

    def ring(self, topic: str) -> None:
        """Tell news, as another process's commit does."""
        self._backend.changes.ring(topic)

    async def run(
        self,
        unit: Callable[[Tx, *ArgumentTs], ResultT],
        *arguments: *ArgumentTs,
        priority: Priority = Priority.RUNNING,
        key: str | None = None,
    ) -> ResultT:
        """Run a unit, counted."""
        self.under_way += 1
        try:
            return await super().run(unit, *arguments, priority=priority, key=key)
        finally:
            self.under_way -= 1

    async def read(
        self, query: Callable[[Tx, *ArgumentTs], ResultT], *arguments: *ArgumentTs
    ) -> ResultT:
        """Run a query, counted."""
        self.under_way += 1
        try:
            return await super().read(query, *arguments)
        finally:
            self.under_way -= 1


def is_of_core(task: "asyncio.Task[Any]") -> bool:
    """Whether a task runs the core's code; the others are the test's own."""
    code = getattr(task.get_coro(), "cr_code", None)
    return code is not None and "/call_core/" in code.co_filename


def rate_row(
    prefix: str,
    destination: str,
    price: int,
    fee: int = 0,
    first: int = 60,
    following: int = 60,
    **more: Any,  # noqa: ANN401  (further fields of RateRow)
) -> RateRow:
    """Return a row of a deck, prices in micros."""
    return RateRow(
        "",
        prefix=prefix,
        destination=destination,
        price_micros_per_minute=price,
        connect_fee_micros=fee,
        first_increment_s=first,
        next_increment_s=following,
        **more,
    )


def load_deck(tx: Tx, tariff: str, rows: Sequence[RateRow]) -> int:
    """Write a deck as a new version and return it (a unit)."""
    tx.write(
        rate_rows.INSERT_TARIFF,
        name=tariff,
        currency="USD",
        timezone="UTC",
        quantum_micros=100,
        active_version=0,
        loaded_version=0,
    )
    reserved = tx.one(rate_rows.RESERVE_VERSION, key_name=tariff)
    assert reserved is not None
    rate_rows.insert_rates(tx, tariff, reserved[0], enumerate(rows, 1))
    return int(reserved[0])


def verify_by_key(tx: Tx, phone_id: str, accept_key: int) -> None:
    """Mark a phone as verified by key press (a unit)."""
    tx.write(VERIFY_BY_KEY, key_id=phone_id, accept_key=accept_key)


def no_longer_new(tx: Tx, customer_id: str) -> None:
    """Let a customer have made the first calls (a unit)."""
    tx.write(NO_LONGER_NEW, key_id=customer_id)


def every_row(tx: Tx, statement: Statement[Row]) -> list[Row]:
    """Return every row of a statement (a query)."""
    return tx.all(statement)


def customer_accounts(tx: Tx) -> list[Account]:
    """Return the customers' ledger accounts (a query)."""
    return [account for account in accounts(tx) if account.id.startswith("customer:")]


def every_call(tx: Tx) -> list[Call]:
    """Return every call, oldest first (a query)."""
    found = [call_rows.load_call(tx, row[0]) for row in tx.all(EVERY_CALL)]
    return [call for call in found if call is not None]


def cdrs_of(tx: Tx, call_id: str) -> list[Cdr]:
    """Return the records of a call, party by party (a query)."""
    page = queries.cdrs_since(tx, "", 10_000)
    of_call = [cdr for cdr in page.items if cdr.call_id == call_id]
    return sorted(of_call, key=lambda cdr: (cdr.party, cdr.attempt))
