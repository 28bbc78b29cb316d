"""Ask the public advisory service about every pinned package.

A service that cannot be reached is said and passes; a finding, or any other failure, never does.
Run by `make check` with the virtual environment's Python.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).parents[1] / "requirements-dev.lock"
COMMAND = (
    *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"),
    *("--progress-spinner", "off", "--timeout", "10", "--format", "json"),
    *("--requirement", str(LOCK)),
)
LONGEST_S = 120
UNREACHABLE = re.compile(
    r"ConnectionError|ConnectTimeout|ReadTimeout|Max retries exceeded|ProxyError"
    r"|Failed to establish|Name or service not known|Connection refused"
)
SKIPPED = "pip-audit skipped: advisory service not reachable"


def main() -> int:
    """Return the exit status: 0 when nothing was found or nobody could be asked."""
    try:
        run = subprocess.run(  # noqa: S603  (a constant command)
            COMMAND, capture_output=True, text=True, timeout=LONGEST_S, check=False
        )
    except subprocess.TimeoutExpired:
        print(SKIPPED)
        return 0
    try:
        packages = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        return _without_answer(run.stdout + run.stderr)
    return _judge(packages)


def _without_answer(said: str) -> int:
    if UNREACHABLE.search(said):
        print(SKIPPED)
        return 0
    print(said)
    return 1


def _judge(packages: list[dict[str, Any]]) -> int:
    found = [each for each in packages if each.get("vulns")]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    for each in found:
        for advisory in each["vulns"]:
            fixed = ", ".join(advisory["fix_versions"]) or "no version"
            print(f"{each['name']} {each['version']}: {advisory['id']}, fixed in {fixed}")
    if len(unknown) == len(packages):
        # A mirror without advisories says of every package that it does not know it.
        print(SKIPPED)
        return 0
    if unknown:
        print(f"not audited, the service does not know them: {', '.join(unknown)}")
    if not found and not unknown:
        print(f"pip-audit: {len(packages)} packages, no known vulnerabilities")
    return 1 if found or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
