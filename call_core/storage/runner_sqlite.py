"""SQLite's runner: one thread that writes, and one fsync for all units that waited (group commit).

While a commit waits for the disk, new units queue up; they go into the next transaction together,
each under its own savepoint, until `batch_ms` of work is done. Nobody waits when the thread is
idle, and nobody is answered before the commit that covers them.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from call_core.storage.audit_chain import AuditChain
from call_core.storage.changes import ANYTHING, Changes
from call_core.storage.figures import Figures, Statistics
from call_core.storage.readers import Readers, SqliteReadingConnection
from call_core.storage.sqlite import (
    Connect,
    open_sqlite,
    open_sqlite_reader,
    unavailable,
)
from call_core.storage.sqlite_session import Ending, SqliteSession
from call_core.storage.statements import DialectName
from call_core.storage.transaction import Probe
from call_core.storage.waiting import StoreLimits, WaitingWork, Work

WATCH_S = 0.2
"""How often an idle writer looks whether another process has committed."""
_NS_PER_MS = 1_000_000


class SqliteRunner:
    """The writer thread.

    Args:
        session: the only writing connection of this process.
        waiting: where units come from and answers go to.
        batch_ms: most work in one transaction; a unit that has begun is finished.
        on_foreign_commit: called in this thread after another process has committed.
    """

    def __init__(
        self,
        session: SqliteSession,
        waiting: WaitingWork,
        *,
        batch_ms: int,
        on_foreign_commit: Callable[[], object],
    ) -> None:
        self._session = session
        self._waiting = waiting
        self._batch_ns = batch_ms * _NS_PER_MS
        self._on_foreign_commit = on_foreign_commit
        self._data_version = self._read_data_version()
        self._next_look_ns = 0
        self._thread = threading.Thread(target=self._serve, name="store-writer", daemon=True)

    def start(self) -> None:
        """Begin to take work."""
        self._thread.start()

    def join(self) -> None:
        """Wait until what was queued is done and the file is closed. Close the queue first."""
        self._thread.join()

    def _serve(self) -> None:
        while not self._waiting.is_drained:
            work = self._waiting.take(WATCH_S)
            self._look_for_foreign_commits()
            if work is not None:
                self._run_batch(work)
        self._close()

    def _run_batch(self, first: Work) -> None:
        batch: list[Work] = [first]
        try:
            self._session.begin()
        except sqlite3.Error as error:
            first.fail(unavailable(error))
        else:
            self._fill_and_commit_safely(batch)
        self._waiting.answer(batch)

    def _fill_and_commit_safely(self, batch: list[Work]) -> None:
        try:
            self._fill_and_commit(batch)
        except Exception as error:  # noqa: BLE001  (this thread serves everybody and must live on)
            self._session.rollback()
            for work in batch:
                work.fail(unavailable(error))

    def _fill_and_commit(self, batch: list[Work]) -> None:
        if not self._fill(batch):
            self._session.rollback()
            self._run_each_again(batch)
            return
        ending, failure = self._session.commit(len(batch))
        if ending is Ending.LOST:
            self._run_each_again(batch)
        elif ending is Ending.UNKNOWN:
            for work in batch:
                self._session.settle_unknown(work, failure)

    def _fill(self, batch: list[Work]) -> bool:
        """Run units until none waits or the time is up; False when the transaction is gone."""
        until_ns = time.monotonic_ns() + self._batch_ns
        work: Work | None = batch[0]
        while work is not None:
            if work is not batch[0]:
                batch.append(work)
            if not self._session.execute(work):
                return False
            work = self._waiting.take_now() if time.monotonic_ns() < until_ns else None
        return True

    def _run_each_again(self, batch: list[Work]) -> None:
        for work in batch:
            self._session.again(work)

    def _look_for_foreign_commits(self) -> None:
        now_ns = time.monotonic_ns()
        if now_ns < self._next_look_ns:
            return
        self._next_look_ns = now_ns + int(WATCH_S * 1000) * _NS_PER_MS
        try:
            version = self._read_data_version()
        except sqlite3.Error:
            return  # the next unit will tell its caller what is wrong
        if version != self._data_version:
            self._data_version = version
            self._on_foreign_commit()

    def _read_data_version(self) -> int:
        """A number that changes when another connection commits, and only then."""
        (version,) = self._session.connection.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _close(self) -> None:
        try:
            self._session.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.Error:
            return  # the log stays beside the file and is read at the next start
        finally:
            self._session.connection.close()


class SqliteBackend:
    """Opens the file and starts the threads; must be made on the running event loop.

    Args:
        path: the database file.
        node: names this process's audit chain.
        create: make the file when it is missing.
        limits: how much to take on at once.
        probe: `probe(tx, key)` tells whether what `key` names was committed.
        connect: how the writer connects; None for sqlite3's own way.
    """

    dialect = DialectName.SQLITE
    has_standby = False

    def __init__(
        self,
        path: Path,
        *,
        node: str,
        create: bool,
        limits: StoreLimits,
        probe: Probe | None,
        connect: Connect | None = None,
    ) -> None:
        self.location = str(path.absolute())
        self.changes = Changes(limits.poll_s)
        self._loop = asyncio.get_running_loop()
        self._figures = Figures()
        self._waiting = WaitingWork(self._loop, limits)
        self._reading = WaitingWork(self._loop, limits)
        timeout_ms = limits.max_wait_ms
        writer = (
            open_sqlite(path, create=create, busy_timeout_ms=timeout_ms)
            if connect is None
            else open_sqlite(path, create=create, busy_timeout_ms=timeout_ms, connect=connect)
        )
        self._runner = SqliteRunner(
            SqliteSession(
                writer, AuditChain(node), self._figures, probe, self.changes.ring, timeout_ms
            ),
            self._waiting,
            batch_ms=limits.batch_ms,
            on_foreign_commit=self._ring_from_thread,
        )
        self._readers = Readers(
            [
                SqliteReadingConnection(open_sqlite_reader(path, busy_timeout_ms=timeout_ms))
                for _ in range(limits.reader_threads)
            ],
            self._reading,
        )
        self._runner.start()
        self._readers.start()

    async def submit(self, work: Work) -> None:
        """Queue a unit for the writer."""
        self._waiting.put(work)

    async def query(self, work: Work) -> None:
        """Queue a query for the readers."""
        self._reading.put(work)

    async def close(self) -> None:
        """Finish what was queued, fold the log into the file and close it."""
        self._reading.close()
        await asyncio.to_thread(self._readers.join)
        self._waiting.close()
        await asyncio.to_thread(self._runner.join)

    def statistics(self) -> Statistics:
        """Return what was counted so far."""
        return self._figures.statistics(
            refused=self._waiting.refused,
            waiting=self._waiting.lengths,
            longest_wait_ms=self._waiting.longest_wait_ms,
        )

    def _ring_from_thread(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self.changes.ring, ANYTHING)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return
