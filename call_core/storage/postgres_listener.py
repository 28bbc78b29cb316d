"""PostgreSQL's LISTEN: how a process hears what another one has committed."""

import threading
from collections.abc import Callable

import psycopg

from call_core.errors import StoreUnavailable
from call_core.storage.changes import ANYTHING
from call_core.storage.postgres import Connection

_LOOK_S = 0.25
"""How often the thread looks whether it should end."""
_RECONNECT_S = 1.0


class PostgresListener:
    """The thread that hears what any process announced.

    Args:
        connect: opens a connection of its own.
        channel: the NOTIFY channel.
        on_news: called in this thread with each topic; with `ANYTHING` when some may be missing.
    """

    def __init__(
        self, connect: Callable[[], Connection], channel: str, on_news: Callable[[str], object]
    ) -> None:
        self._connect = connect
        self._channel = channel
        self._on_news = on_news
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="store-listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._stopping.set()
        self._thread.join()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                self._listen()
            except (StoreUnavailable, psycopg.Error):
                self._stopping.wait(_RECONNECT_S)

    def _listen(self) -> None:
        with self._connect() as connection:
            connection.execute(f"LISTEN {self._channel}".encode())
            self._on_news(ANYTHING)  # whatever was announced before we listened
            while not self._stopping.is_set():
                for news in connection.notifies(timeout=_LOOK_S):
                    self._on_news(news.payload)
                    if self._stopping.is_set():
                        return
