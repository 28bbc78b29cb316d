"""A wire that can be cut."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from gateway.drill.relay import Relay
from tests.support.clocks import settle

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        writer.write(line)
    writer.close()


async def test_nothing_gets_through_while_it_is_cut_and_what_was_open_is_gone(
    tmp_path: Path,
) -> None:
    """Connections stand meanwhile, as on a broken network; new ones work after it is mended."""
    async with await asyncio.start_unix_server(_echo, tmp_path / ".s.PGSQL.5432"):
        relay = Relay(f"postgresql://ann:se%40cret@/db?host={tmp_path}")
        url = await relay.start()
        port = int(conninfo_to_dict(url)["port"] or 0)
        assert url == f"postgresql://ann:se%40cret@127.0.0.1:{port}/db"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"one\n")
        assert await reader.readline() == b"one\n"

        relay.cut()
        writer.write(b"two\n")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.readline()
        relay.mend()
        with contextlib.suppress(OSError):
            assert await reader.read() == b""
        writer.close()

        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"three\n")
        assert await reader.readline() == b"three\n"
        writer.close()
        await relay.stop()
        await settle()


async def test_a_database_that_is_away_refuses_through_the_wire_too(tmp_path: Path) -> None:
    """The node sees a connection that ends at once."""
    relay = Relay(f"postgresql://ann@/db?host={tmp_path}")
    port = int(conninfo_to_dict(await relay.start())["port"] or 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    with contextlib.suppress(OSError):
        assert await reader.read() == b""
    writer.close()
    await relay.stop()
    await settle()
