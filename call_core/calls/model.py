"""A call as immutable data: the whole, its parties, and each party's legs.

A two-party call and a conference are the same machine: 2 to 64 parties, each with one or more
legs (first attempt, redial, move). What differs is the plan, in `plan.py`.
"""

from dataclasses import dataclass
from enum import StrEnum

from call_core.evolve import evolve
from call_core.rating.rater import RateTerms

MS = 1000


class CallState(StrEnum):
    """Where the whole call is."""

    ASKED = "ASKED"
    SCHEDULED = "SCHEDULED"
    QUEUED = "QUEUED"
    LAUNCHING = "LAUNCHING"
    CONNECTED = "CONNECTED"
    ENDING = "ENDING"
    ENDED = "ENDED"


class LegState(StrEnum):
    """Where one leg is; derived from its facts."""

    PLANNED = "PLANNED"
    DIALING = "DIALING"
    RINGING = "RINGING"
    ANSWERED = "ANSWERED"
    ACCEPTED = "ACCEPTED"
    BRIDGED = "BRIDGED"
    ENDING = "ENDING"
    ENDED = "ENDED"


class Role(StrEnum):
    """A party's part in the call."""

    A = "A"
    B = "B"
    CHAIR = "CHAIR"
    PARTICIPANT = "PARTICIPANT"


class Reason(StrEnum):
    """Why a call ended."""

    COMPLETED = "completed"
    A_NOT_REACHED = "a_not_reached"
    A_NOT_ACCEPTED = "a_not_accepted"
    B_NOT_REACHED = "b_not_reached"
    NOBODY_CAME = "nobody_came"
    HUNG_UP = "hung_up"
    CHAIR_LEFT = "chair_left"
    ALONE = "alone"
    MONEY = "money"
    TIME = "time"
    EXPIRED = "expired"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    REFUSED = "refused"
    VERIFIED = "verified"


ACCEPT_KEY = "1"
VERIFICATION = "verification"
"""The kind of a call with one party, which rings to verify that party's phone."""


@dataclass(frozen=True)
class Leg:
    """One attempt to reach one party.

    Attributes:
        id: call id, party and attempt; the switch knows the leg by it.
        number: E.164; post_dial: digits sent after the answer.
        caller_number_id: whose number the rung phone sees; "" is the service's.
        terms: the price, chosen at originate; buy_terms: what the carrier charges us, or None.
        accept: whether something must be keyed after the answer.
        keys: what: one key, or the digits that verify a phone; keyed: their beginning so far.
        moves: this leg takes over from the party's running leg once accepted.
        *_call_ms: facts by the switch's clock; each is set once and never taken back.
        cause, hangup_by: why it ended, and whether the party, we or the switch ended it.
        hangup_asked: the cause with which we asked the switch to end it; 0 when we did not.
        holds: number of the hold in force, 0 before the first; held_micros: its amount.
        paid_seconds: how long after the answer the hold lasts.
        charge_micros: what the customer paid, once settled; free: whether its first seconds were
            the operator's then, which no later fact about it changes.
    """

    id: str
    n: int
    attempt: int
    number_id: str
    number: str
    post_dial: str
    caller_number_id: str
    caller_id: str
    trunk: str
    terms: RateTerms
    buy_terms: RateTerms | None
    accept: bool
    keys: str = ACCEPT_KEY
    keyed: str = ""
    moves: bool = False
    originated_call_ms: int | None = None
    ringing_call_ms: int | None = None
    answered_call_ms: int | None = None
    accepted_call_ms: int | None = None
    bridged_call_ms: int | None = None
    ended_call_ms: int | None = None
    cause: int = 0
    hangup_by: str = ""
    hangup_asked: int = 0
    end_estimated: bool = False
    holds: int = 0
    held_micros: int = 0
    paid_seconds: int = 0
    charge_micros: int = 0
    settled: bool = False
    free: bool = False

    @property
    def state(self) -> LegState:
        """The state that the facts amount to: that of the last thing that happened."""
        if self.ended_call_ms is not None:
            return LegState.ENDED
        if self.hangup_asked:
            return LegState.ENDING
        if self.bridged_call_ms is not None:
            return LegState.BRIDGED
        if self.accepted_call_ms is not None:
            return LegState.ACCEPTED
        if self.answered_call_ms is not None:
            return LegState.ANSWERED
        if self.ringing_call_ms is not None:
            return LegState.RINGING
        return LegState.PLANNED if self.originated_call_ms is None else LegState.DIALING

    @property
    def ended(self) -> bool:
        """Whether the switch (or reconcile) said that it is over."""
        return self.ended_call_ms is not None

    @property
    def on_the_way(self) -> bool:
        """Whether it may still become a talking leg."""
        return not self.ended and self.hangup_asked == 0 and self.accepted_call_ms is None

    @property
    def talking(self) -> bool:
        """Answered, accepted, and nobody has ended it."""
        return not self.ended and self.hangup_asked == 0 and self.accepted_call_ms is not None

    @property
    def paid_until_call_ms(self) -> int | None:
        """The instant until which its hold pays; None before the answer."""
        if self.answered_call_ms is None:
            return None
        return self.answered_call_ms + self.paid_seconds * MS


@dataclass(frozen=True)
class Party:
    """One person in the call; `n` is never used again within it."""

    n: int
    role: Role
    label: str
    number_id: str
    accept: bool
    muted: bool = False
    dropped: bool = False
    redials: int = 0
    legs: tuple[Leg, ...] = ()

    @property
    def gone(self) -> bool:
        """Whether the last leg ended and none is on the way."""
        return all(leg.ended or leg.hangup_asked != 0 for leg in self.legs)

    @property
    def last_leg(self) -> Leg:
        """The newest attempt; every party has one from the start."""
        return self.legs[-1]

    @property
    def talking_leg(self) -> Leg | None:
        """The leg that is in the call now; after a move the newer one."""
        return next((leg for leg in reversed(self.legs) if leg.talking), None)


@dataclass(frozen=True)
class Call:
    """The whole; `version` counts its writes, `epoch` names its owner's term.

    Attributes:
        address: where notices go on `channel`; "" when the channel answers in its own session.
        cap_micros: `max $5`; max_seconds: `max 20 min`; stated_seconds: `for 30 min`.
        free_first_leg: whether the A-leg allowance was promised.
        talk_call_ms: first answer (and accept) of anybody but A.
        grace_call_ms: deadline of the grace that runs now (see `plan.py`).
        warned_call_ms: when the last minute was announced; None while it is not near.
        retry_money_call_ms: when to ask for money again after a refusal.
    """

    id: str
    ref: str
    kind: str
    user_id: str
    customer_id: str
    channel: str
    address: str
    request_id: str
    thread: str
    state: CallState
    reason: str
    title: str
    billing_code: str
    private: bool
    locked: bool
    currency: str
    cap_micros: int | None
    max_seconds: int | None
    stated_seconds: int | None
    free_first_leg: bool
    switch: str
    shard: int
    epoch: int
    version: int
    timezone: str
    created_wall_ms: int
    due_call_ms: int | None = None
    launched_call_ms: int | None = None
    talk_call_ms: int | None = None
    grace_call_ms: int | None = None
    warned_call_ms: int | None = None
    retry_money_call_ms: int | None = None
    ended_call_ms: int | None = None
    parties: tuple[Party, ...] = ()

    def legs(self) -> list[Leg]:
        """Return every leg, party by party."""
        return [leg for party in self.parties for leg in party.legs]

    @property
    def first(self) -> Party:
        """A, or the chair."""
        return self.parties[0]

    @property
    def others(self) -> tuple[Party, ...]:
        """Everybody but A or the chair."""
        return self.parties[1:]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state is CallState.ENDED

    def party(self, n: int) -> Party | None:
        """Return the party with number `n`."""
        return next((party for party in self.parties if party.n == n), None)

    def leg(self, leg_id: str) -> Leg | None:
        """Return the leg with this id."""
        for party in self.parties:
            for leg in party.legs:
                if leg.id == leg_id:
                    return leg
        return None

    def with_leg(self, leg: Leg) -> "Call":
        """Return the call with one leg replaced, or added when its attempt is new."""
        parties = [
            evolve(party, legs=_with(party.legs, leg)) if party.n == leg.n else party
            for party in self.parties
        ]
        return evolve(self, parties=tuple(parties))

    def with_party(self, party: Party) -> "Call":
        """Return the call with one party replaced, or added when its number is new."""
        if self.party(party.n) is None:
            return evolve(self, parties=(*self.parties, party))
        parties = tuple(party if old.n == party.n else old for old in self.parties)
        return evolve(self, parties=parties)


def _with(legs: tuple[Leg, ...], new: Leg) -> tuple[Leg, ...]:
    for at, leg in enumerate(legs):
        if leg.id == new.id:
            return (*legs[:at], new, *legs[at + 1 :])
    return (*legs, new)


def leg_id(call_id: str, n: int, attempt: int) -> str:
    """Return the id of an attempt; it is what the switch is told, so it is never used twice."""
    return f"{call_id}.{n}.{attempt}"


def call_id_of_leg(identifier: str) -> str:
    """Undo `leg_id`."""
    return identifier.rsplit(".", 2)[0]
