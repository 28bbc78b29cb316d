"""The drills: what dies, what is measured, and the table at the end."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from call_core.storage import tables
from call_core.storage.statements import select_statement
from call_core.storage.store import Store
from call_core.storage.transaction import Tx
from gateway.clocks import WallClock
from gateway.drill import checks
from gateway.drill.load import Load
from gateway.drill.service import SITES, SPEED, DrillError, Service

NODES = ("n1", "n2", "n3")
SETTLE_S = 300
CONFERENCES = 6
MOST_LATE_S = 5.0
_SWITCHES_DIE = ("stop-switch", "pull-sites")
_QUIET_S, _DEAD_S = 4.0, 8.0
OWNERS = select_statement(
    select(tables.shards.c.owner, tables.shards.c.lease_until_wall_ms), name="drill_owners"
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one drill cost. Seconds are the world's."""

    drill: str
    calls: int
    requests_lost: int
    calls_doubled: int
    money_wrong: int
    calls_cut: int
    conferences: int
    conferences_late_s: float
    seconds_without_new_calls: float
    take_over_s: float | None
    repeats: int
    details: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether calls were launched, none lost, doubled, billed wrongly or late, no talk cut.

        Calls of a switch that is away may end with a notice instead.
        """
        bad = self.requests_lost + self.calls_doubled + self.money_wrong
        cut = 0 if self.drill in _SWITCHES_DIE else self.calls_cut
        return self.calls > 0 and bad + cut == 0 and self.conferences_late_s <= MOST_LATE_S


@dataclass(slots=True)
class Stage:
    """What a drill works with."""

    service: Service
    store: Store
    restart_database: str = ""
    fail_over: str = ""

    async def take_over_s(self, dead: str) -> float:
        """Return how long it takes until living nodes own what a dead one had."""
        began = time.monotonic()
        async with asyncio.timeout(60):
            while True:
                if not await self.store.read(_owned_by, dead, WallClock().now_ms()):
                    return time.monotonic() - began
                await asyncio.sleep(0.02)


def _owned_by(tx: Tx, node: str, now_wall_ms: int) -> bool:
    """Whether a node has shards, or some are nobody's."""
    return any(owner == node or until <= now_wall_ms for owner, until in tx.all(OWNERS))


async def kill_a_node(stage: Stage) -> float | None:
    """A node dies in the middle of its calls, and comes back."""
    await stage.service.kill(stage.service.nodes["n1"])
    taken = await stage.take_over_s("n1")
    await asyncio.sleep(_QUIET_S)
    await stage.service.start_node("n1")
    return taken


async def restart_in_turn(stage: Stage) -> float | None:
    """Every node is stopped as it should be and started again, one after the other."""
    for name in NODES:
        node = stage.service.nodes[name]
        node.process.terminate()
        await node.process.wait()
        await stage.take_over_s(name)
        await stage.service.start_node(name)
    return None


async def stop_a_switch(stage: Stage) -> float | None:
    """A switch stands still for a while: its process is stopped, its connections stand."""
    switch = stage.service.switches["ny"].process
    switch.send_signal(signal.SIGSTOP)
    await asyncio.sleep(_DEAD_S)
    switch.send_signal(signal.SIGCONT)
    return None


async def cut_a_node_off(stage: Stage) -> float | None:
    """A node loses its wire to the database; it must stop acting before others take over."""
    relay = stage.service.nodes["n2"].relay
    assert relay is not None
    relay.cut()
    taken = await stage.take_over_s("n2")
    await asyncio.sleep(_QUIET_S)
    relay.mend()
    return taken


async def pull_sites(stage: Stage) -> float | None:
    """`ny` dies, then `la` too; then both come back."""
    for site in ("ny", "la"):
        await stage.service.kill(stage.service.switches[site])
        await asyncio.sleep(_DEAD_S / 2)
    for site in ("ny", "la"):
        await stage.service.start_switch(site)
    return None


async def kill_the_database(stage: Stage) -> float | None:
    """The database dies and comes back, by the command that was given."""
    await _command(stage.restart_database, "The command that restarts the database failed.")
    return None


async def fail_over_the_database(stage: Stage) -> float | None:
    """The primary database dies and its standby takes its place, by the command that was given."""
    await _command(stage.fail_over, "The command that makes the database fail over failed.")
    return None


async def _command(command: str, failed: str) -> None:
    process = await asyncio.create_subprocess_shell(command)
    if await process.wait():
        raise DrillError(failed)


DRILLS: dict[str, Callable[[Stage], Awaitable[float | None]]] = {
    "kill-node": kill_a_node,
    "rolling-restart": restart_in_turn,
    "stop-switch": stop_a_switch,
    "cut-node": cut_a_node_off,
    "pull-sites": pull_sites,
    "kill-database": kill_the_database,
    "fail-over": fail_over_the_database,
}


async def run(
    folder: Path,
    database: str,
    names: Sequence[str],
    *,
    per_second: float,
    restart_database: str = "",
    fail_over: str = "",
    told: Callable[[Result], None] = lambda _: None,
) -> list[Result]:
    """Hold drills one after the other on one service.

    Args:
        folder: where its files lie; emptied.
        database: URL of an empty PostgreSQL database.
        names: which drills.
        per_second: launches meanwhile.
        restart_database: command that kills and restarts the database, for `kill-database`.
        fail_over: command that kills the primary and promotes its standby, for `fail-over`; the
            URL names both.
        told: gets each result at once.

    Raises:
        DrillError: it cannot be held.
    """
    service = Service(folder, database)
    try:
        await service.set_up()
    except DBAPIError as error:
        reason = str(error.orig).splitlines()[0]
        raise DrillError(f"The database cannot be used: {reason}.") from error
    results = []
    try:
        await asyncio.gather(*(service.start_switch(site) for site in SITES))
        await asyncio.gather(*(service.start_node(name) for name in NODES))
        for number, name in enumerate(names):
            store = await Store.open(database, node="drill")
            try:
                stage = Stage(service, store, restart_database, fail_over)
                result = await _one(name, f"{name}-{number}", stage, per_second)
            finally:
                await store.close()
            told(result)
            results.append(result)
    finally:
        await service.stop()
    return results


async def _one(name: str, prefix: str, stage: Stage, per_second: float) -> Result:
    service = stage.service

    def ports() -> list[int]:
        return [node.port for node in service.nodes.values()]

    load = Load(service.tokens, ports, per_second, prefix=prefix)
    for n in range(CONFERENCES):
        load.launch(f"conf +4420795{n:05d}, +4420796{n:05d} in 1")
    running = asyncio.create_task(load.run())
    await asyncio.sleep(_QUIET_S)
    began = time.monotonic()
    taken = await DRILLS[name](stage)
    # Long enough that what was scheduled comes due, and that the dead are missed.
    await asyncio.sleep(max(_QUIET_S, 60 / SPEED + _QUIET_S - (time.monotonic() - began)))
    load.stop()
    await running
    await _settled(stage.store)
    launched = frozenset(
        key
        for key, code in load.answers.items()
        if code and code.endswith(("launched", "scheduled"))
    )
    found = await stage.store.read(checks.look, launched, load.prefix)
    silent = [key for key, code in load.answers.items() if code is None]
    odd = [f"{key}: {code}" for key, code in load.answers.items() if code and key not in launched]
    return Result(
        name,
        found.calls,
        len(found.lost) + len(silent),
        found.doubled,
        len(found.wrong_money),
        len(found.cut),
        found.scheduled,
        round(found.latest_call_ms / SPEED / 1000, 2),
        round(load.longest_gap_s(), 2),
        None if taken is None else round(taken, 2),
        load.repeats,
        tuple([*found.lost, *silent, *found.wrong_money, *found.cut, *odd][:20]),
    )


async def _settled(store: Store) -> None:
    """Wait until every call has ended."""
    async with asyncio.timeout(SETTLE_S):
        while True:
            with contextlib.suppress(Exception):
                if not await store.read(checks.live):
                    return
            await asyncio.sleep(0.5)


def as_data(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return results as JSON objects."""
    return [asdict(each) | {"good": each.good} for each in results]
