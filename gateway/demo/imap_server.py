"""The demo's IMAP server: a mailbox on loopback, so that the channel reads a real one by IMAP.

Whoever has its password may put mails in (APPEND) and is any sender that they write: it is as
trusted as the demo's SMTP listener. Nothing is kept on disk.
"""

import asyncio
import contextlib
import re

from gateway.demo.imap_folders import Folders
from gateway.demo.imap_session import CAPABILITIES, ImapSession

USER = "calls"
MAX_CONNECTIONS = 32
MAX_LINE_BYTES = 8_192
MAX_LITERAL_BYTES = 2_097_152
MAX_LITERALS = 4
"""In one command."""
IDLE_TIMEOUT_S = 1_800
"""Of a connection on which nothing is said; RFC 3501 section 5.4."""

_LITERAL = re.compile(rb"\{(?P<bytes>\d{1,9})(?P<at_once>\+?)\}\r\n\Z")
_WORD = re.compile(rb'"(?P<quoted>(?:[^"\\]|\\.)*+)"|(?P<plain>[()]|[^\s()"]++)')


class _HangUpError(Exception):
    """The client asks for more than may be; the message is one line."""


class ImapServer:
    """The listener and what it keeps.

    Attributes:
        folders: the mails.
        port: where it listens, 0 before `start`.
    """

    def __init__(self, password: str) -> None:
        self.folders = Folders()
        self.port = 0
        self._password = password
        self._connected: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=MAX_LINE_BYTES)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the listener and every connection."""
        if self._server is None:
            return
        self._server.close()
        for each in self._connected:
            each.cancel()
        await asyncio.gather(*self._connected, return_exceptions=True)
        self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connected.add(task)
        task.add_done_callback(self._connected.discard)
        client = _Client(reader, writer, ImapSession(self.folders, USER, self._password))
        self.folders.changed.append(client.wake.set)
        try:
            if len(self._connected) > MAX_CONNECTIONS:
                await client.say([b"* BYE Too many connections"])
            else:
                await client.serve()
        except (OSError, EOFError, TimeoutError, asyncio.CancelledError):
            pass  # gone, silent, or we stop
        finally:
            self.folders.changed.remove(client.wake.set)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


class _Client:
    """One connection: lines and literals in, lines out."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: ImapSession
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._session = session
        self.wake = asyncio.Event()

    async def serve(self) -> None:
        """Answer until the client says goodbye.

        Raises:
            OSError, EOFError, TimeoutError: it went without a word, or says nothing.
        """
        await self.say([b"* OK [CAPABILITY " + CAPABILITIES + b"] Mailbox of the demo"])
        try:
            while not self._session.over:
                tag, *words = await self._command() or [b"*"]
                if [each.upper() for each in words] == [b"IDLE"] and self._session.may_idle():
                    await self._idle(tag)
                else:
                    await self.say(self._session.answer(tag, words))
        except _HangUpError as error:
            await self.say([b"* BYE " + str(error).encode()])

    async def say(self, lines: list[bytes]) -> None:
        """Send lines."""
        self._writer.writelines(line + b"\r\n" for line in lines)
        await self._writer.drain()

    async def _idle(self, tag: bytes) -> None:
        """Tell what changes until the client says DONE."""
        await self.say([b"+ idling"])
        done = asyncio.ensure_future(self._line())
        try:
            while not done.done():
                self.wake.clear()
                await self.say(self._session.news())
                changed = asyncio.ensure_future(self.wake.wait())
                await asyncio.wait({done, changed}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
            word = "OK Done" if (await done).strip().upper() == b"DONE" else "BAD DONE is wanted"
            await self.say([tag + b" " + word.encode()])
        finally:
            done.cancel()

    async def _command(self) -> list[bytes]:
        """Return a command's words, literals among them."""
        words: list[bytes] = []
        for _ in range(MAX_LITERALS + 1):
            line = await self._line()
            literal = _LITERAL.search(line)
            words += _words(line[: literal.start()] if literal else line)
            if literal is None:
                return words
            size = int(literal["bytes"])
            if size > MAX_LITERAL_BYTES:
                raise _HangUpError("A literal is too long")
            if not literal["at_once"]:
                await self.say([b"+ go on"])
            async with asyncio.timeout(IDLE_TIMEOUT_S):
                words.append(await self._reader.readexactly(size))
        raise _HangUpError("Too many literals")

    async def _line(self) -> bytes:
        async with asyncio.timeout(IDLE_TIMEOUT_S):
            try:
                line = await self._reader.readline()
            except ValueError as error:
                raise _HangUpError("A line is too long") from error
        if not line.endswith(b"\n"):
            raise EOFError
        return line


def _words(line: bytes) -> list[bytes]:
    r"""Return the words of a line: `a LOGIN "x \"y\"" (z)` has six."""
    found = _WORD.finditer(line)
    return [
        re.sub(rb"\\(.)", rb"\1", each["quoted"]) if each["plain"] is None else each["plain"]
        for each in found
    ]
