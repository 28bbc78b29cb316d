"""Small packets through the whole gateway: launch, follow, hang up, the bill, and `dial` itself."""

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest

from call_core.units.access import hash_of
from channels.kit.contract import Identity
from channels.packet.client import PacketClient, Server
from gateway.clocks import WallClock
from gateway.dial import device_file
from gateway.dial.follow import follow
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
