"""`callgate` run in a folder of its own: in this process, or as a program of its own."""

import io
import json
import logging
import os
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.cli import main


@dataclass(frozen=True)
class Done:
    """What a command printed and how it ended."""

    status: int
    stdout: str
    stderr: str


class Cli:
    """Runs `callgate` in a folder of its own: in this process, or as a program of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *words: str) -> list[str]:
        """Return what is executed as a program of its own."""
        return [sys.executable, "-m", "gateway.cli", *words]

    def environment(self) -> dict[str, str]:
        """Return the environment without settings of ours."""
        kept = {name: v for name, v in os.environ.items() if not name.startswith("CALLGATE_")}
        return kept | {"PYTHONPATH": str(Path(__file__).parents[2])}

    def run(self, *words: str, status: int | None = 0) -> Done:
        """Run to the end, with nobody to ask, and check the exit status unless it is None."""
        out, err, stdin = io.StringIO(), io.StringIO(), sys.stdin
        handlers = logging.getLogger().handlers[:]
        sys.stdin = io.StringIO()
        try:
            with chdir(self.folder), redirect_stdout(out), redirect_stderr(err):
                try:
                    main(words)
                    code: object = 0
                except SystemExit as end:
                    code = end.code or 0
        finally:
            sys.stdin = stdin
            logging.getLogger().handlers[:] = handlers
        done = Done(int(str(code)), out.getvalue(), err.getvalue())
        assert status in {done.status, None}, (words, done)
        return done

    def json(self, *words: str, status: int = 0) -> dict[str, Any]:
        """Run with `--json` and return the object."""
        lines = self.run(*words, "--json", status=status).stdout.splitlines()
        found: dict[str, Any] = json.loads(lines[-1])
        return found
