"""Runs one seed, and tells what came of it."""

import asyncio
import gc
import random
import time
import warnings
from dataclasses import dataclass

from tests.sim.loop import SimulatedLoop, Standstill
from tests.sim.stage import Broken
from tests.sim.world import SimulatedWorld


@dataclass(frozen=True)
class Result:
    """What one seed came to.

    Attributes:
        broken: the invariant that does not hold, None when all do.
        trace_hash: of everything that happened; the same for the same seed and steps.
    """

    seed: int
    steps: int
    broken: Broken | None
    trace_hash: str
    calls: int
    turns: int
    simulated_s: float
    real_s: float


def run_seed(seed: int, steps: int, *, show: bool = False) -> Result:
    """Let the world of a seed happen."""
    with warnings.catch_warnings():
        # Who dies before the first step of a task leaves what it was to await.
        warnings.filterwarnings("ignore", r"coroutine .* was never awaited")
        result = _happen(seed, steps, show=show)
        if result.broken is not None:
            gc.collect()  # such a world ends in the middle, and that is said when it is forgotten
    return result


def _happen(seed: int, steps: int, *, show: bool) -> Result:
    loop = SimulatedLoop(random.Random(seed + 9))  # noqa: S311  (a world that replays)
    begun = time.monotonic()
    asyncio.set_event_loop(loop)
    broken = None
    world = SimulatedWorld(seed, loop, show=show)
    try:
        loop.run_until_complete(world.run(steps))
    except Broken as error:
        broken = error
    except Standstill as error:
        broken = world.broken or Broken("time_passes", str(error), world.step, list(world.recent))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return Result(
        seed,
        world.step,
        broken,
        world.trace_hash,
        world.watch.calls_ended,
        loop.turns,
        loop.now_s,
        time.monotonic() - begun,
    )
