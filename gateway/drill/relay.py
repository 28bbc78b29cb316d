"""A wire to the database that can be cut: local ports whose bytes stop going anywhere."""

import asyncio
import contextlib
from functools import partial
from typing import Any
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from call_core.storage.postgres_hosts import servers_of

_CHUNK = 65_536
_LOOPBACK = "127.0.0.1"


class Relay:
    """One node's wire.

    Args:
        url: of the database behind it; of each server that it names.

    Attributes:
        cut: while it is set, connections stand and nothing gets through, as on a broken network.
    """

    def __init__(self, url: str) -> None:
        self._to: list[dict[str, Any]] = [dict(conninfo_to_dict(each)) for each in servers_of(url)]
        self._servers: list[asyncio.Server] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._carrying: set[asyncio.Task[None]] = set()
        self.passing = asyncio.Event()
        self.passing.set()

    async def start(self) -> str:
        """Listen, and return the URL by which a node reaches the database through here."""
        for to in self._to:
            accept = partial(self._accept, to)
            self._servers.append(await asyncio.start_server(accept, _LOOPBACK, 0))
        ports = [str(server.sockets[0].getsockname()[1]) for server in self._servers]
        to = self._to[0]
        user, name = quote(str(to.get("user", "postgres")), safe=""), to.get("dbname", "postgres")
        password = to.get("password")
        login = user if password is None else f"{user}:{quote(str(password), safe='')}"
        where = ",".join(f"{_LOOPBACK}:{port}" for port in ports)
        return f"postgresql://{login}@{where}/{name}"

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
        for server in self._servers:
            server.close()
        await asyncio.gather(*self._carrying, return_exceptions=True)

    def _accept(
        self, to: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        carrying = asyncio.get_running_loop().create_task(self._carry(to, reader, writer))
        self._carrying.add(carrying)
        carrying.add_done_callback(self._carrying.discard)

    async def _carry(
        self, to: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        host, port = str(to.get("host") or _LOOPBACK), str(to.get("port") or "5432")
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
