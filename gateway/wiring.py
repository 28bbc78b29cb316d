"""The wiring: the only place that picks implementations and puts them together.

async with open_core(settings) as core:        # database, switch, core; nothing runs yet
    channels = build_channels(settings, environment)
    await core.start(channels)                 # from now on calls are driven
    …
    await core.stop()
"""

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from fastapi import APIRouter

from call_core import notices, outcomes
from call_core.calls.model import Call, Leg
from call_core.calls.rules import Rules
from call_core.contracts import Clock, Switch
from call_core.customers.limits import Limits
from call_core.door import Core as CallCoreDoor
from call_core.door import is_claimed
from call_core.engine.engine import Engine, EngineSettings
from call_core.engine.shard import require_free
from call_core.outcomes import Outcome
from call_core.requests import Request
from call_core.storage import migrate, outbox_rows
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.rate_rows import Decks
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_faults import Faults
from call_core.switches.simulator_orders import read as read_orders
from call_core.switches.simulator_orders import resume_clock
from call_core.switches.simulator_phone import PhoneScript
from call_core.units.house import House
from channels.kit.contract import Channel, Environment, Outgoing
from channels.kit.registry import channel_classes
from gateway.clocks import CallClock, WallClock
from gateway.health import Check, Readiness
from gateway.metrics import Metrics
from gateway.settings import Settings
from gateway.settings_file import SettingsError
from gateway.settings_sections import PhoneSettings, SimulatorSettings
from gateway.twilio_wiring import TWILIO_VOICE, open_twilio

TRUNK = "main"
SIMULATOR = "simulator"
SWITCHES = (SIMULATOR, TWILIO_VOICE)
Deliver = Callable[[OutboxRow], Awaitable[None]]


class Core(CallCoreDoor):
    """The call core with what the gateway needs of it besides the channels' contract.

    Attributes:
        wall, call_clock: our clock, and the switch's.
        switch: what carries the calls.
        simulator: the same, when it is the simulator.
        routers: what a switch has to be told by HTTP.
        metrics: the figures of `/metrics`.
    """

    def __init__(
        self,
        store: Store,
        engine: Engine,
        wall: Clock,
        call: Clock,
        rng: random.Random,
        *,
        opened: "OpenedSwitch",
        metrics: Metrics,
        deliver: dict[str, Deliver],
    ) -> None:
        super().__init__(store, engine, wall, call, rng)
        self.wall = wall
        self.call_clock = call
        self.switch = opened.switch
        self.simulator = opened.simulator
        self.routers = opened.routers
        self.metrics = metrics
        self._deliver = deliver
        engine.driver.observe = self._observe
        _watch(metrics, self)

    async def handle(self, request: Request) -> Outcome:
        """Do a request as the door does, and count it."""
        outcome = await super().handle(request)
        self.metrics.request_answered(request.channel, outcome.code)
        return outcome

    def _observe(self, before: Call, after: Call) -> None:
        """Count the legs that were originated and that ended in one change of a call."""
        for leg in after.legs():
            was = before.leg(leg.id)
            if leg.originated_call_ms is None:
                continue
            if was is None or was.originated_call_ms is None or before.version == 1:
                self.metrics.leg_originated(after.channel, leg.trunk)
            if leg.ended and not (was is not None and was.ended):
                self.metrics.leg_ended(
                    after.channel, leg.trunk, answered_ms=_answered_ms(leg), pdd_ms=_pdd_ms(leg)
                )

    async def start(self, channels: Sequence[Channel] = ()) -> None:
        """Start driving calls; messages go out through these channels."""
        for channel in channels:
            self._deliver[channel.name] = _deliverer(channel)
        await super().start()

    def add_checks(self, readiness: Readiness) -> None:
        """Let `/readyz` look at the database, the switch and the engine."""
        readiness.add("database", self._database)
        readiness.add("switch", self._switch)
        readiness.add("engine", self._engine)

    async def _database(self) -> Check:
        waiting = await self.store.read(_outbox_age)
        where = "two machines" if self.store.has_standby else "one machine"
        return Check(ok=True, detail=f"durable on {where}; {waiting} messages wait")

    async def _switch(self) -> Check:
        health = await self.switch.health()
        return Check(ok=health.up, detail=health.detail)

    async def _engine(self) -> Check:
        if self.engine.taken_over:
            return Check(ok=False, detail="another node has taken over; restart or stop this one")
        running = self.engine.running
        detail = f"drives {len(self.engine.driver.live)} calls" if running else "does not run"
        return Check(ok=running, detail=detail)


def _outbox_age(tx: Tx) -> int:
    row = tx.one(outbox_rows.AGE)
    return 0 if row is None else int(row[0])


def _answered_ms(leg: Leg) -> int | None:
    if leg.answered_call_ms is None or leg.ended_call_ms is None:
        return None
    return max(0, leg.ended_call_ms - leg.answered_call_ms)


def _pdd_ms(leg: Leg) -> int | None:
    heard = leg.ringing_call_ms if leg.ringing_call_ms is not None else leg.answered_call_ms
    if heard is None or leg.originated_call_ms is None:
        return None
    return max(0, heard - leg.originated_call_ms)


def _watch(metrics: Metrics, core: Core) -> None:
    driver = core.engine.driver

    def calls() -> dict[tuple[str, ...], float]:
        found: dict[tuple[str, ...], float] = {}
        for live in list(driver.live.values()):
            key = (str(live.call.state), live.call.channel)
            found[key] = found.get(key, 0) + 1
        return found

    metrics.watch("callgate_calls", "Running calls.", ("state", "channel"), calls)
    metrics.watch(
        "callgate_events_quarantined",
        "Switch events that no table row knows; each is a defect.",
        (),
        lambda: {(): driver.quarantined},
    )
    metrics.watch(
        "callgate_messages_sent", "Messages handed over.", (), lambda: {(): core.engine.outbox.sent}
    )
    metrics.watch(
        "callgate_messages_dead", "Messages given up.", (), lambda: {(): core.engine.outbox.dead}
    )
    metrics.watch(
        "callgate_store_units",
        "Units of work committed.",
        (),
        lambda: {(): core.store.statistics().units},
    )


def _deliverer(channel: Channel) -> Deliver:
    async def deliver(row: OutboxRow) -> None:
        read = outcomes.from_json if row.kind == "outcome" else notices.from_json
        await channel.deliver(
            Outgoing(
                id=row.id,
                address=row.address,
                content=read(row.body),
                ref=row.ref,
                thread=row.thread,
                created_wall_ms=row.created_wall_ms,
                timezone=row.timezone,
                test=channel.environment.test_texts,
            )
        )

    return deliver


@contextlib.asynccontextmanager
async def open_core(
    settings: Settings, *, create: bool = False, drive: bool = True
) -> AsyncIterator[Core]:
    """Open database, switch and core; nothing is driven until `start`.

    Args:
        settings: what was configured.
        create: make and upgrade the database when it is missing.
        drive: whether `start` will be called; False leaves the switch's file to whoever serves.

    Raises:
        StoreUnavailable: there is no such database, or it does not keep what it commits.
        ShardTaken: `drive`, and another node serves the database.
    """
    if settings.switch not in SWITCHES:
        known = ", ".join(SWITCHES)
        raise SettingsError(f"There is no switch {settings.switch}; there are: {known}.")
    url = settings.database_url()
    if create:
        migrate.upgrade(url)
    wall = WallClock()
    # A command line beside `serve` writes an audit chain of its own: `serve` remembers its end.
    node = settings.node if drive else f"{settings.node}/cli"
    store = await Store.open(
        url, node=node, limits=settings.store, probe=is_claimed, jitter=random.SystemRandom()
    )
    try:
        if drive:
            # Asked before the switch's file is opened: it may be the other node's.
            await store.read(require_free, settings.node, wall.now_ms())
        async with open_switch(settings, wall, drive=drive) as opened:
            switch, clock = opened.switch, opened.clock
            deliver: dict[str, Deliver] = {}
            rng = random.SystemRandom()
            engine = Engine(
                store,
                switch,
                house_of(settings, switch.cut_guard_ms),
                wall,
                clock,
                rng,
                deliver,
                EngineSettings(),
            )
            metrics = Metrics(wall)
            yield Core(
                store, engine, wall, clock, rng, opened=opened, metrics=metrics, deliver=deliver
            )
    finally:
        await store.close()


@dataclass(frozen=True, slots=True)
class OpenedSwitch:
    """A switch, its clock, and the routes by which it is told things."""

    switch: Switch
    clock: Clock
    simulator: Simulator | None = None
    routers: Sequence[APIRouter] = ()


@contextlib.asynccontextmanager
async def open_switch(
    settings: Settings, wall: Clock, *, drive: bool
) -> AsyncIterator[OpenedSwitch]:
    """Open the switch of the settings, and let go of it at the end; its legs go on.

    Raises:
        SettingsError: something that it needs is not set.
    """
    if settings.switch == TWILIO_VOICE:
        opened = open_twilio(settings, wall)
        async with contextlib.aclosing(opened.switch):
            yield OpenedSwitch(opened.switch, wall, routers=(opened.router,))
        return
    simulator, clock = open_simulator(settings.simulator, wall, drive=drive)
    with contextlib.closing(simulator):
        yield OpenedSwitch(simulator, clock, simulator)


def open_simulator(
    settings: SimulatorSettings, wall: Clock, *, drive: bool
) -> tuple[Simulator, CallClock]:
    """Open the simulator and its clock, both as an earlier process left them.

    Its file has one writer. Who only commits commands reads the clock in it, and no more.
    """
    path = settings.file
    now, speed = wall.now_ms(), Fraction(settings.speed)
    if drive:
        path.parent.mkdir(parents=True, exist_ok=True)
        clock = CallClock(resume_clock(path, now, speed).base_call_ms, speed)
    else:
        base = read_orders(path).clock if path.exists() else None
        clock = CallClock(now if base is None else base.call_ms(now), speed)
    faults = settings.faults.model_dump()
    seed = faults.pop("seed")
    switch = Simulator(
        name="simulator",
        clock=clock,
        phones={number: _script(phone) for number, phone in settings.phones.items()},
        default=_script(settings.default),
        orders_path=path if drive else None,
        ports=settings.ports,
        rng=random.Random(seed),  # noqa: S311  (faults on purpose, repeatable)
        faults=Faults(**faults),
    )
    return switch, clock


def _script(phone: PhoneSettings) -> PhoneScript:
    return PhoneScript.from_seconds(
        ring_s=phone.ring_s,
        result=phone.result,
        press=phone.press,
        press_after_s=phone.press_after_s,
        talk_s=phone.talk_s,
    )


def house_of(settings: Settings, cut_guard_ms: int) -> House:
    """Return the deployment as units know it."""
    limits = settings.call_limits()
    return House(
        node=settings.node,
        switch=settings.switch,
        trunk=TRUNK,
        ports=ports_of(settings),
        service_number=settings.numbers.service,
        own_numbers=frozenset(settings.numbers.own),
        decks=Decks(),
        limits=limits,
        rules=rules_of(limits, cut_guard_ms),
        spaces={name: made.id_space for name, made in channel_classes().items()},
    )


def ports_of(settings: Settings) -> int:
    """Return how many legs the switch carries at once."""
    twilio = settings.switch == TWILIO_VOICE
    return settings.twilio_voice.ports if twilio else settings.simulator.ports


def rules_of(limits: Limits, cut_guard_ms: int) -> Rules:
    """Return the figures of a call's plan from the limits."""
    return Rules(
        accept_timeout_s=limits.accept_timeout_s,
        ring_timeout_s=limits.ring_timeout_s,
        grace_s=limits.chair_grace_s,
        alone_s=limits.alone_s,
        redials_per_party=limits.redials_per_party,
        free_s=limits.free_leg_s,
        cut_guard_ms=cut_guard_ms,
    )


def build_channels(settings: Settings, environment: Environment) -> list[Channel]:
    """Make every channel that is enabled, in the registry's order."""
    return [
        made(settings.channel(name), environment)
        for name, made in channel_classes().items()
        if settings.channel(name).enabled
    ]
