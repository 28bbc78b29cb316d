"""Calls told as timelines: what the phones do, and what the machine makes of it.

    0 A rings; 3 A answers; 4 A presses 1; 5 B rings; 9 B answers; 70 B hangs up

Entries are separated by `;` (one unit each) or `+` (the same unit); the number is the second. A
phone is a party's label; `A.2` names its second attempt. Deadlines between the entries pass as
they would. The switch obeys at once, unless it is told to be `deaf`: a leg that is asked to hang
up has ended, by us, in the same instant.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from call_core.calls.causes import Cause
from call_core.calls.facts import lost
from call_core.calls.machine import Step, advance, end, next_deadline
from call_core.calls.model import (
    MS,
    VERIFICATION,
    Call,
    CallState,
    Leg,
    Party,
    Reason,
    Role,
    leg_id,
)
from call_core.calls.plan import next_attempt
from call_core.calls.rules import Rules
from call_core.calls.wanted import wanted
from call_core.contracts import EventKind, SwitchEvent
from call_core.rating.rater import RateTerms

T0 = 1_000_000
RULES = Rules(cut_guard_ms=0)
TERMS = RateTerms("7:1", "1", "United States", 12_000, 0, 60, 60, 0, 100, "USD", "retail", 3)
PAID_S = 36_000


def a_leg(n: int = 0, attempt: int = 1, *, accept: bool = True, terms: RateTerms = TERMS) -> Leg:
    """Return a planned leg, paid for ten hours."""
    return Leg(
        id=leg_id("call_1", n, attempt),
        n=n,
        attempt=attempt,
        number_id=leg_id("call_1", n, attempt),
        number=f"+1202555010{n}",
        post_dial="",
        caller_number_id="",
        caller_id="+12025550143",
        trunk="trunk",
        terms=terms,
        buy_terms=None,
        accept=accept,
        holds=1,
        held_micros=12_000 * 600,
        paid_seconds=PAID_S,
    )


def a_party(n: int, role: Role, label: str, *, accept: bool) -> Party:
    """Return a party with one planned leg."""
    leg = a_leg(n, accept=accept)
    return Party(n, role, label, leg.number_id, accept, legs=(leg,))


def a_call(kind: str, parties: Sequence[Party]) -> Call:
    """Return a call in which nothing has happened."""
    return Call(
        id="call_1",
        ref="4F7",
        kind=kind,
        user_id="user_1",
        customer_id="customer_1",
        channel="smtp",
        address="ann@example.com",
        request_id="request_1",
        thread="",
        state=CallState.QUEUED,
        reason="",
        title="",
        billing_code="",
        private=False,
        locked=False,
        currency="USD",
        cap_micros=None,
        max_seconds=None,
        stated_seconds=None,
        free_first_leg=True,
        switch="simulator",
        shard=0,
        epoch=0,
        version=1,
        timezone="UTC",
        created_wall_ms=T0,
        parties=tuple(parties),
    )


def two_party() -> Call:
    """Return a call of A, who must press a key, with B, who need not."""
    return a_call(
        "call",
        [a_party(0, Role.A, "A", accept=True), a_party(1, Role.B, "B", accept=False)],
    )


def conference(participants: int = 2) -> Call:
    """Return a conference of the chair C with participants P1, P2 and so on."""
    return a_call(
        "conference",
        [
            a_party(0, Role.CHAIR, "C", accept=True),
            *(
                a_party(n, Role.PARTICIPANT, f"P{n}", accept=True)
                for n in range(1, participants + 1)
            ),
        ],
    )


def verification(keys: str) -> Call:
    """Return a call that asks A's phone for some digits."""
    party = a_party(0, Role.A, "A", accept=True)
    legs = (replace(party.legs[0], keys=keys),)
    return a_call(VERIFICATION, [replace(party, legs=legs)])


def paid(call: Call, label: str, seconds: int) -> Call:
    """Return the call with one party's first leg paid for so long only."""
    party = party_of(call, label)
    return call.with_leg(replace(party.legs[0], paid_seconds=seconds))


def party_of(call: Call, label: str) -> Party:
    """Return the party with this label."""
    return next(party for party in call.parties if party.label == label)


def at(second: str) -> int:
    """Return the instant of a second of a timeline, `4` or `4.25`."""
    whole, _, part = second.partition(".")
    return T0 + int(whole) * MS + int(part.ljust(3, "0") or 0)


def second(at_call_ms: int) -> str:
    """Undo `at`."""
    whole, part = divmod(at_call_ms - T0, MS)
    return f"{whole}.{part:03}".rstrip("0").rstrip(".")


def event(leg: Leg, kind: EventKind, at_call_ms: int, **more: object) -> SwitchEvent:
    """Return one event of a leg."""
    bare = SwitchEvent(f"{leg.id}:{kind}:{at_call_ms}", kind, leg.id, "call_1", at_call_ms)
    return replace(bare, **more)  # type: ignore[arg-type]


Maker = Callable[[Leg, int, str], SwitchEvent]


def _ended(leg: Leg, at_call_ms: int, cause: int, *, by_us: bool = False) -> SwitchEvent:
    return event(
        leg,
        EventKind.ENDED,
        at_call_ms,
        cause=cause,
        by_us=by_us,
        answered_call_ms=leg.answered_call_ms,
    )


# What a phone, or the switch about it, can do: the words, and the event.
VERBS: dict[str, Maker] = {
    r"rings": lambda leg, t, _: event(leg, EventKind.RINGING, t),
    r"answers": lambda leg, t, _: event(leg, EventKind.ANSWERED, t),
    r"presses (.)": lambda leg, t, key: event(leg, EventKind.DIGIT, t, digit=key),
    r"bridged": lambda leg, t, _: event(leg, EventKind.BRIDGED, t),
    r"not bridged": lambda leg, t, _: event(leg, EventKind.BRIDGE_FAILED, t),
    r"heard it": lambda leg, t, _: event(leg, EventKind.PROMPT_ENDED, t),
    r"hangs up": lambda leg, t, _: _ended(leg, t, 16),
    r"busy": lambda leg, t, _: _ended(leg, t, 17),
    r"not answered": lambda leg, t, _: _ended(leg, t, 19),
    r"ends (\d+)": lambda leg, t, cause: _ended(leg, t, int(cause)),
    r"cut": lambda leg, t, _: _ended(leg, t, 16, by_us=True),
    r"fails (\d+)": lambda leg, t, cause: event(
        leg, EventKind.ORIGINATE_FAILED, t, cause=int(cause)
    ),
    r"may have failed": lambda leg, t, _: event(leg, EventKind.ORIGINATE_FAILED, t, certain=False),
    r"ended, answered at (\S+)": lambda leg, t, answered: event(
        leg, EventKind.ENDED, t, answered_call_ms=at(answered)
    ),
}


@dataclass
class Run:
    """A call being driven; `effects` is what the switch was asked for, as text."""

    call: Call
    rules: Rules = RULES
    deaf: bool = False
    funded: bool = True
    now_call_ms: int = T0
    effects: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    _asked: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def play(self, timeline: str) -> "Run":
        """Let everything in the timeline happen."""
        for unit in filter(None, (part.strip() for part in timeline.split(";"))):
            self._unit([part.strip() for part in unit.split("+")])
        return self

    def _unit(self, entries: list[str]) -> None:
        moment, _, first = entries[0].partition(" ")
        self._pass_until(at(moment))
        self.now_call_ms = at(moment)
        events = [
            made for words in (first, *entries[1:]) if (made := self._entry(words)) is not None
        ]
        self.advance(events)

    def _pass_until(self, until_call_ms: int) -> None:
        while (due := next_deadline(self.call, self.rules)) is not None and due < until_call_ms:
            assert due >= self.now_call_ms, "a deadline lies in the past and changed nothing"
            before = self.call
            self.now_call_ms = due
            self.advance([])
            assert self.call != before, "a deadline changed nothing"

    def _entry(self, words: str) -> SwitchEvent | None:
        """Return an event, or do a command and return None."""
        name, _, does = words.partition(" ")
        if name in COMMANDS:
            self.call = COMMANDS[name](self, does)
            return None
        leg = self.leg(name)
        for pattern, maker in VERBS.items():
            found = re.fullmatch(pattern, does)
            if found:
                return maker(leg, self.now_call_ms, "".join(found.groups()))
        raise AssertionError(f"No such thing on a timeline: {words}")

    def leg(self, name: str) -> Leg:
        """Return a party's attempt; without number the newest that was dialled."""
        label, _, attempt = name.partition(".")
        legs = party_of(self.call, label).legs
        if attempt:
            return legs[int(attempt) - 1]
        return next((leg for leg in reversed(legs) if leg.originated_call_ms is not None), legs[-1])

    def advance(self, events: Sequence[SwitchEvent]) -> None:
        """Run one unit, and what the switch answers to what it asks for."""
        step = advance(self.call, events, self.now_call_ms, self.rules)
        self.steps.append(step)
        self.call = _paid_for(step.call) if self.funded else step.call
        ended = self._act()
        if ended and not self.deaf:
            self.advance(ended)

    def _act(self) -> list[SwitchEvent]:
        ended: list[SwitchEvent] = []
        for wish in wanted(self.call):
            leg = wish.leg
            wishes: tuple[str, ...]
            if wish.exists:
                says = f"says {wish.prompt}" if wish.prompt else ""
                wishes = ("ring", says, "bridge" if wish.bridged else "")
            else:
                wishes = (f"hang up {Cause(wish.hangup_cause).name}",)
                ended.append(_ended(leg, self.now_call_ms, 16, by_us=True))
            known = self._asked.get(leg.id, ())
            for words in wishes:
                if words and words not in known:
                    self.effects.append(f"{second(self.now_call_ms)} {self._name(leg)} {words}")
            self._asked[leg.id] = wishes
        return ended

    def _name(self, leg: Leg) -> str:
        label = next(party.label for party in self.call.parties if party.n == leg.n)
        return label if leg.attempt == 1 else f"{label}.{leg.attempt}"

    @property
    def states(self) -> str:
        """The states of the call and of every leg: `CONNECTED A:BRIDGED B:ACCEPTED`."""
        legs = (f"{self._name(leg)}:{leg.state}" for leg in self.call.legs())
        return " ".join([str(self.call.state), *legs])

    @property
    def outcome(self) -> str:
        """How it ended: `completed A:NORMAL_CLEARING B:CALL_ENDED`, with `-` for a leg still up."""
        legs = (
            f"{self._name(leg)}:{Cause(leg.cause).name if leg.ended else '-'}"
            for leg in self.call.legs()
        )
        return " ".join([self.call.reason or "-", *legs])


def _paid_for(call: Call) -> Call:
    """Hold money for legs that the machine added by itself, as the unit does that runs it."""
    for leg in call.legs():
        if not leg.holds and not leg.ended:
            call = call.with_leg(replace(leg, holds=1, paid_seconds=PAID_S))
    return call


def run(
    call: Call, timeline: str, rules: Rules = RULES, *, deaf: bool = False, funded: bool = True
) -> Run:
    """Start a call at second 0 and let a timeline happen to it."""
    started = Run(call, rules, deaf, funded)
    started.advance([])
    return started.play(timeline)


# --- tables of timelines --------------------------------------------------------------------------

TIMELINES = {
    "TALK": "1 A rings; 3 A answers; 4 A presses 1; 5 B rings; 9 B answers",
    "MEET": "1 C answers; 2 C presses 1; 5 P1 answers; 6 P1 presses 1; 7 P2 answers;"
    " 8 P2 presses 1",
}
"""Beginnings that many cases share: `{TALK}` in a table stands for them."""

_TABLES = Path(__file__).parents[1] / "unit" / "call_core" / "calls" / "timelines"


@dataclass(frozen=True)
class Case:
    """One stanza of a table: what it shows, the timeline, and the lines that it comes to."""

    title: str
    timeline: str
    expected: list[str]

    def __str__(self) -> str:
        return self.title


def cases(*names: str) -> list[Case]:
    """Read tables of timelines; `#` begins a comment, a blank line ends a case."""
    found = []
    for name in names:
        for stanza in (_TABLES / name).read_text(encoding="utf-8").split("\n\n"):
            lines = [line.strip() for line in stanza.splitlines() if not line.startswith("#")]
            if lines:
                title, timeline, *expected = lines
                for word, beginning in TIMELINES.items():
                    timeline = timeline.replace(f"{{{word}}}", beginning)
                found.append(Case(title, timeline, [line.removeprefix("> ") for line in expected]))
    return found


# --- commands on a timeline -----------------------------------------------------------------------


def _drop(running: Run, label: str) -> Call:
    party = party_of(running.call, label)
    call = running.call.with_party(replace(party, dropped=True))
    for leg in party.legs:
        if leg.originated_call_ms is None:
            call = call.with_leg(
                replace(leg, ended_call_ms=running.now_call_ms, cause=int(Cause.NOT_DIALLED))
            )
        elif not leg.ended:
            call = call.with_leg(replace(leg, hangup_asked=int(Cause.DROPPED)))
    return call


def _again(running: Run, label: str, *, moves: bool) -> Call:
    party = party_of(running.call, label)
    leg = replace(next_attempt(party.last_leg), moves=moves, paid_seconds=PAID_S, holds=1)
    if moves:
        leg = replace(leg, accept=True)
    else:
        party = replace(party, redials=party.redials + 1, dropped=False)
    return running.call.with_party(party).with_leg(leg)


def _end(running: Run, reason: str) -> Call:
    return end(running.call, Reason(reason), running.now_call_ms, running.rules)


def _lose(running: Run, name: str) -> Call:
    return running.call.with_leg(lost(running.leg(name), running.now_call_ms))


COMMANDS: dict[str, Callable[[Run, str], Call]] = {
    "tick": lambda running, _: running.call,
    "drop": _drop,
    "move": lambda running, label: _again(running, label, moves=True),
    "redial": lambda running, label: _again(running, label, moves=False),
    "end": _end,
    "lose": _lose,
}
