"""The route: only what Twilio has signed reaches the switch."""

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from channels.kit.twilio_door import TwilioDoor, keys_of
from gateway.twilio_voice_route import BODY_LIMIT_BYTES, PATH, twilio_voice_router

pytestmark = pytest.mark.anyio
BASE = f"https://calls.example{PATH}"
FIELDS = {"CallSid": "CA1", "CallStatus": "ringing", "Empty": ""}


class Told:
    """Remembers what it is told, and asks for a document when it is asked for one."""

    def __init__(self) -> None:
        self.told: list[tuple[str, object, object]] = []

    def receive(self, what: str, query: object, fields: object) -> str | None:
        """Take one."""
        self.told.append((what, query, fields))
        return "<Response />" if what == "twiml" else None


def client_of(told: Told) -> httpx2.AsyncClient:
    """Return a client of the route, as behind a proxy: our own host name is another."""
    app = FastAPI()
    door = TwilioDoor(BASE, PATH, keys_of((SecretStr("token"),), {}))
    app.include_router(twilio_voice_router(told, door, {"hold": b"RIFF"}))
    transport = httpx2.ASGITransport(app)
    return httpx2.AsyncClient(transport=transport, base_url="http://10.0.0.7:8080")


def signed(what: str, query: str = "leg=leg_1") -> dict[str, str]:
    """Return the signature of Twilio's own package over the public address."""
    address = f"{BASE}/{what}?{query}"
    return {"x-twilio-signature": RequestValidator("token").compute_signature(address, FIELDS)}


@pytest.mark.parametrize(("what", "status"), [("twiml", 200), ("status", 204)])
async def test_what_is_signed_is_handed_on(what: str, status: int) -> None:
    """With its query and every field, blank ones too; a document comes back as XML."""
    told = Told()
    async with client_of(told) as client:
        answer = await client.post(f"{PATH}/{what}?leg=leg_1", data=FIELDS, headers=signed(what))
    assert answer.status_code == status
    assert told.told == [(what, {"leg": "leg_1"}, FIELDS)]


@pytest.mark.parametrize(
    "headers", [{}, {"x-twilio-signature": "x"}, signed("status"), signed("twiml", "leg=leg_2")]
)
async def test_what_is_not_signed_is_not_read(headers: dict[str, str]) -> None:
    """Nor what is signed for another address."""
    told = Told()
    async with client_of(told) as client:
        answer = await client.post(f"{PATH}/twiml?leg=leg_1", data=FIELDS, headers=headers)
    assert (answer.status_code, told.told) == (403, [])


async def test_long_and_broken_bodies_are_refused() -> None:
    """At the limit it is looked at, one past it is not."""
    async with client_of(Told()) as client:
        at_limit = await client.post(f"{PATH}/twiml", content=b"a" * BODY_LIMIT_BYTES)
        past = await client.post(f"{PATH}/twiml", content=b"a" * (BODY_LIMIT_BYTES + 1))
        broken = await client.post(
            f"{PATH}/twiml",
            content=b"a=%FF%FE",
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    assert (at_limit.status_code, past.status_code) == (403, 413)
    assert broken.status_code in (400, 403)


async def test_tones_are_public() -> None:
    """And there are no others."""
    async with client_of(Told()) as client:
        assert (await client.get(f"{PATH}/hold.wav")).content == b"RIFF"
        assert (await client.get(f"{PATH}/other.wav")).status_code == 404
