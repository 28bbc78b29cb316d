"""The user's own things: directory, balance, tokens, help."""

from dataclasses import replace

import pytest

from call_core.administration import Administration, ForgetEntry, SaveEntry
from call_core.commands import Command, Forget, Name, Number, Save, SetSlot
from call_core.contracts import DirectoryEntry
from call_core.errors import ParseError
from call_core.outcomes import Done, Refused
from channels.web.account_pages import MAX_NAME_LENGTH, directory_change
from tests.support.scripted_core import ScriptedCore
from tests.unit.channels.web.conftest import Visitor


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        (
            {"action": "save", "name": "bob", "number": "0207 946 0018"},
            Save("bob", Number("0207 946 0018")),
        ),
        ({"action": "forget", "name": "bob"}, Forget("bob")),
        (
            {"action": "save", "name": "bob", "number": "0207 946 0018", "shared": "1"},
            SaveEntry("cust_1", "bob", "0207 946 0018"),
        ),
        ({"action": "forget", "name": "bob", "shared": "1"}, ForgetEntry("cust_1", "bob")),
        ({"action": "slot", "name": "bob", "slot": "7"}, SetSlot(7, Name("bob"))),
        ({"action": "forget", "name": "b" * MAX_NAME_LENGTH}, Forget("b" * MAX_NAME_LENGTH)),
    ],
)
def test_the_directory_form_makes_commands(
    fields: dict[str, str], command: Command | Administration
) -> None:
    """Saving, forgetting and speed dial are commands like any other."""
    assert directory_change(fields, "cust_1") == command


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"action": "save", "name": "bob"},
        {"action": "save", "number": "1"},
        {"action": "save", "name": "bob", "number": "1" * 61},
        {"action": "save", "name": "balance", "number": "0207 946 0018"},
        {"action": "save", "name": "call bob", "number": "0207 946 0018", "shared": "1"},
        {"action": "forget", "name": "b" * (MAX_NAME_LENGTH + 1)},
        {"action": "slot", "name": "bob", "slot": "x"},
        {"action": "slot", "name": "bob", "slot": "1234"},
    ],
)
def test_an_incomplete_form_is_refused(fields: dict[str, str]) -> None:
    """Nothing is guessed about what is missing or too long."""
    assert isinstance(directory_change(fields, "cust_1"), ParseError)


@pytest.mark.anyio
async def test_a_saved_name_can_be_undone(anna: Visitor, core: ScriptedCore) -> None:
    """The page stays, shows the answer, and offers the way back."""
    core.answers = [Done("saved")]
    await anna.get("/directory")
    anna.page = await anna.fill("/directory", {"action": "save", "name": "bob", "number": "1"})
    assert "<h1>Directory</h1>" in anna.page.text
    assert 'name="text" value="undo"' in anna.page.text
    assert core.asked[0].text == "save bob 1"


@pytest.mark.anyio
async def test_the_directory_shows_names_and_empty_states(
    anna: Visitor, core: ScriptedCore
) -> None:
    """No names, none that begin so, and some are three different pages."""
    assert "No names yet" in (await anna.get("/directory")).text
    assert "No name begins with" in (await anna.get("/directory?begins=zz")).text
    core.entries = [DirectoryEntry("mom", "+442079460018", "12", shared=True)]
    page = await anna.get("/directory")
    assert "+44 20 7946 0018 x12" in page.text
    assert "Forget mom" not in page.text
    assert 'name="shared"' not in page.text


@pytest.mark.anyio
async def test_the_balance_is_in_the_customers_currency(anna: Visitor) -> None:
    """What is free for new calls comes first."""
    page = await anna.get("/balance")
    assert "$9.00" in page.text
    assert page.text.index("$9.00") < page.text.index("$10.00") < page.text.index("$1.00")


@pytest.mark.anyio
async def test_a_token_is_shown_once(anna: Visitor, core: ScriptedCore) -> None:
    """The secret is on the page that made it, the same for a double tap, and on no other."""
    await anna.get("/tokens")
    fields = {"label": "my script", "scope_read": "yes", "scope_admin": "yes"}
    for _ in range(2):
        assert "secret-of-tok_1" in (await anna.fill("/tokens", fields)).text
    (token,) = core.own_tokens
    assert token.scopes == ("read",)
    assert "secret-of-tok_1" not in (await anna.get("/tokens")).text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "fields", [{"label": "x"}, {"scope_read": "yes"}, {"label": "x" * 61, "scope_read": "yes"}]
)
async def test_a_token_needs_a_label_and_a_scope(
    anna: Visitor, core: ScriptedCore, fields: dict[str, str]
) -> None:
    """A token that may do nothing, or that nobody could recognise, is not made."""
    await anna.get("/tokens")
    assert (await anna.fill("/tokens", fields)).status_code == 422
    assert not core.own_tokens


@pytest.mark.anyio
async def test_a_token_can_be_revoked(anna: Visitor, core: ScriptedCore) -> None:
    """Its button ends it; a token of somebody else is not there."""
    await anna.get("/tokens")
    await anna.fill("/tokens", {"label": "x", "scope_call": "yes"})
    await anna.get("/tokens")
    assert (await anna.fill("/tokens/revoke", {"token": "tok_9"})).status_code == 422
    assert (await anna.fill("/tokens/revoke", {"token": "tok_1"})).status_code == 200
    assert not core.own_tokens


@pytest.mark.anyio
async def test_the_help_is_open_and_teaches_the_grammar(visitor: Visitor) -> None:
    """Every taught verb is there, none of the words kept for later."""
    page = await visitor.get("/help")
    assert ">call mom</code>" in page.text
    assert "topup" not in page.text


@pytest.mark.anyio
async def test_an_administrator_writes_the_company_s_names(
    anna: Visitor, core: ScriptedCore
) -> None:
    """A box to tick when saving; removing the company's entry never means one of the same name."""
    core.sessions = {
        token: replace(who, role="administrator") for token, who in core.sessions.items()
    }
    core.entries = [DirectoryEntry("mom", "+442079460018", "", shared=True)]
    page = await anna.get("/directory")
    assert "For everybody in the company" in page.text
    assert 'name="shared" value="1"><button' in page.text
    fields = {"action": "save", "name": "bob", "number": "+1 212 555 0147", "shared": "1"}
    core.answers = [Refused("not_administrator")]
    anna.page = await anna.fill("/directory", fields)
    assert core.asked[-1].command == SaveEntry(core.anna.customer_id, "bob", "+1 212 555 0147")
    assert core.asked[-1].text == ""
    assert " checked" in anna.page.text
