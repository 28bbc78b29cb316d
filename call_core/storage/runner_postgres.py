"""PostgreSQL's runner: a pool of threads, each with its own connection, one transaction per unit.

Deadlocks and serialisation failures are tried again with a random pause. A connection that is lost
before COMMIT was sent has committed nothing, so the unit runs once more on a new one; lost after
that, its key is looked up first.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable
from functools import partial

import psycopg

from call_core.errors import CommitUnknown, StoreUnavailable
from call_core.storage.audit_chain import AuditChain
from call_core.storage.changes import Changes
from call_core.storage.figures import Figures, Statistics
from call_core.storage.postgres import (
    NOTIFY_CHANNEL,
    Connection,
    assert_promises,
    has_standby,
    open_postgres,
    shown_url,
    unavailable,
)
from call_core.storage.postgres_listener import PostgresListener
from call_core.storage.postgres_session import (
    PostgresReadingConnection,
    PostgresSession,
    Retry,
    Unknown,
)
from call_core.storage.readers import Readers
from call_core.storage.statements import DialectName
from call_core.storage.transaction import Probe
from call_core.storage.waiting import StoreLimits, WaitingWork, Work

MAX_TRIES = 8
"""How often a unit that stands in another's way is tried."""
_IDLE_S = 0.5


class PostgresWorker:
    """One thread of the pool.

    Args:
        session: its connection.
        waiting: where units come from and answers go to.
        figures: where runs are counted.
        probe: `probe(tx, key)` tells whether what `key` names was committed.
        jitter: source of the pauses between tries.
    """

    def __init__(
        self,
        session: PostgresSession,
        waiting: WaitingWork,
        figures: Figures,
        *,
        probe: Probe | None,
        jitter: random.Random,
    ) -> None:
        self._session = session
        self._waiting = waiting
        self._figures = figures
        self._probe = probe
        self._jitter = jitter
        self._thread = threading.Thread(target=self._serve, name="store-worker", daemon=True)

    def start(self) -> None:
        """Begin to take work."""
        self._thread.start()

    def join(self) -> None:
        """Wait until what was queued is done. Close the queue first."""
        self._thread.join()

    def _serve(self) -> None:
        while not self._waiting.is_drained:
            work = self._waiting.take(_IDLE_S)
            if work is not None:
                self._run(work)
                self._waiting.answer([work])
        self._session.close()

    def _run(self, work: Work) -> None:
        for tries in range(MAX_TRIES):
            try:
                self._try(work)
            except Retry as retry:
                work.fail(unavailable(retry.__cause__ or retry))
                self._figures.repeating()
                self._pause(tries)
            except Unknown as unknown:
                if not self._may_repeat(work, unknown):
                    return
            except BaseException as error:  # noqa: BLE001  (it belongs to the unit's caller)
                work.fail(error)
                return
            else:
                return

    def _try(self, work: Work) -> None:
        work.error, failed = None, True
        try:
            self._session.transact(work)
            failed = False
        finally:
            self._figures.ran(work.name, self._session.statements, failed=failed)
        self._figures.committed(1, wrote=True)

    def _pause(self, tries: int) -> None:
        time.sleep(self._jitter.uniform(0, 0.001 * 2**tries))

    def _may_repeat(self, work: Work, unknown: Unknown) -> bool:
        """Look for the unit's key; True when it is certainly not there and may run again."""
        found = self._find(work)
        if found is None:
            work.fail(CommitUnknown(f"PostgreSQL: {unknown.__cause__}"))
        elif not found:
            work.fail(unavailable(unknown.__cause__ or unknown))
            self._figures.repeating()
            return True
        return False

    def _find(self, work: Work) -> bool | None:
        """Whether the unit's key is in the database; None when that cannot be told."""
        if self._probe is None or work.key is None:
            return None
        look = Work(self._probe, (work.key,), work.priority, None, work.future)
        try:
            self._session.transact(look)
        except (Retry, Unknown, StoreUnavailable, psycopg.Error):
            return None
        return bool(look.result)


class PostgresBackend:
    """Checks the server and starts the threads; blocks, so make it in a thread.

    Args:
        url: `postgresql://…`.
        loop: the event loop on which callers wait.
        node: names this process's audit chains, one per writing connection.
        limits: how much to take on at once.
        probe: `probe(tx, key)` tells whether what `key` names was committed.
        jitter: source of the pauses between tries.
    """

    dialect = DialectName.POSTGRESQL

    def __init__(
        self,
        url: str,
        loop: asyncio.AbstractEventLoop,
        *,
        node: str,
        limits: StoreLimits,
        probe: Probe | None,
        jitter: random.Random,
    ) -> None:
        self.location = shown_url(url)
        self.changes = Changes(limits.poll_s)
        self._loop = loop
        self._figures = Figures()
        self._waiting = WaitingWork(loop, limits)
        self._reading = WaitingWork(loop, limits)
        timeout_ms = limits.max_wait_ms
        connect = partial(open_postgres, url, lock_timeout_ms=timeout_ms)
        with connect() as connection:
            self.has_standby = assert_promises(connection)
        self._workers = [
            PostgresWorker(
                PostgresSession(
                    url, lock_timeout_ms=timeout_ms, chain=AuditChain(f"{node}/{lane}")
                ),
                self._waiting,
                self._figures,
                probe=probe,
                jitter=jitter,
            )
            for lane in range(limits.writer_threads)
        ]
        self._readers = Readers(
            [
                PostgresReadingConnection(url, lock_timeout_ms=timeout_ms)
                for _ in range(limits.reader_threads)
            ],
            self._reading,
        )
        self._listener = PostgresListener(
            self._listening(connect), NOTIFY_CHANNEL, self._ring_from_thread
        )
        for worker in self._workers:
            worker.start()
        self._readers.start()
        self._listener.start()

    async def submit(self, work: Work) -> None:
        """Queue a unit for the pool."""
        self._waiting.put(work)

    async def query(self, work: Work) -> None:
        """Queue a query for the readers."""
        self._reading.put(work)

    async def close(self) -> None:
        """Finish what was queued and close every connection."""
        self._waiting.close()
        self._reading.close()
        await asyncio.to_thread(self._join)

    def _join(self) -> None:
        for worker in self._workers:
            worker.join()
        self._readers.join()
        self._listener.stop()

    def statistics(self) -> Statistics:
        """Return what was counted so far."""
        return self._figures.statistics(
            refused=self._waiting.refused,
            waiting=self._waiting.lengths,
            longest_wait_ms=self._waiting.longest_wait_ms,
        )

    def _listening(self, connect: Callable[[], Connection]) -> Callable[[], Connection]:
        """Look at every new connection whether its server has a standby: it may be another one."""

        def listening() -> Connection:
            connection = connect()
            self.has_standby = has_standby(connection)
            return connection

        return listening

    def _ring_from_thread(self, topic: str) -> None:
        try:
            self._loop.call_soon_threadsafe(self.changes.ring, topic)
        except RuntimeError:  # the loop is closed: nobody listens any more
            return
