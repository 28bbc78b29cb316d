"""One leg at Twilio: what we asked for, what Twilio told, and the events that follow from both."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from call_core.contracts import EventKind, LiveLeg, Order, Prompt, SwitchEvent
from call_core.switches.twilio_callbacks import NORMAL_CLEARING, Token


@dataclass(slots=True)
class Said:
    """What a leg hears besides silence; `n` tells one prompt from the next."""

    prompt: Prompt
    words: Mapping[str, str]
    n: int
    ended: bool = False


@dataclass(slots=True)
class Leg:
    """One leg.

    Attributes:
        token: its name at Twilio.
        order: what was ordered; None when an earlier process ordered it.
        since_call_ms: when it was ordered.
        sid: the call at Twilio, "" before it is known.
        time_limit_s: the duration after which Twilio ends it, counted from its answer.
        hung_up: the cause with which we asked for its end.
        bridge: the bridge that it was sent to, "" for none.
        conference_sid, joined_call_ms: the conference that it is in.
        document: counts what it was to hear; `served` is the count that Twilio has fetched.
        gathers: counts the waits for keys, so that a key that is told again is the same key.
        elsewhere: its callbacks go to another process's address.
        told: events by id, so that a repeat is the same event.
    """

    token: Token
    since_call_ms: int
    time_limit_s: int
    order: Order | None = None
    sid: str = ""
    ringing_call_ms: int | None = None
    answered_call_ms: int | None = None
    ended: SwitchEvent | None = None
    hung_up: int | None = None
    bridge: str = ""
    conference_sid: str = ""
    joined_call_ms: int | None = None
    bridged: bool = False
    muted: bool = False
    said: Said | None = None
    said_count: int = 0
    document: int = 0
    served: int = 0
    gathers: int = 0
    elsewhere: bool = False
    told: dict[str, SwitchEvent] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def id(self) -> str:
        """The leg's id."""
        return self.token.leg_id

    @property
    def talking(self) -> bool:
        """Whether somebody has answered and nobody has hung up."""
        return self.answered_call_ms is not None and self.ended is None

    def event(self, suffix: str, kind: EventKind, at_call_ms: int, digit: str = "") -> SwitchEvent:
        """Return an event of the leg; what was told before is told again unchanged."""
        event_id = f"{self.id}:{suffix}"
        if event_id not in self.told:
            self.told[event_id] = SwitchEvent(
                event_id, kind, self.id, self.token.call_id, at_call_ms, digit
            )
        return self.told[event_id]

    def end(self, at_call_ms: int, cause: int, answered_call_ms: int | None) -> SwitchEvent:
        """End the leg, once; return its last event."""
        if self.ended is None:
            if self.answered_call_ms is None:
                self.answered_call_ms = answered_call_ms
            answered = self.answered_call_ms
            spent_ms = 0 if answered is None else at_call_ms - answered
            by_limit = answered is not None and spent_ms >= self.time_limit_s * 1000
            by_us = self.hung_up is not None or by_limit
            if by_us:
                cause = NORMAL_CLEARING if self.hung_up is None else self.hung_up
            self.ended = SwitchEvent(
                f"{self.id}:ended",
                EventKind.ENDED,
                self.id,
                self.token.call_id,
                at_call_ms,
                answered_call_ms=answered,
                cause=cause,
                by_us=by_us,
            )
        return self.ended

    def refuse(self, at_call_ms: int, cause: int, *, certain: bool) -> SwitchEvent:
        """Return that the order did not become a leg; for certain, it never will."""
        event = SwitchEvent(
            f"{self.id}:originate_failed",
            EventKind.ORIGINATE_FAILED,
            self.id,
            self.token.call_id,
            at_call_ms,
            cause=cause,
            certain=certain,
        )
        if certain:
            self.ended = event
        return event

    def live(self) -> LiveLeg:
        """Return the leg as reconcile sees it."""
        token = self.token
        return LiveLeg(
            token.leg_id,
            token.call_id,
            token.shard,
            self.answered_call_ms,
            self.bridge,
            self.since_call_ms,
        )
