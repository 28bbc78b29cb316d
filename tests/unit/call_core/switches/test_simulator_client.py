"""A node and its simulator's socket: lost, silent, back; and whose legs are told."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from call_core.contracts import EventKind
from call_core.switches import simulator_client
from call_core.switches.simulator import Simulator
from call_core.switches.simulator_client import RemoteSimulator
from call_core.switches.simulator_phone import PhoneScript
from call_core.switches.simulator_server import SimulatorServer
from gateway.clocks import CallClock
from tests.support.clocks import settle
from tests.support.orders import an_order

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]


@asynccontextmanager
async def _serving(folder: Path) -> AsyncIterator[Path]:
    clock = CallClock(0)
    simulator = Simulator(
        name="ny",
        clock=clock,
        phones={},
        default=PhoneScript(ring_ms=10),
        orders_path=folder / "ny.json",
        ports=9,
        rng=random.Random(1),  # noqa: S311  (no faults)
    )
    server = SimulatorServer(simulator, folder / "ny.sock")
    await server.listen()
    serving = asyncio.create_task(server.run())
    try:
        yield folder / "ny.sock"
    finally:
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
        simulator.close()


async def _told(node: RemoteSimulator, wanted: set[EventKind]) -> set[EventKind]:
    """Read until every kind was told."""
    seen: set[EventKind] = set()
    async with asyncio.timeout(30):
        async for event in node.events():
            seen.add(event.kind)
            if wanted <= seen:
                break
    return seen


async def test_a_leg_is_told_to_the_owner_of_its_shard_alone(tmp_path: Path) -> None:
    """Two nodes: the one that owns shard 3 hears; when the other takes it, the other does."""
    async with _serving(tmp_path) as path:
        one, two = (RemoteSimulator("ny", path, CallClock(0)) for _ in range(2))
        await one.own(frozenset({3}))
        await two.own(frozenset({4}))
        await one.originate(an_order("leg_1", at_call_ms=0, limit_s=60))
        await _told(one, {EventKind.ANSWERED})
        await two.own(frozenset({3, 4}))
        await two.hang_up("leg_1", 16)
        assert EventKind.ANSWERED not in await _told(two, {EventKind.ENDED})
        assert (await two.ended_leg("leg_1")) is not None
        one.close()
        two.close()
        await settle()


async def test_a_simulator_that_goes_is_lost_and_one_that_comes_is_back(tmp_path: Path) -> None:
    """Commands fail meanwhile, health says down; afterwards legs are still there."""
    async with _serving(tmp_path) as path:
        node = RemoteSimulator("ny", path, CallClock(0))
        await node.own(frozenset({3}))
        await node.originate(an_order("leg_1", at_call_ms=0, limit_s=600))
    await _told(node, {EventKind.SWITCH_LOST})
    assert not (await node.health()).up
    with pytest.raises(ConnectionError):
        await node.stop("leg_1")
    async with _serving(tmp_path):
        await _told(node, {EventKind.SWITCH_BACK})
        assert (await node.health()).up
        assert [leg.leg_id for leg in await node.live_legs()] == ["leg_1"]
    node.close()
    node.close()
    with pytest.raises(ConnectionError):
        await node.mute("leg_1", muted=True)
    await settle()


async def test_a_simulator_that_answers_nothing_is_taken_for_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process is stopped: the connection stands and nobody answers."""
    monkeypatch.setattr(simulator_client, "ANSWER_S", 0.2)
    ends: list[asyncio.StreamWriter] = []
    server = await asyncio.start_unix_server(
        lambda _, writer: ends.append(writer), tmp_path / "ny.sock"
    )
    node = RemoteSimulator("ny", tmp_path / "ny.sock", CallClock(0))
    with pytest.raises(ConnectionError, match="switch ny cannot be reached"):
        await node.hang_up("leg_1", 16)
    node.close()
    server.close()
    for end in ends:
        end.close()
    await settle()


async def test_what_the_simulator_cannot_do_is_told(tmp_path: Path) -> None:
    """An unknown command is an error of that command alone; a line that is none ends it all."""
    async with _serving(tmp_path) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b'{"id": 1, "do": "explode", "with": {}}\n')
        assert b"no command explode" in await reader.readline()
        writer.write(b"what?\n")
        assert await reader.read() == b""
        writer.close()
