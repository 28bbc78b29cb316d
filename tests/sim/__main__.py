"""`python -m tests.sim --seed N --steps M [--trace]` replays; `--seconds S` tries new seeds."""

import argparse
import itertools
import sys
import time

from tests.sim.run import Result, run_seed


def _print(result: Result) -> None:
    word = "broken" if result.broken else "well"
    print(  # noqa: T201  (a program prints)
        f"seed {result.seed}: {word} after {result.steps} steps, {result.calls} calls ended, "
        f"{result.simulated_s:.0f} s simulated in {result.real_s:.1f} s, "
        f"trace {result.trace_hash[:16]}",
        flush=True,
    )
    if result.broken:
        print(result.broken, flush=True)  # noqa: T201  (a program prints)


def main() -> int:
    """Run; the exit status is 1 when an invariant was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.sim", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--steps", type=int, default=300, help="steps of each world")
    parser.add_argument("--seconds", type=float, default=0, help="go on with new seeds so long")
    parser.add_argument("--trace", action="store_true", help="print everything that happens")
    asked = parser.parse_args()
    until = time.monotonic() + asked.seconds
    broken = steps = 0
    begun = time.monotonic()
    for n in itertools.count():
        if time.monotonic() >= until if asked.seconds else n >= asked.seeds:
            break
        result = run_seed(asked.seed + n, asked.steps, show=asked.trace)
        steps += result.steps
        broken += result.broken is not None
        if result.broken or not asked.seconds:
            _print(result)
    spent = time.monotonic() - begun
    print(f"{n} seeds, {steps} steps, {steps / spent:.0f} steps/s, {broken} broken")  # noqa: T201  (a program prints)
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main())
