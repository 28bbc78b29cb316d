"""`make soak`: kills, fail-overs, faults, long calls and the crowd at full length, in turn."""

import subprocess
import sys

RUNS = (
    ("tests.soak.kills", "--database", "sqlite", "--kills", "1000"),
    ("tests.soak.kills", "--database", "postgres", "--kills", "300"),
    ("tests.soak.nodes", "--rounds", "10"),
    ("tests.soak.nodes", "--rounds", "1", "--only", "kill-node", "--times", "200"),
    ("tests.soak.long_calls", "--calls", "5000"),
    ("tests.soak.fail_over", "--rounds", "25"),
    ("tests.soak.fail_over", "--rounds", "25", "--old-returns"),
    ("tests.soak.sockets", "--drops", "200"),
    ("tests.soak.crowd", "--calls", "5000", "--minutes", "30"),
    *(("tests.soak.faults", fault) for fault in ("disk", "lock", "postgres", "clock")),
)


def main() -> int:
    """Run them all; the exit status is the number of those that found something."""
    failed = 0
    for module, *arguments in RUNS:
        sys.stdout.write(f"{module} {' '.join(arguments)}\n")
        sys.stdout.flush()
        command = [sys.executable, "-m", module, *arguments]
        failed += subprocess.run(command, check=False).returncode != 0  # noqa: S603  (our own)
    return failed


if __name__ == "__main__":
    sys.exit(main())
