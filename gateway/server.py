"""The running service: opens everything in order, waits, drains in the opposite order.

    settings -> core -> channels -> HTTP -> outbox -> ready
    stop -> no new work -> finish -> close

A stop (SIGTERM, SIGINT or the event that was given) takes the listeners away first, lets what was
begun finish, then lets go of calls: on a simulator they go on in its file, on a switch they go on
by themselves, and whoever starts next takes them over.
"""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version

import structlog
from fastapi import APIRouter

from call_core.engine.shard import ShardTaken
from channels.kit.contract import Channel, Environment
from channels.kit.server_tls import TlsError
from gateway.admission import Gate
from gateway.app import create_app
from gateway.health import Readiness, health_router
from gateway.http_connection import ConnectionLimits
from gateway.http_listener import HttpListener, ListenError
from gateway.listeners import refusal
from gateway.serve_lock import AlreadyServedError
from gateway.settings import Settings
from gateway.settings_file import SettingsError
from gateway.wiring import Core, build_channels, open_core

CHANNEL_STOP_S = 10
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A service that takes requests.

    Attributes:
        url: base of the HTTP listener.
        channels: what was started, in the registry's order.
    """

    settings: Settings
    core: Core
    channels: Sequence[Channel]
    environment: Environment
    url: str

    def listening(self) -> list[str]:
        """Return every listener as `smtp://127.0.0.1:2525`, HTTP first."""
        return [self.url, *(each for channel in self.channels for each in channel.listening())]


@dataclass(frozen=True, slots=True)
class Options:
    """What the demo does differently from `serve`.

    Attributes:
        create: make the database when it is missing.
        test_texts: whether texts start with TEST; None decides by the switch.
        extras: objects for single channels, by name.
        core_extras: makes further extras once the core is there.
    """

    create: bool = False
    test_texts: bool | None = None
    extras: Mapping[str, object] = field(default_factory=dict)
    core_extras: Callable[[Core], Mapping[str, object]] = lambda _: {}


@contextlib.asynccontextmanager
async def running(
    settings: Settings, stop: asyncio.Event, options: Options | None = None
) -> AsyncIterator[Running]:
    """Run the service within the context; leaving it drains.

    Raises:
        SettingsError: these listeners must not be opened.
        ListenError: an address is taken.
        AlreadyServedError: another node serves this database.
        StoreUnavailable: there is no database, or it cannot be used.
    """
    options = options or Options()
    sentence = refusal(settings)
    if sentence:
        raise SettingsError(sentence)
    gate = Gate(settings.http.max_requests_at_once)
    limits = ConnectionLimits(
        settings.http.request_timeout_s,
        settings.http.write_timeout_s,
        settings.http.max_connections,
        gate,
    )
    listener = HttpListener(settings.http.host, settings.http.port, limits)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(listener.stop)
        with _refused_when_served():
            core = await stack.enter_async_context(open_core(settings, create=options.create))
        url = settings.base_url(listener.port)
        environment = _environment(settings, core, url, options)
        channels = build_channels(settings, environment)
        readiness = Readiness()
        core.add_checks(readiness)
        core.metrics.watch(
            "callgate_http_inside",
            "HTTP requests that are being answered.",
            (),
            lambda: {(): gate.inside},
        )
        core.metrics.watch(
            "callgate_http_sent_away",
            "HTTP requests that found the gate full.",
            (),
            lambda: {(): gate.sent_away},
        )
        app = create_app(
            [health_router(readiness, core.metrics), *core.routers, *_routers(channels)],
            max_body_bytes=settings.http.max_body_bytes,
            stop=stop,
            version=version(),
        )
        stack.callback(stop.set)
        listener.open()
        with _refused_when_served():
            await core.start()
        stack.push_async_callback(core.stop)
        for channel in channels:
            await started(channel)
            stack.push_async_callback(_stopped, channel)
        stack.push_async_callback(core.engine.outbox.quiesce)
        await listener.start(app)
        stack.push_async_callback(listener.stop)
        core.deliver_by(channels)
        readiness.started = True
        stack.callback(_drain, readiness, stop)
        yield Running(settings, core, channels, environment, url)


async def started(channel: Channel) -> None:
    """Open a channel.

    Raises:
        ListenError: its address is taken.
        SettingsError: its certificate cannot be used.
    """
    try:
        await channel.start()
    except TlsError as error:
        raise SettingsError(str(error)) from error
    except OSError as error:
        raise ListenError(
            f"Channel {channel.name} cannot listen ({error}); stop what uses its address, or set "
            f"another {channel.name}.port."
        ) from error


async def serve(settings: Settings, announce: Callable[[Running], None]) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    with stop_on_signals(stop):
        async with running(settings, stop) as service:
            announce(service)
            await stop.wait()
            _log.info("draining")


@contextlib.contextmanager
def stop_on_signals(stop: asyncio.Event) -> Iterator[None]:
    """Set the event at the first signal; a second one is left to kill the process."""
    loop = asyncio.get_running_loop()

    def first(number: int) -> None:
        stop.set()
        loop.remove_signal_handler(number)

    for number in _SIGNALS:
        loop.add_signal_handler(number, first, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@contextlib.contextmanager
def _refused_when_served() -> Iterator[None]:
    """Say it as of a second process on one file: one node drives, whatever the database."""
    try:
        yield
    except ShardTaken as error:
        raise AlreadyServedError(str(error)) from error


def version() -> str:
    """Return the version that is installed, "0" from a bare checkout."""
    try:
        return installed_version("callgate")
    except PackageNotFoundError:
        return "0"


def _environment(settings: Settings, core: Core, url: str, options: Options) -> Environment:
    simulated = settings.simulated
    test_texts = simulated if options.test_texts is None else options.test_texts
    return Environment(
        core=core,
        wall=core.wall,
        call=core.call_clock,
        public_url=url,
        mail=settings.mail_out,
        test_texts=test_texts,
        extras={**options.extras, **options.core_extras(core)},
    )


def _routers(channels: Sequence[Channel]) -> list[APIRouter]:
    """Return the channels' routers, those of one channel in its own order: its last may take all.

    Starlette tries one route after the other, so channels with the fewest come first: what machines
    ask often does not wait for pages.
    """
    groups = [channel.routers() for channel in channels]
    groups.sort(key=lambda group: sum(len(router.routes) for router in group))
    return [router for group in groups for router in group]


def _drain(readiness: Readiness, stop: asyncio.Event) -> None:
    readiness.draining = True
    stop.set()


async def _stopped(channel: Channel) -> None:
    """Stop a channel; one that does not finish in time must not keep the others open."""
    try:
        async with asyncio.timeout(CHANNEL_STOP_S):
            await channel.stop()
    except TimeoutError:
        _log.warning("channel_stop_timeout", channel=channel.name)
    except Exception:  # noqa: BLE001  (logged; the others must still be stopped)
        _log.exception("channel_stop_failed", channel=channel.name)
