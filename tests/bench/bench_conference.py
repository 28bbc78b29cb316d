"""The largest conference: from the chair's key to the answer of the last of 63 people.

Every phone rings for 0.2 s and presses the key 0.2 s after its answer; what comes on top is ours.
Beside it the machine's floor, raw commits of one row per second on the same disk.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import structlog
import uvloop

from call_core.calls.model import Call
from call_core.commands import Conference, HangUp, Number
from call_core.door import Core
from call_core.outcomes import Launched
from call_core.switches.simulator_phone import PhoneScript
from tests.bench.bench_calls import opened, raw_commits_per_s, request_of

PEOPLE = 63
REPEATS = 5
PATIENCE_S = 60
_RING_MS = 200


def main() -> None:
    """Print the figures as JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        floor = raw_commits_per_s(Path(folder) / "floor.db")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            taken = runner.run(measure(Path(folder) / "calls.db"))
    figures = {
        "raw_commits_per_s": floor,
        "legs": PEOPLE + 1,
        "phones_ring_s": _RING_MS / 1000,
        "all_answered_s_median": round(statistics.median(taken), 2),
        "all_answered_s_min": round(min(taken), 2),
        "all_answered_s_max": round(max(taken), 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


async def measure(path: Path) -> list[float]:
    """Return the seconds of each conference, one after another."""
    script = PhoneScript(ring_ms=_RING_MS, press_after_ms=_RING_MS, talk_ms=0)
    async with opened(f"sqlite:///{path}", 1, script) as (core, user_id):
        return [await _one(core, user_id, n) for n in range(REPEATS)]


async def _one(core: Core, user_id: str, n: int) -> float:
    began_s: list[float] = []
    all_answered = asyncio.Event()

    def changed(_before: Call, after: Call) -> None:
        if not began_s and after.first.talking_leg is not None:
            began_s.append(time.perf_counter())
        if all(party.last_leg.answered_call_ms is not None for party in after.parties):
            all_answered.set()

    core.engine.driver.observe = changed
    people = tuple(Number(f"+44207{9460000 + each}") for each in range(PEOPLE))
    outcome = await core.handle(request_of(Conference(people), f"conference{n}", user_id))
    assert isinstance(outcome, Launched), outcome
    async with asyncio.timeout(PATIENCE_S):
        await all_answered.wait()
        taken_s = time.perf_counter() - began_s[0]
        await core.handle(request_of(HangUp(outcome.ref), f"hangup{n}", user_id))
        while core.engine.driver.live:  # noqa: ASYNC110  (telephones end them)
            await asyncio.sleep(0.01)
    return taken_s


if __name__ == "__main__":
    main()
