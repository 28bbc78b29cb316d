"""Calls on micro pages: a list, one call as it is now, its people, its controls."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from call_core.commands import Add, Drop, HangUp, Lock, Mute, Name, Redial, Skip, Unmute, Who
from tests.support.micro import DEVICES, Handset, handset_before, plain_core
from tests.support.scripted_core import NOW_MS, ScriptedCore, a_call, a_leg

pytestmark = pytest.mark.anyio


@pytest.fixture
def core() -> ScriptedCore:
    """Return a core with one running call."""
    core = plain_core()
    core.views["call_1"] = a_call()
    return core


@pytest.fixture(params=["wml", "palm"])
async def handset(request: pytest.FixtureRequest, core: ScriptedCore) -> AsyncIterator[Handset]:
    """Return a browser that is signed in."""
    assert request.param in DEVICES
    async with handset_before(core, request.param) as made:
        await made.enter()
        yield made


async def test_a_running_call_is_on_the_first_page(handset: Handset, core: ScriptedCore) -> None:
    """One press to what it does now; Refresh shows what changed."""
    await handset.press("4F7 mom connected")
    assert "Connected." in handset.screen.words
    assert "Cost $0.06" in handset.screen.words
    core.change("call_1", state="ENDING", locked=True, cost_micros=120_000)
    screen = await handset.press("Refresh")
    assert {"Ending. Locked.", "Cost $0.12"} <= set(screen.words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "QUEUED"}, "Your phone rings in a moment."),
        ({"state": "LAUNCHING"}, "Your phone rings first. Answer it and press 1."),
        (
            {"state": "LAUNCHING", "kind": "verification"},
            "Your phone rings. Answer it and key the digits that you were shown.",
        ),
        ({"state": "NEW_ONE"}, "New one."),
        ({"state": "ENDED", "reason": "money"}, "Over: money."),
        ({"state": "ENDED"}, "Over."),
    ],
)
async def test_a_state_is_said_in_words(
    handset: Handset, core: ScriptedCore, changes: dict[str, str], words: str
) -> None:
    """Also one that this page does not know yet."""
    core.change("call_1", **changes)
    screen = await handset.ask("call:4F7")
    assert words in screen.words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "RINGING"}, "rings"),
        ({"muted": True}, "is in the call, muted"),
        ({"state": "ENDED", "legs": (a_leg("ENDED", cause="busy"),)}, "gone (busy)"),
        ({"state": "ENDED", "legs": (), "muted": True}, "gone"),
        ({"state": "NEW_ONE"}, "new one"),
    ],
)
async def test_a_party_is_said_in_words(
    handset: Handset, core: ScriptedCore, changes: dict[str, object], words: str
) -> None:
    """On the call's page and on its own."""
    a, b = core.views["call_1"].parties
    core.change("call_1", parties=(a, replace(b, **changes)))  # type: ignore[arg-type]  # (a table)
    screen = await handset.ask("call:4F7")
    assert words in screen.words[-1]
    screen = await handset.press("1 mom")
    assert screen.title == "mom"
    assert f"+44 20 7946 0018 {words}" in screen.words


@pytest.mark.parametrize(
    ("press", "command"),
    [
        ("Hang up", HangUp("4F7")),
        ("Lock", Lock("4F7")),
        ("Who", Who("4F7")),
    ],
)
async def test_a_call_is_controlled(
    handset: Handset, core: ScriptedCore, press: str, command: object
) -> None:
    """Each control is one press, on a further screen at most."""
    await handset.ask("call:4F7")
    while press not in handset.labels():
        await handset.press("More")
    await handset.press(press)
    assert core.asked[0].command == command


async def test_somebody_is_added(handset: Handset, core: ScriptedCore) -> None:
    """The field begins with the call and the verb; the name goes behind."""
    await handset.ask("call:4F7")
    screen = await handset.press("Add")
    assert screen.inputs["text"] == "4F7 add "
    await handset.press("Send", {"text": screen.inputs["text"] + "bob"})
    assert core.asked[0].command == Add(Name("bob"), "4F7")


@pytest.mark.parametrize(
    ("number", "changes", "press", "command"),
    [
        ("1", {}, "Mute", Mute(1, "4F7")),
        ("1", {"muted": True}, "Unmute", Unmute(1, "4F7")),
        ("1", {}, "Drop", Drop(1, "4F7")),
        ("1", {"state": "ENDED"}, "Redial", Redial(1, "4F7")),
        ("0", {}, "Mute", Mute(0, "4F7")),
    ],
)
async def test_a_party_is_controlled(
    handset: Handset,
    core: ScriptedCore,
    number: str,
    changes: dict[str, object],
    press: str,
    command: object,
) -> None:
    """By buttons that fit what they do now."""
    parties = tuple(
        replace(each, **changes)  # type: ignore[arg-type]  # (a table)
        for each in core.views["call_1"].parties
    )
    core.change("call_1", parties=parties)
    await handset.ask(f"party:4F7:{number}")
    await handset.press(press)
    assert core.asked[0].command == command


@pytest.mark.parametrize(
    ("state", "party_state", "number", "labels"),
    [
        ("CONNECTED", "BRIDGED", 0, ["Mute"]),
        ("CONNECTED", "ENDED", 0, []),
        ("ENDING", "BRIDGED", 1, []),
        ("ENDED", "ENDED", 1, []),
    ],
)
async def test_what_makes_no_sense_is_not_offered(
    handset: Handset,
    core: ScriptedCore,
    state: str,
    party_state: str,
    number: int,
    labels: list[str],
) -> None:
    """Nobody drops the own phone, nor anybody of a call that is over."""
    parties = tuple(replace(each, state=party_state) for each in core.views["call_1"].parties)
    core.change("call_1", parties=parties, state=state)
    await handset.ask(f"party:4F7:{number}")
    assert handset.labels() == [*labels, "Call", "Home"]


async def test_a_scheduled_call_is_skipped(handset: Handset, core: ScriptedCore) -> None:
    """It says when it is due."""
    core.change("call_1", state="SCHEDULED", due_call_ms=NOW_MS)
    screen = await handset.ask("call:4F7")
    assert any(line.startswith("Due ") and "London" in line for line in screen.words)
    await handset.press("Skip")
    assert core.asked[0].command == Skip("4F7")


async def test_a_call_that_is_over_explains_its_bill(handset: Handset, core: ScriptedCore) -> None:
    """The arithmetic is below, and there is nothing to control."""
    core.change("call_1", state="ENDED", due_call_ms=NOW_MS)
    screen = await handset.ask("call:4F7")
    assert "1 min x $0.04 = $0.04" in screen.words
    assert handset.labels() == ["Refresh", "0 cell", "1 mom", "Home"]


async def test_a_locked_call_is_unlocked(handset: Handset, core: ScriptedCore) -> None:
    """Lock and Unlock take each other's place."""
    core.change("call_1", locked=True)
    await handset.ask("call:4F7")
    labels = handset.labels()
    while "More" in handset.labels():
        await handset.press("More")
        labels += handset.labels()
    assert "Unlock" in labels
    assert "Lock" not in labels


@pytest.mark.parametrize(
    "action",
    [
        "call:9K9",
        "call:",
        f"call:{'x' * 61}",
        "call:%00",
        "party:9K9:1",
        "party:4F7:9",
        "party:4F7:",
        "party:4F7:123",
        "party:4F7:%D9%A3",
    ],
)
async def test_a_call_that_is_not_theirs_is_said_to_be_none(handset: Handset, action: str) -> None:
    """Whether somebody else has it is not told."""
    screen = await handset.ask(action)
    assert "There is no such call of yours." in screen.words


async def test_past_calls_go_on_page_by_page(handset: Handset, core: ScriptedCore) -> None:
    """Each call once, in order, with what it cost; older ones behind Older."""
    core.views = {
        f"call_{number}": a_call(f"call_{number}", f"{number}", state="ENDED")
        for number in range(45)
    }
    await handset.press("Calls")
    seen = handset.labels()
    while {"More", "Older"} & set(handset.labels()):
        await handset.press("Older" if "Older" in handset.labels() else "More")
        seen += handset.labels()
    labels = [label for label in seen if label not in {"More", "Older", "Home"}]
    assert labels == [f"{number} mom $0.06" for number in range(45)]


async def test_no_calls_yet(handset: Handset, core: ScriptedCore) -> None:
    """It is said."""
    core.views = {}
    screen = await handset.press("Calls")
    assert "No calls yet." in screen.words
