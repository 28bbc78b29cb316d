"""All legs of one Twilio switch, and what it tells of them."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from call_core.contracts import Clock, EventKind, SwitchEvent
from call_core.switches.twilio_callbacks import Token
from call_core.switches.twilio_leg import Leg

KEEP_ENDED_MS: Final = 86_400_000  # how long it is known how a leg ended; Twilio knows for months
KEEP_ENDED_LEGS: Final = 20_000  # and of how many legs at most
# Twilio's own retries of a callback: three, whatever went wrong. Not part of what is signed.
_RETRIES: Final = "#rc=3&rp=all"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses of ours that Twilio asks.

    Attributes:
        base: `https://calls.example/voice/twilio`.
        deployment: whose legs they are.
    """

    base: str
    deployment: str

    def of(self, what: str, token: Token, **more: str) -> str:
        """Return the address of one thing of one leg."""
        return f"{self.base}/{what}?{token.query(**more)}"

    def told(self, what: str, token: Token) -> str:
        """Return the address where something is told, which must not get lost."""
        return f"{self.of(what, token)}{_RETRIES}"

    def room(self, bridge_id: str) -> str:
        """Return the name of a bridge's conference; names belong to the whole account."""
        return f"{self.deployment}-{bridge_id}"

    def bridge_of(self, room: str) -> str:
        """Return the bridge of a conference's name, "" when it is none of ours."""
        prefix = f"{self.deployment}-"
        return room.removeprefix(prefix) if room.startswith(prefix) else ""


class Board:
    """Legs by their id and by Twilio's, and the events that wait for their reader.

    Attributes:
        live: every leg that has not ended.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.live: dict[str, Leg] = {}
        self._gone: dict[str, Leg] = {}  # oldest first
        self._by_sid: dict[str, Leg] = {}
        self._events: deque[SwitchEvent] = deque()
        self._news = asyncio.Event()
        self._closed = False
        self._read = False
        self._of_itself = 0

    def leg(self, leg_id: str) -> Leg | None:
        """Return a leg that exists, or whose end is still remembered."""
        return self.live.get(leg_id) or self._gone.get(leg_id)

    def leg_of(self, sid: str) -> Leg | None:
        """Return the leg of a call at Twilio."""
        return self._by_sid.get(sid)

    def add(self, leg: Leg) -> None:
        """Take a leg, with the call at Twilio if it is known."""
        self.live[leg.id] = leg
        if leg.sid:
            self._by_sid[leg.sid] = leg

    def name(self, leg: Leg, sid: str) -> None:
        """Note which call at Twilio a leg is."""
        leg.sid = sid
        self._by_sid[sid] = leg

    def forget(self, leg: Leg) -> None:
        """Know nothing of a leg any more."""
        self.live.pop(leg.id, None)
        self._by_sid.pop(leg.sid, None)

    def bury(self, leg: Leg) -> None:
        """Remember a leg that has ended for a while."""
        if self.live.pop(leg.id, None) is not None:
            self._gone[leg.id] = leg
        now = self.clock.now_ms()
        while self._gone:
            oldest = next(iter(self._gone.values()))
            ended = oldest.ended
            fresh = ended is not None and ended.at_call_ms + KEEP_ENDED_MS > now
            if fresh and len(self._gone) <= KEEP_ENDED_LEGS:
                return
            del self._gone[oldest.id]
            self._by_sid.pop(oldest.sid, None)

    def in_conference(self, sid: str) -> list[Leg]:
        """Return the legs in a conference, who came first first."""
        found = [leg for leg in self.live.values() if leg.conference_sid == sid]
        return sorted(found, key=lambda leg: leg.joined_call_ms or 0)

    # --- telling --------------------------------------------------------------------------------

    def tell(self, event: SwitchEvent) -> None:
        """Tell an event of a leg."""
        self._events.append(event)
        self._news.set()

    def tell_of_itself(self, kind: EventKind) -> None:
        """Tell an event of the whole switch."""
        self._of_itself += 1
        now = self.clock.now_ms()
        self.tell(SwitchEvent(f"twilio:{kind}:{now}:{self._of_itself}", kind, "", "", now))

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield events as they come, until closed.

        Raises:
            RuntimeError: somebody else is reading already.
        """
        if self._read:
            raise RuntimeError("the events of a switch have one consumer")
        self._read = True
        try:
            while not self._closed:
                while self._events:
                    yield self._events.popleft()
                self._news.clear()
                await self._news.wait()
        finally:
            self._read = False

    def close(self) -> None:
        """End `events`. Harmless twice."""
        self._closed = True
        self._news.set()
