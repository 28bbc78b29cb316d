"""The client of the demo: it presses what a person would press."""

import pytest

from call_core.commands import Balance, Call, Conference, Name
from call_core.errors import DeliveryError
from channels.kit.contract import Identity
from channels.kit.micro.client import _send
from tests.support.micro import handset_before, plain_core
from tests.support.scripted_core import ANNA, PASSWORD

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kind", ["wml", "palm"])
@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("call mom from office", Call(Name("mom"), Name("office"))),
        ("call mom private", Call(Name("mom"), private=True)),
        ("conf mom, bob", Conference((Name("mom"), Name("bob")))),
        ('conf mom, bob title "x"', Conference((Name("mom"), Name("bob")), title="x")),
        ("balance", Balance()),
    ],
)
async def test_a_line_goes_by_the_form_that_has_its_fields(
    kind: str, text: str, command: object
) -> None:
    """What no form has a field for goes as a line."""
    core = plain_core()
    async with handset_before(core, kind) as handset:
        await handset.sign_in(Identity(ANNA.user_id, ANNA.address, PASSWORD))
        assert (await _send(handset, text)).words
    assert [request.command for request in core.asked] == [command]


async def test_a_screen_without_the_button_is_told() -> None:
    """A client that cannot go on says why."""
    async with handset_before(plain_core(), "wml") as handset:
        await handset.open()
        with pytest.raises(DeliveryError, match="Directory"):
            await handset.press("Directory")
