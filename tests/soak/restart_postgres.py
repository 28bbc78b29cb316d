"""Kill a PostgreSQL server where it stands and start it again, as its first start was.

python -m tests.soak.restart_postgres DATA_DIRECTORY
"""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.support.processes import works_in

_WAIT_S = 30


def main() -> int:
    """Do it; the exit status is 0 when the new server is up."""
    folder = Path(sys.argv[1])
    pid = int((folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    command = shlex.split((folder / "postmaster.opts").read_text(encoding="utf-8"))
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + _WAIT_S
    # Its children end by themselves when they see that it is gone.
    while works_in(folder) and time.monotonic() < deadline:
        time.sleep(0.1)
    # Killed, it may stand as a zombie under its old number, which a new server would respect.
    for left in (folder / "postmaster.pid", *folder.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)
    owner = folder.stat()
    with (folder / "restarted.log").open("ab") as log:
        subprocess.Popen(  # noqa: S603  (the server's own command line)
            command,
            user=owner.st_uid,
            group=owner.st_gid,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while time.monotonic() < deadline:
        lines = _lines(folder)
        if len(lines) > 7 and lines[7].strip() == "ready" and int(lines[0]) != pid:
            return 0
        time.sleep(0.1)
    return 1


def _lines(folder: Path) -> list[str]:
    try:
        return (folder / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


if __name__ == "__main__":
    sys.exit(main())
