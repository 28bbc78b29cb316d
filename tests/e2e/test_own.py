"""What is one's own, through the whole gateway: an address joined, a phone verified, both told."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest

from call_core.contracts import Prompt
from channels.kit.contract import Identity
from gateway.demo.phone_wall import ManyPhones
from gateway.mailbox import Mailbox
from gateway.server import Running
from gateway.settings_sections import SimulatorSettings
from parsers.sms_webhook import TextMessage, encode_kannel

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
WAIT_S = 40.0
SCOPES = ("read", "call", "admin")
TEXTER, STRANGER, GUESSER = "+12125550166", "+12125550177", "+12125550178"
BOAT = "+12125550188"


class Gateway(Protocol):
    """What these tests need of the fixture."""

    url: str
    identity: Identity
    service: Running
    mailbox: Mailbox


@pytest.fixture
def sections(tmp_path: Path) -> Mapping[str, object]:
    """Telephones in real time, so that a busy machine has time to press their keys."""
    return {"simulator": SimulatorSettings(file=tmp_path / "simulator.json")}


@pytest.fixture
async def client(gateway: Gateway) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client with a token that may change what is the user's."""
    core, token = gateway.service.core, gateway.identity.token
    now_wall_ms = core.wall.now_ms()
    who = await core.principal_of_token(token, now_wall_ms)
    assert who is not None
    person = replace(who, scopes=SCOPES)
    wider = await core.create_token(person, "own", SCOPES, now_wall_ms)
    headers = {"Authorization": f"Bearer {wider}"}
    async with httpx2.AsyncClient(base_url=gateway.url, headers=headers, timeout=WAIT_S) as made:
        yield made


async def say(client: httpx2.AsyncClient, line: str) -> dict[str, Any]:
    """Say a line over the API."""
    answer = await client.post("/api/v1/commands", json={"text": line})
    made: dict[str, Any] = answer.json()
    return made


async def text(client: httpx2.AsyncClient, sender: str, line: str) -> str:
    """Send a text message as Kannel hands it in; return what goes back."""
    message = TextMessage(f"{sender} {line}", sender, "12345", line)
    return (await client.get(f"/sms/kannel?{encode_kannel(message)}")).text


async def until(is_so: Callable[[], bool]) -> None:
    """Wait for something."""
    async with asyncio.timeout(WAIT_S):
        while not is_so():  # noqa: ASYNC110  (several tasks do it together)
            await asyncio.sleep(0.05)


def told(gateway: Gateway, *words: str) -> bool:
    """Whether a mail to the user has all these words."""
    mine = [each for each in gateway.mailbox.messages() if each.to == gateway.identity.address]
    return any(all(word in each.body for word in words) for each in mine)


async def test_a_telephone_joins_by_text_and_is_taken_off(
    gateway: Gateway, client: httpx2.AsyncClient
) -> None:
    """A code from one channel, sent by another; the mail address hears of it, and of the token."""
    await until(lambda: told(gateway, "own"))
    code = (await say(client, "device"))["fields"]["code"]
    stranger = await text(client, STRANGER, "what is this")
    assert stranger
    assert await text(client, GUESSER, "join 7K3F-9QTD") == stranger
    assert await text(client, TEXTER, f"join {code}") == ""
    await until(lambda: told(gateway, TEXTER[-4:], "DETACH"))
    # There is no way back to a text message here, so its answer goes to the next address.
    assert await text(client, TEXTER, "time tokyo") == ""
    await until(lambda: told(gateway, "Tokyo"))
    assert (await say(client, f"detach {TEXTER}"))["code"] == "detached"
    assert await text(client, TEXTER, "time tokyo please") == stranger


async def test_a_token_that_may_only_call_changes_nothing_that_is_ones_own(
    gateway: Gateway, client: httpx2.AsyncClient
) -> None:
    """Whoever finds it cannot stay."""
    client.headers["Authorization"] = f"Bearer {gateway.identity.token}"
    for line in ("device", f"verify boat {BOAT}", "detach cell"):
        assert (await say(client, line))["code"] == "scope_missing", line


async def test_a_phone_is_verified_by_the_digits_of_the_page(
    gateway: Gateway, client: httpx2.AsyncClient
) -> None:
    """It rings; what is keyed is what the other channel showed; then it may ring first."""
    answer = await say(client, f"verify boat {BOAT}")
    assert answer["code"] == "verification_launched"
    digits = str(answer["fields"]["digits"])
    await until(lambda: told(gateway, "boat", "DETACH"))
    phones = ManyPhones(list(gateway.service.core.simulators.values()))

    def leg_that_asks() -> str:
        ringing = (each for each in phones.phones() if each.number == BOAT)
        return next((each.leg_id for each in ringing if each.prompt is Prompt.VERIFY), "")

    await until(lambda: bool(leg_that_asks()))
    for digit in digits:
        assert phones.keypress(leg_that_asks(), digit)

    async def is_verified() -> bool:
        listed = (await client.get("/api/v1/phones")).json()["items"]
        return any(phone["label"] == "boat" and phone["verified"] for phone in listed)

    async with asyncio.timeout(WAIT_S):
        while not await is_verified():  # noqa: ASYNC110  (the phone does it)
            await asyncio.sleep(0.05)
    call = (await client.get(f"/api/v1/calls/{answer['call_id']}")).json()
    assert [party["label"] for party in call["parties"]] == ["boat"]
    assert call["cost"] in {"0", "0.00"}
