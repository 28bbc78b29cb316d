"""The HTTP listener: uvicorn inside our own loop, with a socket that is bound before it starts."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

from gateway.http_connection import ConnectionLimits, limited

GRACEFUL_S = 2
KEEP_ALIVE_S = 15
BACKLOG = 2048


class ListenError(Exception):
    """An address cannot be listened on; the message is one sentence for the operator."""


class _Embedded(uvicorn.Server):
    """Leaves the signals to our own supervisor."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class HttpListener:
    """One bound socket, then one server on it.

    Attributes:
        host, port: what is listened on; the port is the real one even when 0 was asked for.
    """

    def __init__(self, host: str, port: int, limits: ConnectionLimits | None = None) -> None:
        """Bind at once, so that links with the real port can be made before the start.

        Raises:
            ListenError: the address is taken or not ours.
        """
        self._socket = _bound_socket(host, port)
        self._limits = limits or ConnectionLimits()
        self.host: str = host
        self.port: int = self._socket.getsockname()[1]
        self._server: _Embedded | None = None
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Take connections, which are answered from `start` on.

        A switch that asks us about its first call meanwhile waits, and finds no closed door.

        Raises:
            ListenError: somebody else has begun to listen on the address.
        """
        try:
            self._socket.listen(BACKLOG)
        except OSError as error:
            raise _taken(self.host, self.port, error) from error

    async def start(self, app: FastAPI) -> None:
        """Serve until `stop`; returns when connections are taken."""
        config = uvicorn.Config(
            app,
            http=limited(self._limits),
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=GRACEFUL_S,
            timeout_keep_alive=KEEP_ALIVE_S,
            backlog=BACKLOG,
            ws="none",
        )
        self._server = _Embedded(config)
        self._task = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        while not (self._server.started or self._task.done()):  # noqa: ASYNC110  (a flag, no event)
            await asyncio.sleep(0.005)
        if self._task.done():
            await self._task

    async def stop(self) -> None:
        """Take no more connections, finish what was begun within two seconds, close."""
        if self._server is None or self._task is None:
            self._socket.close()
            return
        self._server.should_exit = True
        await self._task
        self._socket.close()


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise _taken(host, port, error) from error
    made.setblocking(False)  # noqa: FBT003  (the standard library's signature)
    return made


def _taken(host: str, port: int, error: OSError) -> ListenError:
    return ListenError(
        f"{host}:{port} cannot be listened on ({error.strerror}); stop what uses it, or set "
        "another http.port."
    )
