"""Tokens, scopes, and the key that makes a repeat harmless."""

import httpx2
import pytest

from call_core.outcomes import Asked, Phrase, Refused, Scheduled
from channels.kit.render import render_phrase
from tests.support.scripted_core import READ_TOKEN, ScriptedCore
from tests.unit.channels.api.test_problems import check_problem

CALL = {"to": "mom"}
BOB = render_phrase(Phrase("choice_text", {"text": "bob"}))


@pytest.mark.anyio
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi", f"Bearer {'x' * 201}"]
)
async def test_without_a_good_token_nothing_is_shown(
    client: httpx2.AsyncClient, authorization: str
) -> None:
    """No token, a wrong one, another scheme and one that is too long are all a 401."""
    response = await client.get("/calls", headers={"Authorization": authorization})
    check_problem(response, 401, "unauthorized")
    assert response.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/calls", None, 200),
        ("GET", "/balance", None, 200),
        ("POST", "/commands", {"text": "balance"}, 200),
        ("POST", "/commands", {"text": "call mom"}, 403),
        ("POST", "/calls", CALL, 403),
        ("POST", "/conferences", {"participants": ["mom"]}, 403),
        ("DELETE", "/calls/call_1", None, 403),
        ("PATCH", "/calls/call_1/parties/1", {"action": "mute"}, 403),
    ],
)
async def test_a_token_does_only_what_its_scopes_say(
    client: httpx2.AsyncClient, method: str, path: str, body: dict[str, object], status: int
) -> None:
    """A token that may read looks at everything and changes nothing."""
    headers = {"Authorization": f"Bearer {READ_TOKEN}"}
    response = await client.request(method, path, json=body, headers=headers)
    assert response.status_code == status
    if status == 403:
        check_problem(response, 403, "insufficient_scope")
        assert 'scope="call"' in response.headers["www-authenticate"]


@pytest.mark.anyio
async def test_a_repeat_under_the_same_key_launches_once(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """The key is the external id; the second answer is the first again."""
    key = {"Idempotency-Key": "8e03978e"}
    first = await client.post("/calls", json=CALL, headers=key)
    second = await client.post("/calls", json=CALL, headers=key)
    assert first.json() == second.json()
    (request,) = core.asked
    assert (request.channel, request.id_space, request.external_id) == ("api", "api", "8e03978e")
    assert (request.user_id, request.scopes) == ("usr_anna", ("read", "call"))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "body"),
    [("/calls", {"to": "bob"}), ("/commands", {"text": "call mom"})],
)
async def test_a_key_has_one_content(
    client: httpx2.AsyncClient, core: ScriptedCore, path: str, body: dict[str, str]
) -> None:
    """Another body, or another route, under a used key is refused."""
    key = {"Idempotency-Key": "8e03978e"}
    await client.post("/calls", json=CALL, headers=key)
    assert (await client.post(path, json=body, headers=key)).status_code == 422
    assert len(core.asked) == 1


@pytest.mark.anyio
async def test_without_a_key_every_request_is_new(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """Two posts without the header are two calls."""
    await client.post("/calls", json=CALL)
    await client.post("/calls", json=CALL)
    assert len({request.external_id for request in core.asked}) == 2


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("key", "status"), [("k" * 255, 202), ("k" * 256, 422), ("a b", 422), ("", 422)]
)
async def test_a_key_has_a_shape(client: httpx2.AsyncClient, key: str, status: int) -> None:
    """Up to 255 visible characters."""
    response = await client.post("/calls", json=CALL, headers={"Idempotency-Key": key})
    assert response.status_code == status


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("outcome", "status", "members"),
    [
        (Refused("daily_spend", "4F7"), 402, {"ref": "4F7"}),
        (Refused("name_unknown"), 404, {}),
        (Asked("price_changed", "4F7"), 409, {"ref": "4F7", "answer": "go 4F7"}),
        (
            Asked("which_name", "4F7", (Phrase("choice_text", {"text": "bob"}),)),
            409,
            {"ref": "4F7", "choices": [{"text": "4F7 1", "label": BOB}]},
        ),
    ],
)
async def test_what_was_not_done_is_a_problem(
    client: httpx2.AsyncClient,
    core: ScriptedCore,
    outcome: Refused | Asked,
    status: int,
    members: dict[str, object],
) -> None:
    """A refusal has its own status; a question says what to post as its answer."""
    core.answers = [outcome]
    response = await client.post("/calls", json=CALL)
    check_problem(response, status, outcome.code)
    standard = {"type", "title", "status", "code", "detail"}
    body = response.json()
    assert {name: body[name] for name in body.keys() - standard} == members


@pytest.mark.anyio
async def test_what_is_under_way_is_accepted(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """202, the outcome, and where to look."""
    core.answers = [Scheduled("call_scheduled", "4F7", "call_9")]
    response = await client.post("/calls", json={**CALL, "at": "tue 10:00"})
    assert response.status_code == 202
    assert response.headers["location"] == "/api/v1/calls/call_9"
    body = response.json()
    assert (body["kind"], body["ref"], body["call_id"]) == ("scheduled", "4F7", "call_9")
