"""Takes mail beside `serve`: a second process on the same port and the same database.

One process takes mail on one processor. This one only checks senders and keeps what was asked, in
the inbox of `call_core.engine.inbox`; the process that serves does it a moment later. Both listen
on one port, and the kernel shares the connections out (SO_REUSEPORT).
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from channels.kit.contract import Channel, Environment
from channels.kit.registry import channel_classes
from gateway.listeners import refusal
from gateway.server import started, stop_on_signals
from gateway.settings import Settings
from gateway.settings_file import SettingsError
from gateway.wiring import Core, open_core

CHANNEL = "smtp"


@dataclass(frozen=True, slots=True)
class Accepting:
    """A process that takes mail."""

    core: Core
    channel: Channel


@contextlib.asynccontextmanager
async def accepting(settings: Settings, name: str) -> AsyncIterator[Accepting]:
    """Take mail within the context.

    Args:
        settings: those of `serve`.
        name: of this process among those that accept; names its audit chain.

    Raises:
        SettingsError: the port of mail is not to be shared, or must not be opened.
        ListenError: the port is taken by a process that does not share it.
        StoreUnavailable: there is no database, or it cannot be used.
    """
    sentence = refusal(settings)
    if sentence:
        raise SettingsError(sentence)
    mail = settings.channel(CHANNEL)
    if not (mail.enabled and getattr(mail, "reuse_port", False)):
        raise SettingsError(
            "`callgate accept` shares the port of mail with `callgate serve`: set "
            "smtp.reuse_port = true, and restart what serves."
        )
    async with open_core(settings, drive=False, beside=f"accept-{name}") as core:
        core.engine.inbox.direct_at_once = 0
        environment = Environment(
            core=core,
            wall=core.wall,
            call=core.call_clock,
            public_url=settings.base_url(settings.http.port),
            mail=settings.mail_out,
            test_texts=settings.simulated,
        )
        channel = channel_classes()[CHANNEL](mail, environment)
        await started(channel)
        counting = asyncio.create_task(core.engine.inbox.count_until_cancelled())
        try:
            yield Accepting(core, channel)
        finally:
            await channel.stop()
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)


async def accept(settings: Settings, name: str, announce: Callable[[Accepting], None]) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    with stop_on_signals(stop):
        async with accepting(settings, name) as service:
            announce(service)
            await stop.wait()
