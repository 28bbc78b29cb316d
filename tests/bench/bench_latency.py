"""What a caller and a reader of bills wait for at 28 calls per second: 10,000 ports' worth.

From the request to the first order to the switch, and from the hang-up to the committed bill;
beside them the machine's floor, raw commits of one row per second on the same disk.
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

from call_core.calls.model import Call, Leg
from call_core.commands import Call as CallCommand
from call_core.commands import Number
from call_core.door import Core
from call_core.outcomes import Launched
from call_core.switches.simulator_phone import PhoneScript
from tests.bench.bench_calls import opened, raw_commits_per_s, request_of

CALLS_PER_S = 28
SECONDS = 10
_NS_PER_MS = 1_000_000


def main() -> None:
    """Print the figures as JSON."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory() as folder:
        figures: dict[str, float] = {
            "raw_commits_per_s": raw_commits_per_s(Path(folder) / "floor.db")
        }
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            figures |= runner.run(measure(Path(folder) / "calls.db"))
    sys.stdout.write(json.dumps(figures) + "\n")


async def measure(path: Path) -> dict[str, float]:
    """Return medians and 99th percentiles in milliseconds."""
    script = PhoneScript(ring_ms=200, press_after_ms=200, talk_ms=1_000)
    asked_ns: dict[str, int] = {}
    until_ring: list[float] = []
    until_bill: list[float] = []
    all_billed = asyncio.Event()
    async with opened(f"sqlite:///{path}", 1, script) as (core, user_id):

        def originated(verb: str, call: Call, leg: Leg, began_ns: int) -> None:
            if verb == "originate" and leg.n == call.first.n:
                number = call.others[0].last_leg.number
                until_ring.append((began_ns - asked_ns[number]) / _NS_PER_MS)

        def changed(_before: Call, after: Call) -> None:
            if after.ended and after.ended_call_ms is not None:
                until_bill.append(core.engine.driver.stamp().call_ms - after.ended_call_ms)
                if len(until_bill) == CALLS_PER_S * SECONDS:
                    all_billed.set()

        core.engine.driver.actuator.observe = originated
        core.engine.driver.observe = changed
        began = time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for n in range(CALLS_PER_S * SECONDS):
                await asyncio.sleep(max(0.0, began + n / CALLS_PER_S - time.perf_counter()))
                number = f"+44207{9460000 + n}"
                asked_ns[number] = time.monotonic_ns()
                group.create_task(_launch(core, user_id, n, number))
        await all_billed.wait()
    return {
        "calls": len(until_bill),
        "request_to_originate_ms_median": round(statistics.median(until_ring), 1),
        "request_to_originate_ms_p99": round(_p99(until_ring), 1),
        "hang_up_to_bill_ms_median": round(statistics.median(until_bill), 1),
        "hang_up_to_bill_ms_p99": round(_p99(until_bill), 1),
    }


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


async def _launch(core: Core, user_id: str, n: int, number: str) -> None:
    outcome = await core.handle(request_of(CallCommand(Number(number)), f"call{n}", user_id))
    assert isinstance(outcome, Launched), outcome


if __name__ == "__main__":
    main()
