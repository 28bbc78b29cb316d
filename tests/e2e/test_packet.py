"""Small packets through the whole gateway: launch, follow, hang up, the bill, and `dial` itself."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import httpx2
import pytest

from call_core.units.access import hash_of
from channels.kit.contract import Identity
from channels.packet.client import PacketClient, Server
from gateway.clocks import WallClock
from gateway.dial import device_file
from gateway.dial.follow import follow
from gateway.dial.joining import JoinError, join, label_of
from gateway.server import Running
from parsers.packet import CallState, Status

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]


class Gateway(Protocol):
    """What these tests need of the fixture."""

    identity: Identity
    service: Running


def server_of(gateway: Gateway) -> Server:
    """Return where the packet channel listens."""
    [where] = [w for each in gateway.service.channels for w in each.listening() if "udp://" in w]
    return Server("127.0.0.1", int(where.rpartition(":")[2]))


async def test_a_call_is_launched_followed_and_billed(gateway: Gateway) -> None:
    """The status line follows until somebody hangs up; then comes what it cost."""
    client = PacketClient(server_of(gateway), gateway.identity.token, WallClock().now_ms)
    launched = await client.ask("mom")
    assert (launched.status, launched.state) == (Status.LAUNCHED, CallState.LIVE)
    lines: list[str] = []

    async def soon(_: float) -> None:
        await asyncio.sleep(0.3)
        if len(lines) == 2:
            await client.ask(f"hangup {launched.ref}")

    over = await asyncio.wait_for(follow(client, launched.ref, lines.append, soon), 60)
    assert over.state is CallState.OVER
    assert launched.ref in over.text
    assert await client.names() == ["bob", "carol", "dave", "erin", "mom", "voicemail"]


async def test_a_token_that_is_no_device_opens_nothing(gateway: Gateway) -> None:
    """An ordinary token's stored hash is not the key of a device."""
    core = gateway.service.core
    now_wall_ms = core.wall.now_ms()
    who = await core.principal_of_token(gateway.identity.token, now_wall_ms)
    assert who is not None
    person = replace(who, scopes=("read", "call", "admin"))
    for label, is_device in (("laptop", False), ("snpp 555", False), ("packet laptop", True)):
        token = await core.create_token(person, label, ("read", "call"), now_wall_ms)
        known = await core.device(hash_of(token)[:20], now_wall_ms)
        assert (known is not None) is is_device, label


async def test_dial_on_the_command_line(gateway: Gateway, tmp_path: Path) -> None:
    """Set up, a question of money, and a refusal, as processes of their own."""
    server, file = server_of(gateway), str(tmp_path / "device.toml")

    async def dial(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "dial", "--config", file, *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, out.decode()

    assert (await dial("mom"))[0] == 3
    assert (await dial("--setup", gateway.identity.token, f"{server.host}:{server.port}"))[0] == 0
    assert "25.00" in (await dial("balance"))[1]
    assert "6 names" in (await dial("--names"))[1]
    assert (await dial("nobody", "of", "this", "name"))[0] == 1
    assert (await dial())[0] == 2


async def test_dial_joins_by_a_code(gateway: Gateway, tmp_path: Path) -> None:
    """A code from another channel, shown over the API: the key is kept, and calls at once."""
    server, file = server_of(gateway), tmp_path / "device.toml"
    core = gateway.service.core
    who = await core.principal_of_token(gateway.identity.token, core.wall.now_ms())
    assert who is not None

    async def dial(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "dial", "--config", str(file), *arguments),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        return process.returncode or 0, " ".join(out.decode().split())

    async def code() -> str:
        person = replace(who, scopes=("read", "call", "admin"))
        token = await core.create_token(person, "own", person.scopes, core.wall.now_ms())
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(base_url=gateway.service.url, headers=headers) as client:
            answer = await client.post("/api/v1/commands", json={"text": "device"})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["fields"]["code"])

    where = (f"{server.host}:{server.port}", "--url", gateway.service.url)
    shown = await code()
    status, said = await dial("--join", shown, *where, "--label", "laptop")
    assert (status, f'"laptop" of {who.user_name}' in said) == (0, True), said
    assert "25.00" in (await dial("balance"))[1]
    kept = file.read_bytes()
    status, said = await dial("--join", shown, *where)
    assert (status, "was used" in said) == (1, True), said
    assert file.read_bytes() == kept
    for wrong, expected in (
        (("--join", shown), 2),
        (("--join", shown, "gw.example", "--url", "http://gw.example"), 3),
        (("--join", shown, "127.0.0.1", "--url", "http://127.0.0.1:9"), 1),
    ):
        assert (await dial(*wrong))[0] == expected, wrong


@pytest.mark.parametrize(
    ("host_name", "label"),
    [("desk.hill.example", "desk"), ("", "desktop"), ("Ж", "desktop"), ("x" * 60, "x" * 40)],
)
def test_a_desktop_is_called_like_its_machine(host_name: str, label: str) -> None:
    """In letters that every channel carries."""
    assert label_of(host_name) == label


async def test_what_is_no_gateway_says_so() -> None:
    """Another server's words are no key."""

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while b"}" not in await reader.read(65_536):
            continue  # its body may come in a packet of its own
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(greet, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(JoinError, match="is it a gateway"):
            await join(f"http://127.0.0.1:{port}", "7K3F-9QTD", "x")


async def test_the_shell_completes_names(tmp_path: Path) -> None:
    """Those that `--names` fetched; in a conference the last one."""
    device_file.write_names(tmp_path / "callgate" / "device.toml", ["bob", "mom"])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gateway.cli"),
        env={
            **os.environ,
            "XDG_CONFIG_HOME": str(tmp_path),
            "_CALLGATE_COMPLETE": "complete_bash",
            "COMP_WORDS": "callgate dial mom,b",
            "COMP_CWORD": "2",
        },
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert out.decode().split() == ["mom,bob"]
