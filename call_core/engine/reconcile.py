"""Reconcile: what the store believes against what the switch has.

Run at start, at take-over, when a lost switch is back, and now and then: a process that died, or a
switch that forgot to tell, must not leave a leg that nobody pays for, or a bill that never ends.
"""

from dataclasses import dataclass

import structlog

from call_core.calls.model import Call, Leg
from call_core.contracts import EventKind, LiveLeg, Switch, SwitchEvent
from call_core.engine.driver import Driver
from call_core.engine.live_call import AskedLeg, LiveCall
from call_core.errors import CallCoreError, Fenced
from call_core.storage.store import Store
from call_core.units.advance import lost_legs
from call_core.units.house import House
from call_core.units.stop import expire, originate_now

log = structlog.get_logger(__name__)

ORPHAN_AFTER_MS = 10_000
AGAIN_AFTER_MS = 2_000
"""A leg that was asked for so lately may still be on its way to the switch."""
_NORMAL_CLEARING = 16


@dataclass(slots=True)
class Report:
    """What a reconcile found, for the log and the tests.

    Attributes:
        calls: how many were looked at.
        answers_missed, ends_missed: events that the switch told nobody.
        lost: legs that are gone, and nobody knows when; expired: legs that never rang in time.
        orphans: legs that no call wants, hung up; young: the same, left alone for now.
        again: legs that the switch does not know although it was asked.
    """

    calls: int = 0
    answers_missed: int = 0
    ends_missed: int = 0
    lost: int = 0
    orphans: int = 0
    expired: int = 0
    young: int = 0
    again: int = 0

    def add(self, other: "Report") -> None:
        """Count in what another switch's reconcile found."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Reconciler:
    """Compares and mends, call by call.

    Args:
        store, switch, house, driver: of the engine.
        launch_ttl_s: a call that nobody rang by then is not launched any more.
    """

    def __init__(
        self, store: Store, switch: Switch, house: House, driver: Driver, launch_ttl_s: int
    ) -> None:
        self._store = store
        self._switch = switch
        self._house = house
        self._driver = driver
        self._launch_ttl_ms = launch_ttl_s * 1000

    async def run(
        self, calls: list[Call], last_seen_call_ms: int, shards: frozenset[int]
    ) -> Report:
        """Mend these calls, and hang up legs of our shard that belong to none.

        Args:
            calls: every running call of this owner, as stored.
            last_seen_call_ms: when a leg that is gone was certainly still there at the latest.
            shards: whose running calls these are, all of them; legs of others are left alone.
        """
        report = Report(calls=len(calls))
        there = {leg.leg_id: leg for leg in await self._switch.live_legs()}
        for call in calls:
            try:
                await self._mend(call, there, last_seen_call_ms, report)
            except (ConnectionError, CallCoreError):
                raise  # the switch or the store is away: all of it is tried again
            except Exception:  # a defect of ours in one call must not keep the others waiting
                log.exception("reconcile.call_failed", call_id=call.id)
        await self._hang_up_orphans(calls, there, shards, report)
        log.info("reconcile.done", **{name: getattr(report, name) for name in report.__slots__})
        return report

    async def _mend(
        self, call: Call, there: dict[str, LiveLeg], last_seen_call_ms: int, report: Report
    ) -> None:
        gone: set[str] = set()
        asked: dict[str, AskedLeg] = {}
        missing: set[str] = set()
        events: list[SwitchEvent] = []
        for leg in call.legs():
            if leg.originated_call_ms is None or leg.ended:
                continue
            live = there.get(leg.id)
            if live is not None:
                asked[leg.id] = AskedLeg(originated=True, bridged=bool(live.bridge))
                events += _missed_answer(leg, live, report)
                continue
            ended = await self._switch.ended_leg(leg.id)
            if ended is not None:
                report.ends_missed += 1
                events.append(ended)
            elif leg.hangup_asked or (leg.ringing_call_ms or leg.answered_call_ms) is not None:
                # It was there and is not; or it never was, and nobody wants it any more.
                gone.add(leg.id)
            elif self._too_old(call, leg):
                gone.add(leg.id)
                report.expired += 1
            else:
                missing.add(leg.id)
        if missing and not gone:
            call = await self._begin_again(call, missing)
        await self._apply(call, asked, events, frozenset(gone), last_seen_call_ms, report)
        self._ask_again(call, missing, report)

    async def _begin_again(self, call: Call, missing: set[str]) -> Call:
        """Count the ringing time of legs that the switch never had from now on."""
        stamp = self._driver.stamp()
        waited = frozenset(
            leg.id
            for leg in call.legs()
            if leg.id in missing and stamp.call_ms - (leg.originated_call_ms or 0) > AGAIN_AFTER_MS
        )
        if not waited:
            return call
        try:
            call = await self._store.run(originate_now, self._house, call, waited, stamp)
        except Fenced:
            log.info("reconcile.call_changed", call_id=call.id)
        if call.id in self._driver.live:
            self._driver.refresh(call.id)
        return call

    def _ask_again(self, call: Call, missing: set[str], report: Report) -> None:
        """Have legs originated again that the switch was asked for and never heard of."""
        live = self._driver.live.get(call.id)
        if live is None:
            return
        lost = [live.asked[leg_id] for leg_id in missing if leg_id in live.asked]
        lost = [asked for asked in lost if asked.originated]
        for asked in lost:
            asked.originated = False
        if lost:
            report.again += len(lost)
            self._driver.refresh(call.id)

    def _too_old(self, call: Call, leg: Leg) -> bool:
        """Whether a leg that never rang has waited too long for its launch.

        A caller's first leg waits since the request came; a later one, and that of a scheduled
        call, since it was to be originated. What a backup brought back is always too old.
        """
        stamp = self._driver.stamp()
        restored = self._house.restored_wall_ms
        if restored is not None and call.created_wall_ms < restored:
            return True
        if leg.n == call.first.n and leg.attempt == 1 and call.due_call_ms is None:
            return stamp.wall_ms - call.created_wall_ms > self._launch_ttl_ms
        return stamp.call_ms - (leg.originated_call_ms or 0) > self._launch_ttl_ms

    async def _apply(
        self,
        call: Call,
        asked: dict[str, AskedLeg],
        events: list[SwitchEvent],
        gone: frozenset[str],
        last_seen_call_ms: int,
        report: Report,
    ) -> None:
        if gone:
            try:
                call = await self._end_gone(call, gone, last_seen_call_ms)
            except Fenced:
                log.info("reconcile.call_changed", call_id=call.id)
                self._driver.refresh(call.id)
                return
            report.lost += len(gone)
        live = self._driver.live.get(call.id) or self._driver.adopt(call, seen=True)
        if live is None:
            return
        _merge_asked(live, asked)
        for event in events:
            self._driver.feed(event)
        if gone:
            self._driver.refresh(call.id)

    async def _end_gone(self, call: Call, gone: frozenset[str], last_seen_call_ms: int) -> Call:
        stamp = self._driver.stamp()
        never_rung = all(
            leg.ringing_call_ms is None and leg.answered_call_ms is None for leg in call.legs()
        )
        if never_rung:
            return await self._store.run(expire, self._house, call, gone, stamp)
        done = await self._store.run(lost_legs, self._house, call, gone, last_seen_call_ms, stamp)
        return done.call

    async def _hang_up_orphans(
        self,
        calls: list[Call],
        there: dict[str, LiveLeg],
        shards: frozenset[int],
        report: Report,
    ) -> None:
        """Hang up legs that no call wants, young ones excepted: their commit may be under way."""
        wanted = {leg.id for call in calls for leg in call.legs() if not leg.ended}
        now = self._driver.stamp().call_ms
        for live in there.values():
            mine = live.shard in shards and live.shard in self._house.tenure.epochs
            mine = mine and self._driver.may_act()
            old = now - live.since_call_ms > ORPHAN_AFTER_MS
            known = live.leg_id in wanted or live.call_id in self._driver.live
            if mine and not old and not known:
                report.young += 1
            elif mine and not known:
                report.orphans += 1
                log.warning("reconcile.orphan", leg_id=live.leg_id)
                await self._switch.hang_up(live.leg_id, _NORMAL_CLEARING)


def _missed_answer(leg: Leg, live: LiveLeg, report: Report) -> list[SwitchEvent]:
    """Return the answer of a leg that we do not know, or know only by what came after it.

    A key or a bridge proves an answer, but not when it was: until that is known the leg's limit is
    counted from too late an instant.
    """
    if live.answered_call_ms is None:
        return []
    if leg.answered_call_ms is not None and leg.answered_call_ms <= live.answered_call_ms:
        return []
    report.answers_missed += 1
    return [
        SwitchEvent(
            event_id=f"{leg.id}:answered",
            kind=EventKind.ANSWERED,
            leg_id=leg.id,
            call_id=live.call_id,
            at_call_ms=live.answered_call_ms,
        )
    ]


def _merge_asked(live: LiveCall, asked: dict[str, AskedLeg]) -> None:
    """Note which legs the switch has, so that they are not originated again."""
    for leg_id, known in asked.items():
        mine = live.asked.setdefault(leg_id, known)
        mine.originated, mine.fresh = True, False
        if mine.hung_up or (mine.bridged and not known.bridged):
            # Asked for, and not so: asked again by the sweep.
            mine.hung_up, mine.bridged = False, known.bridged
            live.unfinished = True
