"""Routes that write the directory."""

import httpx2
import pytest

from call_core.administration import ForgetEntry, SaveEntry
from call_core.commands import Forget, Number, Save
from call_core.outcomes import Done, Phone
from channels.api.statuses import scope_needed
from tests.support.scripted_core import ADMIN_TOKEN, ScriptedCore
from tests.unit.channels.api.test_problems import check_problem

SAVED = Done("saved", fields={"name": "bob", "number": Phone("+442079460018")})
ADMINISTRATOR = {"Authorization": f"Bearer {ADMIN_TOKEN}"}


@pytest.mark.anyio
async def test_a_name_of_one_s_own(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """The same commands as `save` and `forget`, with their lines for the history."""
    core.answers = [SAVED, Done("forgotten", fields=SAVED.fields)]
    assert (await client.put("/directory/bob", json={"number": "020 7946 0018"})).status_code == 200
    assert (await client.delete("/directory/bob")).status_code == 200
    assert [each.command for each in core.asked] == [
        Save("bob", Number("020 7946 0018")),
        Forget("bob"),
    ]
    assert core.asked[0].text == "save bob 020 7946 0018"


@pytest.mark.anyio
async def test_a_name_of_the_company(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """With a token that may administer it is a command of an administrator."""
    core.answers = [
        Done("company_entry_saved", fields=SAVED.fields),
        Done("company_entry_removed", fields=SAVED.fields),
    ]
    body = {"number": "+442079460018", "shared": True}
    put = await client.put("/directory/bob", json=body, headers=ADMINISTRATOR)
    gone = await client.delete("/directory/bob?shared=true", headers=ADMINISTRATOR)
    assert (put.status_code, gone.status_code) == (200, 200)
    customer = core.anna.customer_id
    assert [each.command for each in core.asked] == [
        SaveEntry(customer, "bob", "+442079460018"),
        ForgetEntry(customer, "bob"),
    ]
    assert scope_needed(SaveEntry(customer, "bob", "1")) == "admin"


@pytest.mark.anyio
async def test_a_token_that_may_only_call_writes_no_company_s_name(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """The scope `admin` is asked for by name, and the core is not."""
    body = {"number": "+442079460018", "shared": True}
    response = await client.put("/directory/bob", json=body)
    check_problem(response, 403, "insufficient_scope")
    assert core.asked == []


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["balance", "call%20bob", "b" * 41])
async def test_a_name_that_says_something_else_is_refused(
    client: httpx2.AsyncClient, name: str
) -> None:
    """Nobody could call it."""
    response = await client.put(f"/directory/{name}", json={"number": "+442079460018"})
    assert response.status_code in {400, 422}
