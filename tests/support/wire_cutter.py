"""A wire that can be cut: a TCP proxy on loopback that drops every connection when asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class WireCutter:
    """Forwards to a port.

    Attributes:
        port: where it listens.
    """

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to_port = to_port
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Drop everything that is open; what comes later is forwarded again."""
        for writer in self._open:
            writer.transport.abort()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Forward within the context."""
        server = await asyncio.start_server(self._forward, "127.0.0.1", 0)
        self.port = int(server.sockets[0].getsockname()[1])
        try:
            yield
        finally:
            server.close()
            self.cut()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to_port)
        both = {writer, far_writer}
        self._open |= both
        with suppress(OSError):
            await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
        for each in both:
            each.transport.abort()
        self._open -= both


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.transport.abort()
