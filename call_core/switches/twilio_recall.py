"""What Twilio knows of our legs when we do not: after a restart, a lost answer, a lost callback.

A Call does not say whose it is. Its Events do: the request that made it has the addresses that we
gave, and with them the leg's id. They also hold the limits that we set and the moment of the
answer.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from call_core.contracts import EventKind, SwitchEvent
from call_core.switches.twilio_board import KEEP_ENDED_MS, Addresses, Board
from call_core.switches.twilio_callbacks import (
    LIVE,
    NORMAL_CLEARING,
    TERMINAL,
    CallStatus,
    Token,
    cause_of,
    instant_ms,
    seconds_of,
    status_of,
    token_of_url,
)
from call_core.switches.twilio_leg import Leg
from call_core.switches.twilio_rest import TwilioRefused, TwilioRest

LOOKUPS_LIMIT: Final = 2_000  # calls whose Events are read in one recall
AT_ONCE: Final = 20
LOOK_AGAIN_MS: Final = 2_000
CREATED_EARLIER_MS: Final = 60_000  # how far Twilio's clock may be behind ours
Call = Mapping[str, Any]
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What the Events of a call say.

    Attributes:
        token: the leg; None when the call is none of ours.
        here: whether its callbacks come to this process's address.
        time_limit_s: the last longest duration that was set.
        ended_by_us: whether its end was asked for.
        answered_call_ms: the moment of the answer, as it was called back.
    """

    token: Token | None = None
    here: bool = True
    time_limit_s: int = 0
    ended_by_us: bool = False
    answered_call_ms: int | None = None


class Recall:
    """Finds legs at Twilio and brings the board up to date."""

    def __init__(self, board: Board, rest: TwilioRest, addresses: Addresses) -> None:
        self._board = board
        self._rest = rest
        self._addresses = addresses
        self._not_ours: dict[str, None] = {}
        self._looked_back_call_ms: int | None = None
        self._resumed = False

    async def live(self) -> None:
        """Make the board's live legs those that Twilio has, their ends told.

        Raises:
            ConnectionError, TwilioRefused: Twilio could not be asked.
        """
        before = {leg.sid for leg in self._board.live.values() if leg.sid}
        lists = [await self._rest.calls(status=status) for status in LIVE]
        there = {str(call["sid"]): call for calls in lists for call in calls}
        adopted = await self._adopt_all(there.values())
        for sid, call in there.items():
            leg = self._board.leg_of(sid)
            if leg is not None and leg.answered_call_ms is None:
                leg.answered_call_ms = _answered(call)
        for sid in before - there.keys():
            await self.refresh(sid)
        sent = [leg for leg in self._board.live.values() if leg.bridge and not leg.conference_sid]
        if sent or any(leg.answered_call_ms is not None for leg in adopted):
            await self._conferences()
        if adopted and not self._resumed:
            self._resumed = True
            self._board.tell_of_itself(EventKind.SWITCH_BACK)

    async def refresh(self, sid: str) -> None:
        """Ask for one call, and tell its end or its answer when it was not told yet."""
        leg = self._board.leg_of(sid)
        if leg is None or leg.ended is not None:
            return
        try:
            call = await self._rest.call(sid)
        except TwilioRefused as error:
            log.warning("twilio.call_unreadable", leg_id=leg.id, error=str(error))
            return
        answered = _answered(call)
        if leg.answered_call_ms is None and answered is not None:
            leg.answered_call_ms = answered
            self._board.tell(leg.event("answered", EventKind.ANSWERED, answered))
        ended = self._absorb_end(leg, call)
        if ended is not None:
            self._board.tell(ended)

    async def find(self, leg: Leg, number: str) -> bool:
        """Look for the call of a leg whose create was not answered; whether there is one."""
        for call in await self._rest.calls(to=number):
            created = instant_ms(call.get("date_created"))
            if created is not None and created + CREATED_EARLIER_MS < leg.since_call_ms:
                break
            sid = str(call["sid"])
            if leg.sid or self._board.leg_of(sid) is not None or sid in self._not_ours:
                continue
            facts = await self._facts(sid)
            if facts.token is not None and facts.token.leg_id == leg.id:
                self._board.name(leg, sid)
        return bool(leg.sid)

    async def ended(self, leg_id: str) -> SwitchEvent | None:
        """Return how a leg ended of which this process knows nothing, None if nobody does."""
        now = self._board.clock.now_ms()
        looked = self._looked_back_call_ms
        if looked is None or now - looked >= LOOK_AGAIN_MS:
            self._looked_back_call_ms = now
            since = datetime.fromtimestamp((now - KEEP_ENDED_MS) // 1000, UTC)
            calls = await self._rest.calls(start_after=since.strftime("%Y-%m-%dT%H:%M:%SZ"))
            over = [call for call in calls if status_of(call.get("status")) in TERMINAL]
            await self._adopt_all(over)
        leg = self._board.leg(leg_id)
        return None if leg is None else leg.ended

    # --- taking up ------------------------------------------------------------------------------

    async def _adopt_all(self, calls: Iterable[Call]) -> list[Leg]:
        """Take up the legs that the board does not know, ended ones too."""
        unknown = [
            call
            for call in calls
            if self._board.leg_of(str(call["sid"])) is None
            and call["sid"] not in self._not_ours
            and call.get("direction", "").startswith("outbound")
        ]
        if len(unknown) > LOOKUPS_LIMIT:
            log.error("twilio.too_many_unknown_calls", count=len(unknown), read=LOOKUPS_LIMIT)
        adopted: list[Leg] = []
        for first in range(0, min(len(unknown), LOOKUPS_LIMIT), AT_ONCE):
            part = unknown[first : min(first + AT_ONCE, LOOKUPS_LIMIT)]
            facts = await asyncio.gather(*(self._facts(str(call["sid"])) for call in part))
            for call, said in zip(part, facts, strict=True):
                leg = self._adopt(call, said)
                if leg is not None:
                    adopted.append(leg)
        return adopted

    def _adopt(self, call: Call, facts: Facts) -> Leg | None:
        sid, token = str(call["sid"]), facts.token
        if token is None:
            return None
        known = self._board.leg(token.leg_id)
        if known is not None and known.sid:
            return None  # a second call of one leg: it is ended when it asks what to do
        if known is not None:
            self._board.name(known, sid)
            return None
        leg = Leg(
            token,
            instant_ms(call.get("date_created")) or self._board.clock.now_ms(),
            facts.time_limit_s or token.limit_s,
            sid=sid,
            answered_call_ms=facts.answered_call_ms,
            hung_up=NORMAL_CLEARING if facts.ended_by_us else None,
            elsewhere=not facts.here,
        )
        self._board.add(leg)
        if self._absorb_end(leg, call) is None and leg.answered_call_ms is None:
            leg.answered_call_ms = _answered(call)
        return leg

    def _absorb_end(self, leg: Leg, call: Call) -> SwitchEvent | None:
        status = status_of(call.get("status"))
        if status not in TERMINAL:
            return None
        at_call_ms = instant_ms(call.get("end_time")) or self._board.clock.now_ms()
        duration_s = seconds_of(call.get("duration"))
        answered = at_call_ms - duration_s * 1000 if duration_s else None
        event = leg.end(at_call_ms, cause_of(status, None), answered)
        self._board.bury(leg)
        return event

    async def _conferences(self) -> None:
        """Note which leg is in which conference."""
        for conference in await self._rest.conferences():
            bridge = self._addresses.bridge_of(str(conference.get("friendly_name", "")))
            if not bridge:
                continue
            sid = str(conference["sid"])
            there = await self._rest.participants(sid)
            for participant in there:
                leg = self._board.leg_of(str(participant.get("call_sid", "")))
                if leg is not None:
                    self._in_conference(leg, bridge, sid, participant, alone=len(there) == 1)

    def _in_conference(
        self, leg: Leg, bridge: str, sid: str, participant: Mapping[str, Any], *, alone: bool
    ) -> None:
        """Note where a leg is; tell it when a callback should have, and has not."""
        untold = leg.bridge == bridge and not leg.bridged and not alone
        leg.bridge, leg.conference_sid = bridge, sid
        leg.bridged = not alone
        leg.joined_call_ms = instant_ms(participant.get("date_created"))
        leg.muted = bool(participant.get("muted"))
        if untold:
            now = self._board.clock.now_ms()
            at_call_ms = leg.joined_call_ms or now
            self._board.tell(leg.event(f"bridged:{bridge}", EventKind.BRIDGED, at_call_ms))

    # --- Events ---------------------------------------------------------------------------------

    async def _facts(self, sid: str) -> Facts:
        facts = facts_of(await self._rest.events(sid), self._addresses)
        if facts.token is None:
            self._not_ours[sid] = None
            if len(self._not_ours) > LOOKUPS_LIMIT * 5:
                del self._not_ours[next(iter(self._not_ours))]
        return facts


def facts_of(events: Sequence[Mapping[str, Any]], addresses: Addresses) -> Facts:
    """Return what the Events of a call say.

    {"events": [{"request": {"method": "POST", "url": "https://api.twilio.com/…/Calls.json",
      "parameters": {"url": "https://calls…/twiml?d=…&leg=…", "time_limit": "180", …}}, …}, …]}
    """
    facts = Facts()
    for event in events:
        request = event.get("request") or {}
        said = {
            str(name).lower().replace("_", ""): str(value)
            for name, value in (request.get("parameters") or {}).items()
        }
        facts = _with_token(facts, (str(request.get("url", "")), said.get("url", "")), addresses)
        if "timelimit" in said:
            facts = replace(facts, time_limit_s=seconds_of(said["timelimit"]))
        if said.get("status") == CallStatus.COMPLETED:
            facts = replace(facts, ended_by_us=True)
        if said.get("callstatus") == CallStatus.IN_PROGRESS and "timestamp" in said:
            facts = replace(facts, answered_call_ms=instant_ms(said["timestamp"]))
    return facts


def _with_token(facts: Facts, urls: Sequence[str], addresses: Addresses) -> Facts:
    for url in urls:
        token = token_of_url(url) if "/voice/twilio/" in url else None
        if token is not None and token.deployment == addresses.deployment:
            return replace(facts, token=token, here=url.startswith(f"{addresses.base}/"))
    return facts


def _answered(call: Call) -> int | None:
    """Return when a call that is up was answered, as near as its resource says it."""
    if status_of(call.get("status")) is not CallStatus.IN_PROGRESS:
        return None
    return instant_ms(call.get("start_time"))
