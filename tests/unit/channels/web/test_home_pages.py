"""The home page: its three forms make the same commands as any line of the grammar."""

import pytest

from call_core.commands import Call, Command, Conference, Name, Number
from call_core.contracts import DirectoryEntry
from call_core.outcomes import Asked, Phrase
from tests.support.scripted_core import ScriptedCore, a_call
from tests.unit.channels.web.conftest import Visitor


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("action", "fields", "command"),
    [
        ("/call", {"to": "mom"}, Call(Name("mom"))),
        (
            "/call",
            {"to": "+44 20 7946 0018", "from": "office", "code": "ACME-12", "private": "on"},
            Call(Number("+44 20 7946 0018"), Name("office"), "ACME-12", private=True),
        ),
        (
            "/conference",
            {"participants": "mom\r\nbob", "title": "weekly", "minutes": "30"},
            Conference((Name("mom"), Name("bob")), minutes=30, title="weekly"),
        ),
        ("/command", {"text": "call mom from office"}, Call(Name("mom"), Name("office"))),
    ],
)
async def test_forms_become_commands(
    anna: Visitor, core: ScriptedCore, action: str, fields: dict[str, str], command: Command
) -> None:
    """Each form is one way to say what the grammar says."""
    page = await anna.fill(action, fields)
    assert core.asked[0].command == command
    assert page.url.path == "/calls/call_1"


@pytest.mark.anyio
async def test_what_was_typed_stays_in_the_form(anna: Visitor) -> None:
    """After a refusal the fields are as they were, and the reason is read out."""
    page = await anna.fill("/call", {"to": "mom 555 1212", "code": "ACME-12"})
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert 'value="mom 555 1212"' in page.text
    assert 'value="ACME-12"' in page.text


@pytest.mark.anyio
async def test_a_question_is_answered_by_buttons(anna: Visitor, core: ScriptedCore) -> None:
    """A plain question has one button, a choice has one for each, all in the grammar's words."""
    core.answers = [Asked("price_changed", "4F7")]
    anna.page = await anna.fill("/call", {"to": "mom"})
    assert 'value="go 4F7"' in anna.page.text
    core.answers = [Asked("which_name", "4F7", (Phrase("choice_text", {"text": "bob"}),) * 2)]
    anna.page = await anna.fill("/call", {"to": "mom"})
    assert 'value="4F7 1"' in anna.page.text
    assert 'value="4F7 2"' in anna.page.text


@pytest.mark.anyio
async def test_names_and_running_calls_are_offered(anna: Visitor, core: ScriptedCore) -> None:
    """Names are in the list under TO; running calls have their cost and a way to end them."""
    core.entries = [DirectoryEntry("<b>mom", "+442079460018", "", shared=False)]
    core.views = {
        "call_1": a_call(),
        "call_2": a_call("call_2", "5G8", state="ENDED"),
        "call_3": a_call("call_3", "6H9", state="SCHEDULED"),
    }
    page = await anna.get("/")
    assert '<option value="&lt;b&gt;mom" label=' in page.text
    assert "$0.06" in page.text
    assert 'value="hangup 4F7"' in page.text
    assert 'value="skip 6H9"' in page.text
    assert "5G8" not in page.text


@pytest.mark.anyio
async def test_without_a_phone_the_page_says_so(anna: Visitor, core: ScriptedCore) -> None:
    """Nothing can be rung without an own phone; the page says where to add one."""
    core.own_phones = []
    assert "Add one" in (await anna.get("/")).text
