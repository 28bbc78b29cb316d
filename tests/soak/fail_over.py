"""Fail-overs of a primary database under load, one after another: `python -m tests.soak.fail_over`.

--rounds 50 --per-second 5 [--old-returns]

Each round holds the drill `fail-over` on three nodes and three sites, with a standby that has every
commit; after it the dead server is made the standby of the new primary. With `--old-returns` it is
first started as it died, a primary that knows nothing of the other, while calls are launched.
"""

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from pathlib import Path

from gateway import logs
from gateway.drill.drills import Result, as_data, run
from gateway.settings_sections import LogSettings
from tests.support.postgres_pair import Pair


def main() -> int:
    """Hold them; one JSON line for each, and the exit status 1 when one of them cost something."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--per-second", type=float, default=5.0)
    parser.add_argument("--old-returns", action="store_true")
    parser.add_argument("--now", type=Path, help="only fail the pair in this folder over")
    options = parser.parse_args()
    if options.now:
        fail_over(Pair(options.now), old_returns=options.old_returns)
        return 0
    logs.configure(LogSettings(level="warning"))
    pair = Pair(Path(tempfile.mkdtemp(prefix="callgate-pair-")))
    good = True
    with tempfile.TemporaryDirectory() as folder:
        try:
            pair.set_up()
            for number in range(options.rounds):
                result = hold(
                    pair,
                    Path(folder) / f"round{number}",
                    per_second=options.per_second,
                    old_returns=options.old_returns,
                )
                good = good and result.good
                sys.stdout.write(json.dumps(as_data([result])[0]) + "\n")
                sys.stdout.flush()
                pair.join()
        finally:
            pair.stop()
    return 0 if good else 1


def hold(pair: Pair, folder: Path, *, per_second: float, old_returns: bool = False) -> Result:
    """Hold the drill once on a database of its own; the pair must have a standby.

    Args:
        pair: the two servers.
        folder: for the service's files.
        per_second: launches meanwhile.
        old_returns: whether the dead primary is started again as it was.
    """
    command = [sys.executable, "-m", "tests.soak.fail_over", "--now", str(pair.home)]
    command += ["--old-returns"] if old_returns else []
    (result,) = asyncio.run(
        run(
            folder,
            pair.create_database(folder.name),
            ["fail-over"],
            per_second=per_second,
            fail_over=shlex.join(command),
        )
    )
    return result


def fail_over(pair: Pair, *, old_returns: bool) -> None:
    """Let the primary die, promote the other, and perhaps bring the old one back as it was."""
    old = pair.primary
    pair.fail_over()
    if old_returns:
        pair.start(old)


if __name__ == "__main__":
    sys.exit(main())
