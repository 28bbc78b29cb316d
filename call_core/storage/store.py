"""The store: runs units of work on the database that the settings name.

    store = await Store.open("sqlite:///var/callgate.db")
    outcome = await store.run(claim_request, request_id, now_wall_ms, priority=Priority.NEW)

A unit is a plain function `unit(tx, ...) -> result`. When `run` returns, the unit is durable; when
it raises, nothing of the unit is there (`CommitUnknown` aside, whose name says it).
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar, TypeVarTuple

from call_core.storage.changes import Changes
from call_core.storage.figures import Statistics
from call_core.storage.runner_sqlite import SqliteBackend
from call_core.storage.statements import DialectName
from call_core.storage.transaction import Probe, Tx
from call_core.storage.waiting import Priority, StoreLimits, Work

__all__ = ["Backend", "Priority", "Store", "StoreLimits"]

ResultT = TypeVar("ResultT")
ArgumentTs = TypeVarTuple("ArgumentTs")
SQLITE_PREFIX = "sqlite:///"


class Backend(Protocol):
    """One database behind the store; the real ones have threads, the inline one has none."""

    dialect: DialectName
    location: str
    changes: Changes

    async def submit(self, work: Work) -> None:
        """Take a unit; its future is settled when it is durable or has failed."""

    async def query(self, work: Work) -> None:
        """Take a query; its future is settled when it has run."""

    async def close(self) -> None:
        """Finish what was taken, then let go of the database."""

    def statistics(self) -> Statistics:
        """Return what was counted so far."""

    @property
    def has_standby(self) -> bool:
        """Whether what is committed is on a second machine too."""


@dataclass(frozen=True, slots=True)
class UnitRun:
    """One unit of work as whoever waited for it saw it.

    Attributes:
        name: the unit's function.
        began_ns, ended_ns: asked for and durable, by the monotonic clock.
        error: the class of what it raised, "" when it is durable.
    """

    name: str
    began_ns: int
    ended_ns: int
    error: str


class Store:
    """Runs units and queries; made by `open` or, for the simulated world, from an inline backend.

    Attributes:
        dialect: which database this is.
        location: the file's absolute path, or the URL without its password.
        observe: told every unit once it has run; None costs nothing.
    """

    observe: Callable[[UnitRun], None] | None = None

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.dialect = backend.dialect
        self.location = backend.location

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        node: str = "main",
        create: bool = False,
        limits: StoreLimits | None = None,
        probe: Probe | None = None,
        jitter: random.Random | None = None,
    ) -> "Store":
        """Open the database and start its threads on the running event loop.

        Args:
            url: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`.
            node: this process among those that share the database; names its audit chains.
            create: make SQLite's file when it is missing; it has no tables then.
            limits: how much to take on at once.
            probe: `probe(tx, key)` tells whether what a unit's `key` names was committed.
            jitter: source of the pauses between tries (PostgreSQL).

        Raises:
            StoreUnavailable: there is no such database, or it does not keep what it commits.
            ValueError: the URL names a database that we do not speak to.
        """
        limits = limits or StoreLimits()
        if url.startswith(SQLITE_PREFIX):
            path = Path(url.removeprefix(SQLITE_PREFIX))
            return cls(SqliteBackend(path, node=node, create=create, limits=limits, probe=probe))
        if url.startswith(("postgresql://", "postgresql+psycopg://")):
            # psycopg is an extra: who keeps everything in SQLite need not install it
            from call_core.storage.runner_postgres import PostgresBackend  # noqa: PLC0415  (an extra)

            return cls(
                await asyncio.to_thread(
                    PostgresBackend,
                    url,
                    asyncio.get_running_loop(),
                    node=node,
                    limits=limits,
                    probe=probe,
                    jitter=jitter or random.SystemRandom(),
                )
            )
        raise ValueError(f"{url.split(':', 1)[0]!r} is no database that we speak to")

    async def run(
        self,
        unit: Callable[[Tx, *ArgumentTs], ResultT],
        *arguments: *ArgumentTs,
        priority: Priority = Priority.RUNNING,
        key: str | None = None,
    ) -> ResultT:
        """Run a unit in a transaction and return its result once that is durable.

        Args:
            unit: a plain function; it may run more than once, so it has no effect but on `tx`.
            arguments: what it gets after `tx`.
            priority: which queue it waits in.
            key: id of a row that only this run of the unit writes, like a request's, in a unit
                that may run twice; by it a commit whose answer was lost is looked up (see `probe`).

        Raises:
            Overloaded: too many units wait, or this one waited too long. Nothing was done.
            StoreUnavailable: the database cannot work now. Nothing was done.
            CommitUnknown: the unit may or may not be there, and nothing tells which.
            Exception: what the unit raised. Nothing of it was done.
        """
        if self.observe is None:
            return await self._await(self._backend.submit, unit, arguments, priority, key)
        began_ns, failed = time.monotonic_ns(), ""
        try:
            return await self._await(self._backend.submit, unit, arguments, priority, key)
        except BaseException as error:
            failed = type(error).__name__
            raise
        finally:
            name = getattr(unit, "__name__", type(unit).__name__)
            self.observe(UnitRun(name, began_ns, time.monotonic_ns(), failed))

    async def read(
        self, query: Callable[[Tx, *ArgumentTs], ResultT], *arguments: *ArgumentTs
    ) -> ResultT:
        """Run a query on a read-only connection, on one consistent state of the database.

        Raises:
            Overloaded: too many queries wait, or this one waited too long.
            StoreUnavailable: the database cannot work now.
        """
        return await self._await(self._backend.query, query, arguments, Priority.NEW, None)

    async def _await(
        self,
        take: Callable[[Work], Awaitable[None]],
        unit: Callable[[Tx, *ArgumentTs], ResultT],
        arguments: tuple[*ArgumentTs],
        priority: Priority,
        key: str | None,
    ) -> ResultT:
        future: asyncio.Future[ResultT] = asyncio.get_running_loop().create_future()
        await take(Work(unit, arguments, priority, key, future))
        return await future

    def changes(self) -> AsyncGenerator[str, None]:
        """Yield topics that units announced, of every process; `""` means look at everything.

        `""` comes after another process committed to SQLite, after a lost connection to
        PostgreSQL, and whenever there was no news for `poll_s`. Endless.
        """
        return self._backend.changes.listen()

    def statistics(self) -> Statistics:
        """Return what was counted since the store was opened."""
        return self._backend.statistics()

    @property
    def has_standby(self) -> bool:
        """Whether what is committed is on a second machine too."""
        return self._backend.has_standby

    async def close(self) -> None:
        """Finish the units that wait, then close; SQLite's log is folded into its file."""
        await self._backend.close()
