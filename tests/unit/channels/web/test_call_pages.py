"""One call's page: what it shows, what its buttons mean, and its life by events."""

import asyncio

import pytest

from call_core.commands import Add, Command, Drop, Extend, HangUp, Lock, Mute, Name, Redial
from call_core.errors import ParseError
from channels.web.call_pages import control_of
from tests.support.scripted_core import ScriptedCore, a_call, a_record
from tests.unit.channels.web.conftest import Visitor


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({"action": "hangup"}, HangUp("4F7")),
        ({"action": "lock"}, Lock("4F7")),
        ({"action": "mute", "party": "2"}, Mute(2, "4F7")),
        ({"action": "drop", "party": "63"}, Drop(63, "4F7")),
        ({"action": "redial", "party": "1"}, Redial(1, "4F7")),
        ({"action": "add", "value": "bob"}, Add(Name("bob"), "4F7")),
        ({"action": "extend", "value": "15"}, Extend(15, "4F7")),
    ],
)
def test_buttons_are_commands_of_this_call(fields: dict[str, str], command: Command) -> None:
    """Every button names the call by its ref."""
    assert control_of(fields, "4F7") == command


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "explode"},
        {"action": "mute"},
        {"action": "mute", "party": "-1"},
        {"action": "mute", "party": "100"},
        {"action": "mute", "party": "²"},
        {"action": "extend", "value": "soon"},
    ],
)
def test_what_is_no_button_is_refused(fields: dict[str, str]) -> None:
    """A form that our page never had is told apart from a command."""
    assert isinstance(control_of(fields, "4F7"), ParseError)


@pytest.mark.anyio
async def test_a_live_call_is_followed(anna: Visitor, core: ScriptedCore) -> None:
    """A running call has its events, its controls, and a reload for those without script."""
    core.views["call_1"] = a_call()
    page = await anna.get("/calls/call_1")
    assert 'data-events="/calls/call_1/events"' in page.text
    assert '<noscript><meta http-equiv="refresh" content="3"></noscript>' in page.text
    assert 'aria-label="mute mom"' in page.text
    assert 'aria-label="drop mom"' in page.text
    assert 'aria-label="drop cell"' not in page.text


@pytest.mark.anyio
async def test_an_administrator_may_only_end_the_calls_of_others(
    anna: Visitor, core: ScriptedCore
) -> None:
    """Seeing and hanging up is all; nobody joins another's call from here."""
    core.views["call_1"] = a_call(user_id="usr_zoe")
    page = await anna.get("/calls/call_1")
    assert 'value="hangup"' in page.text
    assert not any(f'value="{action}"' in page.text for action in ("add", "mute", "drop", "lock"))


@pytest.mark.anyio
async def test_an_ended_call_shows_its_bill(anna: Visitor, core: ScriptedCore) -> None:
    """When it is over there are records and arithmetic, and nothing to press."""
    core.views["call_1"] = a_call(state="ENDED", reason="NORMAL", ended_call_ms=1)
    core.records = [a_record()]
    page = await anna.get("/calls/call_1")
    assert "1 min x $0.04 = $0.04" in page.text
    assert "London" in page.text
    assert "data-events" not in page.text
    assert "http-equiv" not in page.text
    assert "/control" not in page.text


@pytest.mark.anyio
async def test_the_answer_stays_with_its_call(anna: Visitor, core: ScriptedCore) -> None:
    """After a launch the call's page shows the answer, again after each reload, until it ends."""
    anna.page = await anna.fill("/call", {"to": "mom"})
    assert anna.answer
    await anna.get("/calls/call_1")
    assert anna.answer
    await anna.get("/balance")
    assert not anna.answer
    core.change("call_1", state="ENDED")
    await anna.get("/calls/call_1")
    assert not anna.answer


@pytest.mark.anyio
async def test_a_changed_answer_is_not_shown(anna: Visitor, core: ScriptedCore) -> None:
    """The words that the browser keeps for us are signed."""
    core.views["call_1"] = a_call()
    anna.client.cookies.set("callgate_said", "eyJraW5kIjoiZG9uZSJ9.AAAAAAAAAAAAAAAA")
    await anna.get("/calls/call_1")
    assert not anna.answer


@pytest.mark.anyio
async def test_control_goes_through_the_door(anna: Visitor, core: ScriptedCore) -> None:
    """A button of the page is a request like any other, and leads back to the call."""
    core.views["call_1"] = a_call()
    await anna.get("/calls/call_1")
    page = await anna.fill("/calls/call_1/control", {"action": "mute", "party": "1"})
    assert core.asked[0].command == Mute(1, "4F7")
    assert core.asked[0].text == "mute 1 4F7"
    assert page.url.path == "/calls/call_1"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "path", ["/calls/none", "/calls/none/events", "/calls/%00", f"/calls/{'c' * 61}"]
)
async def test_calls_of_others_do_not_exist(anna: Visitor, path: str) -> None:
    """What `who` may not see is not there."""
    assert (await anna.get(path)).status_code == 404


@pytest.mark.anyio
async def test_events_need_a_session(visitor: Visitor, core: ScriptedCore) -> None:
    """Nobody follows a call without being signed in."""
    core.views["call_1"] = a_call()
    assert (await visitor.get("/calls/call_1/events")).status_code == 401


@pytest.mark.anyio
async def test_events_follow_the_call_to_its_end(anna: Visitor, core: ScriptedCore) -> None:
    """The page hears of each change, and at the end of the end."""
    core.views["call_1"] = a_call()
    following = asyncio.ensure_future(anna.client.get("/calls/call_1/events"))
    await core.until_taken(1)
    core.change("call_1", cost_micros=70_000)
    await core.until_taken(2)
    core.change("call_1", state="ENDED")
    stream = (await following).text
    assert stream.count("event: call") == 2
    assert stream.count("event: end") == 1
    assert "$0.07" in stream
    assert "<script" not in stream
