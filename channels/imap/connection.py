r"""One connection to an IMAP server: the few commands that the channel needs, in a thread.

RFC 9051 and 3501 by imapclient, which blocks and is not thread-safe: everything but `interrupt`
belongs to the thread that opened it. Mails are named by UID, are fetched with BODY.PEEK so that
\Seen is never set, and leave the folder by MOVE (RFC 6851), or else by COPY, \Deleted and UID
EXPUNGE (RFC 4315) of that one mail. CLOSE and a bare EXPUNGE are never sent: both would remove what
somebody else had marked.
"""

import contextlib
import select
import socket
import ssl
from collections.abc import Sequence
from typing import Any, Self

from imapclient import DELETED, IMAPClient
from imapclient.exceptions import IMAPClientAbortError, IMAPClientError

from channels.imap.reading import Mail
from channels.imap.settings import MailboxSettings
from parsers.email_message import HEADER_SIZE_LIMIT, MESSAGE_SIZE_LIMIT

WAKE_BYTES_LIMIT = 64  # one is written for each call of `Wake.set`
HEAD_LIMIT = HEADER_SIZE_LIMIT + 1_024  # octets of the head of a mail that is too large


class NotGivenError(Exception):
    """The server does not give out a mail; the connection is as good as before."""


class NotMovedError(Exception):
    """The server refused to move a mail; the connection is as good as before."""


class Wake:
    """Wakes a thread that waits for a socket: a byte in a pair of sockets."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.settimeout(0)
        self._write.settimeout(0)

    def set(self) -> None:
        """Wake the thread, now or when it waits next."""
        with contextlib.suppress(OSError):
            self._write.send(b"\0")

    def wait(self, seconds: float, other: socket.socket | None = None) -> bool:
        """Wait for the byte or for something to read on `other`; return whether it is `other`."""
        poller = select.poll()
        poller.register(self._read, select.POLLIN)
        if other is not None:
            poller.register(other, select.POLLIN)
        ready = {number for number, _ in poller.poll(seconds * 1000)}
        if self._read.fileno() in ready:
            with contextlib.suppress(BlockingIOError):
                self._read.recv(WAKE_BYTES_LIMIT)
        return other is not None and other.fileno() in ready

    def close(self) -> None:
        """Close both ends."""
        self._read.close()
        self._write.close()


class _Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    """The library's client with a wait that can be woken and misses nothing."""

    def __init__(self, wake: Wake, settings: MailboxSettings) -> None:
        self._wake = wake
        implicit = settings.tls == "implicit"
        super().__init__(
            settings.host,
            settings.server_port,
            ssl=implicit,
            ssl_context=ssl.create_default_context() if implicit else None,
            timeout=settings.timeout_s,
        )

    def _poll_socket(self, sock: socket.socket, timeout: float | None = None) -> bool:
        """Wait for lines of the server, for `idle_check`; the socket is non-blocking now.

        A push may have come in one packet with the answer to IDLE: then it stands in the buffer,
        and the socket itself would never become readable.
        """
        with contextlib.suppress(OSError):  # TLS says so when it has read only a part of a record
            if self._imap.file.peek(1):
                return True
        return self._wake.wait(timeout or 0.0, sock)


class Connection:
    """A signed-in connection with the folder selected.

    Attributes:
        uid_validity: what makes the folder's UIDs mean something.
    """

    def __init__(self, settings: MailboxSettings, wake: Wake) -> None:
        self._settings = settings
        self._wake = wake
        self._client: Any = None
        self.uid_validity = 0

    def __enter__(self) -> Self:
        """Connect, sign in, make the folders that are missing, select."""
        self._client = _Client(self._wake, self._settings)
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *unused: object) -> None:
        """Close, with LOGOUT only where the server can be expected to answer."""
        with contextlib.suppress(Exception):
            if unused[0] is None:
                self._client.logout()
        self._close()

    def interrupt(self) -> None:
        """End whatever the thread waits for; the only method for other threads."""
        self._wake.set()
        client = self._client
        with contextlib.suppress(OSError, AttributeError):
            # Not the TLS object's own shutdown, which takes itself apart under the reader's feet.
            socket.socket.shutdown(client.socket(), socket.SHUT_RDWR)

    def _open(self) -> None:
        settings = self._settings
        if settings.tls == "required":
            self._client.starttls(ssl.create_default_context())
        self._client.login(settings.username, settings.password.get_secret_value())
        self._make_folders()
        self.uid_validity = int(self._client.select_folder(settings.folder)[b"UIDVALIDITY"])

    def _make_folders(self) -> None:
        for name in (self._settings.done_folder, self._settings.failed_folder):
            if not self._client.folder_exists(name):
                self._client.create_folder(name)

    def _close(self) -> None:
        with contextlib.suppress(Exception):
            self._client.shutdown()

    def waiting(self) -> Sequence[int]:
        r"""Return the UIDs of the mails in the folder that are not marked \Deleted."""
        self._client.noop()  # lets the server tell what came since
        return [int(uid) for uid in self._client.search("UNDELETED")]

    def fetch(self, uid: int) -> Mail | None:
        r"""Return a mail without setting \Seen, None when it is gone.

        Its size is asked for first; the octets asked for are limited besides, should the server
        have been wrong about it.

        Raises:
            NotGivenError: the server refused.
        """
        try:
            return self._fetch(uid)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise NotGivenError(str(error)) from error

    def _fetch(self, uid: int) -> Mail | None:
        size = self._item(uid, "RFC822.SIZE", b"RFC822.SIZE")
        if size is None:
            return None
        if size <= MESSAGE_SIZE_LIMIT:
            content = self._item(uid, f"BODY.PEEK[]<0.{MESSAGE_SIZE_LIMIT + 1}>", b"BODY[]<0>")
            if content is None or len(content) <= MESSAGE_SIZE_LIMIT:
                return None if content is None else Mail(content)
        head = self._item(uid, f"BODY.PEEK[HEADER]<0.{HEAD_LIMIT}>", b"BODY[HEADER]<0>")
        return None if head is None else Mail(head, too_large=True)

    def _item(self, uid: int, asked: str, named: bytes) -> Any:  # noqa: ANN401  (octets or a number)
        return self._client.fetch([uid], [asked]).get(uid, {}).get(named)

    def move(self, uid: int, folder: str) -> None:
        """Move one mail away.

        Raises:
            NotMovedError: the server refused, twice, the second time with the folders made anew.
        """
        try:
            try:
                self._move(uid, folder)
            except IMAPClientAbortError:
                raise
            except IMAPClientError:
                self._make_folders()
                self._move(uid, folder)
        except IMAPClientAbortError:
            raise
        except IMAPClientError as error:
            raise NotMovedError(str(error)) from error

    def _move(self, uid: int, folder: str) -> None:
        if self._client.has_capability("MOVE"):
            self._client.move([uid], folder)
            return
        self._client.copy([uid], folder)
        self._client.add_flags([uid], [DELETED], silent=True)
        if self._client.has_capability("UIDPLUS"):
            self._client.uid_expunge([uid])

    def finish_moves(self, uids: Sequence[int]) -> None:
        r"""Remove those of these mails that are marked \Deleted.

        A connection that was lost between the mark and the EXPUNGE has left them behind, as copies
        of what stands in the other folder already.
        """
        if not uids or not self._client.has_capability("UIDPLUS"):
            return
        asked = ["DELETED", "UID", ",".join(map(str, uids))]
        marked = [int(uid) for uid in self._client.search(asked)]
        if marked:
            self._client.uid_expunge(marked)

    def wait(self, seconds: float) -> None:
        """Wait until the server says that something changed, `interrupt`, or so many seconds."""
        if not self._client.has_capability("IDLE"):
            self._wake.wait(seconds)
            return
        self._client.idle()
        self._client.idle_check(seconds)
        self._client.idle_done()
