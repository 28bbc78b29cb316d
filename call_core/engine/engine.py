"""The engine: everything that runs beside the door, started and stopped as one."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

import structlog
from sqlalchemy import bindparam, select

from call_core.calls.model import Call
from call_core.contracts import Clock, ShardedSwitch, Switch
from call_core.engine.driver import Driver
from call_core.engine.inbox import Inbox
from call_core.engine.leases import FACT, PUT_FACT, SHARDS_TOPIC, Beat
from call_core.engine.outbox import Outbox
from call_core.engine.reaper import Keep, Reaper, count_ports
from call_core.engine.reconcile import Reconciler, Report
from call_core.engine.scheduler import Scheduler
from call_core.engine.shard import ONLY, ShardTaken, release_shard, renew_lease, take_shard
from call_core.engine.switches import SwitchSet, as_set
from call_core.engine.tenancy import Figures, Tenancy
from call_core.engine.watch import woken_or
from call_core.errors import CallCoreError
from call_core.storage import call_rows, inbox_rows, outbox_rows, tables
from call_core.storage.outbox_rows import OutboxRow
from call_core.storage.restored import restored_wall_ms
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.units import calendar
from call_core.units.changes import CALENDAR_TOPIC, CALLS_TOPIC
from call_core.units.house import House
from call_core.units.lines import Lines

log = structlog.get_logger(__name__)

ALIVE = "alive_call_ms"
ALIVE_EVERY_S = 5.0
RECONCILE_EVERY_S = 30.0
YOUNG_AGAIN_S = 10.0
RETRY_S = 1.0
LOOK_AT_SWITCHES_S = 2.0
SWITCH_ANSWERS_S = 2.0
MOST_DUE_SHOWN = 100
_IDLE = ("SCHEDULED", "ASKED")
RUNNING = call_rows.call_set(
    select(tables.calls.c.id).where(
        tables.calls.c.ended_wall_ms.is_(None),
        tables.calls.c.state.notin_(_IDLE),
        tables.calls.c.shard == bindparam("shard"),
    ),
    "our_shard",
)


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Figures of the engine.

    Attributes:
        launch_ttl_s: a call that could not be rung by then is not launched any more.
        keep: how long claims, messages and digits are kept.
        lease_s: how long the shard is ours without renewing it, which happens every
            `ALIVE_EVERY_S`; so long after a crash no node of another name may start.
        many: how shards are shared among nodes; None drives everything alone, or not at all.
    """

    launch_ttl_s: int = 120
    keep: Keep = field(default_factory=Keep)
    lease_s: int = 15
    many: Figures | None = None


class Engine:
    """Owns the calls of one shard and everything that must happen without being asked.

    Args:
        store, switch: opened by the wiring.
        house: the deployment; `start` begins its term.
        wall, call: our clock and the switch's.
        rng: bits for ids.
        deliver: by channel name; set before `start` once the channels exist.
        settings: figures.

    Attributes:
        taken_over: whether another process has taken the shard from this one, which then drives
            nothing any more.
    """

    def __init__(
        self,
        store: Store,
        switch: Switch | SwitchSet,
        house: House,
        wall: Clock,
        call: Clock,
        rng: random.Random,
        deliver: Mapping[str, Callable[[OutboxRow], Awaitable[None]]],
        settings: EngineSettings,
    ) -> None:
        self._store = store
        self._switches = as_set(switch)
        self._wall = wall
        self._call = call
        self._settings = settings
        self.house = house
        self.driver = Driver(store, self._switches, house, wall, call, rng)
        self.inbox = Inbox(store, wall, house.tenure)
        self.outbox = Outbox(store, wall, deliver, house.node, house.tenure)
        self.scheduler = Scheduler(store, house, self.driver, call)
        self.reaper = Reaper(store, house, wall, settings.keep, call)
        self._reconcilers = {
            each.name: Reconciler(store, each, house, self.driver, settings.launch_ttl_s)
            for each in self._switches
        }
        self._unseen: dict[str, dict[int, int | None]] = {name: {} for name in self._reconcilers}
        self.driver.unseen = self._is_unseen
        self.tenancy: Tenancy | None = None
        if settings.many is not None:
            self.tenancy = Tenancy(store, house, wall, settings.many, self._alive_call_ms)
            self.driver.may_act = partial(getattr, self.tenancy, "acting")
        self.taken_over = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> Report:
        """Take shards, reconcile what an earlier process left, then run.

        A switch that cannot be reached now is reconciled as soon as it can.

        Raises:
            ShardTaken: another node serves this database alone; nothing was started.
        """
        if self.tenancy is None:
            await self._begin_alone()
            keeping = self._stay_alive()
        else:
            await self.tenancy.open()
            self._begin_terms(await self.tenancy.beat())
            keeping = self._share_shards(self.tenancy)
        self.driver.driving = True
        await self._store.read(self.house.decks.warm)
        await self._store.run(count_ports, self.house)
        await self._read_restored()
        report = await self._reconcile()
        for work in (
            *((self._watch_switches(self.house.lines),) if self.house.lines else ()),
            self.driver.run(),
            self.inbox.run(),
            self.outbox.run(),
            self.scheduler.run(),
            self.reaper.run(),
            self._follow_changes(),
            keeping,
            self._reconcile_again(report),
        ):
            task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(_log_failure)
            self._tasks.append(task)
        return report

    async def _begin_alone(self) -> None:
        epoch = await self._store.run(
            take_shard, self.house, self._wall.now_ms(), self._settings.lease_s
        )
        self.house.tenure.epochs[ONLY] = epoch
        last_seen = await self._store.read(_alive)
        for unseen in self._unseen.values():
            unseen[ONLY] = last_seen

    async def stop(self) -> None:
        """Finish what is under way and stop; running calls stay as they are for the next owner."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.driver.stop()
        if not self.house.tenure.epochs or self.taken_over:
            return
        if self.tenancy is not None:
            await self.tenancy.leave()
            return
        with contextlib.suppress(CallCoreError):
            await self._renew()
            await self._store.run(release_shard, self.house)

    @property
    def running(self) -> bool:
        """Whether every part of the engine runs."""
        return bool(self._tasks) and all(not task.done() for task in self._tasks)

    async def _follow_changes(self) -> None:
        """See what other processes on the same database committed."""
        wakers = {outbox_rows.TOPIC: self.outbox.wake, inbox_rows.TOPIC: self.inbox.wake}
        if self.tenancy is not None:
            wakers[SHARDS_TOPIC] = self.tenancy.wake
        async for topic in self._store.changes():
            if topic.startswith(CALLS_TOPIC):
                self._call_changed(*topic.removeprefix(CALLS_TOPIC).split(":"))
            elif topic.startswith(CALENDAR_TOPIC):
                self.scheduler.wake()
            elif topic in wakers:
                wakers[topic]()
            elif topic == "decks":
                await self._warm_decks()
            elif topic == "":
                await self.reread()

    async def _warm_decks(self) -> None:
        """Read a deck that was just activated before a caller has to wait for it."""
        try:
            await self._store.read(self.house.decks.warm)
        except (CallCoreError, ValueError) as error:
            log.warning("decks.not_read", error=repr(error))

    def _call_changed(self, shard: str, call_id: str, version: str) -> None:
        if int(shard) not in self.house.tenure.epochs:
            return
        # Our own units announce too; a call whose driver wrote it last is up to date.
        if self.driver.knows(call_id, int(version)):
            return
        live = self.driver.live.get(call_id)
        if live is None or live.task is None:
            self.driver.check(call_id)
        else:
            live.announced = max(live.announced, int(version))  # looked at when its work is done

    async def _read_restored(self) -> None:
        """Learn whether the database came out of a backup that nobody has released yet."""
        tenure = self.house.tenure
        tenure.restored_wall_ms = await self._store.read(restored_wall_ms)
        if tenure.restored_wall_ms is not None:
            held = await self._store.read(_due_ids, self._call.now_ms())
            log.warning("store.restored", at_wall_ms=tenure.restored_wall_ms, not_fired=held)

    async def reread(self) -> None:
        """Look at everything that another process may have changed."""
        try:
            if self.house.restored_wall_ms is not None:
                self.house.tenure.restored_wall_ms = await self._store.read(restored_wall_ms)
            self.inbox.wake()
            self.outbox.wake()
            self.scheduler.wake()
            rows = await self._store.read(_versions)
        except CallCoreError:
            return
        for call_id, version, state, shard in rows:
            live = self.driver.live.get(call_id)
            if shard not in self.house.tenure.epochs:
                continue
            if state not in _IDLE and (live is None or live.call.version < version):
                self.driver.refresh(call_id)

    async def _stay_alive(self) -> None:
        """Renew the lease, and note when we were certainly alive, until another has the shard.

        The note bounds what a lost leg is charged.

        Raises:
            ShardTaken: nothing is driven any more, and `/readyz` says so.
        """
        while not self.taken_over:
            await self._wall.sleep_until(self._wall.now_ms() + round(ALIVE_EVERY_S * 1000))
            try:
                await self._renew()
            except CallCoreError as error:
                # Whoever takes the shard meanwhile fences our writes.
                log.warning("shard.not_renewed", error=error.code)
        await self._let_go()

    async def _renew(self) -> None:
        """Renew the lease; while the switch is lost, calls are not seen and no note is made."""
        self.taken_over = not await self._store.run(
            _renew,
            self.house,
            self._wall.now_ms(),
            self._settings.lease_s,
            self._alive_call_ms(),
        )

    def _alive_call_ms(self) -> int | None:
        """Return until when every running call was certainly watched; None while one is not."""
        unwatched = any(self._unseen.values()) or bool(self.driver.lost_call_ms)
        return None if unwatched else self._call.now_ms()

    # --- shards shared with other nodes ---------------------------------------------------------

    async def _share_shards(self, tenancy: Tenancy) -> None:
        """Beat until stopped: renew, take over from nodes that are silent, give away an excess.

        Raises:
            ShardTaken: another process of this name has our shards; `/readyz` says so.
        """
        while not self.taken_over:
            await tenancy.wait()
            try:
                await self._follow_beat(tenancy, await tenancy.beat())
            except CallCoreError as error:
                log.warning("shards.not_renewed", error=error.code, acting=tenancy.acting)
        await self._let_go()

    async def _follow_beat(self, tenancy: Tenancy, found: Beat) -> None:
        # Before anything is waited for: a gained shard's calls are not here yet.
        self._begin_terms(found)
        if found.lost:
            log.warning("shards.lost", shards=sorted(found.lost))
            await self._drop(found.lost)
        self.taken_over = bool(found.stolen)
        if found.lost or found.excess:
            self.driver.switch_back.set()  # the switches hear soon what is not ours any more
        if found.gained:
            await self._store.run(count_ports, self.house)
            self.driver.switch_back.set()
            self.inbox.wake()
            self.outbox.wake()
            self.scheduler.wake()
        if found.excess:
            log.info("shards.given_away", shards=sorted(found.excess), nodes=found.nodes)
            await self._drop(found.excess)
            tenancy.let_go(found.excess)

    def _begin_terms(self, found: Beat) -> None:
        """Have the calls of gained shards reconciled with every switch."""
        if found.gained:
            log.info("shards.gained", shards=sorted(found.gained), nodes=found.nodes)
        for unseen in self._unseen.values():
            unseen.update(found.last_seen_call_ms)

    async def _drop(self, shards: Collection[int]) -> None:
        tenure = self.house.tenure
        for shard in shards:
            tenure.let_go[shard] = tenure.epochs.pop(shard, 0)
            for unseen in self._unseen.values():
                unseen.pop(shard, None)
        await self.driver.drop(shards)

    async def _let_go(self) -> None:
        """Stop driving; the calls are another's."""
        log.error("shard.taken_over", node=self.house.node)
        others = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.driver.stop()
        raise ShardTaken("Another node has taken over; this one drives nothing any more.")

    async def _reconcile(self) -> Report:
        """Compare every switch's calls with it; one that cannot be reached is tried again."""
        self.driver.switch_back.clear()
        report = Report()
        if not self.driver.may_act():
            return report  # what looks like nobody's may be another owner's by now
        for name, reconciler in self._reconcilers.items():
            try:
                report.add(await self._reconcile_one(name, reconciler))
            except Exception as error:  # noqa: BLE001  (the switch or the store)
                log.warning("reconcile.failed", switch=name, error=repr(error))
        return report

    async def _reconcile_one(self, name: str, reconciler: Reconciler) -> Report:
        """Compare calls with their switch: at first as stored, later as their driver has them."""
        switch, owned = self._switches.of(name), frozenset(self.house.tenure.epochs)
        # Before it is waited for: of what is gained meanwhile the switch shows nothing yet.
        report, unseen = Report(), dict(self._unseen[name])
        lost_call_ms = self.driver.lost_call_ms.get(name)
        if isinstance(switch, ShardedSwitch):
            await switch.own(owned)
        for last_seen in set(unseen.values()):
            shards = frozenset(shard for shard, each in unseen.items() if each == last_seen)
            calls = await self._store.run(_running, shards)
            seen_call_ms = self._call.now_ms() if last_seen is None else last_seen
            report.add(await reconciler.run(self._on(name, calls), seen_call_ms, shards))
            for shard in shards:
                self._unseen[name].pop(shard, None)
        if unseen:
            self._found_again(name, lost_call_ms)
            self.driver.look_again()
            return report
        idle = [live.call for live in list(self.driver.live.values()) if live.task is None]
        calls = [call for call in idle if call.shard in owned]
        last_seen = self._call.now_ms() if lost_call_ms is None else lost_call_ms
        report.add(await reconciler.run(self._on(name, calls), last_seen, owned))
        self._found_again(name, lost_call_ms)
        return report

    def _found_again(self, name: str, lost_call_ms: int | None) -> None:
        """Note that a switch is heard again, unless it was lost once more meanwhile."""
        if self.driver.lost_call_ms.get(name) == lost_call_ms:
            self.driver.lost_call_ms.pop(name, None)

    def _is_unseen(self, call: Call) -> bool:
        """Whether a call's switch has not been asked for its legs since we own its shard."""
        return call.shard in self._unseen[self._switches.of(call.switch).name]

    def _on(self, name: str, calls: Iterable[Call]) -> list[Call]:
        return [call for call in calls if self._switches.of(call.switch).name == name]

    async def _watch_switches(self, lines: Lines) -> None:
        """Ask every switch how it is, where calls can leave by another."""
        while True:
            await self.look_at_switches(lines)
            await asyncio.sleep(LOOK_AT_SWITCHES_S)

    async def look_at_switches(self, lines: Lines) -> None:
        """Ask every switch once how it is."""
        for switch in self._switches:
            if await _is_up(switch):
                lines.health.down.discard(switch.name)
            else:
                lines.health.down.add(switch.name)

    async def _reconcile_again(self, report: Report) -> None:
        """Look for what the switch did not tell: when it is back, and now and then."""
        while True:
            wait_s = YOUNG_AGAIN_S if report.young else RECONCILE_EVERY_S
            if any(self._unseen.values()):
                wait_s = RETRY_S
            at_ms = self._wall.now_ms() + round(wait_s * 1000)
            await woken_or(self.driver.switch_back, self._wall, at_ms)
            report = await self._reconcile()


async def _is_up(switch: Switch) -> bool:
    try:
        async with asyncio.timeout(SWITCH_ANSWERS_S):
            return (await switch.health()).up
    except Exception:  # noqa: BLE001  (whatever it is, the switch takes no call)
        return False


def _running(tx: Tx, shards: frozenset[int]) -> list[Call]:
    """Return every running call of these shards."""
    found = [call for each in shards for call in call_rows.load_calls(tx, RUNNING, shard=each)]
    return sorted(found, key=lambda call: call.created_wall_ms)


def _alive(tx: Tx) -> int | None:
    """Return when a process that drove everything alone was last certainly alive."""
    row = tx.one(FACT, key=ALIVE)
    return None if row is None else int(row[0])


def _due_ids(tx: Tx, now_call_ms: int) -> list[str]:
    """Return the ids of scheduled calls whose time has come."""
    return [row[0] for row in tx.all(calendar.DUE, before=now_call_ms, most=MOST_DUE_SHOWN)]


def _versions(tx: Tx) -> list[tuple[str, int, str, int]]:
    return [(row[0], row[1], row[2], row[3]) for row in tx.all(call_rows.LIVE_CALLS)]


def _renew(tx: Tx, house: House, wall_ms: int, lease_s: int, alive_call_ms: int | None) -> bool:
    ours = renew_lease(tx, house, wall_ms, lease_s)
    if ours and alive_call_ms is not None:
        tx.write(PUT_FACT, key=ALIVE, value=str(alive_call_ms))
    return ours


def fact(tx: Tx, key: str) -> str | None:
    """Return a remembered fact."""
    row = tx.one(FACT, key=key)
    return None if row is None else str(row[0])


def _log_failure(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("engine.task_failed", exc_info=error)
