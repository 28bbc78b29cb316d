"""Every drill on three nodes and three sites, over and over: `python -m tests.soak.nodes`.

--rounds 10 --per-second 5 [--only kill-node [--times 200]]
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateway import logs
from gateway.drill.drills import DRILLS, Result, as_data, run
from gateway.settings_sections import LogSettings


def main() -> int:
    """Hold them; one JSON line for each, and the exit status 1 when one of them cost something."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--per-second", type=float, default=5.0)
    parser.add_argument("--only", choices=list(DRILLS))
    parser.add_argument("--times", type=int, default=1, help="each, on the same service")
    options = parser.parse_args()
    logs.configure(LogSettings(level="warning"))
    os.environ.setdefault("CALLGATE_TEST_REQUIRE", "postgres")
    from tests.support import postgres  # noqa: PLC0415  (after the variable that it reads)

    ours = [name for name in DRILLS if name != "fail-over"]  # tests.soak.fail_over has a standby
    names = [options.only] if options.only else ours
    good = True
    with postgres.running_server() as server, tempfile.TemporaryDirectory() as folder:
        (data,) = parse_qs(urlsplit(server).query)["host"]
        restart = f"{sys.executable} -m tests.soak.restart_postgres {data}"
        for number in range(options.rounds):
            postgres.create_database(server, f"round{number}")
            url = postgres.database_url(server, f"round{number}")
            results = asyncio.run(
                run(
                    Path(folder) / f"round{number}",
                    url,
                    names * options.times,
                    per_second=options.per_second,
                    restart_database=restart,
                    told=_tell,
                )
            )
            good = good and all(each.good for each in results)
    return 0 if good else 1


def _tell(result: Result) -> None:
    sys.stdout.write(json.dumps(as_data([result])[0]) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
