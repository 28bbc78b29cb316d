"""The driver: owns the running calls, feeds them events and deadlines, asks the switch.

One call is worked on by one task at a time, so its units never race each other; different calls
run side by side and share commits. What came while a unit ran goes into the next one. Ringing,
bridging and prompts change no money and are written with the next unit.
"""

import asyncio
import contextvars
import random
from collections.abc import Callable, Collection, Coroutine

import structlog
from sqlalchemy import bindparam, select

from call_core.calls.facts import Merge, merge
from call_core.calls.machine import advance, next_deadline
from call_core.calls.model import Call, CallState, LegState, call_id_of_leg
from call_core.contracts import Clock, EventKind, Switch, SwitchEvent
from call_core.engine.live_call import Actuator, LiveCall
from call_core.engine.switches import SwitchSet, as_set
from call_core.engine.timers import Timers
from call_core.engine.watch import Watch
from call_core.errors import CallCoreError, CommitUnknown, Fenced
from call_core.evolve import evolve
from call_core.storage import call_rows, tables
from call_core.storage.statements import select_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.units.advance import Advanced, advance_call, next_deadline_call_ms
from call_core.units.house import House, Stamp

log = structlog.get_logger(__name__)

_RETRY_S = 0.25
_SAME_DEADLINE_MS = 200
_PUT_OFF_MS = 1_000
_MOST_DOUBLINGS = 5  # a call whose unit breaks is looked at again after at most 32 s
_LATE_TRIES = 8
_LAST_STEP_S = 1.0
_MOST_FINISHED = 1_000  # whose last version is remembered while its announcement is under way
VERSION = select_statement(
    select(tables.calls.c.version).where(tables.calls.c.id == bindparam("id")), name="call_version"
)
_IDLE_STATES = (CallState.SCHEDULED, CallState.ASKED)


class Driver:
    """Runs every call that this process owns.

    Attributes:
        live: by call id, from launch to the last settlement.
        watch: whom to tell that a call changed.
        actuator: asks the switch.
        observe: told a call as it was and as it is after every change, for figures.
        driving: False in a process that only commits commands: calls are another one's then.
        may_act: whether this process's lease lets it ask the switches for anything now.
        unseen: whether a call may have legs that its switch has not shown us since we own it; such
            a call is left to reconcile, or its phones would be rung again.
        switch_back: set when a lost switch is back, for whoever reconciles.
        lost_call_ms: by switch, since when it has not been heard, until it was reconciled.
    """

    def __init__(
        self,
        store: Store,
        switch: Switch | SwitchSet,
        house: House,
        wall: Clock,
        call: Clock,
        rng: random.Random,
    ) -> None:
        self._store = store
        self._switches = as_set(switch)
        self._house = house
        self._wall = wall
        self._clock = call
        self._rng = rng
        self.actuator = Actuator(self._switches, house)
        self._timers = Timers(call, self._wake)
        self._tasks: set[asyncio.Task[None]] = set()
        self.live: dict[str, LiveCall] = {}
        self._finished: dict[str, int] = {}
        self.watch = Watch()
        self.quarantined = 0
        self.driving = False
        self.may_act: Callable[[], bool] = _always
        self.unseen: Callable[[Call], bool] = _never
        self._left: set[str] = set()
        self.observe: Callable[[Call, Call], None] | None = None
        self.switch_back = asyncio.Event()
        self.lost_call_ms: dict[str, int] = {}
        self._stopping = False

    def stamp(self) -> Stamp:
        """Return now, with fresh bits, for one unit."""
        return Stamp(self._wall.now_ms(), self._clock.now_ms(), self._rng.getrandbits(64))

    async def run(self) -> None:
        """Keep time and take the switch's events until cancelled."""
        self._stopping = False
        async with asyncio.TaskGroup() as group:
            group.create_task(self._timers.run())
            group.create_task(self._take_events())
            group.create_task(self._sweep())

    async def stop(self) -> None:
        """Finish the units under way; what comes later is for the next owner."""
        self._stopping = True
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def idle(self) -> bool:
        """Whether nothing is under way: whatever comes next comes from the switch or a clock."""
        return not self._tasks

    # --- what wakes a call ----------------------------------------------------------------------

    def adopt(self, call: Call, *, seen: bool = False) -> LiveCall | None:
        """Take a call that is running, which this process owns or has just come to own.

        Args:
            call: as stored.
            seen: it is known which of its legs there are.
        """
        if not self.driving or call.ended or call.state in _IDLE_STATES:
            return None
        if not self._house.drives(call.shard, call.epoch):
            return None
        live = self.live.get(call.id)
        if live is None and not seen and self.unseen(call):
            self._left.add(call.id)
            return None
        if live is None and self.knows(call.id, call.version):
            return None  # read before its end was committed: it would be rung again
        if live is None:
            live = self.live[call.id] = LiveCall(call)
        else:
            live.stale = live.stale or call.version > live.call.version
        self._kick(live)
        return live

    def launched(self, call: Call) -> None:
        """Take a call whose launch this process has just committed."""
        live = self.adopt(call, seen=True)
        if live is not None:
            live.begun(None, call)

    def look_again(self) -> None:
        """Take up what was left to reconcile and came too late for it."""
        left, self._left = self._left, set()
        for call_id in left - self.live.keys():
            self.refresh(call_id)

    def refresh(self, call_id: str) -> None:
        """Have a call read again because somebody else changed it; unknown calls are loaded."""
        if not self.driving:
            return
        live = self.live.get(call_id)
        if live is None:
            self._spawn(self._until_read(self._load, call_id))
            return
        live.stale = True
        self._kick(live)

    def check(self, call_id: str) -> None:
        """Have a call looked at that some process says has changed; ours are up to date mostly."""
        if self.driving:
            self._spawn(self._until_read(self._check, call_id))

    async def _check(self, call_id: str) -> None:
        live = self.live.get(call_id)
        if live is None:
            await self._load(call_id)
        elif live.call.version < await self._store.read(_version, call_id):
            self.refresh(call_id)

    def knows(self, call_id: str, version: int) -> bool:
        """Whether this process has seen a call as new as this, so that nothing need be read."""
        live = self.live.get(call_id)
        seen = self._finished.get(call_id, -1) if live is None else live.call.version
        return seen >= version

    def feed(self, event: SwitchEvent) -> None:
        """Take one event of the switch."""
        call_id = event.call_id or call_id_of_leg(event.leg_id)
        live = self.live.get(call_id)
        if live is None:
            log.info("event.of_no_live_call", leg_id=event.leg_id, kind=str(event.kind))
            if event.kind in (EventKind.ANSWERED, EventKind.DIGIT, EventKind.ENDED):
                self._spawn(self._late(call_id, event))
            return
        if self._soft(live, event):
            self.watch.changed(call_id)
            return
        live.events.append(event)
        self._kick(live)

    def _soft(self, live: LiveCall, event: SwitchEvent) -> bool:
        """Merge an event that needs no unit of its own; whether it was one."""
        if event.kind is EventKind.BRIDGE_FAILED:
            # Asked for too early or refused: the sweep asks again.
            if event.leg_id in live.asked:
                live.asked[event.leg_id].bridged = False
                live.unfinished = True
            return True
        leg = live.call.leg(event.leg_id)
        if leg is None or live.task is not None:
            return False
        ringing = event.kind is EventKind.RINGING
        bridged = event.kind is EventKind.BRIDGED and leg.state is LegState.ACCEPTED
        prompt = event.kind is EventKind.PROMPT_ENDED and live.call.state is not CallState.ENDING
        if not (ringing or bridged or prompt):
            return False
        merged = merge(leg, event)
        if merged.merge is Merge.MERGED:
            live.call = live.call.with_leg(merged.leg)
        return merged.merge is not Merge.QUARANTINED

    def _wake(self, call_id: str) -> None:
        live = self.live.get(call_id)
        if live is not None:
            self._kick(live)

    def _kick(self, live: LiveCall) -> None:
        live.due = True
        if live.task is None:
            live.task = self._spawn(self._work(live), live.context)

    def _spawn(
        self, work: Coroutine[object, object, None], context: contextvars.Context | None = None
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(_guarded(work), context=context)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- one call's work ------------------------------------------------------------------------

    async def _work(self, live: LiveCall) -> None:
        try:
            while live.due and not live.gone:
                live.due = False
                if not self.may_act():
                    # The lease may run out: nothing is done until it is renewed, or lost.
                    live.unfinished = True
                    return
                if self._has_work(live) and not await self._step(live):
                    live.due = not self._stopping  # with the store away, for the next owner
                    continue
                if not live.gone:
                    await self._act(live)
                live.heed()
            live.failures = 0
            if live.call.ended:
                self._forget(live)
            elif not live.gone:
                self._arm(live)
        except Exception:
            # Whatever broke, the call is looked at again: its events are still there.
            self._put_off(live)
            raise
        finally:
            live.task = None

    def _put_off(self, live: LiveCall) -> None:
        wait_ms = _PUT_OFF_MS << min(live.failures, _MOST_DOUBLINGS)
        live.failures += 1
        live.stale = True
        self._timers.set(live.call.id, self._clock.now_ms() + wait_ms)

    def _has_work(self, live: LiveCall) -> bool:
        """Whether a unit would change anything; what was just committed needs only the switch."""
        if live.stale or live.events:
            return True
        now, rules = self._clock.now_ms(), self._house.rules
        money = next_deadline_call_ms(live.call, self._house)
        if money is not None and money <= now:
            return True
        return advance(live.call, (), now, rules).call != live.call

    async def _step(self, live: LiveCall) -> bool:
        """Run one unit; False when it must be tried again, at once or after a pause."""
        events, live.events, read = live.events, [], live.stale
        try:
            if read:
                await self._reload(live)
            done = await self._store.run(advance_call, self._house, live.call, events, self.stamp())
        except CallCoreError as error:
            live.events = [*events, *live.events]
            live.stale = live.stale or isinstance(error, Fenced | CommitUnknown)
            if not isinstance(error, Fenced):
                # Who was faster is done by now; whatever else failed needs a pause.
                log.warning("call.unit_failed", call_id=live.call.id, error=error.code)
                await asyncio.sleep(_RETRY_S)
            return False
        except Exception:
            live.events = [*events, *live.events]
            raise
        if done.quarantined and done.call is live.call and not read:
            # Only what is stored is proof: another owner may have moved the call on.
            live.events, live.stale = [*events, *live.events], True
            return False
        self._took(live, done)
        return True

    def _took(self, live: LiveCall, done: Advanced) -> None:
        """Go on with the call as it was committed."""
        before, live.call = live.call, done.call
        self.quarantined += done.quarantined
        if done.quarantined:
            log.error("call.event_quarantined", call_id=live.call.id, count=done.quarantined)
        if live.call is not before:
            self._note(before, live.call)
            live.begun(before, live.call)
            self.watch.changed(live.call.id)

    def _note(self, before: Call, after: Call) -> None:
        if self.observe is not None:
            self.observe(before, after)
        if self._house.lines is not None:
            self._house.lines.health.note(before, after, self._clock.now_ms())

    async def _reload(self, live: LiveCall) -> None:
        live.stale = False  # before the store is asked: who says meanwhile that it changed counts
        try:
            fresh = await self._store.read(call_rows.load_call, live.call.id)
        except BaseException:
            live.stale = True
            raise
        if fresh is not None and not self._house.drives(fresh.shard, fresh.epoch):
            log.warning("call.of_another_owner", call_id=fresh.id, epoch=fresh.epoch)
            self._let_go(live)
            raise Fenced(fresh.id)
        if fresh is not None:
            live.call = _with_soft_facts(fresh, live.call)
            self.watch.changed(fresh.id)

    async def _act(self, live: LiveCall) -> None:
        live.unfinished = False  # before the switch is asked: what it says meanwhile counts
        try:
            await self.actuator.act(live, self._clock.now_ms())
        except Exception as error:  # noqa: BLE001  (any switch failure is tried again by the sweep)
            live.unfinished = True
            log.warning("switch.not_done", call_id=live.call.id, error=repr(error))

    def _arm(self, live: LiveCall) -> None:
        times = (
            next_deadline(live.call, self._house.rules),
            next_deadline_call_ms(live.call, self._house),
        )
        at_ms = min((at for at in times if at is not None), default=None)
        if at_ms is not None:
            # A deadline that has passed and changed nothing must not spin.
            at_ms = max(
                at_ms, self._clock.now_ms() + _SAME_DEADLINE_MS * (at_ms <= self._clock.now_ms())
            )
        self._timers.set(live.call.id, at_ms)

    def _forget(self, live: LiveCall) -> None:
        self._timers.set(live.call.id, None)
        self.live.pop(live.call.id, None)
        self._finished[live.call.id] = live.call.version
        if len(self._finished) > _MOST_FINISHED:
            del self._finished[next(iter(self._finished))]
        self.watch.changed(live.call.id)

    async def _until_read(
        self, look: Callable[[str], Coroutine[object, object, None]], call_id: str
    ) -> None:
        """Look at a call until the store lets us: nobody says again that it has changed."""
        while True:
            try:
                await look(call_id)
            except CallCoreError as error:
                log.warning("call.not_read", call_id=call_id, error=error.code)
                if self._stopping:
                    return
                await asyncio.sleep(_RETRY_S)
            else:
                return

    def _let_go(self, live: LiveCall) -> None:
        live.gone = True
        self._forget(live)

    async def drop(self, shards: Collection[int]) -> None:
        """Drive the calls of these shards no more; what is under way for them ends first."""
        dropped = [live for live in self.live.values() if live.call.shard in shards]
        for live in dropped:
            self._let_go(live)
        if under_way := [live.task for live in dropped if live.task]:
            # Not for ever: a switch that hangs must not keep us from renewing what is still ours.
            await asyncio.wait(under_way, timeout=_LAST_STEP_S)

    async def _load(self, call_id: str) -> None:
        call = await self._store.read(call_rows.load_call, call_id)
        if call is not None:
            self.adopt(call)

    async def _late(self, call_id: str, event: SwitchEvent) -> None:
        """Let an event of a finished call amend its bill, or one of a gained call be heard."""
        for attempt in range(_LATE_TRIES):
            if attempt and self._stopping:
                return  # reconcile of the next owner asks the switch how it ended
            try:
                if await self._took_late(call_id, event):
                    return
            except Fenced:
                continue
            except CallCoreError as error:
                # Repeating is harmless: an event that is in already says nothing new.
                log.warning("event.late_not_stored", call_id=call_id, error=error.code)
                await asyncio.sleep(_RETRY_S * 2**attempt)
            else:
                await asyncio.sleep(1)
        log.error("event.late_given_up", call_id=call_id, event_id=event.event_id)

    async def _took_late(self, call_id: str, event: SwitchEvent) -> bool:
        """Whether nothing is left to be done about an event of a call that we do not drive."""
        call = await self._store.read(call_rows.load_call, call_id)
        if call is None or not self._house.drives(call.shard, call.epoch):
            return True
        if call.ended:
            if event.kind is not EventKind.DIGIT:
                await self._store.run(advance_call, self._house, call, [event], self.stamp())
            return True
        # Gained just now: what was read of the switch, for its adoption, may be older than this.
        if call_id not in self.live:
            return self._stopping
        self.feed(event)
        return True

    # --- endless tasks --------------------------------------------------------------------------

    async def _take_events(self) -> None:
        async for event in self._switches.events():
            if event.kind is EventKind.SWITCH_LOST:
                log.warning("switch.lost", switch=event.switch)
                self.lost_call_ms.setdefault(event.switch, event.at_call_ms)
            elif event.kind is EventKind.SWITCH_BACK:
                log.info("switch.back", switch=event.switch)
                for live in list(self.live.values()):
                    live.unfinished = True
                self.switch_back.set()
            else:
                self.feed(event)
            if self._house.lines is not None:
                self._house.lines.health.told(event)

    async def _sweep(self) -> None:
        """Once a second ask the switch again for what it did not take."""
        while True:
            await asyncio.sleep(1)
            for live in [each for each in self.live.values() if each.unfinished]:
                self._kick(live)


def _always() -> bool:
    return True


def _never(_: Call) -> bool:
    return False


def _version(tx: Tx, call_id: str) -> int:
    row = tx.one(VERSION, id=call_id)
    return 0 if row is None else int(row[0])


def _with_soft_facts(fresh: Call, old: Call) -> Call:
    """Keep ringing and bridging, which only memory knows, when a call is read again."""
    for leg in fresh.legs():
        before = old.leg(leg.id)
        if before is None or before == leg:
            continue
        kept = evolve(
            leg,
            ringing_call_ms=leg.ringing_call_ms or before.ringing_call_ms,
            bridged_call_ms=leg.bridged_call_ms
            or (before.bridged_call_ms if leg.accepted_call_ms is not None else None),
        )
        fresh = fresh.with_leg(kept)
    return fresh


async def _guarded(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("driver.task_failed")
