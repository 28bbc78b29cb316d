"""Calls put to Twilio no faster than the account may, and never twice for one leg."""

import asyncio
import re
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Final

import structlog

from call_core.contracts import Order
from call_core.switches.twilio_board import Addresses, Board
from call_core.switches.twilio_callbacks import (
    CALLER_ID_ERRORS,
    INVALID_NUMBER,
    NO_CIRCUIT,
    TEMPORARY_FAILURE,
    cause_of_error,
)
from call_core.switches.twilio_leg import Leg
from call_core.switches.twilio_recall import Recall
from call_core.switches.twilio_rest import (
    TwilioRefused,
    TwilioRest,
    TwilioUnknown,
    TwilioUnreached,
)

AGAIN_AFTER_MS: Final = 1_000
LOOKS_AFTER_MS: Final = (1_000, 3_000, 6_000)  # Twilio lists a new call within seconds
POST_DIAL_LIMIT: Final = 32  # Twilio's own
TIME_LIMIT_S: Final = 86_400  # Twilio's own, one day
SUSPECTS_LIMIT: Final = 10_000
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_POST_DIAL: Final = re.compile(r"[0-9*#wW]*")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast calls are made.

    Attributes:
        calls_per_second: what the account may.
        queue_s: an order that waited longer is refused.
        from_number: the number shown when the caller's own must not or cannot be.
    """

    calls_per_second: float
    queue_s: int
    from_number: str


class Tasks:
    """Work under way besides the requests of others; what breaks is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> None:
        """Begin some work."""
        task = asyncio.get_running_loop().create_task(_logged(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End it all."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _logged(work: Coroutine[object, object, None]) -> None:
    try:
        await work
    except (ConnectionError, TwilioRefused) as error:
        log.warning("twilio.not_done", error=str(error))
    except Exception:
        log.exception("twilio.task_failed")


class Launcher:
    """Makes calls, one after the other at the account's pace."""

    def __init__(
        self,
        board: Board,
        rest: TwilioRest,
        recall: Recall,
        addresses: Addresses,
        pace: Pace,
        tasks: Tasks,
    ) -> None:
        self._board = board
        self._rest = rest
        self._recall = recall
        self._addresses = addresses
        self._pace = pace
        self._tasks = tasks
        self._waiting: deque[Leg] = deque()
        self._working = False
        self._next_call_ms = 0
        self._not_ours_to_show: set[str] = set()
        self._suspects: dict[str, None] = {}

    def queue(self, leg: Leg) -> None:
        """Have a leg made when its turn has come."""
        self._waiting.append(leg)
        self._work()

    def withdraw(self, leg: Leg) -> bool:
        """Take back a leg that was not put to Twilio yet; whether it was still here."""
        try:
            self._waiting.remove(leg)
        except ValueError:
            return False
        return True

    async def end(self, leg: Leg) -> None:
        """Have Twilio end a leg; one that is over is no error."""
        await gently(self._rest.update_call(leg.sid, {"Status": "completed"}))

    def _work(self) -> None:
        if not self._working:
            self._working = True
            self._tasks.spawn(self._run())

    async def _run(self) -> None:
        clock = self._board.clock
        try:
            while self._waiting:
                await clock.sleep_until(self._next_call_ms)
                if not self._waiting:
                    return
                leg, now = self._waiting.popleft(), clock.now_ms()
                if now - leg.since_call_ms > self._pace.queue_s * 1000:
                    self._refuse(leg, NO_CIRCUIT)
                    continue
                self._next_call_ms = now + round(1000 / self._pace.calls_per_second)
                self._tasks.spawn(self._make(leg))
        finally:
            self._working = False

    async def _make(self, leg: Leg) -> None:
        try:
            await self._create(leg)
        except Exception:
            # Whatever it was, the leg must not wait for ever: nobody knows whether there is a call.
            if not leg.sid and leg.ended is None:
                self._give_up(leg)
            raise

    async def _create(self, leg: Leg) -> None:
        order = leg.order
        assert order is not None  # only orders are queued
        if not _E164.fullmatch(order.number) or not _POST_DIAL.fullmatch(order.post_dial):
            self._refuse(leg, INVALID_NUMBER)
            return
        if leg.id in self._suspects and not await self._looked_for(leg, order):
            self._again(leg)
            return
        shown = self._shown(order)
        try:
            if not leg.sid:
                self._board.name(leg, await self._rest.create_call(self._form(leg, order, shown)))
        except TwilioRefused as error:
            await self._refused(leg, error, shown)
        except TwilioUnreached:
            self._again(leg)
        except TwilioUnknown as error:
            log.warning("twilio.create_unknown", leg_id=leg.id, error=str(error))
            await self._search(leg, order)
        if leg.sid and leg.hung_up is not None and leg.ended is None:
            await self.end(leg)

    async def _looked_for(self, leg: Leg, order: Order) -> bool:
        """Look for a leg that may exist since an earlier order; whether Twilio could be asked."""
        try:
            await self._recall.find(leg, order.number)
        except (ConnectionError, TwilioRefused) as error:
            log.warning("twilio.not_found", leg_id=leg.id, error=str(error))
            return False
        del self._suspects[leg.id]
        return True

    def _shown(self, order: Order) -> str:
        """Return the number to show. Twilio cannot hide it: a private call shows the service's."""
        wanted = "" if order.private else order.caller_id
        return wanted if wanted and wanted not in self._not_ours_to_show else self._pace.from_number

    def _form(self, leg: Leg, order: Order, shown: str) -> dict[str, str | list[str]]:
        form: dict[str, str | list[str]] = {
            "To": order.number,
            "From": shown,
            "Url": self._addresses.of("twiml", leg.token),
            "Method": "POST",
            "StatusCallback": self._addresses.told("status", leg.token),
            "StatusCallbackMethod": "POST",
            "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
            "Timeout": str(order.ring_timeout_s),
            "TimeLimit": str(leg.time_limit_s),
        }
        if order.post_dial:
            form["SendDigits"] = f"W{order.post_dial}"[:POST_DIAL_LIMIT]
        return form

    async def _refused(self, leg: Leg, error: TwilioRefused, shown: str) -> None:
        if error.later:
            self._again(leg)
        elif error.code in CALLER_ID_ERRORS and shown != self._pace.from_number:
            log.warning("twilio.caller_id_refused", leg_id=leg.id, error=error.code)
            self._not_ours_to_show.add(shown)
            self._put_back(leg)
        else:
            log.warning("twilio.refused", leg_id=leg.id, status=error.status, error=error.code)
            self._refuse(leg, cause_of_error(error.code))

    def _again(self, leg: Leg) -> None:
        """Put a leg of which no call was made into its place once more, a little later."""
        self._next_call_ms = max(self._next_call_ms, self._board.clock.now_ms() + AGAIN_AFTER_MS)
        self._put_back(leg)

    def _put_back(self, leg: Leg) -> None:
        """Have a leg of which no call was made wait at the head, unless nobody wants it by now."""
        if leg.hung_up is None:
            self._waiting.appendleft(leg)
            self._work()
        else:
            self._refuse(leg, leg.hung_up)

    async def _search(self, leg: Leg, order: Order) -> None:
        """Find out whether there is a call although its answer was lost.

        A callback may name it meanwhile. If nothing does, nobody knows: the leg is forgotten and
        looked for once more if it is ordered again.
        """
        clock = self._board.clock
        for pause_ms in LOOKS_AFTER_MS:
            await clock.sleep_until(clock.now_ms() + pause_ms)
            try:
                if leg.sid or await self._recall.find(leg, order.number):
                    return
            except (ConnectionError, TwilioRefused) as error:
                log.warning("twilio.not_found", leg_id=leg.id, error=str(error))
        self._give_up(leg)

    def _give_up(self, leg: Leg) -> None:
        self._suspects[leg.id] = None
        if len(self._suspects) > SUSPECTS_LIMIT:
            del self._suspects[next(iter(self._suspects))]
        self._refuse(leg, TEMPORARY_FAILURE)

    def _refuse(self, leg: Leg, cause: int) -> None:
        """Tell that an order did not become a leg; whether that is certain is known of each."""
        certain = leg.id not in self._suspects
        self._board.tell(leg.refuse(self._board.clock.now_ms(), cause, certain=certain))
        if certain:
            self._board.bury(leg)
        else:
            self._board.forget(leg)


NOT_IN_PROGRESS: Final = 21220


async def gently(asked: Coroutine[object, object, None]) -> None:
    """Do something to a call at Twilio; that it is over already is no error."""
    try:
        await asked
    except TwilioRefused as error:
        if error.status != 404 and error.code != NOT_IN_PROGRESS:  # noqa: PLR2004  (HTTP's own)
            raise
