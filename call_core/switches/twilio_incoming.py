"""What Twilio asks and tells: a document for a call, keys, states, who is in a conference.

The gateway has checked that it is Twilio who speaks. Everything here may come twice, late or in
another order; what a leg has told once it tells again unchanged.
"""

from collections.abc import Mapping
from typing import Final

import structlog

from call_core.contracts import EventKind
from call_core.switches import twilio_twiml as twiml
from call_core.switches.twilio_board import Addresses, Board
from call_core.switches.twilio_callbacks import (
    TERMINAL,
    CallStatus,
    Token,
    cause_of,
    instant_ms,
    seconds_of,
    status_of,
    token_of,
)
from call_core.switches.twilio_launch import Tasks, gently
from call_core.switches.twilio_leg import Leg
from call_core.switches.twilio_recall import Recall
from call_core.switches.twilio_rest import TwilioRest

KEYS: Final = frozenset("0123456789*#")
DIGITS_LIMIT: Final = 32
UNHEARD_AFTER_MS: Final = 2_000  # an answer that was not called back by then is asked for
WHATS: Final = frozenset({"twiml", "gather", "said", "announce", "status", "conference"})
Fields = Mapping[str, str]
log = structlog.get_logger(__name__)


class Incoming:
    """Answers Twilio's requests."""

    def __init__(
        self, board: Board, rest: TwilioRest, recall: Recall, addresses: Addresses, tasks: Tasks
    ) -> None:
        self._board = board
        self._rest = rest
        self._recall = recall
        self._addresses = addresses
        self._tasks = tasks

    def receive(self, what: str, query: Fields, fields: Fields) -> str | None:
        """Take one request.

        Args:
            what: the last part of its path.
            query: of the address that we gave.
            fields: what Twilio says.

        Returns:
            A document, or None when nothing is asked.
        """
        token = token_of(query)
        if what not in WHATS or token is None or token.deployment != self._addresses.deployment:
            log.warning("twilio.unknown_address", what=what)
            return twiml.hang_up()
        if what == "conference":
            self._conference(fields)
            return None
        leg = self._leg(token, fields.get("CallSid", ""))
        if leg is None:
            return twiml.hang_up()
        if what == "status":
            self._status(leg, fields)
            return None
        gone = leg.ended is not None or leg.hung_up is not None
        return twiml.hang_up() if gone else self._asked(leg, what, query, fields)

    def _asked(self, leg: Leg, what: str, query: Fields, fields: Fields) -> str:
        """Return the document that a leg asks for, after noting why it asks."""
        if what == "announce":
            return self._announcement(leg)
        if what == "gather":
            self._keyed(leg, query, fields.get("Digits", ""))
        elif what == "said":
            self.prompt_ended(leg, query.get("n", ""))
        elif leg.answered_call_ms is None:
            self._tasks.spawn(self._unheard(leg))
        leg.served = leg.document
        return self.document(leg)

    def document(self, leg: Leg) -> str:
        """Return what a leg is to hear now."""
        here, token, said = self._addresses, leg.token, leg.said
        url = here.of("twiml", token)
        if leg.bridge:
            return twiml.conference(
                here.room(leg.bridge),
                label=leg.id,
                muted=leg.muted,
                events_url=here.told("conference", token),
                twiml_url=url,
                tones_url=here.base,
            )
        if said is not None and said.prompt in twiml.ASKING:
            leg.gathers += 1
            keys = here.of("gather", token, n=str(said.n), k=str(leg.gathers))
            return twiml.ask(None if said.ended else said.prompt, said.words, keys)
        if said is not None and not said.ended:
            end = here.of("said", token, n=str(said.n))
            return twiml.say(said.prompt, said.words, end, here.base)
        return twiml.wait(url)

    def prompt_ended(self, leg: Leg, n: str) -> None:
        """Tell the end of a prompt, once."""
        said = leg.said
        if said is not None and not said.ended and str(said.n) == n:
            said.ended = True
            now = self._board.clock.now_ms()
            self._board.tell(leg.event(f"prompt_ended:{n}", EventKind.PROMPT_ENDED, now))

    # --- calls ----------------------------------------------------------------------------------

    def _leg(self, token: Token, sid: str) -> Leg | None:
        """Return the leg that an address names; None when this call is a second one of it."""
        leg = self._board.leg(token.leg_id)
        if leg is None:  # ordered by a process before this one
            leg = Leg(token, self._board.clock.now_ms(), token.limit_s)
            self._board.add(leg)
        if leg.sid and sid and leg.sid != sid:
            log.error("twilio.second_call", leg_id=leg.id)
            self._tasks.spawn(gently(self._rest.update_call(sid, {"Status": "completed"})))
            return None
        if sid and not leg.sid:
            self._board.name(leg, sid)
        return leg

    def _status(self, leg: Leg, fields: Fields) -> None:
        status = status_of(fields.get("CallStatus"))
        at_call_ms = instant_ms(fields.get("Timestamp")) or self._board.clock.now_ms()
        if status in TERMINAL:
            duration_s = seconds_of(fields.get("CallDuration"))
            talked = status is CallStatus.COMPLETED and duration_s
            answered = at_call_ms - duration_s * 1000 if talked else None
            cause = cause_of(status, fields.get("SipResponseCode"))
            event = leg.end(at_call_ms, cause, answered)
            self._board.bury(leg)
            self._board.tell(event)
        elif status is CallStatus.IN_PROGRESS:
            self._progress(leg, "answered", EventKind.ANSWERED, at_call_ms)
        elif status is CallStatus.RINGING:
            self._progress(leg, "ringing", EventKind.RINGING, at_call_ms)

    def _progress(self, leg: Leg, suffix: str, kind: EventKind, at_call_ms: int) -> None:
        """Tell ringing or the answer; what comes after the end, or after a later one, is old."""
        repeated = f"{leg.id}:{suffix}" in leg.told
        rang_before = kind is EventKind.RINGING and leg.answered_call_ms is not None
        if not repeated and (leg.ended is not None or rang_before):
            return
        event = leg.event(suffix, kind, at_call_ms)
        if kind is EventKind.ANSWERED and leg.answered_call_ms is None:
            leg.answered_call_ms = event.at_call_ms
        self._board.tell(event)

    async def _unheard(self, leg: Leg) -> None:
        """Ask for a call that wants a document although its answer was not called back."""
        clock = self._board.clock
        await clock.sleep_until(clock.now_ms() + UNHEARD_AFTER_MS)
        if leg.answered_call_ms is None and leg.ended is None:
            await self._recall.refresh(leg.sid)

    def _keyed(self, leg: Leg, query: Fields, digits: str) -> None:
        """Tell the keys of one wait, then the end of its prompt."""
        now = self._board.clock.now_ms()
        wait = f"{query.get('n', '')}.{query.get('k', '')}"
        for place, digit in enumerate(digits[:DIGITS_LIMIT], start=1):
            if digit in KEYS:
                suffix = f"digit:{wait}.{place}"
                self._board.tell(leg.event(suffix, EventKind.DIGIT, now, digit))
        self.prompt_ended(leg, query.get("n", ""))

    # --- conferences ----------------------------------------------------------------------------

    def _announcement(self, leg: Leg) -> str:
        said = leg.said
        if said is None:
            return twiml.wait(self._addresses.of("twiml", leg.token))
        return twiml.announce(said.prompt, said.words, self._addresses.base)

    # StatusCallbackEvent=participant-join&ConferenceSid=CF1…&FriendlyName=callgate-call_…
    #   &CallSid=CA1…&ParticipantLabel=leg_…&SequenceNumber=2&Timestamp=Sat%2C+28+Nov+2026+…
    def _conference(self, fields: Fields) -> None:
        """Take what happens in a conference. The address is the first participant's, for all."""
        leg = self._board.leg_of(fields.get("CallSid", ""))
        if leg is None or leg.ended is not None:
            return
        kind, sid = fields.get("StatusCallbackEvent", ""), fields.get("ConferenceSid", "")
        if kind == "participant-join" and sid:
            leg.conference_sid = sid
            leg.joined_call_ms = instant_ms(fields.get("Timestamp")) or self._board.clock.now_ms()
            self._tell_bridged(sid)
        elif kind == "participant-leave" and leg.conference_sid == sid:
            leg.conference_sid, leg.joined_call_ms = "", None
        elif kind in ("announcement-end", "announcement-fail") and leg.said is not None:
            self.prompt_ended(leg, str(leg.said.n))

    def _tell_bridged(self, sid: str) -> None:
        """Tell who hears somebody now: each since it came, the first since the second came."""
        there = self._board.in_conference(sid)
        if len(there) < 2:  # noqa: PLR2004  (alone, nobody is heard)
            return
        second = there[1].joined_call_ms or 0
        for leg in there:
            since = max(second, leg.joined_call_ms or 0)
            suffix = f"bridged:{leg.bridge}"
            if not leg.bridged or f"{leg.id}:{suffix}" not in leg.told:
                leg.bridged = True
                self._board.tell(leg.event(suffix, EventKind.BRIDGED, since))
