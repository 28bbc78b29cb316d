"""The API as a program meets it: a whole gateway, real HTTP, simulated telephones.

Takes the fixture `gateway`: a running gateway with `url`, and with `identity`, a user who has a
verified default phone, an API token, money, and the name `mom` in the directory.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Protocol

import httpx2
import pytest

from channels.api.client import launch
from channels.kit.contract import Identity

WAIT_S = 20.0


class Gateway(Protocol):
    """What these tests need of the fixture."""

    url: str
    identity: Identity


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client with the user's token; addresses begin after `/api/v1`."""
    headers = {"Authorization": f"Bearer {gateway.identity.token}"}
    async with httpx2.AsyncClient(
        base_url=f"{gateway.url}/api/v1", headers=headers, timeout=WAIT_S
    ) as made:
        yield made


async def run_to_the_end(client: httpx2.AsyncClient, call_id: str) -> list[dict[str, object]]:
    """Let a call live a second, hang it up, return what its stream showed."""
    following = asyncio.ensure_future(client.get(f"/calls/{call_id}/events"))
    await asyncio.sleep(1)
    await client.delete(f"/calls/{call_id}")
    lines = (await asyncio.wait_for(following, WAIT_S)).text.splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


@pytest.mark.anyio
async def test_a_probe_launches_and_reads_the_answer(gateway: Gateway) -> None:
    """The channel's own client gets as far as any program would."""
    assert "mom" in (await launch(gateway.url, gateway.identity, "call mom")).lower()


@pytest.mark.anyio
async def test_a_call_ends_in_records_that_add_up(client: httpx2.AsyncClient) -> None:
    """The stream's last cost is the sum of the records' totals, to the last decimal."""
    launched = await client.post("/calls", json={"to": "mom"})
    assert launched.status_code == 202
    call_id = launched.json()["call_id"]
    seen = await run_to_the_end(client, call_id)
    assert seen[-1]["state"] == "ENDED"
    records = (await client.get("/cdrs", params={"call_id": call_id})).json()["items"]
    total = sum((Decimal(record["total"]) for record in records), Decimal(0))
    assert Decimal(str((await client.get(f"/calls/{call_id}")).json()["cost"])) == total
    assert {record["channel"] for record in records} == {"api"}


@pytest.mark.anyio
async def test_a_repeated_key_rings_once(client: httpx2.AsyncClient) -> None:
    """Two posts at the same time under one key are one call; other content is a 422."""
    key = {"Idempotency-Key": "e2e-once"}
    first, second = await asyncio.gather(
        client.post("/calls", json={"to": "mom"}, headers=key),
        client.post("/calls", json={"to": "mom"}, headers=key),
    )
    assert first.json() == second.json()
    other = await client.post("/calls", json={"to": "+442079460018"}, headers=key)
    assert other.status_code == 422
    await client.delete(f"/calls/{first.json()['call_id']}")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"to": "911"}, 403, "emergency"),
        ({"to": "nobody-of-that-name"}, 404, None),
        ({"to": "mom 555 1212"}, 400, "not_understood"),
        ({"to": "mom", "max_cost": 5.0}, 422, "invalid_request"),
    ],
)
async def test_refusals_are_problems(
    client: httpx2.AsyncClient, body: dict[str, object], status: int, code: str | None
) -> None:
    """Each has its status, its stable code, and words for people."""
    response = await client.post("/calls", json=body)
    problem = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    assert response.status_code == status
    assert problem["detail"]
    if code:
        assert problem["code"] == code


@pytest.mark.anyio
async def test_a_scheduled_conference_can_be_dropped(client: httpx2.AsyncClient) -> None:
    """It is on the list with its time, until it is skipped."""
    body = {"participants": ["mom"], "at": "tomorrow 10:00", "title": "e2e", "minutes": 30}
    scheduled = await client.post("/conferences", json=body)
    assert (scheduled.status_code, scheduled.json()["kind"]) == (202, "scheduled")
    call = (await client.get(f"/calls/{scheduled.json()['call_id']}")).json()
    assert (call["state"], call["title"]) == ("SCHEDULED", "e2e")
    assert call["due_at"]
    skipped = await client.post("/commands", json={"text": f"skip {call['ref']}"})
    assert skipped.status_code == 200


@pytest.mark.anyio
async def test_money_and_names_can_be_read(client: httpx2.AsyncClient) -> None:
    """Balance, prices, directory: decimals as text, lists in one shape."""
    balance = (await client.get("/balance")).json()
    assert Decimal(balance["available"]) > 0
    assert (await client.get("/rates", params={"to": "+442079460018"})).status_code == 200
    names = (await client.get("/directory", params={"prefix": "mo"})).json()["items"]
    assert [entry["name"] for entry in names] == ["mom"]
