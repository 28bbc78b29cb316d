"""One mailbox's thread: connect, look, handle, wait, and come back after whatever went wrong.

    connect -> search -> fetch, ask the core, move  (each mail, oldest first) -> IDLE -> search …

The search comes before IDLE, so what arrived while nobody was connected is not missed, and it comes
again every `poll_s`, so a push that was lost only costs time. Each mailbox has a thread of its own:
a server that stalls holds up nobody else.
"""

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

import structlog

from call_core.errors import CallCoreError
from call_core.outcomes import Outcome
from call_core.requests import Request
from channels.imap.backlog import SKIP_S, TRY_LIMIT, Backlog, Backoff
from channels.imap.connection import Connection, NotGivenError, NotMovedError, Wake
from channels.imap.reading import Mail, MailReader
from channels.imap.settings import MailboxSettings
from channels.kit.contract import fault_of

BATCH_LIMIT = 100  # mails between two looks at the folder
GRACE_S = 1.0  # how long a mail at work may take to be committed and moved when stopping
CLOSE_S = 0.5  # and how long the thread may take to see that its socket is closed

Handle = Callable[[Request], Coroutine[Any, Any, Outcome]]
_log = structlog.get_logger(__name__)


class Watcher:
    """Reads one mailbox until it is stopped.

    Args:
        handle: the core's door; runs on `loop`.
        make_reader: makes the reader, given how to ask the core.
        backoff: pauses after failures.
    """

    def __init__(
        self,
        name: str,
        settings: MailboxSettings,
        handle: Handle,
        make_reader: Callable[[Callable[[Request], Outcome]], MailReader],
        backoff: Backoff,
    ) -> None:
        self._settings = settings
        self._handle = handle
        self._reader = make_reader(self._ask)
        self._backoff = backoff
        self._backlog = Backlog(backoff)
        self._log = _log.bind(mailbox=name)
        self._wake = Wake()
        self._stopping = threading.Event()
        self._connection: Connection | None = None
        self._asked: Future[Outcome] | None = None
        self._failures = 0
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        # A daemon, so that a server which never answers cannot hold the process.
        self._thread = threading.Thread(target=self._run, name=f"imap-{name}", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    async def stop(self) -> None:
        """Let the mail at work finish, then close; a thread that still hangs is left behind."""
        self._stopping.set()
        self._wake.set()
        if await self._has_ended(GRACE_S):
            return
        if self._asked is not None:
            self._asked.cancel()
        if self._connection is not None:
            self._connection.interrupt()
        if not await self._has_ended(CLOSE_S):
            self._log.warning("imap_thread_left")

    async def _has_ended(self, timeout_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._ended.wait()
        return self._ended.is_set()

    # --- from here on in the thread -------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._session()
            except Exception as error:  # noqa: BLE001  (whatever it was, the mailbox is read again)
                if self._stopping.is_set():
                    break
                self._failures += 1
                pause_s = self._backoff.pause_s(self._failures)
                self._log.warning(
                    "imap_connection_failed", error=type(error).__name__, retry_s=round(pause_s, 1)
                )
                self._stopping.wait(pause_s)
        self._wake.close()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._ended.set)

    def _session(self) -> None:
        self._connection = Connection(self._settings, self._wake)
        with self._connection as connection:
            self._backlog.opened(connection.uid_validity)
            self._log.info("imap_connected", uid_validity=connection.uid_validity)
            connection.finish_moves(self._backlog.begun())
            while not self._stopping.is_set():
                if self._look(connection):
                    continue
                self._failures = 0
                wait_s = self._backlog.wait_s(time.monotonic(), self._settings.poll_s)
                connection.wait(wait_s)

    def _look(self, connection: Connection) -> bool:
        """Handle what is due; return whether anything was, and so more may have come."""
        due = self._backlog.due(connection.waiting(), time.monotonic())
        for uid in due[:BATCH_LIMIT]:
            if self._stopping.is_set():
                break
            try:
                self._one(connection, uid)
            except CallCoreError as error:
                self._log.warning("mail_not_taken", code=error.code)
                self._backlog.core_failed(time.monotonic(), fault_of(error).retry_after_s)
                break
        return bool(due)

    def _one(self, connection: Connection, uid: int) -> None:
        """Handle one mail and move it away. A mail that fails stays and is tried later.

        Raises:
            CallCoreError: the core can take no mail now.
        """
        folder = self._backlog.destination(uid)
        if folder is None:
            if self._backlog.is_hopeless(uid):
                self._put_away(connection, uid)
                return
            mail = self._fetched(connection, uid)
            if mail is None:
                return
            folder = self._handled(uid, mail)
            if folder is None:
                return
            self._backlog.answered(uid, folder)
        try:
            connection.move(uid, folder)
        except NotMovedError as error:
            tries = self._backlog.failed(uid, time.monotonic())
            self._log.error("mail_not_moved", folder=folder, tries=tries, reason=str(error))
            return
        except Exception:
            self._backlog.failed(uid, time.monotonic())
            raise
        self._backlog.moved(uid)

    def _fetched(self, connection: Connection, uid: int) -> Mail | None:
        """Return a mail; None when the server does not give it out, so that it is tried later.

        It may hang up instead of saying so. That counts as a failure of this mail, over all
        connections, so that the next one begins with others.
        """
        try:
            mail = connection.fetch(uid)
        except Exception as error:
            if self._stopping.is_set():
                raise
            self._not_given(uid, repr(error))
            if isinstance(error, NotGivenError):
                return None
            raise
        if mail is None:
            self._not_given(uid, "nothing came; perhaps it was moved away meanwhile")
        else:
            self._backlog.given()
        return mail

    def _not_given(self, uid: int, reason: str) -> None:
        tries = self._backlog.failed(uid, time.monotonic())
        log = self._log.info if tries == 1 else self._log.warning
        log("mail_not_given", uid=uid, tries=tries, reason=reason)

    def _put_away(self, connection: Connection, uid: int) -> None:
        """Move a mail away that the server gives to nobody; if it cannot be moved, leave it."""
        self._backlog.skip(uid, time.monotonic())
        folder = self._settings.failed_folder
        self._log.error("mail_given_up", uid=uid, folder=folder)
        try:
            connection.move(uid, folder)
        except NotMovedError as error:
            self._log.error("mail_left", uid=uid, retry_s=SKIP_S, reason=str(error))
            return
        self._backlog.moved(uid)

    def _handled(self, uid: int, mail: Mail) -> str | None:
        """Return where a mail belongs, None when it must be tried later."""
        try:
            return self._reader.handle(mail)
        except CallCoreError:
            raise
        except Exception:
            if self._stopping.is_set():
                raise
            tries = self._backlog.failed(uid, time.monotonic())
            self._log.exception("mail_failed", tries=tries)
            return self._reader.give_up(mail) if tries >= TRY_LIMIT else None

    def _ask(self, request: Request) -> Outcome:
        """Put a request to the core, on the loop, and wait for the outcome."""
        self._asked = asyncio.run_coroutine_threadsafe(self._handle(request), self._loop)
        try:
            return self._asked.result()
        finally:
            self._asked = None
