"""A device joins by a code, without a token."""

import httpx2
import pytest

from tests.support.scripted_core import ANNA, CALL_TOKEN, CODE, ScriptedCore
from tests.unit.channels.api.test_problems import check_problem

pytestmark = pytest.mark.anyio
NOBODY = {"Authorization": ""}
BODY = {"code": CODE, "label": "laptop"}


async def test_a_right_code_is_traded_for_a_key(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """Without a token; the core is told where it came from."""
    answer = await client.post("/devices", json=BODY, headers=NOBODY)
    assert answer.status_code == 201
    assert answer.json() == {"user": ANNA.user_name, "label": "laptop", "token": CALL_TOKEN}
    assert answer.headers["Cache-Control"] == "no-store"
    assert core.joining == ["127.0.0.1"]


async def test_a_wrong_code_is_refused_in_the_same_words_whatever_was_wrong(
    client: httpx2.AsyncClient,
) -> None:
    """Whoever guesses learns nothing."""
    answer = await client.post("/devices", json={**BODY, "code": "7K3F-9QTD"}, headers=NOBODY)
    check_problem(answer, 403, "not_joined")


async def test_a_repeat_under_the_same_key_gets_the_same_answer(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """The code works once, and an answer may be lost; another request under the key is another."""
    headers = NOBODY | {"Idempotency-Key": "k1"}
    first = await client.post("/devices", json=BODY, headers=headers)
    again = await client.post("/devices", json=BODY, headers=headers)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert len(core.joining) == 1
    await client.post("/devices", json={**BODY, "label": "desk"}, headers=headers)
    await client.post("/devices", json=BODY, headers=NOBODY)
    assert len(core.joining) == 3


@pytest.mark.parametrize(
    "wrong", [{"label": "x" * 41}, {"label": ""}, {"label": "a\nb"}, {"code": "x" * 21}, {"key": 1}]
)
async def test_what_is_sent_has_limits(
    client: httpx2.AsyncClient, wrong: dict[str, object]
) -> None:
    """By name, before the code is looked at."""
    answer = await client.post("/devices", json={**BODY, **wrong}, headers=NOBODY)
    check_problem(answer, 422, "invalid_request")
