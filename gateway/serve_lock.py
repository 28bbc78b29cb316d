"""One `serve` per SQLite database, and a way for the command line to see that it runs.

The lock is the kernel's, on a file beside the database: it is gone with its process, however that
ended. On PostgreSQL there is no file to lock; there a lease in the database keeps a second node
from driving (`call_core.engine.shard`). One node drives either way; command lines and readers may
run beside it.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from gateway.settings import Settings

_OWNER_ONLY = 0o600


class AlreadyServedError(Exception):
    """Another process serves this database; the message is a sentence."""


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """Hold the lock within the context.

    Raises:
        AlreadyServedError: another process holds it.
    """
    path = _path(settings)
    if path is None or not path.parent.is_dir():
        yield
        return
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, _OWNER_ONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyServedError(
                f"Another process already serves {settings.database_file()}; stop it first."
            ) from error
        yield
    finally:
        os.close(descriptor)


def is_served(settings: Settings) -> bool:
    """Whether some process serves the database now; with PostgreSQL that is taken for granted."""
    path = _path(settings)
    if path is None:
        return True
    try:
        with serving(settings):
            return False
    except AlreadyServedError:
        return True


def _path(settings: Settings) -> Path | None:
    file = settings.database_file()
    return None if file is None else file.with_name(f"{file.name}.serving")
