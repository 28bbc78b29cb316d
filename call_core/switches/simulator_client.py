"""A simulator elsewhere on this machine, as a node sees it (`simulator_server`)."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from call_core.contracts import (
    Clock,
    EventKind,
    LiveLeg,
    Order,
    Prompt,
    SwitchEvent,
    SwitchHealth,
)
from call_core.switches import simulator_wire as wire

ANSWER_S = 2.0
"""A switch that answers nothing for so long is taken for lost."""
_AGAIN_S = 0.25


class RemoteSimulator:
    """A `Switch` and `ShardedSwitch` over the simulator's local socket.

    Args:
        name: as in CDRs.
        path: of the socket; need not be there yet.
        clock: the call clock, for events of our own.
        shards: whose legs to be told of from the start.
    """

    cut_guard_ms = 0

    def __init__(
        self, name: str, path: Path, clock: Clock, shards: frozenset[int] = frozenset()
    ) -> None:
        self.name = name
        self._path = path
        self._clock = clock
        self._told: asyncio.Queue[SwitchEvent | None] = asyncio.Queue()
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._connected = asyncio.Event()
        self._shards = shards
        self._task: asyncio.Task[None] | None = None
        self._breaks = itertools.count(1)
        self._closed = False

    # --- what every switch can do ---------------------------------------------------------------

    async def originate(self, order: Order) -> None:
        """Ring a number.

        Raises:
            ConnectionError: the simulator cannot be reached, or answers nothing; as every command.
        """
        await self._ask("originate", asdict(order))

    async def bridge(self, bridge_id: str, leg_ids: Sequence[str]) -> None:
        """Let these answered legs, and those already there, hear each other."""
        await self._ask("bridge", {"bridge_id": bridge_id, "leg_ids": list(leg_ids)})

    async def mute(self, leg_id: str, *, muted: bool) -> None:
        """Stop or let a leg's voice through."""
        await self._ask("mute", {"leg_id": leg_id, "muted": muted})

    async def play(self, leg_id: str, prompt: Prompt, words: Mapping[str, str]) -> None:
        """Say something to one leg."""
        await self._ask("play", {"leg_id": leg_id, "prompt": str(prompt), "words": dict(words)})

    async def stop(self, leg_id: str) -> None:
        """Stop what is being said to a leg."""
        await self._ask("stop", {"leg_id": leg_id})

    async def limit(self, leg_id: str, until_call_ms: int) -> None:
        """Arm the leg's own end."""
        await self._ask("limit", {"leg_id": leg_id, "until_call_ms": until_call_ms})

    async def hang_up(self, leg_id: str, cause: int) -> None:
        """End a leg."""
        await self._ask("hang_up", {"leg_id": leg_id, "cause": cause})

    async def live_legs(self) -> Sequence[LiveLeg]:
        """Return every leg that exists now."""
        return [wire.leg_of(values) for values in await self._ask("live_legs", {})]

    async def ended_leg(self, leg_id: str) -> SwitchEvent | None:
        """Return how a leg ended if that is still known."""
        values = await self._ask("ended_leg", {"leg_id": leg_id})
        return None if values is None else wire.event_of(values)

    async def health(self) -> SwitchHealth:
        """Return the state of the simulator; one that cannot be reached is down."""
        try:
            return wire.health_of(await self._ask("health", {}))
        except ConnectionError as error:
            return SwitchHealth(up=False, detail=str(error), legs=0, ports=0)

    async def own(self, shards: frozenset[int]) -> None:
        """Be told of legs of these shards from now on, after every reconnect too."""
        self._shards = shards
        await self._ask("own", {"shards": sorted(shards)})

    async def events(self) -> AsyncIterator[SwitchEvent]:
        """Yield events as they come, until closed."""
        self._start()
        while (event := await self._told.get()) is not None:
            yield event

    def close(self) -> None:
        """Let go of the socket and end `events`. Harmless twice."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
        if self._writer is not None:
            self._writer.close()
        self._told.put_nowait(None)

    # --- the connection -------------------------------------------------------------------------

    def _start(self) -> None:
        if self._task is None and not self._closed:
            self._task = asyncio.get_running_loop().create_task(self._stay_connected())

    async def _stay_connected(self) -> None:
        while True:
            with contextlib.suppress(OSError, ValueError):
                await self._connection()
            if self._connected.is_set():
                self._connected.clear()
                self._tell_of_itself(EventKind.SWITCH_LOST)
            self._fail_waiting()
            await asyncio.sleep(_AGAIN_S)

    async def _connection(self) -> None:
        """Connect, say what we own, and read until it ends."""
        reader, writer = await asyncio.open_unix_connection(self._path, limit=wire.MAX_LINE_BYTES)
        self._writer = writer
        reading = asyncio.create_task(self._read(reader))
        try:
            await self._send("own", {"shards": sorted(self._shards)})
            self._connected.set()
            self._tell_of_itself(EventKind.SWITCH_BACK)
            await reading
        finally:
            self._writer = None
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = wire.decode(line)
            if "event" in message:
                self._told.put_nowait(wire.event_of(message["event"]))
                continue
            waiting = self._waiting.pop(message["id"], None)
            if waiting is None or waiting.done():
                continue
            if "error" in message:
                waiting.set_exception(ConnectionError(message["error"]))
            else:
                waiting.set_result(message["ok"])

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for each in waiting.values():
            if not each.done():
                each.set_exception(self._lost())

    def _lost(self) -> ConnectionError:
        return ConnectionError(f"switch {self.name} cannot be reached")

    def _tell_of_itself(self, kind: EventKind) -> None:
        now = self._clock.now_ms()
        event_id = f"{self.name}:{kind.value}:{now}:{next(self._breaks)}"
        self._told.put_nowait(SwitchEvent(event_id, kind, "", "", now))

    async def _ask(self, command: str, values: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
        self._start()
        if self._closed:
            raise self._lost()
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._connected.wait()
        except TimeoutError as error:
            raise self._lost() from error
        return await self._send(command, values)

    async def _send(self, command: str, values: dict[str, Any]) -> Any:  # noqa: ANN401  (JSON)
        writer = self._writer
        if writer is None:
            raise self._lost()
        number = next(self._ids)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        writer.write(wire.encode({"id": number, "do": command, "with": values}))
        try:
            async with asyncio.timeout(ANSWER_S):
                return await answer
        except TimeoutError as error:
            # Nobody can tell whether it was done: what is wrong is found when it is back.
            writer.transport.abort()
            raise self._lost() from error
        finally:
            self._waiting.pop(number, None)
