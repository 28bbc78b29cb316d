"""`python -m tests.fuzz [--seconds N] [--parser NAME] [--seed N]`: looks for what breaks a parser.

Prints one line per parser and every finding with its input; the exit status is 1 when an exception
got out. An input that takes more than 50 ms of the processor is a finding too.
"""

import argparse
import sys
import time
from collections.abc import Callable

from tests.fuzz.engine import SLOW_S, Found, fuzz
from tests.fuzz.targets import PARSERS


def main() -> int:
    """Fuzz; return the exit status."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz")
    asked.add_argument("--seconds", type=float, default=60.0, help="in all; 60 if not said")
    asked.add_argument("--parser", choices=sorted(PARSERS), help="only this one")
    asked.add_argument("--seed", type=int, default=time.monotonic_ns() % 1_000_000)
    told = asked.parse_args()
    names = [told.parser] if told.parser else sorted(PARSERS)
    each_s = told.seconds / len(names)
    print(f"seed {told.seed}, {each_s:.1f} s each")  # noqa: T201  (a report)
    failed = False
    for name in names:
        found = fuzz(PARSERS[name], told.seed, _until(time.monotonic() + each_s))
        failed |= bool(found.failures)
        _print(name, found)
    return int(failed)


def _until(end_s: float) -> Callable[[int], bool]:
    return lambda _: time.monotonic() < end_s


def _print(name: str, found: Found) -> None:
    lines = [f"{name:<12} {found.inputs:>8} inputs, slowest {found.slowest_s * 1000:7.2f} ms"]
    if found.slowest_s > SLOW_S:
        size = len(found.slowest)
        lines.append(f"  SLOW: {size} octets, {found.slowest[:120]!r}…{found.slowest[-60:]!r}")
    lines += [f"  FAILED: {what}: {data[:400]!r}" for what, data in (found.failures or {}).items()]
    print("\n".join(lines), flush=True)  # noqa: T201  (a report)


if __name__ == "__main__":
    sys.exit(main())
