"""A call as immutable data."""

from dataclasses import replace

import pytest

from call_core.calls.model import LegState, Role, call_id_of_leg, leg_id
from tests.support.calls import T0, a_leg, a_party, conference, two_party

# Facts in the order in which they take a leg further; each wins over those before it.
STATES = """
    -             PLANNED
    originated    DIALING
    ringing       RINGING
    answered      ANSWERED
    accepted      ACCEPTED
    bridged       BRIDGED
    hangup        ENDING
    ended         ENDED
"""
FACTS = {
    "originated": {"originated_call_ms": 0},
    "ringing": {"ringing_call_ms": 0},
    "answered": {"answered_call_ms": 0},
    "accepted": {"accepted_call_ms": 0},
    "bridged": {"bridged_call_ms": 0},
    "hangup": {"hangup_asked": 205},
    "ended": {"ended_call_ms": 0},
}


def test_the_state_is_the_furthest_fact() -> None:
    """Each fact alone gives its state, and with all earlier ones too; instant 0 is an instant."""
    leg = a_leg()
    for row in STATES.strip().splitlines():
        fact, state = row.split()
        leg = replace(leg, **FACTS.get(fact, {}))  # type: ignore[arg-type]
        assert leg.state is LegState(state)
        alone = replace(a_leg(), **FACTS.get(fact, {}))  # type: ignore[arg-type]
        assert alone.state is LegState(state)


@pytest.mark.parametrize(
    ("facts", "talking"),
    [
        ({}, False),
        ({"accepted_call_ms": T0}, True),
        ({"accepted_call_ms": T0, "hangup_asked": 205}, False),
        ({"accepted_call_ms": T0, "ended_call_ms": T0}, False),
    ],
)
def test_a_talking_leg_was_accepted_and_is_not_on_its_way_out(
    facts: dict[str, int], *, talking: bool
) -> None:
    """Nobody who was asked to leave is counted as there."""
    leg = replace(a_leg(), **facts)  # type: ignore[arg-type]
    assert leg.talking is talking


@pytest.mark.parametrize(
    ("facts", "on_the_way"),
    [
        ({}, True),
        ({"accepted_call_ms": T0}, False),
        ({"hangup_asked": 205}, False),
        ({"ended_call_ms": T0}, False),
    ],
)
def test_a_leg_on_the_way_may_still_talk(facts: dict[str, int], *, on_the_way: bool) -> None:
    """Neither there nor out."""
    leg = replace(a_leg(), **facts)  # type: ignore[arg-type]
    assert leg.on_the_way is on_the_way


def test_paid_time_begins_with_the_answer() -> None:
    """Before it there is no end of paid time."""
    leg = replace(a_leg(), paid_seconds=90)
    assert leg.paid_until_call_ms is None
    assert replace(leg, answered_call_ms=T0).paid_until_call_ms == T0 + 90_000


def test_a_party_is_gone_when_no_leg_is_left_or_on_the_way() -> None:
    """One leg up is enough to be there; the newest talking one is where the party is."""
    party = a_party(1, Role.B, "B", accept=False)
    old = replace(party.legs[0], accepted_call_ms=T0)
    new = replace(a_leg(1, 2), accepted_call_ms=T0 + 5)
    out = replace(old, hangup_asked=207)
    assert not party.gone
    assert party.talking_leg is None
    assert replace(party, legs=(old, new)).talking_leg == new
    assert replace(party, legs=(old, a_leg(1, 2))).talking_leg == old
    assert not replace(party, legs=(out, new)).gone
    assert replace(party, legs=(out,)).gone
    assert replace(party, legs=(replace(old, ended_call_ms=T0), out)).gone


def test_parties_and_legs_are_found_by_their_names() -> None:
    """By number, by id; what is not there is None."""
    call = conference(2)
    assert call.party(2) is call.parties[2]
    assert call.party(9) is None
    assert call.leg("call_1.1.1") is call.parties[1].legs[0]
    assert call.leg("call_1.9.1") is None
    assert (call.first, call.others) == (call.parties[0], call.parties[1:])


def test_legs_are_replaced_or_added() -> None:
    """A known id replaces, a new one is the next attempt; the other parties stay."""
    call = two_party()
    changed = replace(a_leg(1), post_dial="9")
    assert [leg.post_dial for leg in call.with_leg(changed).legs()] == ["", "9"]
    more = call.with_leg(a_leg(1, 2))
    assert [leg.id for leg in more.legs()] == ["call_1.0.1", "call_1.1.1", "call_1.1.2"]
    assert more.parties[1].last_leg.attempt == 2
    assert more.parties[0] == call.parties[0]


def test_parties_are_replaced_or_added() -> None:
    """A known number replaces, a new one comes last."""
    call = two_party()
    muted = replace(call.parties[1], muted=True)
    assert [party.muted for party in call.with_party(muted).parties] == [False, True]
    third = a_party(2, Role.PARTICIPANT, "P2", accept=True)
    assert [party.n for party in call.with_party(third).parties] == [0, 1, 2]


@pytest.mark.parametrize("call_id", ["call_1", "call.with.dots"])
def test_leg_ids_name_their_call(call_id: str) -> None:
    """The call is found from the leg's id alone."""
    assert leg_id(call_id, 12, 3) == f"{call_id}.12.3"
    assert call_id_of_leg(leg_id(call_id, 12, 3)) == call_id
