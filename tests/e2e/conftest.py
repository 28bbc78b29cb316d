"""A whole gateway in this process: every listener on loopback, simulated telephones, real mail."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from channels.kit.contract import Identity
from channels.kit.registry import channel_classes
from gateway.clocks import WallClock
from gateway.demo import world
from gateway.demo.run import make_settings
from gateway.demo.set_up import set_up
from gateway.demo.world import people
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway.

    Attributes:
        url: base of the pages and the API.
        identity: a user with a phone, a password, a token, money and the name `mom`.
        service: everything else.
        mailbox: what was sent by mail.
        addresses: the user's address by channel.
    """

    url: str
    identity: Identity
    service: Running
    mailbox: Mailbox
    addresses: Mapping[str, str]


def _spaces() -> dict[str, str]:
    """Return the id space of every channel; the user has an address on each."""
    return {name: made.id_space for name, made in channel_classes().items()}


@pytest.fixture
def sections() -> Mapping[str, object]:
    """Sections of the settings that a test module has otherwise."""
    return {}


@pytest.fixture
async def gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sections: Mapping[str, object]
) -> AsyncIterator[Gateway]:
    """Run a gateway on SQLite with one user, until the test is over."""
    # Tests run side by side: the usual ports would be taken between the look and the use.
    usual = world.free_port
    monkeypatch.setattr(world, "free_port", lambda listener: usual(replace(listener, port=0)))
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    settings = make_settings(tmp_path / "gateway", relay_port).model_copy(update=dict(sections))
    options = Options(create=True, test_texts=False)
    try:
        async with running(settings, asyncio.Event(), options) as service:
            [ada] = await set_up(service.core, people(_spaces())[:1])
            spaces = _spaces()
            by_space = {spaces[name]: address for name, address in ada.person.senders}
            addresses = {
                name: by_space.get(space, ada.person.mail) for name, space in spaces.items()
            }
            yield Gateway(service.url, ada.identity, service, mailbox, addresses)
    finally:
        await mailbox.stop()
