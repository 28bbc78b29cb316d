"""One connection of somebody whom nobody knows must not shut the door for all others."""

import asyncio
import socket
from pathlib import Path

import httpx2
import pytest

from gateway.demo.run import make_settings
from gateway.server import Options, running
from gateway.settings_file import load_settings
from tests.support import kannel

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
REQUEST = b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_a_peer_that_asks_much_and_reads_nothing_harms_nobody(tmp_path: Path) -> None:
    """Requests down one pipe, 60 kB in all, whose answers nobody reads; others are answered."""
    port = kannel.free_port()
    make_settings(tmp_path / "gateway", 1)
    environ = {"CALLGATE_HTTP__PORT": str(port)}
    settings = load_settings(tmp_path / "gateway" / "callgate.toml", environ)
    options = Options(create=True, test_texts=False)
    async with running(settings, asyncio.Event(), options):
        with socket.socket() as peer:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.connect(("127.0.0.1", port))
            peer.settimeout(0)
            sent = REQUEST * (60_000 // len(REQUEST))
            await asyncio.get_running_loop().sock_sendall(peer, sent)
            async with httpx2.AsyncClient(timeout=10) as client:
                for _ in range(20):
                    await asyncio.sleep(0.1)
                    for path in ("/sign-in", "/healthz"):
                        answer = await client.get(f"http://127.0.0.1:{port}{path}")
                        assert answer.status_code == 200
