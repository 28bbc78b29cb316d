"""The wiring: the only place that picks implementations and puts them together.

async with open_core(settings) as core:        # database, switch, core; nothing runs yet
    channels = build_channels(settings, environment)
    await core.start()                         # from now on calls are driven
    …                                          # the channels are started
    core.deliver_by(channels)                  # from now on messages go out
    …
    await core.stop()
"""

import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from fastapi import APIRouter

from call_core import notices, outcomes
from call_core.calls.rules import Rules
from call_core.contracts import Clock, Switch
from call_core.customers.limits import Limits
from call_core.door import Core as CallCoreDoor
from call_core.door import is_claimed
from call_core.engine.engine import Engine, EngineSettings
from call_core.engine.leases import count_shards
from call_core.engine.shard import require_free
from call_core.engine.switches import SwitchSet
from call_core.engine.tenancy import Figures
from call_core.storage import outbox_rows
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.rate_rows import Decks
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_client import RemoteSimulator
from call_core.switches.simulator_faults import Faults
from call_core.switches.simulator_orders import read as read_orders
from call_core.switches.simulator_orders import resume_clock, shared_clock
from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.simulator_server import SimulatorServer
from call_core.units.house import House
from channels.kit.contract import Channel, Environment, Outgoing
from channels.kit.registry import channel_classes
from gateway.asterisk_wiring import open_asterisk
from gateway.clocks import CallClock, WallClock
from gateway.health import Check, Readiness
from gateway.lines import (
    TRUNK,
    first_switch,
    lines_of,
    orders_file,
    ports_of,
    refuse_unknown_kinds,
    socket_of,
)
from gateway.metrics import Metrics
from gateway.settings import ASTERISK, SIMULATOR, Settings
from gateway.settings_file import SettingsError
from gateway.settings_sections import PhoneSettings
from gateway.telemetry import tracing
from gateway.twilio_wiring import open_twilio
from gateway.watched import watch

Deliver = Callable[[OutboxRow], Awaitable[None]]


class Core(CallCoreDoor):
    """The call core with what the gateway needs of it besides the channels' contract.

    Attributes:
        wall, call_clock: our clock, and the switch's.
        switches: what carries the calls, by name; simulators: those that are simulated.
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
        opened: "OpenedSwitches",
        metrics: Metrics,
        deliver: dict[str, Deliver],
    ) -> None:
        super().__init__(store, engine, wall, call, rng)
        self.wall = wall
        self.call_clock = call
        self.switches: Mapping[str, Switch] = opened.switches
        self.simulators: Mapping[str, Simulator] = opened.simulators
        self.routers: Sequence[APIRouter] = opened.routers
        self.metrics = metrics
        self._deliver = deliver

    async def start(self) -> None:
        """Start driving calls; messages wait for `deliver_by`, here or in another process."""
        self.engine.outbox.hold()
        await super().start()

    def deliver_by(self, channels: Sequence[Channel]) -> None:
        """Let messages go out through these channels, which are started."""
        for channel in channels:
            self._deliver[channel.name] = _deliverer(channel)
        self.engine.outbox.release()

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
        found = {name: await switch.health() for name, switch in self.switches.items()}
        if len(found) == 1:
            (health,) = found.values()
            return Check(ok=health.up, detail=health.detail)
        up = [name for name, health in found.items() if health.up]
        down = sorted(set(found) - set(up))
        detail = f"{len(up)} of {len(found)} up" + (f"; down: {', '.join(down)}" if down else "")
        return Check(ok=bool(up), detail=detail)

    async def _engine(self) -> Check:
        if self.engine.taken_over:
            return Check(ok=False, detail="another node has taken over; restart or stop this one")
        running, tenancy = self.engine.running, self.engine.tenancy
        detail = f"drives {len(self.engine.driver.live)} calls" if running else "does not run"
        if tenancy is None or not running:
            return Check(ok=running, detail=detail)
        tenure = self.engine.house.tenure
        detail += f" of {len(tenure.epochs)} shards out of {tenure.shards}, {tenancy.nodes} nodes"
        if not tenancy.acting:
            detail += "; its leases are not renewed, so it asks the switches for nothing"
        return Check(ok=tenancy.acting, detail=detail)


def _outbox_age(tx: Tx) -> int:
    row = tx.one(outbox_rows.AGE)
    return 0 if row is None else int(row[0])


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
    settings: Settings, *, create: bool = False, drive: bool = True, beside: str = "cli"
) -> AsyncIterator[Core]:
    """Open database, switch and core; nothing is driven until `start`.

    Args:
        settings: what was configured.
        create: make and upgrade the database when it is missing.
        drive: whether `start` will be called; False leaves the switch's file to whoever serves.
        beside: what this process is to the one that serves, without `drive`.

    Raises:
        StoreUnavailable: there is no such database, or it does not keep what it commits.
        ShardTaken: `drive`, and another node serves the database.
        SettingsError: switches and trunks do not fit together, or a file of theirs has no place.
    """
    refuse_unknown_kinds(settings)
    lines = lines_of(settings)
    url = settings.database_url()
    if create:
        from call_core.storage import migrate  # noqa: PLC0415  (Alembic is a seventh of a start)

        migrate.upgrade(url)
    wall = WallClock()
    # What runs beside `serve` writes an audit chain of its own: `serve` remembers its end.
    node = settings.node if drive else f"{settings.node}/{beside}"
    try:
        store = await Store.open(
            url, node=node, limits=settings.store, probe=is_claimed, jitter=random.SystemRandom()
        )
    except ValueError as error:
        raise SettingsError(f"database.url: {error}; sqlite:///PATH or postgresql://….") from error
    try:
        if drive:
            # Asked before the switch's file is opened: it may be the other node's.
            await _may_drive(store, settings, wall)
        async with open_switches(settings, wall, drive=drive) as opened:
            deliver: dict[str, Deliver] = {}
            rng = random.SystemRandom()
            switches = SwitchSet(list(opened.switches.values()))
            house = replace(house_of(settings, switches.cut_guard_ms), lines=lines)
            clock = opened.clock
            house.tenure.shards = await store.read(count_shards)
            figures = engine_settings_of(settings)
            engine = Engine(store, switches, house, wall, clock, rng, deliver, figures)
            metrics = Metrics(wall)
            core = Core(
                store, engine, wall, clock, rng, opened=opened, metrics=metrics, deliver=deliver
            )
            async with tracing(settings, drive=drive) as traces:
                watch(core, store, wall, metrics, traces)
                yield core
    finally:
        await store.close()


async def _may_drive(store: Store, settings: Settings, wall: Clock) -> None:
    """Refuse to be a second node where there may be one only.

    Raises:
        ShardTaken: another node serves the database alone.
    """
    if not settings.many_nodes:
        await store.read(require_free, settings.node, wall.now_ms())


def engine_settings_of(settings: Settings) -> EngineSettings:
    """Return how this process drives calls: alone, or its share of them."""
    if not settings.many_nodes:
        return EngineSettings()
    lease_s = float(settings.nodes.lease_s)
    return EngineSettings(
        many=Figures(settings.nodes.shards, lease_s / 4, lease_s, lease_s * 3 / 4)
    )


@dataclass(frozen=True, slots=True)
class OpenedSwitches:
    """The switches, their one clock, and the routes by which they are told things.

    Attributes:
        switches: all of them by name, in the order of the settings.
        simulators: those that are simulated inside this process.
    """

    clock: Clock
    switches: dict[str, Switch] = field(default_factory=dict)
    simulators: dict[str, Simulator] = field(default_factory=dict)
    routers: list[APIRouter] = field(default_factory=list)


@contextlib.asynccontextmanager
async def open_switches(
    settings: Settings, wall: Clock, *, drive: bool
) -> AsyncIterator[OpenedSwitches]:
    """Open every switch of the settings, and let go of them at the end; their legs go on.

    Raises:
        SettingsError: something that one of them needs is not set.
    """
    kinds = settings.switch_kinds()
    simulated = [name for name, kind in kinds.items() if kind == SIMULATOR]
    opened = OpenedSwitches(_call_clock(settings, wall, simulated, drive=drive))
    async with contextlib.AsyncExitStack() as closing:
        for name in kinds:
            socket = socket_of(settings, name)
            if socket is not None:
                remote = RemoteSimulator(name, socket, opened.clock)
                closing.callback(remote.close)
                opened.switches[name] = remote
            elif name in simulated:
                file = orders_file(settings, name) if drive else None
                simulator = _simulator(settings, name, opened.clock, file)
                closing.callback(simulator.close)
                opened.switches[name] = opened.simulators[name] = simulator
            elif kinds[name] == ASTERISK:
                asterisk, client = open_asterisk(settings, wall, name)
                closing.push_async_callback(client.aclose)
                opened.switches[name] = asterisk
            else:
                made = open_twilio(settings, wall, name)
                closing.push_async_callback(made.switch.aclose)
                opened.switches[name] = made.switch
                opened.routers.append(made.router)
        yield opened


def _call_clock(settings: Settings, wall: Clock, simulated: Sequence[str], *, drive: bool) -> Clock:
    """Return the clock of all switches: the world's, unless all are simulated.

    The simulators' goes on where an earlier process left it; it stands in their common file, which
    has one writer. Who only commits commands reads it, and no more.
    """
    if len(simulated) < len(settings.switch_kinds()):
        return wall
    path, speed = settings.simulator.file, Fraction(settings.simulator.speed)
    now = wall.now_ms()
    if any(socket_of(settings, name) for name in simulated):
        return CallClock(shared_clock(path, now, speed).call_ms(wall.now_ms()), speed)
    if not drive:
        base = read_orders(path).clock if path.exists() else None
        return CallClock(now if base is None else base.call_ms(now), speed)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"simulator.file cannot be kept in {path.parent} ({error.strerror}); set another."
        ) from error
    start = resume_clock(path, now, speed).base_call_ms
    others = [file for name in simulated if (file := orders_file(settings, name)) != path]
    return CallClock(max((start, *(read_orders(file).last_call_ms for file in others))), speed)


async def simulate(settings: Settings, name: str, ready: Callable[[Path], None]) -> None:
    """Serve one simulated switch to the nodes of this machine until cancelled.

    Raises:
        SettingsError: it is no switch with a socket, or nobody could reach it there.
    """
    socket = socket_of(settings, name)
    if socket is None:
        raise SettingsError(f"switches.{name}.socket is not set, so nobody could reach it.")
    clock = _call_clock(settings, WallClock(), list(settings.switch_kinds()), drive=True)
    simulator = _simulator(settings, name, clock, orders_file(settings, name))
    with contextlib.closing(simulator):
        server = SimulatorServer(simulator, socket)
        try:
            await server.listen()
        except OSError as error:
            raise SettingsError(
                f"switches.{name}.socket cannot be listened on ({socket}: "
                f"{error.strerror or error}); set another."
            ) from error
        ready(socket)
        await server.run()


def _simulator(settings: Settings, name: str, clock: Clock, path: Path | None) -> Simulator:
    simulator = settings.simulator
    faults = simulator.faults.model_dump()
    seed = faults.pop("seed")
    made = Simulator(
        name=name,
        clock=clock,
        phones={number: _script(phone) for number, phone in simulator.phones.items()},
        default=_script(simulator.default),
        orders_path=path,
        ports=ports_of(settings, name),
        rng=random.Random(f"{seed}{name}"),  # noqa: S311  (faults on purpose, repeatable)
        faults=Faults(**faults),
    )
    made.trunk_causes = dict(simulator.trunk_causes)
    return made


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
        switch=first_switch(settings),
        trunk=TRUNK,
        ports=ports_of(settings, first_switch(settings)),
        service_number=settings.numbers.service,
        own_numbers=frozenset(settings.numbers.own),
        decks=Decks(),
        limits=limits,
        rules=rules_of(limits, cut_guard_ms),
        spaces={name: made.id_space for name, made in channel_classes().items()},
    )


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
