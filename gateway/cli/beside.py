"""Opening the core beside a running `serve`: it commits, and leaves the calls to their owner."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.wiring import Core


@contextlib.asynccontextmanager
async def open_beside(settings: "Settings") -> "AsyncIterator[Core]":
    """Open the core for one command.

    The simulator's file has one writer, whoever serves; this process gets a copy, so that its call
    clock shows what the owner's shows and nothing that it does is left in the file.
    """
    from gateway.wiring import open_core

    with tempfile.TemporaryDirectory(prefix="callgate-") as folder:
        async with open_core(_with_copy(settings, Path(folder))) as core:
            yield core


def _with_copy(settings: "Settings", folder: Path) -> "Settings":
    """Return the settings with a copy of the simulator's file."""
    original, copy = settings.simulator.file, folder / "simulator.json"
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(original, copy)
    simulator = settings.simulator.model_copy(update={"file": copy})
    return settings.model_copy(update={"simulator": simulator})
