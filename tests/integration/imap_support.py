"""What the tests of the IMAP channel share: a Dovecot, a served channel, ways to wait."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import pytest

from call_core.contracts import CallCore, Clock
from channels.imap.channel import ImapChannel
from channels.imap.settings import ImapSettings
from channels.kit.contract import Environment
from channels.kit.mail_out import MailOutSettings
from tests.integration.smtp_support import Core, Frozen
from tests.support import dovecot
from tests.support.dovecot import PASSWORD, Dovecot

WAIT_S = 15.0
QUICK = {"retry_first_s": 0.05, "retry_longest_s": 0.2}


@contextlib.contextmanager
def a_dovecot(capability: str = "", **more: Any) -> Iterator[Dovecot]:  # noqa: ANN401  (as `running` takes them)
    """Run a server, or skip where there is none."""
    if dovecot.program() is None:
        pytest.skip("needs dovecot (deploy/peers/install)")
    with dovecot.running(capability, **more) as server:
        yield server


@pytest.fixture
def server() -> Iterator[Dovecot]:
    """A server of the test's own."""
    with a_dovecot() as made:
        yield made


def mailbox(port: int, **settings: Any) -> dict[str, Any]:  # noqa: ANN401  (settings as in a file)
    """Return the settings of one mailbox of a server on loopback."""
    given = {"host": "127.0.0.1", "port": port, "tls": "never", "username": "calls"}
    return {**given, "password": PASSWORD, "trusted": True, **settings}


@contextlib.asynccontextmanager
async def reading(
    core: Core, *mailboxes: dict[str, Any], mail_out: MailOutSettings | None = None
) -> AsyncIterator[ImapChannel]:
    """Start the channel on mailboxes, and stop it."""
    environment = Environment(
        core=cast("CallCore", core),
        wall=cast("Clock", Frozen()),
        call=cast("Clock", Frozen()),
        public_url="",
        mail=mail_out or MailOutSettings(from_address="call@gw.example.org"),
    )
    named = {f"m{number}": each for number, each in enumerate(mailboxes)}
    channel = ImapChannel(ImapSettings.model_validate({"mailboxes": named, **QUICK}), environment)
    await channel.start()
    try:
        yield channel
    finally:
        await channel.stop()


async def until(true: Callable[[], bool], what: str = "") -> None:
    """Wait for something to become true; it is looked at in a thread, so it may block."""
    until_s = time.monotonic() + WAIT_S
    while not await asyncio.to_thread(true):  # a server does not say it
        assert time.monotonic() < until_s, what
        await asyncio.sleep(0.02)
