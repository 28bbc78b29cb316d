"""The table of closings, row by row, through the machine."""

from dataclasses import replace

import pytest

from call_core.calls.causes import Result
from call_core.calls.closing import CLOSINGS, closing_of, closing_of_call
from call_core.calls.holds import settle_leg
from call_core.calls.model import Call, CallState, Reason
from call_core.contracts import Prompt
from tests.support.calls import RULES, conference, paid, run, two_party, verification

TALK = "3 A presses 1; 9 B answers"
MEET = "2 C presses 1; 5 P1 presses 1"
# For every row one call that ends by it: reason, result, who, timeline.
ROWS = f"""
    completed      -            two         {TALK}; 70 B hangs up
    hung_up        -            two         3 A presses 1; 6 A hangs up
    hung_up        -            two         {TALK}; 20 end hung_up
    chair_left     -            conference  {MEET}; 60 C hangs up
    alone          -            conference  {MEET}; 60 P1 hangs up; 120 tick
    time           -            timed       {TALK}; 69 tick
    money          -            poor        {TALK}; 63 tick
    money          -            poor        3 A presses 1; 59 B rings; 63 tick
    stopped        -            two         {TALK}; 20 end stopped
    stopped        -            two         3 A presses 1; 20 end stopped
    expired        -            two         0 end expired
    a_not_reached  busy         two         2 A busy
    a_not_reached  lines_busy   two         0 A fails 34
    a_not_reached  -            two         60 tick
    a_not_accepted -            two         3 A answers; 23 tick
    b_not_reached  busy         two         3 A presses 1; 5 B busy; 8 A heard it
    b_not_reached  no_answer    two         3 A presses 1; 5 B not answered; 8 A heard it
    b_not_reached  no_answer    two         3 A presses 1; 5 B rings; 70 tick
    b_not_reached  lines_busy   two         3 A presses 1; 5 B fails 42; 8 A heard it
    b_not_reached  -            two         3 A presses 1; 5 B ends 1; 8 A heard it
    nobody_came    -            conference  3 C presses 1; 5 P1 busy; 8 C heard it
    nobody_came    -            conference  3 C presses 1; 5 P1 answers; 40 tick
    verified       -            phone       3 A presses 4; 4 A presses 8; 5 A presses 2
"""


def begun(kind: str) -> Call:
    """Return a call of the kind that a row names."""
    return {
        "two": two_party(),
        "conference": conference(1),
        "timed": replace(two_party(), max_seconds=60),
        "poor": paid(two_party(), "A", 60),
        "phone": verification("482"),
    }[kind]


def parsed() -> list[tuple[Reason, Result | None, str, str]]:
    """Read the rows."""
    rows = []
    for row in ROWS.strip().splitlines():
        reason, result, kind, timeline = row.split(maxsplit=3)
        rows.append((Reason(reason), None if result == "-" else Result(result), kind, timeline))
    return rows


@pytest.mark.parametrize(("reason", "result", "kind", "timeline"), parsed())
def test_every_row_is_what_happens(
    reason: Reason, result: Result | None, kind: str, timeline: str
) -> None:
    """A call that ends so says this to A, sends this notice, and bills A like this."""
    row = CLOSINGS[reason, result]
    ran = run(begun(kind), timeline)
    assert (ran.call.state, ran.call.reason) == (CallState.ENDED, reason)
    assert closing_of_call(ran.call, ran.call.reason) == row
    first = ran.call.first.label
    said = [words for words in ran.effects if f" {first} says " in words]
    closing = [
        words for words in said if not words.endswith(("accept", "accept_invited", "verify"))
    ]
    assert [words.split()[-1] for words in closing] == ([row.prompt] if row.prompt else [])
    assert bill(ran.call) in {"either": ("free", "billed")}.get(row.a_leg, (row.a_leg,))


def bill(call: Call) -> str:
    """Return how A's first leg is billed."""
    settlement = settle_leg(call, call.first.legs[0], RULES)
    if settlement.duration_ms is None:
        return "unanswered"
    return "free" if settlement.free_s else "billed"


def test_every_row_has_its_call() -> None:
    """No row of the table is without a call that ends by it."""
    assert {(reason, result) for reason, result, _, _ in parsed()} == set(CLOSINGS)


def test_either_is_either() -> None:
    """A row that says `either` has both: free while nobody else was answered, billed after."""
    bills: dict[Reason, set[str]] = {}
    for reason, _, kind, timeline in parsed():
        bills.setdefault(reason, set()).add(bill(run(begun(kind), timeline).call))
    both = {reason for (reason, _), row in CLOSINGS.items() if row.a_leg == "either"}
    assert both == {reason for reason, seen in bills.items() if seen == {"free", "billed"}}


@pytest.mark.parametrize("result", [None, *Result])
@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_closing(reason: Reason, result: Result | None) -> None:
    """A result without its own row has the reason's; a reason without one has a plain receipt."""
    closing = closing_of(reason, result)
    expected = CLOSINGS.get((reason, result), CLOSINGS.get((reason, None)))
    assert closing == (expected or CLOSINGS[Reason.COMPLETED, None])


def test_an_unknown_reason_is_our_defect() -> None:
    """Only the reasons of the model can end a call."""
    with pytest.raises(ValueError, match="tired"):
        closing_of("tired", None)


def test_a_call_without_others_has_the_reasons_row() -> None:
    """Nobody was called, so nothing became of it."""
    empty = replace(two_party(), parties=())
    assert closing_of_call(empty, Reason.EXPIRED).notice == "expired"


def test_closing_prompts_are_about_the_end() -> None:
    """No closing asks for a key or goes on for ever."""
    prompts = {row.prompt for row in CLOSINGS.values()} - {None}
    assert prompts == {Prompt.BUSY, Prompt.NO_ANSWER, Prompt.FAILED}
