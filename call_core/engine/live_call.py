"""One running call in its owner's memory, and what the switch was asked for it."""

import asyncio
import contextvars
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from call_core import numbering
from call_core.calls.causes import Cause
from call_core.calls.model import Call, Leg
from call_core.calls.wanted import WantedLeg, wanted
from call_core.contracts import EventKind, Order, Prompt, Switch, SwitchEvent
from call_core.engine.switches import SwitchSet
from call_core.units.house import House

Asking = Coroutine[Any, Any, None]


@dataclass(slots=True)
class AskedLeg:
    """What the switch was asked for one leg, so that it is asked once.

    Attributes:
        fresh: this very process committed the leg's start and has not asked the switch for it, so
            that no leg can be there. Unknown of a leg that is read from the store: the process that
            committed it may have asked before it died.
    """

    fresh: bool = False
    originated: bool = False
    limit_until_call_ms: int | None = None
    prompt: Prompt | None = None
    muted: bool = False
    bridged: bool = False
    hung_up: bool = False


@dataclass(slots=True)
class LiveCall:
    """A call, events that wait for its next unit, and what was asked of the switch.

    Attributes:
        call: as stored, with ringing and bridging already merged.
        events: what came since.
        stale: the stored call is newer; read it before the next unit.
        asked: by leg id.
        unfinished: the switch did not take something; the sweep asks again.
        announced: the version that another process says is stored, told while work was under way.
        task: the work under way, None when idle.
        gone: another process drives it now.
        failures: how often its work has broken off since it last came through.
        context: what its work runs in: every log line and trace of it says whose it is.
    """

    call: Call
    events: list[SwitchEvent] = field(default_factory=list)
    stale: bool = False
    due: bool = True
    asked: dict[str, AskedLeg] = field(default_factory=dict)
    unfinished: bool = False
    announced: int = 0
    task: asyncio.Task[None] | None = None
    seen_call_ms: int = 0
    failures: int = 0
    gone: bool = False
    context: contextvars.Context = field(default_factory=contextvars.copy_context)

    def __post_init__(self) -> None:
        self.context.run(
            structlog.contextvars.bind_contextvars,
            call_id=self.call.id,
            request_id=self.call.request_id,
            channel=self.call.channel,
        )

    def heed(self) -> None:
        """Have the stored call looked at when another process has changed it meanwhile."""
        if self.announced > self.call.version:
            self.announced, self.stale, self.due = 0, True, True

    def begun(self, before: Call | None, after: Call) -> None:
        """Note which legs this process has just committed the start of.

        Args:
            before: the call as it was stored until then; None when it was not running.
            after: as committed.
        """
        for leg in after.legs():
            was = None if before is None else before.leg(leg.id)
            new = was is None or was.originated_call_ms is None
            if new and leg.originated_call_ms is not None:
                self.asked.setdefault(leg.id, AskedLeg(fresh=True))


class Actuator:
    """Asks the switch for the difference between what a call wants and what was asked.

    Args:
        switches: where the legs are, each call's on one.
        house: the deployment: numbers shown, rules.

    Attributes:
        observe: told `originate` and `hang_up`, of which leg, once the switch has taken it, and
            when it was asked, by the monotonic clock.
    """

    observe: Callable[[str, Call, Leg, int], None] | None = None

    def __init__(self, switches: SwitchSet, house: House) -> None:
        self._switches = switches
        self._house = house

    async def act(self, live: LiveCall, now_call_ms: int) -> None:
        """Ask for everything that is missing.

        Legs that must not be rung at all, or not any more, are events of our own: they are the
        call's next work, whatever the switch says to the rest.

        Raises:
            Exception: the first that the switch raised, after all else was asked for; what it took
                stays asked.
        """
        switch, wishes = self._switches.of(live.call.switch), wanted(live.call)
        refused, ending, ringing = self._missing(live, switch, wishes, now_call_ms)
        live.events += refused
        live.due = live.due or bool(refused)
        failures = await _all_of(ending)
        failures += await _all_of(ringing)
        failures += await _all_of(
            [
                self._tend(switch, live.call, wish, live.asked[wish.leg.id])
                for wish in wishes
                if wish.exists
                and wish.leg.answered_call_ms is not None
                and not _is_tended(wish, live.asked[wish.leg.id])
            ]
        )
        await self._bridge(switch, live, wishes)
        if failures:
            raise failures[0]

    def _missing(
        self, live: LiveCall, switch: Switch, wishes: list[WantedLeg], now_call_ms: int
    ) -> tuple[list[SwitchEvent], list[Asking], list[Asking]]:
        """Return legs that are never asked for, those to be ended, and those to be rung."""
        refused: list[SwitchEvent] = []
        ending: list[Asking] = []
        ringing: list[Asking] = []
        for wish in wishes:
            asked = live.asked.setdefault(wish.leg.id, AskedLeg())
            if not wish.exists:
                if asked.fresh:
                    refused.append(_never_asked(live.call, wish.leg, now_call_ms))
                elif not asked.hung_up:
                    ending.append(self._hang_up(switch, live.call, wish, asked))
            elif not asked.originated and wish.leg.answered_call_ms is None:
                if numbering.is_emergency(wish.leg.number):
                    refused.append(_refused(live.call, wish.leg, now_call_ms))
                else:
                    ringing.append(self._originate(switch, live.call, wish.leg, asked, now_call_ms))
        return refused, ending, ringing

    async def _originate(
        self, switch: Switch, call: Call, leg: Leg, asked: AskedLeg, now_call_ms: int
    ) -> None:
        began_ns = time.monotonic_ns()
        asked.fresh = False  # whatever becomes of the order: from now on a leg may be there
        await switch.originate(order_of(call, leg, self._house, now_call_ms))
        asked.originated = True
        self._observed("originate", call, leg, began_ns)

    async def _hang_up(self, switch: Switch, call: Call, wish: WantedLeg, asked: AskedLeg) -> None:
        began_ns = time.monotonic_ns()
        await switch.hang_up(wish.leg.id, _switch_cause(wish.hangup_cause))
        asked.hung_up = True
        self._observed("hang_up", call, wish.leg, began_ns)

    def _observed(self, verb: str, call: Call, leg: Leg, began_ns: int) -> None:
        if self.observe is not None:
            self.observe(verb, call, leg, began_ns)

    async def _tend(self, switch: Switch, call: Call, wish: WantedLeg, asked: AskedLeg) -> None:
        leg = wish.leg
        until = wish.limit_until_call_ms
        if until is not None and until != asked.limit_until_call_ms:
            await switch.limit(leg.id, until)
            asked.limit_until_call_ms = until
        if wish.prompt is not asked.prompt:
            if wish.prompt is None:
                await switch.stop(leg.id)
            else:
                await switch.play(leg.id, wish.prompt, prompt_words(call))
            asked.prompt = wish.prompt
        if wish.muted is not asked.muted:
            await switch.mute(leg.id, muted=wish.muted)
            asked.muted = wish.muted

    async def _bridge(self, switch: Switch, live: LiveCall, wishes: list[WantedLeg]) -> None:
        fresh = [
            wish.leg.id for wish in wishes if wish.bridged and not live.asked[wish.leg.id].bridged
        ]
        if not fresh:
            return
        joins = any(asked.bridged and not asked.hung_up for asked in live.asked.values())
        for leg_id in fresh:
            # Before it is asked: a BRIDGE_FAILED may come while the switch still answers.
            live.asked[leg_id].bridged = True
        try:
            await switch.bridge(live.call.id, fresh)
        except BaseException:
            for leg_id in fresh:
                live.asked[leg_id].bridged = False
            raise
        chair = live.call.first.talking_leg
        if joins and chair is not None and chair.id not in fresh:
            await switch.play(chair.id, Prompt.JOIN_TONE, {})


def _is_tended(wish: WantedLeg, asked: AskedLeg) -> bool:
    """Whether a leg has its limit, hears what it should, and is heard or not."""
    return (
        wish.limit_until_call_ms in (None, asked.limit_until_call_ms)
        and wish.prompt is asked.prompt
        and wish.muted is asked.muted
    )


async def _all_of(asking: Sequence[Asking]) -> list[Exception]:
    """Ask side by side; return what failed.

    One that fails keeps no other from its end, its limit or its turn. All are waited for: what is
    still under way when one has failed would be asked for again.
    """
    if len(asking) > 1:
        answers = await asyncio.gather(*asking, return_exceptions=True)
        return [each for each in answers if isinstance(each, Exception)]
    for each in asking:  # as in most calls of two: no task of its own for it
        try:
            await each
        except Exception as error:  # noqa: BLE001  (as above: told by the caller)
            return [error]
    return []


def order_of(call: Call, leg: Leg, house: House, now_call_ms: int) -> Order:
    """Return what the switch is asked to ring.

    The longest duration is what is paid for already, so that a leg that is answered while we are
    dead still ends with its money. Only the caller's own phone sees a number in a private call:
    the service's, which says nothing and is picked up.
    """
    private = call.private and leg.n != call.first.n
    return Order(
        leg_id=leg.id,
        call_id=call.id,
        shard=call.shard,
        number=leg.number,
        trunk=leg.trunk,
        caller_id="" if private else leg.caller_id or house.service_number,
        private=private,
        post_dial=leg.post_dial,
        ring_timeout_s=house.rules.ring_timeout_s,
        limit_s=leg.paid_seconds,
        at_call_ms=leg.originated_call_ms if leg.originated_call_ms is not None else now_call_ms,
    )


def prompt_words(call: Call) -> Mapping[str, str]:
    """Return what the prompts of a call are filled with; never a whole number."""
    others = call.others
    if len(others) == 1:
        number = others[0].last_leg.number
        return {
            "destination": others[0].last_leg.terms.destination,
            "ending": " ".join(number[-4:]),
            "caller": call.first.label,
        }
    return {"destination": f"{len(others)} people", "ending": "", "caller": call.first.label}


_CAUSES = {
    Cause.NOT_ACCEPTED: Cause.NORMAL_CLEARING,
    Cause.NO_ANSWER: Cause.NO_ANSWER,
}


def _switch_cause(cause: int) -> int:
    """Return the Q.850 cause that goes to the switch for one of ours."""
    return int(_CAUSES.get(Cause(cause), Cause.NORMAL_CLEARING))


def _never_asked(call: Call, leg: Leg, now_call_ms: int) -> SwitchEvent:
    """Return the end of a leg whose time was over before anybody asked the switch for it.

    The switch has nothing to end and would tell nothing: hold and port would wait for reconcile.
    """
    return SwitchEvent(
        event_id=f"{leg.id}:never_asked",
        kind=EventKind.ORIGINATE_FAILED,
        leg_id=leg.id,
        call_id=call.id,
        at_call_ms=now_call_ms,
        cause=int(Cause.NOT_DIALLED),
        by_us=True,
    )


def _refused(call: Call, leg: Leg, now_call_ms: int) -> SwitchEvent:
    return SwitchEvent(
        event_id=f"{leg.id}:refused",
        kind=EventKind.ORIGINATE_FAILED,
        leg_id=leg.id,
        call_id=call.id,
        at_call_ms=now_call_ms,
        cause=int(Cause.INVALID_NUMBER),
    )
