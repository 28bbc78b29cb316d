"""The page of phones, addresses and pagers."""

import re

import pytest

from call_core.administration import AddSender
from call_core.commands import Command, Detach, Device, Number, OwnPhone, UsePhone
from call_core.contracts import AddressView
from call_core.errors import ParseError
from call_core.outcomes import Done, Refused
from channels.kit.pager_login import MAX_LOGIN_LENGTH, secret_hash
from channels.kit.shown_once import REMEMBERED_S
from channels.web.own_pages import new_pager, own_change
from tests.support.clocks import FakeClock
from tests.support.scripted_core import ANNA, ScriptedCore
from tests.unit.channels.web.conftest import Visitor

SECRET = re.compile(r'class="secret">([0-9a-z]{16})<')


@pytest.mark.anyio
async def test_a_phone_can_become_the_default(anna: Visitor, core: ScriptedCore) -> None:
    """Only another verified phone has the button."""
    page = await anna.get("/phones")
    assert "Use cell by default" not in page.text
    await anna.fill("/phones", {"label": "office"})
    assert core.asked[0].command == UsePhone("office")


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({"verify": "boat", "number": "212 555 0166"}, OwnPhone("boat", Number("212 555 0166"))),
        ({"verify": "boat"}, OwnPhone("boat")),
        ({"detach": "boat"}, Detach("boat")),
        ({"detach": "a" * 254}, Detach("a" * 254)),
        ({"detach": "a" * 255}, Detach("a" * 254)),
        ({"device": "1"}, Device()),
        ({"label": "office"}, UsePhone("office")),
    ],
)
def test_the_page_adds_verifies_and_removes(fields: dict[str, str], command: Command) -> None:
    """Each form of it is one command."""
    assert own_change(fields) == command


@pytest.mark.anyio
async def test_a_phone_is_added_on_its_page(anna: Visitor, core: ScriptedCore) -> None:
    """The form is there for whoever has none yet, too."""
    core.own_phones = []
    assert "Add one" in (await anna.get("/phones")).text
    await anna.fill("/phones", {"verify": "boat", "number": "212 555 0166"})
    assert core.asked[-1].command == OwnPhone("boat", Number("212 555 0166"))


@pytest.mark.anyio
async def test_addresses_are_listed_with_a_button_to_remove_each(
    anna: Visitor, core: ScriptedCore
) -> None:
    """In words for people; one that wants no more messages says so."""
    assert "No address of yours" in (await anna.get("/phones")).text
    core.own_addresses = [
        AddressView("smtp", "a<b@x.example", opted_out=False),
        AddressView("twilio_sms", "+12125550101", opted_out=True),
        AddressView("packet", "laptop", opted_out=False),
        AddressView("toy", "bear", opted_out=False),
    ]
    text = (await anna.get("/phones")).text
    for words in ("a&lt;b@x.example", "text message, wants no messages", "device", "toy"):
        assert words in text, words
    assert text.count('aria-label="Remove ') == len(core.own_addresses) + len(core.own_phones)
    await anna.fill("/phones", {"detach": "laptop"})
    assert core.asked[-1].command == Detach("laptop")


@pytest.mark.anyio
async def test_a_pager_is_added_and_its_secret_shown_once(
    anna: Visitor, core: ScriptedCore, wall: FakeClock
) -> None:
    """A repeat of the form shows the same secret and asks for the same; a late one shows none."""
    core.answers = [Done("sender_added", fields={"sender_id": "s", "address": "5550100"})]
    await anna.get("/phones")
    token = anna.token("/phones/pager")
    fields = {"form": token, "channel": "snpp", "pager": "(555) 0100"}
    page = await anna.client.post("/phones/pager", data=fields)
    secret = SECRET.search(page.text)
    assert secret is not None
    kept = secret_hash("snpp", "5550100", secret[1])
    assert core.asked[-1].command == AddSender(ANNA.user_id, "snpp", "5550100", kept)
    assert (await anna.client.post("/phones/pager", data=fields)).text.count(secret[1]) == 1
    assert len(core.asked) == 1
    assert SECRET.search((await anna.get("/phones")).text) is None
    wall.jump((REMEMBERED_S + 1) * 1000)
    late = (await anna.client.post("/phones/pager", data=fields)).text
    assert "shown once already" in late
    assert SECRET.search(late) is None


@pytest.mark.anyio
async def test_a_pager_that_is_refused_has_no_secret(anna: Visitor, core: ScriptedCore) -> None:
    """The words say why, and what was typed is there again."""
    core.answers = [Refused("address_taken", fields={"address": "5550100"})]
    await anna.get("/phones")
    page = await anna.fill("/phones/pager", {"channel": "wctp", "pager": "5550100"})
    assert page.status_code == 422
    assert SECRET.search(page.text) is None
    assert "belongs to a user already" in page.text
    assert 'value="5550100"' in page.text
    assert re.search(r'value="wctp" selected', page.text)


PAGER = {"channel": "snpp", "pager": "1" * MAX_LOGIN_LENGTH}


@pytest.mark.parametrize(
    ("changed", "is_right"),
    [
        ({}, True),
        ({"pager": "1" * (MAX_LOGIN_LENGTH + 1)}, False),
        ({"pager": " "}, False),
        ({"pager": "a\nb"}, False),
        ({"channel": "smtp", "pager": "bob@x.example"}, False),
        ({"channel": ""}, False),
    ],
)
def test_only_pagers_are_added_without_a_code(changed: dict[str, str], is_right: bool) -> None:  # noqa: FBT001  (a table)
    """Anybody else's address would be theirs to give."""
    asked = new_pager(PAGER | changed, "usr_1", "s")
    assert isinstance(asked, AddSender if is_right else ParseError)
