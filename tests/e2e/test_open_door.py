"""A switch asks by HTTP what to do with its calls, which are driven before channels are open."""

import asyncio
from pathlib import Path

import pytest

from gateway.server import running
from gateway.wiring import Core
from tests.soak.site import make_site

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio]


async def test_who_asks_while_the_core_starts_is_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They wait, and find no closed door."""
    site = await make_site(tmp_path, f"sqlite:///{tmp_path / 'callgate.db'}", 9)
    settings = site.settings()
    asking: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    start = Core.start

    async def asked_meanwhile(core: Core) -> None:
        asking.append(await asyncio.open_connection(settings.http.host, settings.http.port))
        asking[0][1].write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await start(core)

    monkeypatch.setattr(Core, "start", asked_meanwhile)
    async with running(settings, asyncio.Event()):
        ((reader, writer),) = asking
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
