"""`callgate serve` in a process of its own: as a new program, or forked with its modules loaded.

A fork server imports what `serve` imports once, so that a start takes a fifth of the time; what is
then run, and killed, is the command itself.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Literal

from gateway import server, wiring
from gateway.cli import main
from gateway.clocks import WallClock
from gateway.settings import settings_model

Start = Literal["fork", "exec"]
ROOT = Path(__file__).parents[2]
LOG = "serve.log"
_FORKING = get_context("forkserver")
# Named so that whoever imports this module has loaded all that `serve` needs.
_LOADED = (server, wiring, settings_model())


def start(config: Path, how: Start = "fork", clock: Path | None = None) -> "Serving":
    """Start `callgate serve --config FILE`.

    Args:
        config: the settings.
        how: as a new program, or forked.
        clock: a file whose content is added to the machine's time, in milliseconds (forked only).
    """
    words = ["serve", "--config", str(config), "--json"]
    log = config.parent / LOG
    if how == "exec":
        with log.open("ab") as out:
            command = [sys.executable, "-m", "gateway.cli", *words]
            popen = subprocess.Popen(  # noqa: S603  (our own program)
                command, cwd=ROOT, env=_environment(), stdin=subprocess.DEVNULL, stdout=out,
                stderr=out,
            )  # fmt: skip
        return Serving(popen)
    _FORKING.set_forkserver_preload(["tests.soak.serving"])
    forked = _FORKING.Process(target=_serve, args=(words, str(log), clock), daemon=True)
    forked.start()
    return Serving(forked)


class Serving:
    """One running `serve`."""

    def __init__(self, process: subprocess.Popen[bytes] | BaseProcess) -> None:
        self._process = process
        assert process.pid is not None
        self.pid: int = process.pid

    @property
    def status(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        if isinstance(self._process, subprocess.Popen):
            return self._process.poll()
        return self._process.exitcode

    def kill(self) -> int | None:
        """Kill it with -9; return how it ended, which is -9 unless it had ended by itself."""
        self._process.kill()
        return self.joined()

    def stop(self) -> int | None:
        """Let it drain; return the exit status."""
        self._process.terminate()
        return self.joined()

    def freeze(self, *, thaw: bool = False) -> None:
        """Stop its time, or let it go on."""
        os.kill(self.pid, signal.SIGCONT if thaw else signal.SIGSTOP)

    def joined(self, timeout_s: float = 60) -> int | None:
        """Wait for its end and return how it ended."""
        if isinstance(self._process, subprocess.Popen):
            return self._process.wait(timeout_s)
        self._process.join(timeout_s)
        return self._process.exitcode


def _environment() -> dict[str, str]:
    kept = {name: v for name, v in os.environ.items() if not name.startswith("CALLGATE_")}
    return kept | {"PYTHONPATH": str(ROOT)}


def _serve(words: Sequence[str], log: str, clock: Path | None) -> None:
    """Be `callgate`: standard streams to the log, nothing of the tests' settings around."""
    if clock is not None:
        _set_clock(clock)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    for name in [name for name in os.environ if name.startswith("CALLGATE_")]:
        del os.environ[name]
    main(list(words))


def _set_clock(file: Path) -> None:
    """Make this process read the machine's time as wrong as the file says, from now to now."""
    machine = WallClock.now_ms

    def now_ms(self: WallClock) -> int:
        return machine(self) + int(file.read_bytes() or b"0")

    setattr(WallClock, "now_ms", now_ms)  # noqa: B010  (a type checker refuses the assignment)
