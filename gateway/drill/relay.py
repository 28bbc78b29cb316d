"""A wire to the database that can be cut: a local port whose bytes stop going anywhere."""

import asyncio
import contextlib
from typing import Any
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

_CHUNK = 65_536
_LOOPBACK = "127.0.0.1"


class Relay:
    """One node's wire.

    Args:
        url: of the database behind it.

    Attributes:
        cut: while it is set, connections stand and nothing gets through, as on a broken network.
    """

    def __init__(self, url: str) -> None:
        self._to: dict[str, Any] = dict(conninfo_to_dict(url))
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self.passing = asyncio.Event()
        self.passing.set()

    async def start(self) -> str:
        """Listen, and return the URL by which a node reaches the database through here."""
        self._server = await asyncio.start_server(self._accept, _LOOPBACK, 0)
        port = self._server.sockets[0].getsockname()[1]
        user = quote(str(self._to.get("user", "postgres")), safe="")
        password = self._to.get("password")
        login = user if password is None else f"{user}:{quote(str(password), safe='')}"
        return f"postgresql://{login}@{_LOOPBACK}:{port}/{self._to.get('dbname', 'postgres')}"

    def cut(self) -> None:
        """Let nothing through any more."""
        self.passing.clear()

    def mend(self) -> None:
        """Let new connections through; those of before are gone."""
        self.passing.set()
        for writer in self._open:
            writer.transport.abort()

    async def stop(self) -> None:
        """End it with everything that goes through."""
        self.mend()
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carrying = asyncio.get_running_loop().create_task(self._carry(reader, writer))
        self._carrying.add(carrying)
        carrying.add_done_callback(self._carrying.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        host, port = str(self._to.get("host", _LOOPBACK)), str(self._to.get("port", "5432"))
        try:
            await self.passing.wait()
            if host.startswith("/"):
                opening = asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
            else:
                opening = asyncio.open_connection(host, int(port))
            there, back = await opening
        except OSError:
            writer.close()
            return
        self._open |= {writer, back}
        ways = [
            asyncio.create_task(self._copy(reader, back)),
            asyncio.create_task(self._copy(there, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        self._open -= {writer, back}
        writer.close()
        back.close()

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(_CHUNK):
                await self.passing.wait()
                writer.write(chunk)
                await writer.drain()
