"""Launches scheduled calls when they are due, and warns ahead of what would stop them."""

import asyncio

import structlog

from call_core.contracts import Clock
from call_core.engine.driver import Driver
from call_core.errors import CallCoreError, CommitUnknown, Fenced
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from call_core.units import calendar
from call_core.units.calendar import WARN_BEFORE_MS
from call_core.units.house import House

log = structlog.get_logger(__name__)

BATCH = 100
_POLL_S = 1.0


class Scheduler:
    """Watches the calendar by the call clock.

    Args:
        store, house, driver: of the engine.
        call: the switch's clock; schedules are kept by it.
    """

    def __init__(self, store: Store, house: House, driver: Driver, call: Clock) -> None:
        self._store = store
        self._house = house
        self._driver = driver
        self._clock = call
        self._wake = asyncio.Event()
        self._overdue: set[str] = set()
        self.launched = 0

    def wake(self) -> None:
        """Look now: the calendar changed."""
        self._wake.set()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            self._wake.clear()
            try:
                next_ms = await self.look()
            except CallCoreError as error:
                log.warning("scheduler.store_unavailable", error=error.code)
                next_ms = None
            await self._until(next_ms)

    async def look(self) -> int | None:
        """Do what is due now; return when something is due next, None when nothing stands there."""
        now = self._clock.now_ms()
        if not self._driver.may_act() or not self._house.tenure.epochs:
            return None
        if self._house.restored_wall_ms is not None:
            return None  # out of a backup: what is due may have been launched already
        found = await self._store.read(_due, now + WARN_BEFORE_MS)
        for call_id, due, warned, shard in found:
            mine = shard in self._house.tenure.epochs
            try:
                if due <= now and (mine or call_id in self._overdue):
                    await self._launch(call_id)
                elif mine and warned is None:
                    await self._warn(call_id)
            except CallCoreError:
                raise  # the store is away: all of it is tried again
            except Exception:  # a defect of ours in one call must not keep the others waiting
                log.exception("scheduler.call_failed", call_id=call_id)
        # Another node's are launched when it has left them until the next look.
        self._overdue = {call_id for call_id, due, _, _ in found if due <= now}
        return await self._store.read(_next, now)

    async def _launch(self, call_id: str) -> None:
        try:
            call = await self._store.run(
                calendar.launch_due, self._house, call_id, self._driver.stamp()
            )
        except Fenced:
            return
        except CommitUnknown:
            self._driver.check(call_id)  # if it was launched, nobody else tells
            raise
        if call is not None:
            self.launched += 1
            self._driver.launched(call)

    async def _warn(self, call_id: str) -> None:
        try:
            await self._store.run(
                calendar.warn_shortfall, self._house, call_id, self._driver.stamp()
            )
        except Fenced:
            return

    async def _until(self, next_ms: int | None) -> None:
        """Wait for the next instant, a change, or a second; whatever comes first."""
        waiters: list[asyncio.Future[object]] = [asyncio.ensure_future(self._wake.wait())]
        if next_ms is not None:
            waiters.append(asyncio.ensure_future(self._clock.sleep_until(next_ms)))
        try:
            await asyncio.wait(waiters, timeout=_POLL_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)


def _due(tx: Tx, before_call_ms: int) -> list[tuple[str, int, int | None, int]]:
    return [
        (row[0], row[1], row[2], row[3])
        for row in tx.all(calendar.DUE, before=before_call_ms, most=BATCH)
    ]


def _next(tx: Tx, after_call_ms: int) -> int | None:
    """Return when to look next; what is overdue already is tried again once a second."""
    due = tx.one(calendar.NEXT_DUE, after=after_call_ms)
    warn = tx.one(calendar.NEXT_UNWARNED, after=after_call_ms + WARN_BEFORE_MS)
    times = [] if due is None else [int(due[0])]
    if warn is not None:
        times.append(int(warn[0]) - WARN_BEFORE_MS)
    return min(times, default=None)
