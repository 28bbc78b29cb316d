"""A listener whose address somebody else has: one sentence, and everything is let go again."""

import asyncio
import socket
from pathlib import Path

import pytest

from gateway.http_listener import ListenError
from gateway.server import running
from tests.soak.site import make_site

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio]
KINDS = {"smtp": socket.SOCK_STREAM, "snpp": socket.SOCK_STREAM, "packet": socket.SOCK_DGRAM}


@pytest.mark.parametrize("channel", KINDS)
async def test_a_channel_whose_port_is_taken_is_one_sentence(tmp_path: Path, channel: str) -> None:
    """The operator reads which channel it is and what to set; the next start finds all free."""
    site = await make_site(tmp_path, f"sqlite:///{tmp_path / 'callgate.db'}", 9)
    with socket.socket(socket.AF_INET, KINDS[channel]) as taken:
        taken.bind(("127.0.0.1", site.ports[channel]))
        if KINDS[channel] is socket.SOCK_STREAM:
            taken.listen()
        with pytest.raises(ListenError, match=f"Channel {channel} .* set another {channel}.port"):
            async with running(site.settings(), asyncio.Event()):
                pass
    async with running(site.settings(), asyncio.Event()) as service:
        assert service.core.engine.running
