"""Twilio's published description takes every request that the switch makes.

Prism, a mock server, refuses what the description does not allow. The switch is first run against
our twin, and whatever it asked there is asked again at the mock.
"""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from call_core.contracts import Prompt
from call_core.switches.simulator_phone import PhoneScript
from tests.support.clocks import FakeClock
from tests.support.orders import an_order
from tests.support.twilio_bench import TwilioWorld, twilio_world

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120), pytest.mark.peer("prism")]
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
MODULES = Path(os.environ.get("CALLGATE_TEST_PEERS", CACHE / "callgate-peers")) / "node_modules"
PRISM = MODULES / "@stoplight/prism-cli/dist/index.js"
DESCRIPTION = MODULES / "@twilio-alpha/mcp/twilio-oai/spec/json/twilio_api_v2010.json"
FIRST, SECOND = "+12025550101", "+12025550102"


def described(folder: Path) -> Path:
    """Write the description with OpenAPI's default way of lists in forms named.

    A list is repeated names unless a description says otherwise. Prism reads lists only where one
    says so, and Twilio's does not.
    """
    description = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    for methods in description["paths"].values():
        for operation in methods.values():
            content = operation.get("requestBody", {}) if isinstance(operation, dict) else {}
            for body in content.get("content", {}).values():
                properties = body["schema"].get("properties", {})
                lists = [name for name, kind in properties.items() if kind.get("type") == "array"]
                body["encoding"] = {name: {"style": "form", "explode": True} for name in lists}
    file = folder / "twilio.json"
    file.write_text(json.dumps(description), encoding="utf-8")
    return file


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[str]:
    """Run the mock; yield its address."""
    node = shutil.which("node")
    if node is None or not PRISM.exists() or not DESCRIPTION.exists():
        pytest.skip("needs prism (deploy/peers/install)")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [node, str(PRISM), "mock", "-h", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(  # noqa: S603  (a peer of ours)
        [*command, str(described(tmp_path))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if "Prism is listening" in line:
                break
        else:
            pytest.fail("".join(said))
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.kill()


@pytest.fixture
async def world() -> AsyncIterator[TwilioWorld]:
    """A switch at our twin."""
    phones = {FIRST: PhoneScript(ring_ms=1_000), SECOND: PhoneScript(ring_ms=1_000)}
    async with twilio_world(phones, FakeClock()) as made:
        yield made


async def everything(world: TwilioWorld) -> None:
    """Use every verb of the switch, and its memory of what it has forgotten."""
    switch, now = world.switch, world.clock.now_ms()
    await switch.health()
    for leg_id, number in (("leg_a", FIRST), ("leg_b", SECOND)):
        await switch.originate(an_order(leg_id, number=number, at_call_ms=now))
    await world.pass_ms(2_000)
    await switch.limit("leg_a", world.clock.now_ms() + 90_000)
    await switch.play("leg_a", Prompt.ACCEPT, {"destination": "London", "ending": "0 0 1 8"})
    await world.pass_ms(8_000)
    await switch.play("leg_b", Prompt.HOLD_TONE, {})
    await switch.stop("leg_b")
    await switch.bridge("call_1", ["leg_a", "leg_b"])
    await world.pass_ms(1_000)
    await switch.mute("leg_a", muted=True)
    await switch.play("leg_a", Prompt.ENDING_SOON, {})
    await world.pass_ms(6_000)
    await world.kill()
    again = world.start("https://other.example/voice/twilio")
    await again.live_legs()
    world.twin.faults.callbacks_lost = frozenset({"completed"})
    await again.hang_up("leg_a", 16)
    await world.pass_ms(1_000)
    await again.live_legs()
    await again.ended_leg("leg_unknown")


async def test_every_request_fits_the_published_description(mock: str, world: TwilioWorld) -> None:
    """Each method, path, query and form is taken; together they are every kind that there is."""
    await everything(world)
    asked = world.twin.requests
    kinds = {(method, _kind(path)) for method, path, _ in asked}
    assert len(kinds) == 9
    async with httpx2.AsyncClient(base_url=mock, auth=("user", "secret")) as client:
        for method, path, said in asked:
            answer = await _ask(client, method, path, said)
            assert answer.is_success, (method, path, said, answer.text)


async def test_the_mock_refuses_what_the_description_does_not_know(mock: str) -> None:
    """So that its silence means something."""
    path = "/2010-04-01/Accounts/AC00000000000000000000000000000001/Calls.json"
    async with httpx2.AsyncClient(base_url=mock, auth=("user", "secret")) as client:
        answer = await client.post(path, data={"To": FIRST, "From": SECOND, "TimeLimit": "long"})
    assert answer.status_code == 422


async def _ask(
    client: httpx2.AsyncClient, method: str, path: str, said: dict[str, Any]
) -> httpx2.Response:
    if method == "GET":
        return await client.get(path, params=said)
    return await client.post(path, data=said)


def _kind(path: str) -> str:
    """Return a path with its ids taken out."""
    parts = path.removesuffix(".json").split("/")[4:]
    return "/".join("{sid}" if part.startswith(("CA", "CF")) else part for part in parts)
