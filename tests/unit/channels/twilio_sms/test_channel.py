"""Twilio's webhooks as Twilio sends them, and texts out to a double of its interface."""

import hashlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlencode

import httpx2
import pytest
from fastapi import FastAPI
from twilio.request_validator import RequestValidator

from call_core.commands import Call, Name, OptOut
from call_core.contracts import CallCore, Clock
from call_core.errors import CommitUnknown, DeliveryError, Overloaded
from call_core.outcomes import Refused
from call_core.requests import Evidence
from channels.kit.contract import Environment, Identity, Outgoing
from channels.twilio_sms.channel import TwilioChannel
from channels.twilio_sms.settings import TwilioSettings
from parsers.sms_webhook import FORM_BYTES_LIMIT, decode_twiml
from tests.support.scripted_core import NOW_MS, ScriptedCore
from tests.support.twilio_messages import ACCOUNT, NUMBER, TOKEN, TwilioMessages

pytestmark = pytest.mark.anyio

ANNA = "+12125550101"
PUBLIC = "https://calls.example.com"
WEBHOOK = f"{PUBLIC}/sms/twilio"
FIELDS = {"MessageSid": "SM1", "From": ANNA, "To": NUMBER, "Body": "call mom", "FromZip": ""}
OUTGOING = Outgoing("msg_1", ANNA, Refused("unknown_sender"), "", "", 0, "UTC")


class Wall:
    """A clock that stands still."""

    def now_ms(self) -> int:
        """Return the one instant there is."""
        return NOW_MS

    async def sleep_until(self, at_ms: int) -> None:
        """Return at once."""


@dataclass
class World:
    """A channel, a core in memory, and a client that sees the channel behind a proxy."""

    core: ScriptedCore = field(default_factory=ScriptedCore)

    def channel(self, **settings: Any) -> TwilioChannel:  # noqa: ANN401  (settings as in a file)
        """Return the channel."""
        environment = Environment(
            core=cast("CallCore", self.core),
            wall=cast("Clock", Wall()),
            call=cast("Clock", Wall()),
            public_url=PUBLIC,
            mail=None,
        )
        made = TwilioSettings.model_validate({"auth_tokens": [TOKEN], **settings})
        return TwilioChannel(made, environment)

    async def ask(
        self,
        method: str = "POST",
        path: str = "/sms/twilio",
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        **settings: Any,  # noqa: ANN401  (settings as in a file)
    ) -> httpx2.Response:
        """Send one request to the channel, by the name that the proxy uses for it."""
        app = FastAPI()
        for router in self.channel(**settings).routers():
            app.include_router(router)
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://10.0.0.7:8080") as one:
            return await one.request(method, path, content=content, headers=headers)

    async def post(
        self,
        fields: dict[str, str],
        *,
        url: str = WEBHOOK,
        path: str = "/sms/twilio",
        token: str = TOKEN,
        **settings: Any,  # noqa: ANN401  (settings as in a file)
    ) -> httpx2.Response:
        """Post a form that Twilio's own package signed for `url`."""
        headers = {
            "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
            "x-twilio-signature": RequestValidator(token).compute_signature(url, fields),
        }
        content = urlencode(fields).encode()
        return await self.ask("POST", path, content, headers, **settings)


@pytest.fixture
def world() -> World:
    """Return a fresh one."""
    return World()


async def test_a_webhook_becomes_one_request_and_an_empty_answer(world: World) -> None:
    """Everything the core needs is there; what there is to say goes through the outbox."""
    answer = await world.post(FIELDS)
    assert (answer.status_code, decode_twiml(answer.content)) == (200, "")
    assert answer.headers["content-type"].startswith("text/xml")
    (request,) = world.core.asked
    assert request.command == Call(Name("mom"))
    assert (request.channel, request.sender, request.evidence) == (
        "twilio_sms",
        ANNA,
        Evidence.VOUCHED,
    )
    assert (request.external_id, request.received_wall_ms) == ("twilio:SM1", NOW_MS)


async def test_a_second_try_is_the_same_request_and_the_same_answer(world: World) -> None:
    """A captured request is worth nothing: its MessageSid is claimed."""
    answers = [await world.post(FIELDS) for _ in range(3)]
    assert len({each.content for each in answers}) == 1
    assert len(world.core.asked) == 1


@pytest.mark.parametrize(
    ("change", "settings"),
    [
        ({"token": "other"}, {}),
        ({"url": "http://10.0.0.7:8080/sms/twilio"}, {}),
        ({"url": f"{WEBHOOK}/"}, {}),
        ({}, {"auth_tokens": []}),
        ({}, {"webhook_url": "https://other.example/sms/twilio"}),
        ({"path": "/sms/twilio?a=b"}, {}),
        ({"path": "/sms/twilio/status"}, {}),
    ],
)
async def test_a_wrong_signature_is_refused_in_a_strangers_words(
    world: World, change: dict[str, str], settings: dict[str, Any]
) -> None:
    """403, nothing reaches the core, and nothing can be learned from it."""
    answer = await world.post(FIELDS, **change, **settings)
    assert answer.status_code == 403
    assert world.core.asked == []
    world.core.answers = [Refused("unknown_sender")]
    stranger = await world.post(FIELDS)
    assert decode_twiml(stranger.content) == answer.text


async def test_two_tokens_are_good_while_they_are_changed(world: World) -> None:
    """Each signs as well as the other."""
    tokens: dict[str, Any] = {"auth_tokens": ["new", TOKEN]}
    assert (await world.post(FIELDS, **tokens)).status_code == 200
    assert (await world.post({**FIELDS, "MessageSid": "2"}, token="new", **tokens)).is_success


async def test_a_get_is_signed_by_its_address_alone(world: World) -> None:
    """All fields are in the query."""
    query = urlencode(FIELDS)
    signature = RequestValidator(TOKEN).compute_signature(f"{WEBHOOK}?{query}", {})
    headers = {"x-twilio-signature": signature}
    answer = await world.ask("GET", f"/sms/twilio?{query}", headers=headers)
    assert answer.status_code == 200
    assert world.core.asked[0].text == "call mom"


@pytest.mark.parametrize(
    ("body", "status"), [(json.dumps(FIELDS), 200), ("[]", 400), ("{", 400), ("[" * 30_000, 400)]
)
async def test_a_json_webhook_is_covered_by_its_hash(world: World, body: str, status: int) -> None:
    """And only a JSON object says anything."""
    query = f"bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
    signature = RequestValidator(TOKEN).compute_signature(f"{WEBHOOK}?{query}", {})
    headers = {"content-type": "application/json", "x-twilio-signature": signature}
    path = f"/sms/twilio?{query}"
    assert (await world.ask("POST", path, body.encode(), headers)).status_code == status
    assert (await world.ask("POST", path, b"{}", headers)).status_code == 403


async def test_a_shared_key_signs_with_sha256(world: World) -> None:
    """Only by the key that the header names and we hold."""
    signature = RequestValidator("shared").compute_signature(WEBHOOK, FIELDS, "HMAC_SHA256")
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": signature,
        "x-twilio-webhooks-signature-settings": "key=k1,algorithm=HMAC_SHA256",
    }
    content = urlencode(FIELDS).encode()
    keys = {"shared_keys": {"k1": "shared"}}
    assert (await world.ask("POST", "/sms/twilio", content, headers, **keys)).status_code == 200
    assert (await world.ask("POST", "/sms/twilio", content, headers)).status_code == 403


@pytest.mark.parametrize(("size", "status"), [(FORM_BYTES_LIMIT, 403), (FORM_BYTES_LIMIT + 1, 413)])
async def test_a_body_has_a_limit(world: World, size: int, status: int) -> None:
    """At the limit it is read, one past it refused."""
    assert (await world.ask(content=b"x" * size)).status_code == status


@pytest.mark.parametrize(
    "fields", [{**FIELDS, "MessageSid": ""}, {"MessageSid": "SM1", "From": ANNA, "To": NUMBER}]
)
async def test_what_says_nothing_is_unreadable(world: World, fields: dict[str, str]) -> None:
    """Signed or not."""
    assert (await world.post(fields)).status_code == 400


async def test_a_text_that_is_kept_is_acknowledged_with_silence(world: World) -> None:
    """In a burst the answer goes out later, by REST."""
    world.core.promises = True
    answer = await world.post(FIELDS)
    assert (answer.status_code, decode_twiml(answer.content)) == (200, "")
    assert len(world.core.asked) == 1


@pytest.mark.parametrize("fault", [Overloaded(), CommitUnknown(), KeyError("a defect")])
async def test_every_failure_of_ours_is_temporary(world: World, fault: Exception) -> None:
    """503, and the next try is taken."""
    world.core.fault = fault
    answer = await world.post(FIELDS)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    world.core.fault = None
    assert (await world.post(FIELDS)).status_code == 200
    assert len(world.core.asked) == 1


async def test_an_emergency_is_answered_at_once(world: World) -> None:
    """In the session, since there is no outbox row."""
    world.core.answers = [Refused("emergency", fields={"digits": "911"})]
    assert "911" in decode_twiml((await world.post({**FIELDS, "Body": "call 911"})).content)


async def test_a_keyword_of_the_operators_own_is_an_opt_out(world: World) -> None:
    """Twilio says that it has answered it."""
    await world.post({**FIELDS, "Body": "arret", "OptOutType": "STOP"})
    assert world.core.asked[0].command == OptOut("STOP")
    assert world.core.asked[0].in_session


@pytest.mark.parametrize(
    ("status", "code", "reported"),
    [
        ("queued", 0, []),
        ("sent", 0, []),
        ("delivered", 0, [True]),
        ("read", 0, [True]),
        ("undelivered", 30003, [False]),
        ("failed", 30007, [False]),
        ("failed", 21610, [False]),
    ],
)
async def test_the_end_of_a_message_is_reported(
    world: World, status: str, code: int, reported: list[bool]
) -> None:
    """Every status is another report although all have the message's SID; opt-outs are recorded."""
    fields = {"MessageSid": "SM2", "MessageStatus": status, "To": ANNA, "ErrorCode": str(code)}
    asked = "/sms/twilio/status?message=msg_1"
    url = f"{PUBLIC}{asked}"
    assert (await world.post(fields, url=url, path=asked)).status_code == 200
    assert [each.delivered for each in world.core.reports] == reported
    assert all((each.message_id, each.address) == ("msg_1", ANNA) for each in world.core.reports)
    assert [each.command for each in world.core.asked] == [OptOut("STOP")] * (code == 21610)


async def test_an_address_of_the_operators_choice_is_signed(world: World) -> None:
    """Another host and path than ours, with a query that arrives as it was given."""
    url = "https://sms.example.com/hooks/7"
    settings = {"webhook_url": f"{url}?tenant=a%2fb"}
    path = "/sms/twilio?tenant=a%2fb"
    answer = await world.post(FIELDS, url=f"{url}?tenant=a%2fb", path=path, **settings)
    assert answer.status_code == 200


# --- out ----------------------------------------------------------------------------------------


@pytest.fixture
async def twilio() -> AsyncIterator[TwilioMessages]:
    """Serve a double of the REST interface."""
    async with TwilioMessages().serving() as made:
        yield made


def sending(twilio: TwilioMessages, **settings: Any) -> dict[str, Any]:  # noqa: ANN401  (as above)
    """Return the settings that lead to the double."""
    return {"account_sid": ACCOUNT, "from_number": NUMBER, "api_url": twilio.url, **settings}


@pytest.mark.enable_socket
async def test_a_text_goes_out_with_a_place_for_its_status(
    world: World, twilio: TwilioMessages
) -> None:
    """One message of one part, whose callback names the outbox id."""
    channel = world.channel(**sending(twilio))
    await channel.start()
    await channel.deliver(OUTGOING)
    await channel.stop()
    (sent,) = twilio.sent
    assert (sent["to"], sent["from"]) == (ANNA, NUMBER)
    assert 0 < len(sent["body"]) <= 160
    assert sent["callback"] == f"{WEBHOOK}/status?message=msg_1"


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("status", "code", "retryable", "uncertain"),
    [
        (429, 20429, True, False),
        (401, 20003, True, False),
        (400, 21211, False, False),
        (400, 21610, False, False),
        (400, 99999, False, False),
        (403, 0, True, False),
        (503, 0, True, False),
        (500, 20500, True, True),
        (502, 0, True, True),
    ],
)
async def test_refusals_say_whether_a_retry_helps(
    world: World,
    twilio: TwilioMessages,
    status: int,
    code: int,
    *,
    retryable: bool,
    uncertain: bool,
) -> None:
    """By the table; what may have been taken is uncertain; an opt-out is recorded."""
    twilio.failures = [(status, code)]
    channel = world.channel(**sending(twilio))
    await channel.start()
    with pytest.raises(DeliveryError) as raised:
        await channel.deliver(OUTGOING)
    await channel.stop()
    assert (raised.value.retryable, raised.value.uncertain) == (retryable, uncertain)
    assert [each.command for each in world.core.asked] == [OptOut("STOP")] * (code == 21610)


@pytest.mark.enable_socket
async def test_a_wrong_token_is_the_operators_to_mend(world: World, twilio: TwilioMessages) -> None:
    """Twilio's refusal is retryable: the message waits for the right one."""
    channel = world.channel(**sending(twilio, auth_tokens=["wrong"]))
    await channel.start()
    with pytest.raises(DeliveryError) as raised:
        await channel.deliver(OUTGOING)
    await channel.stop()
    assert raised.value.retryable
    assert twilio.sent == []


@pytest.mark.enable_socket
async def test_nobody_there_is_certain_and_can_be_tried_again(world: World) -> None:
    """No connection, no message."""
    settings = {"account_sid": ACCOUNT, "from_number": NUMBER, "api_url": "http://127.0.0.1:1"}
    channel = world.channel(**settings)
    await channel.start()
    with pytest.raises(DeliveryError) as raised:
        await channel.deliver(OUTGOING)
    await channel.stop()
    assert (raised.value.retryable, raised.value.uncertain) == (True, False)


async def test_without_an_account_answers_go_elsewhere(world: World) -> None:
    """At once: there is nothing to wait for."""
    channel = world.channel()
    await channel.start()
    with pytest.raises(DeliveryError) as raised:
        await channel.deliver(OUTGOING)
    await channel.stop()
    assert not raised.value.retryable


async def test_a_channel_that_is_not_open_takes_it_later(world: World) -> None:
    """Before the start and after the stop nothing is sent, and nothing is lost."""
    channel = world.channel(account_sid=ACCOUNT, from_number=NUMBER)
    with pytest.raises(DeliveryError) as raised:
        await channel.deliver(OUTGOING)
    assert (raised.value.retryable, raised.value.uncertain) == (True, False)


async def test_without_a_key_there_is_no_probe(world: World) -> None:
    """It could not sign."""
    with pytest.raises(DeliveryError):
        await world.channel(auth_tokens=[]).probe(Identity("usr_1", ANNA), "call mom")
