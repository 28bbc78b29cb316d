"""Calls: the list in parts, one call, one call live."""

import asyncio
import json

import httpx2
import pytest

from tests.support.scripted_core import ScriptedCore, a_call
from tests.unit.channels.api.test_problems import check_problem


@pytest.mark.anyio
async def test_the_list_comes_in_parts(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """`next` of one part is the cursor of the following; null at the end."""
    core.views = {f"call_{n}": a_call(f"call_{n}", f"{n}X9") for n in range(5)}
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        part = (await client.get("/calls", params={"limit": 2, "cursor": cursor})).json()
        seen += [call["id"] for call in part["items"]]
        cursor = part["next"]
    assert seen == [f"call_{n}" for n in range(5)]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=1", 200),
        ("limit=200", 200),
        ("limit=0", 422),
        ("limit=201", 422),
        ("limit=x", 422),
        (f"cursor={'1' * 200}", 200),
        (f"cursor={'1' * 201}", 422),
        ("cursor=%00", 422),
    ],
)
async def test_limit_and_cursor_have_limits(
    client: httpx2.AsyncClient, query: str, status: int
) -> None:
    """At the limit a part is given, one past it the parameter is named."""
    assert (await client.get(f"/calls?{query}")).status_code == status


@pytest.mark.anyio
async def test_a_call_is_found_by_id_or_ref(client: httpx2.AsyncClient, core: ScriptedCore) -> None:
    """Both name the same call; anything else is a 404."""
    core.views["call_1"] = a_call()
    by_id, by_ref = await client.get("/calls/call_1"), await client.get("/calls/4F7")
    assert by_id.json() == by_ref.json()
    check_problem(await client.get("/calls/5G8"), 404, "no_such_call")
    check_problem(await client.get("/calls/5G8/events"), 404, "no_such_call")


@pytest.mark.anyio
async def test_events_follow_the_call_to_its_end(
    client: httpx2.AsyncClient, core: ScriptedCore
) -> None:
    """Each change is an event with the whole call as JSON; the last is named `end`."""
    core.views["call_1"] = a_call()
    following = asyncio.ensure_future(client.get("/calls/call_1/events"))
    await core.until_taken(1)
    core.change("call_1", state="ENDED", cost_micros=80_000)
    stream = await following
    assert stream.headers["content-type"].startswith("text/event-stream")
    lines = stream.text.splitlines()
    assert [line for line in lines if line.startswith("event: ")] == ["event: call", "event: end"]
    (_, last) = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    assert (last["state"], last["cost"]) == ("ENDED", "0.08")
