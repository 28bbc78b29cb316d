"""What the switch should have, derived from the call alone."""

from dataclasses import replace

from call_core.calls.causes import Cause
from call_core.calls.model import Call
from call_core.calls.wanted import WantedLeg, wanted
from call_core.contracts import Prompt
from tests.support.calls import at, conference, paid, party_of, run, two_party


def wish(call: Call, label: str) -> WantedLeg:
    """Return the wish for a party's newest leg."""
    leg = party_of(call, label).last_leg
    return next(each for each in wanted(call) if each.leg.id == leg.id)


def test_only_legs_that_were_asked_for_and_live_are_wanted() -> None:
    """A planned leg and an ended one are nothing to the switch."""
    assert wanted(two_party()) == []
    assert [each.leg.n for each in wanted(run(two_party(), "1 A rings").call)] == [0]
    assert wanted(run(two_party(), "1 A busy").call) == []


def test_a_ringing_leg_only_exists() -> None:
    """Before the answer there is no limit, no prompt and no bridge."""
    call = run(two_party(), "1 A rings").call
    assert wish(call, "A") == WantedLeg(call.first.legs[0], exists=True)


def test_the_limit_follows_the_hold() -> None:
    """The switch is armed with the end of the paid time."""
    call = run(paid(two_party(), "A", 90), "3 A answers").call
    assert wish(call, "A").limit_until_call_ms == at("93")


def test_who_is_asked_for_a_key() -> None:
    """A hears whom they asked for, a participant who invites; B and the accepted hear nothing."""
    call = run(conference(1), "3 C answers").call
    assert wish(call, "C").prompt is Prompt.ACCEPT
    call = run(conference(1), "3 C presses 1; 5 P1 answers").call
    assert (wish(call, "C").prompt, wish(call, "P1").prompt) == (None, Prompt.ACCEPT_INVITED)
    call = run(two_party(), "3 A presses 1; 5 B answers").call
    assert (wish(call, "A").prompt, wish(call, "B").prompt) == (None, None)


def test_only_a_hears_why_it_ends() -> None:
    """The closing prompt is for A, once B is gone."""
    call = run(two_party(), "3 A presses 1; 5 B busy").call
    assert wish(call, "A").prompt is Prompt.BUSY


def test_nobody_is_bridged_alone() -> None:
    """Two who talk hear each other; one has nobody to hear, and who did not accept is left out."""
    alone = run(conference(2), "3 C presses 1; 5 P1 answers").call
    assert not any(each.bridged for each in wanted(alone))
    both = run(conference(2), "3 C presses 1; 5 P1 answers; 6 P1 presses 1; 7 P2 answers").call
    assert [each.bridged for each in wanted(both)] == [True, True, False]


def test_a_muted_party_is_muted_on_every_leg() -> None:
    """Muting belongs to the person, not to the phone."""
    call = run(two_party(), "3 A presses 1; 5 B answers").call
    call = call.with_party(replace(party_of(call, "B"), muted=True))
    assert (wish(call, "A").muted, wish(call, "B").muted) == (False, True)


def test_a_leg_on_its_way_out_is_wished_away_and_nothing_else() -> None:
    """No prompt, no bridge: only the cause."""
    call = run(two_party(), "3 A presses 1; 5 B answers; 9 end hung_up", deaf=True).call
    out = wish(call, "B")
    assert out == WantedLeg(out.leg, exists=False, hangup_cause=int(Cause.CALL_ENDED))
