"""The inline runner: for the simulated world, everything on one thread, one step at a time.

Running a unit has three steps, *execute*, *commit* and *answer*, and the world's scheduler decides
when each happens; a task that is cancelled between them is a process that died there. Faults are
asked for by name, so that a seed can bring every failure that a real database has.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from call_core.errors import StoreUnavailable
from call_core.storage.audit_chain import AuditChain
from call_core.storage.changes import Changes
from call_core.storage.figures import Figures, Statistics
from call_core.storage.migrate import fill_memory
from call_core.storage.sqlite import (
    SqliteTx,
    open_sqlite_memory,
    unavailable,
)
from call_core.storage.sqlite_session import Ending, SqliteSession
from call_core.storage.statements import DialectName
from call_core.storage.transaction import Probe
from call_core.storage.waiting import StoreLimits, Work, settle


def _never(_unit_name: str) -> bool:
    return False


async def _next_turn(_step: str) -> None:
    await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Faults:
    """Which steps fail; each is asked once per unit, with the unit's function name.

    Attributes:
        fail_execute: the database is away before the unit runs: nothing happened.
        fail_commit: COMMIT fails and nothing was committed, but the caller cannot know that.
        lose_answer: COMMIT succeeded and its answer was lost.
    """

    fail_execute: Callable[[str], bool] = _never
    fail_commit: Callable[[str], bool] = _never
    lose_answer: Callable[[str], bool] = _never


class InlineDatabase:
    """A database in memory that outlives the processes of the simulated world, as a disk does.

    It has the newest schema and no rows.

    Attributes:
        connection: for looking at the rows between two steps.
    """

    def __init__(self) -> None:
        self.connection = open_sqlite_memory()
        fill_memory(self.connection)
        self.turn = asyncio.Lock()

    def close(self) -> None:
        """Forget everything."""
        self.connection.close()


class InlineBackend:
    """Runs units on the caller's own task.

    Args:
        database: shared by every process of one world.
        node: names this process's audit chain.
        step: awaited before each step with `execute`, `commit` or `answer`.
        faults: what goes wrong.
        probe: `probe(tx, key)` tells whether what `key` names was committed.
    """

    dialect = DialectName.SQLITE
    location = "memory"
    has_standby = False

    def __init__(
        self,
        database: InlineDatabase,
        *,
        node: str = "main",
        step: Callable[[str], Awaitable[object]] = _next_turn,
        faults: Faults | None = None,
        probe: Probe | None = None,
        limits: StoreLimits | None = None,
    ) -> None:
        self.changes = Changes((limits or StoreLimits()).poll_s)
        self._database = database
        self._figures = Figures()
        self._session = SqliteSession(
            database.connection, AuditChain(node), self._figures, probe, self.changes.ring
        )
        self._step = step
        self._faults = faults or Faults()
        self._closed = False

    async def submit(self, work: Work) -> None:
        """Run one unit and settle its future; cancelling before the commit undoes it."""
        if self._closed:
            raise StoreUnavailable("the store is closed")
        async with self._database.turn:
            await self._step("execute")
            if self._faults.fail_execute(work.name):
                work.fail(StoreUnavailable("the database is away"))
            else:
                await self._execute_and_commit(work)
        await self._step("answer")
        settle([work])

    async def _execute_and_commit(self, work: Work) -> None:
        try:
            self._session.begin()
            whole = self._session.execute(work)
            await self._step("commit")
            self._commit(work, whole=whole)
        except sqlite3.Error as error:
            work.fail(unavailable(error))
        finally:
            self._session.rollback()

    def _commit(self, work: Work, *, whole: bool) -> None:
        if not whole:
            self._session.rollback()
            self._session.again(work)
        elif work.error is None and self._faults.fail_commit(work.name):
            self._session.rollback()
            self._session.settle_unknown(work, sqlite3.OperationalError("the commit failed"))
        else:
            self._really_commit(work)

    def _really_commit(self, work: Work) -> None:
        ending, failure = self._session.commit(1)
        if ending is Ending.LOST:
            self._session.again(work)
        elif ending is Ending.UNKNOWN:
            self._session.settle_unknown(work, failure)
        elif work.error is None and self._faults.lose_answer(work.name):
            lost = sqlite3.OperationalError("the answer to the commit was lost")
            self._session.settle_unknown(work, lost)

    async def query(self, work: Work) -> None:
        """Run a query between two units."""
        async with self._database.turn:
            connection = self._database.connection
            connection.execute("PRAGMA query_only = ON")
            try:
                work.result = work.unit(SqliteTx(connection, self._session.chain), *work.arguments)
            except Exception as error:  # noqa: BLE001  (it belongs to the caller)
                work.fail(error)
            finally:
                connection.execute("PRAGMA query_only = OFF")
        settle([work])

    async def close(self) -> None:
        """End this process; the database stays."""
        self._closed = True

    def statistics(self) -> Statistics:
        """Return what was counted so far."""
        return self._figures.statistics(refused=0, waiting=(0, 0), longest_wait_ms=0)
