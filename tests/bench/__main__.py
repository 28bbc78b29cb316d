"""`make bench`: runs every `bench_*.py` here, one after another, each in its own process.

Each prints its figures as JSON; here they become a table, and one JSON line at the end. One that
needs a program which is not here says so and is left out.
"""

import json
import subprocess
import sys
from pathlib import Path

TIMEOUT_S = 1800
FOLDER = Path(__file__).parent


def main() -> int:
    """Run them all; the exit status is the number of those that failed."""
    figures: dict[str, object] = {}
    failed = 0
    for script in sorted(FOLDER.glob("bench_*.py")):
        name = script.stem.removeprefix("bench_")
        done = subprocess.run(  # noqa: S603  (our own programs)
            [sys.executable, "-m", f"tests.bench.{script.stem}"],
            cwd=FOLDER.parents[1],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        if done.returncode:
            failed += 1
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            sys.stdout.write(f"{name}: failed, {last}\n")
            continue
        figures[name] = json.loads(done.stdout.strip().splitlines()[-1])
        sys.stdout.write(f"{name}\n{_rows(figures[name])}\n")
        sys.stdout.flush()
    sys.stdout.write(json.dumps(figures) + "\n")
    return failed


def _rows(found: object, indent: str = "  ") -> str:
    if not isinstance(found, dict):
        return f"{indent}{found}"
    lines = []
    for key, value in found.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}", _rows(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key:<40} {value}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
