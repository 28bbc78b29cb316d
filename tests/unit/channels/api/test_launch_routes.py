"""Routes that change something: what they ask of the core."""

import httpx2
import pytest

from call_core.commands import Call, Command, Conference, Drop, HangUp, Name
from tests.support.scripted_core import ScriptedCore, a_call
from tests.unit.channels.api.test_problems import check_problem


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "body", "command", "text"),
    [
        ("/calls", {"to": "mom"}, Call(Name("mom")), "call mom"),
        (
            "/conferences",
            {"participants": ["mom", "bob"]},
            Conference((Name("mom"), Name("bob"))),
            "conf mom, bob",
        ),
        ("/commands", {"text": "CALL  mom"}, Call(Name("mom")), "CALL  mom"),
    ],
)
async def test_posts_go_through_the_door(
    client: httpx2.AsyncClient,
    core: ScriptedCore,
    path: str,
    body: dict[str, object],
    command: Command,
    text: str,
) -> None:
    """The command, and the same as a line of the grammar for the history."""
    response = await client.post(path, json=body)
    assert response.status_code == 202
    assert (core.asked[0].command, core.asked[0].text) == (command, text)


@pytest.mark.anyio
async def test_a_line_that_is_only_told_is_a_200(client: httpx2.AsyncClient) -> None:
    """Nothing is under way after a question about money."""
    assert (await client.post("/commands", json={"text": "balance"})).status_code == 200


@pytest.mark.anyio
async def test_a_line_that_cannot_be_read_is_a_400(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """It still reaches the core, so that it can be found among the requests."""
    response = await client.post("/commands", json={"text": "mom 555 1212"})
    check_problem(response, 400, "not_understood")
    assert core.asked[0].text == "mom 555 1212"


@pytest.mark.anyio
async def test_a_call_is_hung_up_by_id_or_ref(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """DELETE ends it; once ended it stays readable."""
    core.views["call_1"] = a_call()
    response = await client.delete("/calls/4F7")
    assert response.status_code == 200
    assert core.asked[0].command == HangUp("4F7")
    assert (await client.get("/calls/call_1")).json()["state"] == "ENDED"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("party", "action", "status"),
    [("1", "drop", 200), ("63", "drop", 200), ("64", "drop", 422), ("x", "drop", 422)],
)
async def test_a_party_is_changed(
    client: httpx2.AsyncClient, core: ScriptedCore, party: str, action: str, status: int
) -> None:
    """Parties are numbered 0 to 63."""
    core.views["call_1"] = a_call()
    path = f"/calls/call_1/parties/{party}"
    response = await client.patch(path, json={"action": action})
    assert response.status_code == status
    if status == 200:
        assert core.asked[0].command == Drop(int(party), "4F7")


@pytest.mark.anyio
async def test_only_known_actions_are_taken(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """What a party cannot be told is a 422 that names the field."""
    core.views["call_1"] = a_call()
    response = await client.patch("/calls/call_1/parties/1", json={"action": "sing"})
    check_problem(response, 422, "invalid_request")
    assert response.json()["errors"][0]["field"] == "/action"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/calls/none"), ("PATCH", "/calls/none/parties/1")]
)
async def test_calls_of_others_do_not_exist(
    client: httpx2.AsyncClient, method: str, path: str
) -> None:
    """The same 404 for what is not there and what is not yours."""
    body = {"action": "mute"} if method == "PATCH" else None
    check_problem(await client.request(method, path, json=body), 404, "no_such_call")
