"""The way out of one HTTP connection, which is cut when the peer takes nothing for too long.

uvicorn waits for ever until a peer has taken its answer, and a transport that is closed goes on
waiting. Here what counts is what the peer's machine has acknowledged: who reads slowly is served to
the end, and so is a stream of which nothing is left to send.
"""

import asyncio
import fcntl
import struct
import termios
from typing import Any


class ImpatientTransport:
    """A transport that aborts when something waits and the peer takes none of it.

    Args:
        transport: the real one; everything but `write` is its own.
        timeout_s: longest without any progress. It is looked at once in this time, so that a peer
            that has stopped is cut off between one and two of them later.
    """

    def __init__(self, transport: asyncio.Transport, timeout_s: float) -> None:
        self._transport = transport
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._written_bytes = 0
        self._taken_bytes = 0
        self._look: asyncio.TimerHandle | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever a transport has)
        """Pass the rest on."""
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send this, and look later whether it was taken."""
        self._written_bytes += len(data)
        self._transport.write(data)
        if self._look is None:
            self._look = self._loop.call_later(self._timeout_s, self._looks)

    def forget(self) -> None:
        """Look no more: the connection is lost."""
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _looks(self) -> None:
        self._look = None
        waiting = self._transport.get_write_buffer_size() + self._unacknowledged_bytes()
        taken = self._written_bytes - waiting
        if waiting and taken <= self._taken_bytes:
            self._transport.abort()
            return
        self._taken_bytes = taken
        if waiting:
            self._look = self._loop.call_later(self._timeout_s, self._looks)

    def _unacknowledged_bytes(self) -> int:
        """Return how much the kernel still holds for the peer.

        The transport's own buffer moves only when a third of the kernel's megabytes is free, which
        a slow peer may take minutes for. Where the kernel does not tell, that buffer has to do.
        """
        try:
            descriptor = self._transport.get_extra_info("socket").fileno()
            told = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
        except (AttributeError, OSError, ValueError):
            return 0
        return int(struct.unpack("i", told)[0])
