"""The SNPP listener: sockets, limits of connections, idle time-outs, drain on stop."""

import asyncio
import contextlib
import ssl
from collections import Counter
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from channels.kit.server_tls import server_tls
from channels.snpp.session import Shared, SnppSession
from channels.snpp.settings import SnppSettings
from parsers.snpp import reply_line
from parsers.snpp_server import Phase, ServerEngine

READ_BYTES = 4096
WRITE_TIMEOUT_S = 30.0  # a peer that reads nothing is let go
STOP_TIMEOUT_S = 20.0  # how long messages that were sent completely may take to be committed
TOO_MANY = "Too many connections, try again later"
STOPPING = "Shutting down, try again later"


@dataclass(eq=False, slots=True)
class _Connection:
    """One open connection; `busy` while the core works for it."""

    engine: ServerEngine
    session: SnppSession
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    busy: bool = False

    async def flush(self) -> None:
        self.writer.write(self.engine.data_to_send())
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await self.writer.drain()


class Listener:
    """The open connections, and what happens on each."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._settings: SnppSettings = shared.settings
        self._zone = ZoneInfo(shared.settings.timezone)
        self._open: dict[_Connection, asyncio.Task[None]] = {}
        self._by_peer: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._stopping = False

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where it listens, with real ports."""
        if self._server is None:
            return []
        return [socket.getsockname()[:2] for socket in self._server.sockets]

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the port is taken, or a TLS file cannot be read.
        """
        self._server = await asyncio.start_server(
            self._connected,
            self._settings.host,
            self._settings.port,
            ssl=server_tls("snpp", self._settings.tls_certificate, self._settings.tls_key),
            limit=READ_BYTES,
            backlog=1024,
        )

    async def stop(self) -> None:
        """Close the listener, finish what was sent with SEND, close connections."""
        if self._server is None:
            return
        self._stopping = True
        self._server.close()
        for connection in list(self._open):
            if not connection.busy:
                connection.engine.close(421, STOPPING)
                connection.writer.write(connection.engine.data_to_send())
                connection.writer.close()
        tasks = list(self._open.values())
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=STOP_TIMEOUT_S)
            for task in late:
                task.cancel()
        await self._server.wait_closed()
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = writer.get_extra_info("peername")
        peer = str(name[0]) if name else ""
        most, per_peer = self._settings.max_connections, self._settings.max_connections_per_peer
        if self._stopping or len(self._open) >= most or self._by_peer[peer] >= per_peer:
            writer.write(reply_line(421, STOPPING if self._stopping else TOO_MANY))
            await _close(writer)
            return
        connection = _Connection(
            ServerEngine(self._zone), SnppSession(self._shared, peer), reader, writer
        )
        task = asyncio.current_task()
        assert task is not None
        self._open[connection] = task
        self._by_peer[peer] += 1
        try:
            with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
                await self._serve(connection)
        finally:
            del self._open[connection]
            self._by_peer[peer] -= 1
            if not self._by_peer[peer]:
                del self._by_peer[peer]
            await _close(writer)

    async def _serve(self, connection: _Connection) -> None:
        engine = connection.engine
        await connection.flush()
        while engine.phase is not Phase.CLOSED:
            try:
                await self._read(connection)
            except TimeoutError:
                engine.close(421, "Timeout, Goodbye")
            await self._answer(connection)
            await connection.flush()

    async def _answer(self, connection: _Connection) -> None:
        """Answer what the engine asks, one after the other."""
        engine = connection.engine
        while events := engine.events_received():
            if self._is_stopping():
                engine.close(421, STOPPING)
                return
            connection.busy = True
            try:
                for event in events:
                    engine.answer(*await connection.session.answer(event))
            finally:
                connection.busy = False
            if self._is_stopping():
                engine.close(421, STOPPING)
            await connection.flush()

    def _is_stopping(self) -> bool:
        return self._stopping

    async def _read(self, connection: _Connection) -> None:
        """Read until the engine got further: a whole command, a whole message, the end.

        Raises:
            TimeoutError: it took too long, counted from the last whole command and not from the
                last octet, so that dripping octets holds nothing.
        """
        engine = connection.engine
        begun, phase = engine.progress, engine.phase
        limit_s = self._settings.data_s if phase is Phase.DATA else self._settings.idle_s
        async with asyncio.timeout(limit_s):
            while engine.progress == begun and engine.phase is phase:
                data = await connection.reader.read(READ_BYTES)
                if not data:
                    engine.receive_eof()
                    return
                engine.receive_data(data)
                await connection.flush()


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, TimeoutError, ssl.SSLError):
        async with asyncio.timeout(WRITE_TIMEOUT_S):
            await writer.wait_closed()
