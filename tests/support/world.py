"""A whole core in a world that a test moves by hand: clocks, simulated telephones, money.

    world = await make_world()
    acme = await world.customer()
    ada = await world.user(acme)
    world.script("+442079460018", talk_s=40)
    await world.say(ada, "call +44 20 7946 0018")
    await world.advance(60)

Both clocks stand still until `advance`, which stops at every instant that anybody waits for and
lets everything settle there. They show different times, so that an instant of one that is taken
for the other's is seen at once. `check` is true after every step of every test.
"""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from structlog.testing import capture_logs

from call_core.administration import (
    ActivateDeck,
    AddBillingCode,
    AddCustomer,
    AddPhone,
    AddSender,
    AddUser,
    Administration,
    TopUp,
)
from call_core.calls.rules import Rules
from call_core.commands import Command
from call_core.customers.limits import Limits
from call_core.door import Core
from call_core.engine.engine import Engine, EngineSettings
from call_core.engine.switches import SwitchSet
from call_core.errors import ParseError
from call_core.ledger.accounts import available, customer_account
from call_core.outcomes import Outcome
from call_core.rating.deck import RateRow
from call_core.requests import Evidence, Request
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.rate_rows import Decks
from call_core.storage.runner_inline import InlineBackend, InlineDatabase
from call_core.switches.simulator_phone import PhoneScript
from call_core.units.house import House
from call_core.units.lines import Lines
from parsers.grammar import parse
from tests.support import world_parts
from tests.support.clocks import FakeClock
from tests.support.invariants import broken
from tests.support.world_looking import Looking
from tests.support.world_parts import (
    CALL_START_MS,
    CELL,
    OFFICE,
    PAGE_ROWS,
    RATES,
    SERVICE_NUMBER,
    SPACES,
    TARIFF,
    UK,
    US,
    WALL_AHEAD_MS,
    Bill,
    CountedStore,
    RecordingSimulator,
    User,
    rate_row,
)

__all__ = [
    "CALL_START_MS",
    "CELL",
    "OFFICE",
    "SPACES",
    "TARIFF",
    "UK",
    "US",
    "Bill",
    "CountedStore",
    "User",
    "World",
    "guests",
    "opened_world",
    "rate_row",
]

_QUIET_TURNS = 12  # loop turns without any work before the world counts as settled
_THREAD_WAIT_S = 0.0005

OpenStore = Callable[[], Awaitable[CountedStore]]


class World(Looking):
    """A core, its switch, its clocks, and shorthands for what tests do with them.

    Args:
        open_store: makes another store on the same database, as a restarted process does.
        limits, rules: the deployment's figures.
        ports: of the switch.

    Attributes:
        call, wall: the switch's clock and ours.
        sim: the switch; sites: further ones of `lines`, by name.
        scripts: its phone book, by E.164 number.
        sent: what channels delivered, oldest first.
        lowest: by customer id, the least that was ever available at any step.
    """

    core: Core

    def __init__(
        self,
        open_store: OpenStore,
        *,
        limits: Limits | None = None,
        rules: Rules | None = None,
        ports: int = 1_000,
        buy_tariff: str = "",
        lines: Lines | None = None,
    ) -> None:
        self.call = FakeClock(CALL_START_MS)
        self.wall = FakeClock(CALL_START_MS + WALL_AHEAD_MS)
        self.scripts: dict[str, PhoneScript] = {}
        self.sim = self._switch("simulator", ports)
        self._open_store = open_store
        self._limits = limits or Limits()
        self._rules = rules or Rules(cut_guard_ms=0)
        self._ports = ports
        self._buy_tariff = buy_tariff
        self.lines = lines
        names = [] if lines is None else [line.name for line in lines.switches]
        self.sites = {name: self._switch(name, ports) for name in names if name != self.sim.name}
        self._ids = itertools.count(1)
        self._rng = random.Random(7)  # noqa: S311  (ids that are the same in every run)
        self._others: set[asyncio.Task[Any]] = set()
        self.sent: list[OutboxRow] = []
        self.customers: dict[str, str] = {}
        self.lowest: dict[str, int] = {}
        self.alive = False

    def _switch(self, name: str, ports: int) -> RecordingSimulator:
        return RecordingSimulator(
            name=name,
            clock=self.call,
            phones=self.scripts,
            default=PhoneScript.from_seconds(ring_s=3, talk_s=40),
            orders_path=None,
            ports=ports,
            rng=random.Random(1),  # noqa: S311  (faults; none are asked for)
        )

    def empty_switch(self) -> None:
        """Restart the switch: it has forgotten everything. Only while no process runs."""
        self.sim.close()
        self.sim = self._switch(self.sim.name, self._ports)

    # --- the process ----------------------------------------------------------------------------

    async def start(self) -> None:
        """Start a core on the database, as a new process does."""
        self._others = asyncio.all_tasks()
        self.store = await self._open_store()
        self.house = House(
            node="test",
            switch="simulator",
            trunk="main",
            ports=self._ports,
            service_number=SERVICE_NUMBER,
            decks=Decks(),
            limits=self._limits,
            rules=self._rules,
            own_numbers=frozenset({SERVICE_NUMBER}),
            buy_tariff=self._buy_tariff,
            lines=self.lines,
            spaces=SPACES,
        )
        self.engine = Engine(
            self.store,
            SwitchSet([self.sim, *self.sites.values()]),
            self.house,
            self.wall,
            self.call,
            self._rng,
            dict.fromkeys(SPACES, self._deliver),
            EngineSettings(),
        )
        self.core = Core(self.store, self.engine, self.wall, self.call, self._rng)
        await self.core.start()
        self.alive = True
        await self.settle()

    async def _deliver(self, row: OutboxRow) -> None:
        self.sent.append(row)

    async def kill(self) -> None:
        """Let the process die where it stands; switch and database go on without it."""
        mine = {task for task in asyncio.all_tasks() - self._others if world_parts.is_of_core(task)}
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await self.store.close()
        self.alive = False

    async def stop(self) -> None:
        """Stop the process as it should."""
        if self.alive:
            await self.core.stop()
            self.alive = False

    # --- who and what there is ------------------------------------------------------------------

    async def administer(self, command: Administration) -> Outcome:
        """Do what the operator asks on the command line; things are ordered by when they came."""
        self.wall.jump(1)
        outcome = await self.core.handle(
            Request(
                channel="cli",
                id_space="cli",
                external_id=f"operator-{next(self._ids)}",
                sender="",
                evidence=Evidence.PROVEN,
                received_wall_ms=self.wall.now_ms(),
                command=command,
                in_session=True,
            )
        )
        assert outcome.kind == "done", outcome
        return outcome

    async def deck(
        self, rows: Sequence[tuple[Any, ...] | RateRow] = RATES, tariff: str = TARIFF
    ) -> None:
        """Load a deck into a tariff, the world's own, and make it the one in force."""
        made = [row if isinstance(row, RateRow) else rate_row(*row) for row in rows]
        version = await self.store.run(world_parts.load_deck, tariff, made)
        await self.administer(ActivateDeck(tariff, version))
        await self.settle()

    async def customer(
        self,
        name: str = "Acme",
        *,
        micros: int = 100_000_000,
        plan: str = "prepaid",
        regions: tuple[str, ...] = ("US", "GB", "DE"),
        daily_spend_micros: int | None = 1_000_000_000,
        concurrent_calls: int | None = 100,
        new: bool = False,
        **more: Any,  # noqa: ANN401  (further fields of AddCustomer)
    ) -> str:
        """Add a customer with money and return its id; limits out of the way unless named.

        `new` keeps the limit on a customer's first calls.
        """
        outcome = await self.administer(
            AddCustomer(
                name,
                "USD",
                plan,
                tariff=TARIFF,
                regions=regions,
                daily_spend_micros=daily_spend_micros,
                concurrent_calls=concurrent_calls,
                **more,
            )
        )
        customer_id = str(outcome.fields["customer_id"])
        self.customers[customer_id] = plan
        if not new:
            await self.store.run(world_parts.no_longer_new, customer_id)
        if micros:
            await self.top_up(customer_id, micros)
        return customer_id

    async def top_up(self, customer_id: str, micros: int) -> None:
        """Credit a customer."""
        await self.administer(TopUp(customer_id, micros))

    async def user(
        self,
        customer_id: str,
        name: str = "Ada",
        *,
        country: str = "US",
        timezone: str = "America/New_York",
        role: str = "member",
        phones: bool = True,
    ) -> User:
        """Add a user; with `phones`, a trusted office and a cell verified by key press."""
        outcome = await self.administer(AddUser(customer_id, name, role, timezone, country))
        address = f"{name.lower()}@example.com"
        user = User(str(outcome.fields["user_id"]), name, customer_id, address)
        await self.administer(AddSender(user.id, "smtp", address))
        if phones:
            await self.phone(user, "office", OFFICE, trusted=True)
            await self.phone(user, "cell", CELL, by_key=True)
        return user

    async def phone(
        self,
        user: User,
        label: str,
        number: str,
        *,
        trusted: bool = False,
        by_key: bool = False,
        accept_key: bool = True,
    ) -> None:
        """Put a phone on a user's file, verified by the operator, by key press, or not at all."""
        outcome = await self.administer(AddPhone(user.id, label, number, trusted))
        if by_key:
            phone_id = str(outcome.fields["phone_id"])
            await self.store.run(world_parts.verify_by_key, phone_id, int(accept_key))

    async def billing_code(self, customer_id: str, code: str) -> None:
        """Allow a billing code."""
        await self.administer(AddBillingCode(customer_id, code))

    def script(self, number: str, **how: Any) -> None:  # noqa: ANN401  (of a phone book entry)
        """Say how a phone behaves: `ring_s`, `result`, `press`, `talk_s`."""
        self.scripts[number] = PhoneScript.from_seconds(**how)

    def break_line(self, leg_id: str) -> None:
        """Let the network lose a leg: it ends without anybody hanging up."""
        self.sim.broken.add(leg_id)
        assert self.sim.put_down(leg_id)

    # --- asking ---------------------------------------------------------------------------------

    async def say(
        self,
        user: User,
        text: str,
        *,
        channel: str = "web",
        evidence: Evidence = Evidence.PROVEN,
        external_id: str = "",
        settle: bool = True,
    ) -> Outcome:
        """Send one line of the grammar as a user and return the answer."""
        command: Command | ParseError
        try:
            command = parse(text)
        except ParseError as error:
            command = error
        outcome = await self.ask(
            user, command, text, channel=channel, evidence=evidence, external_id=external_id
        )
        if settle:
            await self.settle()
        return outcome

    async def ask(
        self,
        user: User,
        command: Command | ParseError,
        text: str = "",
        *,
        channel: str = "web",
        evidence: Evidence = Evidence.PROVEN,
        external_id: str = "",
    ) -> Outcome:
        """Send a command as a user and return the answer, without waiting for what follows."""
        mail = channel == "smtp"
        return await self.core.handle(
            Request(
                channel=channel,
                id_space=SPACES[channel],
                external_id=external_id or f"message-{next(self._ids)}",
                sender=user.address if mail else "",
                evidence=evidence,
                received_wall_ms=self.wall.now_ms(),
                command=command,
                text=text,
                user_id=None if mail else user.id,
                in_session=not mail,
                page_rows=PAGE_ROWS if mail else 0,
            )
        )

    # --- time -----------------------------------------------------------------------------------

    async def advance(self, seconds: float) -> None:
        """Move both clocks on, stopping where anybody waits, until everything has settled."""
        until = self.call.now_ms() + round(seconds * 1000)
        await self.settle()
        while (due := self.call.next_sleeper_ms()) is not None and due <= until:
            await self._step(due)
        await self._step(until)

    async def _step(self, at_call_ms: int) -> None:
        by_ms = at_call_ms - self.call.now_ms()
        self.wall.jump(by_ms)
        self.call.jump(by_ms)
        await self.settle()
        if self.alive:
            await self._note_lowest()

    async def _note_lowest(self) -> None:
        for account in await self.store.read(world_parts.customer_accounts):
            left = available(account)
            self.lowest[account.id] = min(left, self.lowest.get(account.id, left))

    async def settle(self) -> None:
        """Let everything run that can, without time passing."""
        quiet = 0
        while quiet < _QUIET_TURNS:
            under_way = self.alive and (self.store.under_way or not self.engine.driver.idle)
            quiet = 0 if under_way else quiet + 1
            await asyncio.sleep(_THREAD_WAIT_S if self.store.under_way else 0)

    async def check(self) -> None:
        """Assert what must be true at every moment of every test."""
        await self.settle()
        switches = (self.sim, *self.sites.values())
        there = {leg.leg_id for each in switches for leg in await each.live_legs()}
        wrong = await self.store.read(broken, there, self.house)
        assert not wrong, "\n".join(wrong)
        assert self.engine.driver.quarantined == 0
        assert self.engine.running
        for customer_id, plan in self.customers.items():
            least = self.lowest.get(customer_account(customer_id), 0)
            assert plan != "prepaid" or least >= 0, f"{customer_id} was at {least}"

    async def run_out(self, seconds: float = 6 * 3600) -> None:
        """Advance until no call is alive, at most for so long."""
        until = self.call.now_ms() + round(seconds * 1000)
        await self.settle()
        while self.engine.driver.live:
            due = self.call.next_sleeper_ms()
            assert due is not None, "calls are alive and nobody waits for anything"
            assert due <= until, "calls are alive after their time"
            await self._step(due)


def guests(world: World, count: int) -> list[str]:
    """Return British numbers whose phones are answered and never hung up; nor are the user's."""
    numbers = [f"+4420794600{n:02d}" for n in range(count)]
    for number in (*numbers, OFFICE, CELL):
        world.script(number, ring_s=3, talk_s=0)
    return numbers


# --- stores -------------------------------------------------------------------------------------


@asynccontextmanager
async def opened_world(
    kind: str,
    url: str,
    **how: Any,  # noqa: ANN401  (of World)
) -> AsyncIterator[World]:
    """A world on one kind of store, stopped and checked at the end.

    Args:
        kind: `inline`, `sqlite` or `postgres`.
        url: of a database with the newest schema; unused inline.
        how: further arguments of `World`.
    """
    memory = InlineDatabase() if kind == "inline" else None

    async def open_store() -> CountedStore:
        if memory is not None:
            return CountedStore(InlineBackend(memory, node="test"))
        store = await CountedStore.open(url, node="test")
        assert isinstance(store, CountedStore)
        return store

    world = World(open_store, **how)
    with capture_logs() as logs:
        await world.start()
        await world.deck()
        try:
            yield world
            if world.alive:
                await world.check()
        finally:
            await world.stop()
            for switch in (world.sim, *world.sites.values()):
                switch.close()
            if memory is not None:
                memory.close()
    errors = [entry for entry in logs if entry["log_level"] in ("error", "critical")]
    assert not errors, errors
