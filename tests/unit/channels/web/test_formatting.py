"""How pages write instants, durations and states."""

from dataclasses import replace

import pytest

from call_core.contracts import PartyView
from channels.web import formatting
from tests.support.scripted_core import NOW_MS, a_call, a_leg


@pytest.mark.parametrize(
    ("timezone", "shown"),
    [
        ("Europe/London", "Mon 21 Sep 2026 15:13 BST (London)"),
        ("America/New_York", "Mon 21 Sep 2026 10:13 EDT (New York)"),
        ("nowhere", "Mon 21 Sep 2026 14:13 UTC"),
    ],
)
def test_an_instant_is_in_the_users_zone(timezone: str, shown: str) -> None:
    """The zone is always said; one that is not known is UTC."""
    assert formatting.instant(NOW_MS, timezone) == shown


def test_what_did_not_happen_is_a_dash() -> None:
    """No time is not midnight."""
    assert formatting.instant(None, "UTC") == formatting.clock(None, "UTC") == formatting.NEVER


@pytest.mark.parametrize(
    ("timezone", "shown"),
    [("Europe/London", "15:13:20"), ("nowhere", "14:13:20"), ("../up", "14:13:20")],
)
def test_a_clock_is_in_the_users_zone(timezone: str, shown: str) -> None:
    """A zone that is not known is UTC, not an error."""
    assert formatting.clock(NOW_MS, timezone) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0:00"), (65, "1:05"), (3599, "59:59"), (3723, "1:02:03")]
)
def test_durations_read_like_a_clock(seconds: int, shown: str) -> None:
    """Hours appear when there are any."""
    assert formatting.duration(seconds) == shown


@pytest.mark.parametrize(
    ("state", "reason", "words"),
    [
        ("LAUNCHING", "", "Your phone rings first. Answer it and press 1."),
        ("ENDED", "money", "Ended: the money was used up."),
        ("ENDED", "hung_up", "Ended."),
        ("ENDED", "something_new", "Ended: something new."),
        ("ENDED", "", "Ended."),
        ("SOMETHING_NEW", "", "Something new."),
    ],
)
def test_a_call_says_what_it_does(state: str, reason: str, words: str) -> None:
    """A state that this page does not know yet is still shown."""
    assert formatting.call_words(a_call(state=state, reason=reason)) == words


def test_a_verification_asks_for_its_digits() -> None:
    """Not for the key that joins a call."""
    verifying = replace(a_call(state="LAUNCHING"), kind="verification")
    assert "digits" in formatting.call_words(verifying)


def party(state: str, n: int = 1, cause: str = "", *, muted: bool = False) -> PartyView:
    """Return mom in a state."""
    return PartyView(n, "B", "mom", "+44", state, muted, (a_leg(state, cause=cause),), 0)


@pytest.mark.parametrize(
    ("mom", "words"),
    [
        (party("RINGING"), "ringing"),
        (party("BRIDGED", muted=True), "in the call, muted"),
        (party("ENDED", cause="unreachable", muted=True), "gone (switched off or out of reach)"),
        (party("ENDED"), "gone"),
    ],
)
def test_a_party_says_what_it_does(mom: PartyView, words: str) -> None:
    """A party that is gone says why."""
    assert formatting.party_words(mom) == words


@pytest.mark.parametrize(
    ("call_state", "mom", "actions"),
    [
        ("CONNECTED", party("BRIDGED"), ("mute", "drop")),
        ("CONNECTED", party("BRIDGED", muted=True), ("unmute", "drop")),
        ("CONNECTED", party("BRIDGED", n=0), ("mute",)),
        ("CONNECTED", party("RINGING"), ("drop",)),
        ("CONNECTED", party("PLANNED"), ("drop",)),
        ("CONNECTED", party("ENDED"), ("redial",)),
        ("CONNECTED", party("ENDED", n=0), ()),
        ("ENDING", party("BRIDGED"), ()),
        ("ENDED", party("BRIDGED"), ()),
        ("SCHEDULED", party("PLANNED"), ()),
    ],
)
def test_only_what_makes_sense_has_a_button(
    call_state: str, mom: PartyView, actions: tuple[str, ...]
) -> None:
    """The own phone is hung up with the call, a gone party can be rung again."""
    assert formatting.party_actions(a_call(state=call_state), mom) == actions
