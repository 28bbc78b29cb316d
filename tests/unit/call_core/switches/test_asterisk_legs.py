"""What the events of ARI amount to, without a socket."""

import inspect
import re
from typing import Any

import pytest

from call_core.contracts import EventKind
from call_core.switches.asterisk_legs import EVENTS, MOST_REMEMBERED, Legs

AT = "2026-11-28T06:40:00.123+0000"


def channel(leg_id: str = "leg_a", state: str = "Up", **said: str) -> dict[str, Any]:
    """Return a channel as Asterisk writes it."""
    variables = {"CALLGATE_APP": "callgate", "CALLGATE_CALL": "call_1", "CALLGATE_SHARD": "3"}
    return {"id": leg_id, "state": state, "channelvars": variables | said}


def event(kind: str, leg_id: str = "leg_a", **more: object) -> dict[str, Any]:
    """Return an event as Asterisk writes it."""
    made = {"type": kind, "timestamp": AT, "channel": channel(leg_id)}
    return made | more


def bridge(*legs: str) -> dict[str, Any]:
    """Return a bridge with these."""
    return {"id": "call_1", "channels": list(legs)}


@pytest.fixture
def legs() -> Legs:
    """Nothing yet."""
    return Legs("callgate")


def test_a_life(legs: Legs) -> None:
    """Ringing, answered at the dialplan's instant, ended with both."""
    ringing = legs.take(event("ChannelStateChange", channel=channel(state="Ringing")))
    answered = legs.take(event("StasisStart", channel=channel(CALLGATE_ANSWERED="1700")))
    ended = legs.take(event("ChannelDestroyed", cause=16, tech_cause=200))
    told = [*ringing, *answered, *ended]
    assert [each.kind for each in told] == [
        EventKind.RINGING,
        EventKind.ANSWERED,
        EventKind.ENDED,
    ]
    assert (told[1].at_call_ms, told[2].answered_call_ms) == (1700, 1700)
    assert legs.live == {}
    assert legs.take(event("ChannelDestroyed", cause=16)) == []
    assert legs.knows("leg_a")


def test_an_answered_leg_is_there_to_be_used_once_it_is_handed_over(legs: Legs) -> None:
    """Until then the dialplan has it: its answer is told later, with the instant it had."""
    waiting = channel(CALLGATE_ANSWERED="1700") | {"dialplan": {"app_name": "Wait"}}
    [leg] = legs.refresh(iter([waiting]), iter([]), ())
    assert (leg.handed, leg.live().answered_call_ms) == (False, None)
    [answered] = legs.take(event("StasisStart", channel=waiting))
    assert (leg.handed, answered.at_call_ms, leg.live().answered_call_ms) == (True, 1700, 1700)


def test_a_leg_that_was_handed_over_before_we_came_is_known_by_its_application() -> None:
    """As a channel says it that a process finds which did not see the answer."""
    found = channel(CALLGATE_ANSWERED="1700") | {"dialplan": {"app_name": "Stasis"}}
    [leg] = Legs("callgate").refresh(iter([found]), iter([]), ())
    assert leg.live().answered_call_ms == 1700


def test_early_media_is_ringing(legs: Legs) -> None:
    """A phone that plays instead of ringing has been reached."""
    dialled = {"type": "Dial", "timestamp": AT, "peer": channel(), "dialstatus": "PROGRESS"}
    assert [each.kind for each in legs.take(dialled)] == [EventKind.RINGING]
    assert legs.take(dialled | {"dialstatus": ""}) == []


def test_others_are_not_ours(legs: Legs) -> None:
    """Channels of another application, and of nobody, are left alone."""
    theirs = channel(CALLGATE_APP="other")
    assert legs.take(event("StasisStart", channel=theirs)) == []
    assert legs.take(event("StasisStart", channel={"id": "x", "state": "Up"})) == []
    assert legs.take({"type": "BridgeCreated", "timestamp": AT}) == []
    assert legs.live == {}


def test_a_digit_told_twice_is_one(legs: Legs) -> None:
    """Channel and endpoint are both subscribed."""
    key = event("ChannelDtmfReceived", digit="1")
    assert [each.digit for each in [*legs.take(key), *legs.take(key)]] == ["1"]


def test_a_leg_alone_talks_to_nobody(legs: Legs) -> None:
    """Both are bridged when the second comes, a third alone; the last leaves it empty."""
    for leg_id in ("leg_a", "leg_b", "leg_c"):
        legs.take(event("StasisStart", leg_id))
    assert legs.take(event("ChannelEnteredBridge", bridge=bridge("leg_a"))) == []
    both = legs.take(event("ChannelEnteredBridge", "leg_b", bridge=bridge("leg_a", "leg_b")))
    assert [each.leg_id for each in both] == ["leg_a", "leg_b"]
    third = legs.take(
        event("ChannelEnteredBridge", "leg_c", bridge=bridge("leg_a", "leg_b", "leg_c"))
    )
    assert [each.leg_id for each in third] == ["leg_c"]
    legs.take(event("ChannelLeftBridge", "leg_b", bridge=bridge("leg_a")))
    assert legs.empty == []
    legs.take(event("ChannelLeftBridge", "leg_a", bridge=bridge()))
    assert legs.empty == ["call_1"]


def test_parts_of_a_prompt_end_once(legs: Legs) -> None:
    """The next part follows; the end of the last is the end of the prompt, told once."""
    legs.take(event("StasisStart"))
    leg = legs.live["leg_a"]
    leg.playing, leg.queue = "leg_a.p1", ["sound:b"]
    done = {"id": "leg_a.p1", "target_uri": "channel:leg_a"}
    finished = {"type": "PlaybackFinished", "timestamp": AT, "playback": done}
    assert legs.take(finished) == []
    assert legs.waiting.pop() is leg
    leg.playing = "leg_a.p2"
    leg.queue.clear()
    finished["playback"] = done | {"id": "leg_a.p2"}
    assert [each.kind for each in legs.take(finished)] == [EventKind.PROMPT_ENDED]
    assert legs.take(finished) == []
    finished["playback"] = {"id": "other", "target_uri": "channel:leg_a"}
    assert legs.take(finished) == []


@pytest.mark.parametrize(("asked", "cut"), [(True, "0"), (False, "1")])
def test_our_own_ends(legs: Legs, *, asked: bool, cut: str) -> None:
    """What we asked for, and what the limit did, are by us."""
    legs.take(event("StasisStart"))
    legs.live["leg_a"].hung_up = asked
    (ended,) = legs.take(event("ChannelDestroyed", cause=0, channel=channel(CALLGATE_CUT=cut)))
    assert (ended.by_us, ended.cause) == (True, 16)


def test_what_is_there_now(legs: Legs) -> None:
    """Legs that went unheard are forgotten, those just asked for are not; bridges are noted."""
    legs.take(event("StasisStart", "leg_old"))
    legs.take(event("StasisStart", "leg_new"))
    handed = {"dialplan": {"app_name": "Stasis"}}
    there = [channel(CALLGATE_ANSWERED="1700", CALLGATE_SINCE="900") | handed, {"id": "x"}]
    (found,) = legs.refresh(iter(there), iter([bridge("leg_a", "x")]), {"leg_new"})
    live = found.live()
    assert (live.leg_id, live.call_id, live.shard) == ("leg_a", "call_1", 3)
    assert (live.answered_call_ms, live.bridge, live.since_call_ms) == (1700, "call_1", 900)
    assert set(legs.live) == {"leg_a", "leg_new"}


def test_the_memory_is_bounded(legs: Legs) -> None:
    """The oldest end goes when there are too many."""
    for n in range(MOST_REMEMBERED + 1):
        (ended,) = legs.take(event("ChannelDestroyed", f"leg_{n}", cause=17))
        assert ended.cause == 17
    assert not legs.knows("leg_0")
    assert legs.knows("leg_1")


def test_every_kind_that_is_read_is_asked_for() -> None:
    """And nothing but these, and the word that another process took our place."""
    read = re.findall(r'(?:case|\["type"\] ==) "(\w+)"', inspect.getsource(Legs))
    assert {*read, "ApplicationReplaced"} == set(EVENTS)
