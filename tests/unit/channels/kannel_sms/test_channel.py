"""Requests as smsbox sends them, and who else is turned away."""

from dataclasses import dataclass, field
from typing import Any, cast

import httpx2
import pytest
from fastapi import FastAPI

from call_core.commands import Call, Name
from call_core.contracts import CallCore, Clock
from call_core.errors import DeliveryError, Overloaded
from call_core.outcomes import Refused
from channels.kannel_sms.channel import KannelChannel
from channels.kannel_sms.settings import KannelSettings
from channels.kit.contract import Environment, Outgoing
from parsers.sms_webhook import FORM_BYTES_LIMIT
from tests.support.scripted_core import NOW_MS, ScriptedCore

pytestmark = pytest.mark.anyio

ANNA = "+12125550101"
SECRET = "part-of-the-path"
ASKED = f"/sms/kannel/{SECRET}?id=7d15&from=%2B12125550101&to=12345&charset=UTF-8&text=call+mom"
REPORTED = f"/sms/kannel/{SECRET}/report?message=msg_1&to=%2B12125550101&dlr="
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
    """A channel, a core in memory, and a peer."""

    core: ScriptedCore = field(default_factory=ScriptedCore)

    def channel(
        self,
        public_url: str = "https://calls.example.com",
        **settings: Any,  # noqa: ANN401  (settings as in a file)
    ) -> KannelChannel:
        """Return the channel."""
        environment = Environment(
            core=cast("CallCore", self.core),
            wall=cast("Clock", Wall()),
            call=cast("Clock", Wall()),
            public_url=public_url,
            mail=None,
        )
        made = KannelSettings.model_validate({"secret": SECRET, **settings})
        return KannelChannel(made, environment)

    async def ask(
        self,
        path: str = ASKED,
        *,
        peer: str = "127.0.0.1",
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        **settings: Any,  # noqa: ANN401  (as above)
    ) -> httpx2.Response:
        """Send one request from a peer; a POST when it has content."""
        app = FastAPI()
        for router in self.channel(**settings).routers():
            app.include_router(router)
        transport = httpx2.ASGITransport(app, client=(peer, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            method = "GET" if content is None else "POST"
            return await client.request(method, path, content=content, headers=headers)


@pytest.fixture
def world() -> World:
    """Return a fresh one."""
    return World()


async def test_a_request_is_committed_and_answered_with_nothing(world: World) -> None:
    """Twice the same is one request."""
    for _ in range(2):
        answer = await world.ask()
        assert (answer.status_code, answer.text) == (200, "")
    (request,) = world.core.asked
    assert (request.external_id, request.sender) == ("kannel:7d15", ANNA)
    assert request.command == Call(Name("mom"))


@pytest.mark.parametrize("path", [ASKED, f"{REPORTED}1"])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 200),
        ({"peer": "127.9.9.9"}, 200),
        ({"peer": "::1"}, 200),
        ({"peer": "::ffff:127.0.0.1"}, 200),
        ({"peer": "10.0.0.7", "networks": ["10.0.0.0/29"]}, 200),
        ({"peer": "10.0.0.8", "networks": ["10.0.0.0/29"]}, 403),
        ({"peer": "192.0.2.1"}, 403),
        ({"peer": "unix"}, 403),
        ({"secret": "another"}, 403),
        ({"secret": "\u00e9"}, 403),
        ({"headers": {"x-forwarded-for": "192.0.2.1"}}, 403),
        ({"headers": {"forwarded": "for=192.0.2.1"}}, 403),
        ({"headers": {"via": "1.1 proxy"}}, 403),
    ],
)
async def test_only_smsbox_is_believed(
    world: World, path: str, change: dict[str, Any], status: int
) -> None:
    """From a listed network, straight, with the secret; nothing else reaches the core."""
    assert (await world.ask(path, **change)).status_code == status
    assert bool(world.core.asked or world.core.reports) is (status == 200)


@pytest.mark.parametrize(
    ("public_url", "status"),
    [
        ("http://127.0.0.1:8080", 200),
        ("http://localhost", 200),
        ("http://[::1]:8080", 200),
        ("https://calls.example.com", 403),
    ],
)
async def test_no_secret_is_only_for_this_machine(
    world: World, public_url: str, status: int
) -> None:
    """Where the service is public a forgotten secret must not open it."""
    path = ASKED.replace(f"/{SECRET}", "")
    answer = await world.ask(path, secret="", public_url=public_url)
    assert answer.status_code == status


async def test_a_posted_text_is_taken(world: World) -> None:
    """`post-url` sends the text as the body."""
    path = ASKED.partition("&text")[0]
    assert (await world.ask(path, content="call b\u00f6b".encode())).status_code == 200
    assert world.core.asked[0].text == "call b\u00f6b"


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        (ASKED, FORM_BYTES_LIMIT, 200),
        (ASKED, FORM_BYTES_LIMIT + 1, 413),
        (f"/sms/kannel/{SECRET}?id=1&from=1&text=" + "x" * FORM_BYTES_LIMIT, None, 413),
        (f"/sms/kannel/{SECRET}?from=1", None, 400),
        (f"/sms/kannel/{SECRET}/report?dlr=1", None, 400),
    ],
)
async def test_requests_have_limits(world: World, path: str, size: int | None, status: int) -> None:
    """At the limit they are taken, one past it refused."""
    content = None if size is None else b"x" * size
    assert (await world.ask(path, content=content)).status_code == status


async def test_a_text_that_is_kept_is_acknowledged_with_silence(world: World) -> None:
    """In a burst the answer goes out later, by sendsms."""
    world.core.promises = True
    answer = await world.ask(ASKED)
    assert (answer.status_code, answer.text) == (200, "")
    assert len(world.core.asked) == 1


@pytest.mark.parametrize("fault", [Overloaded(), KeyError("a defect")])
@pytest.mark.parametrize("path", [ASKED, f"{REPORTED}2"])
async def test_every_failure_of_ours_is_temporary(
    world: World, path: str, fault: Exception
) -> None:
    """503, so smsbox asks again."""
    world.core.fault = fault
    answer = await world.ask(path)
    assert answer.status_code == 503
    world.core.fault = None
    assert (await world.ask(path)).status_code == 200


@pytest.mark.parametrize(
    ("dlr", "delivered"),
    [("1", [True]), ("2", [False]), ("16", [False]), ("4", []), ("8", []), ("x", [])],
)
async def test_reports_reach_the_core(world: World, dlr: str, delivered: list[bool]) -> None:
    """Ends only; what is on its way is no news."""
    assert (await world.ask(f"{REPORTED}{dlr}")).status_code == 200
    assert [each.delivered for each in world.core.reports] == delivered
    assert all((each.message_id, each.address) == ("msg_1", ANNA) for each in world.core.reports)


async def test_numbers_without_a_sign_are_those_of_the_country(world: World) -> None:
    """As the settings say; and old times are not believed when they say so."""
    path = ASKED.replace("%2B1", "") + "&time=1"
    await world.ask(path, country="US", sent_times=False)
    (request,) = world.core.asked
    assert (request.sender, request.sent_wall_ms) == (ANNA, None)


async def test_without_sendsms_answers_go_elsewhere(world: World) -> None:
    """At once: there is nothing to wait for."""
    channel = world.channel()
    await channel.start()
    with pytest.raises(DeliveryError) as raised:
        await channel.deliver(OUTGOING)
    await channel.stop()
    assert not raised.value.retryable


async def test_a_channel_that_is_not_open_takes_it_later(world: World) -> None:
    """Before the start and after the stop nothing is sent, and nothing is lost."""
    channel = world.channel(sendsms_url="http://127.0.0.1:1/cgi-bin/sendsms")
    with pytest.raises(DeliveryError) as raised:
        await channel.deliver(OUTGOING)
    assert (raised.value.retryable, raised.value.uncertain) == (True, False)
