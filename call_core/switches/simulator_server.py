"""A simulator as a process of its own, so that several nodes share one switch.

Like a real switch it outlives the nodes, and tells what happens to a leg only to the node that owns
the leg's shard now; what happens while nobody owns it is told to nobody and must be asked for.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import structlog

from call_core.contracts import EventKind, SwitchEvent
from call_core.switches import simulator_wire as wire
from call_core.switches.simulator import Simulator

log = structlog.get_logger(__name__)

MAX_UNSENT_BYTES = 8 * 1024 * 1024
"""A node that reads so slowly is cut off; it connects again and asks what it missed."""
MOST_GONE = 20_000
"""Of so many legs that have ended the shard is known still, for what is told twice."""
_OWNER_ONLY = 0o177
_LAST = (EventKind.ENDED, EventKind.ORIGINATE_FAILED)


class SimulatorServer:
    """Serves one simulator on a local socket.

    Args:
        simulator: whose events nobody else reads.
        path: of the socket; a file there is replaced.
    """

    def __init__(self, simulator: Simulator, path: Path) -> None:
        self._simulator = simulator
        self._path = path
        self._server: asyncio.Server | None = None
        self._gone: deque[str] = deque()
        self._shard_of: dict[str, int] = {}
        self._owner_of: dict[int, asyncio.StreamWriter] = {}
        self._nodes: set[asyncio.StreamWriter] = set()
        self._commands: dict[str, Callable[[asyncio.StreamWriter, Any], Awaitable[Any]]] = {
            "own": self._own,
            "originate": self._originate,
            "live_legs": self._live_legs,
            "ended_leg": self._ended_leg,
            "health": self._health,
            "play": self._play,
        }

    async def listen(self) -> None:
        """Open the socket."""
        for leg in await self._simulator.live_legs():
            self._shard_of[leg.leg_id] = leg.shard
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()
        before = os.umask(_OWNER_ONLY)
        try:
            self._server = await asyncio.start_unix_server(
                self._serve, self._path, limit=wire.MAX_LINE_BYTES
            )
        finally:
            os.umask(before)

    async def run(self) -> None:
        """Serve until cancelled; legs stay in the simulator's file."""
        assert self._server is not None, "listen first"
        try:
            async with self._server:
                async for event in self._simulator.events():
                    if event.leg_id:
                        self._tell_owner(event)
        finally:
            for node in self._nodes:
                node.close()

    def _tell_owner(self, event: SwitchEvent) -> None:
        shard = self._shard_of.get(event.leg_id)
        if event.kind in _LAST and event.certain:
            self._gone.append(event.leg_id)
            if len(self._gone) > MOST_GONE:
                self._shard_of.pop(self._gone.popleft(), None)
        owner = None if shard is None else self._owner_of.get(shard)
        if owner is None or owner.is_closing():
            return
        owner.write(wire.encode(wire.event_message(event)))
        if owner.transport.get_write_buffer_size() > MAX_UNSENT_BYTES:
            owner.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._nodes.add(writer)
        try:
            while line := await reader.readline():
                writer.write(wire.encode(await self._answer(writer, wire.decode(line))))
                await writer.drain()
        except (ValueError, OSError) as error:
            log.warning("simulator.connection_ended", error=repr(error))
        except asyncio.CancelledError:
            return  # the server ends; asyncio would log it as a failure
        finally:
            self._nodes.discard(writer)
            self._owner_of = {
                shard: owner for shard, owner in self._owner_of.items() if owner is not writer
            }
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, asked: dict[str, Any]) -> dict[str, Any]:
        values = asked["with"]
        try:
            special = self._commands.get(asked["do"])
            if special is not None:
                found = await special(writer, values)
            elif asked["do"] in ("bridge", "mute", "stop", "limit", "hang_up"):
                found = await getattr(self._simulator, asked["do"])(**values)
            else:
                return {"id": asked["id"], "error": f"no command {asked['do']}"}
        except OSError as error:
            return {"id": asked["id"], "error": str(error)}
        return {"id": asked["id"], "ok": found}

    async def _own(self, writer: asyncio.StreamWriter, values: Any) -> None:  # noqa: ANN401  (JSON)
        others = {shard: owner for shard, owner in self._owner_of.items() if owner is not writer}
        self._owner_of = others | dict.fromkeys(values["shards"], writer)

    async def _originate(self, _: asyncio.StreamWriter, values: Any) -> None:  # noqa: ANN401  (JSON)
        order = wire.order_of(values)
        self._shard_of.setdefault(order.leg_id, order.shard)
        await self._simulator.originate(order)

    async def _live_legs(self, _: asyncio.StreamWriter, __: Any) -> list[dict[str, Any]]:  # noqa: ANN401  (JSON)
        return [asdict(leg) for leg in await self._simulator.live_legs()]

    async def _ended_leg(self, _: asyncio.StreamWriter, values: Any) -> dict[str, Any] | None:  # noqa: ANN401  (JSON)
        event = await self._simulator.ended_leg(**values)
        return None if event is None else asdict(event)

    async def _health(self, _: asyncio.StreamWriter, __: Any) -> dict[str, Any]:  # noqa: ANN401  (JSON)
        return asdict(await self._simulator.health())

    async def _play(self, _: asyncio.StreamWriter, values: Any) -> None:  # noqa: ANN401  (JSON)
        prompt = wire.prompt_of(values["prompt"])
        await self._simulator.play(values["leg_id"], prompt, values["words"])
