"""Two-leg calls per second through the gateway on one Asterisk, beside a bare script's.

Asterisk is real, its telephones are SIPp's and answer at once; the second party is gone half a
second after the two were bridged. The bare script does by ARI what a call cannot do without: ring
A, ring B, bridge, hang A up. The gateway does so with its database (SQLite FULL), limits armed in
Asterisk and two bills. Both run in this process, in turn, `ROUNDS` times, with as many calls up at
once.

Then both run at half of the gateway's rate, for what they add to a call's set-up: from the request
to A's order, from A's answer to B's order, from B's answer until the two are bridged.
"""

import asyncio
import json
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import structlog
import uvloop

from call_core.calls.model import Call, Leg
from call_core.commands import Call as CallCommand
from call_core.commands import Number
from call_core.door import Core
from call_core.engine.engine import Engine, EngineSettings
from call_core.outcomes import Launched
from call_core.storage import migrate
from call_core.storage.rate_rows import Decks
from call_core.storage.store import Store
from call_core.switches.asterisk_ari import AsteriskSwitch
from call_core.switches.asterisk_client import AriClient
from call_core.switches.asterisk_words import NORMAL_CLEARING, instant_ms
from call_core.units.house import House
from gateway.clocks import WallClock
from gateway.wiring import rules_of
from tests.bench.bench_calls import add_user, request_of
from tests.bench.limits import OPEN_LIMITS
from tests.support.asterisk import PASSWORD, SYSTEM, Asterisk, free_port, running_asterisk

ROUNDS = 3
CALLS = 120
AT_ONCE = 20
PACED_S = 12.0
TALK_S = 0.5
A, SERVICE = "+12125550101", "+12025550143"
UP_S = 30.0
_NS_PER_MS = 1_000_000
_SCENARIO = Path(__file__).parents[1] / "support" / "asterisk_uas.xml"
OneCall = Callable[[int], Awaitable[None]]


def main() -> None:
    """Print the figures as JSON."""
    if shutil.which("sipp") is None or not (SYSTEM / "usr/sbin/asterisk").is_file():
        raise SystemExit("needs Asterisk and sipp (deploy/peers/install)")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    sys.stdout.write(json.dumps(uvloop.run(figures())) + "\n")


async def figures() -> dict[str, float]:
    """Return medians of rates and ratios, and the set-up of both at half the gateway's rate."""
    bare_rates, rates, ratios = [], [], []
    bare_cpu_ms: list[float] = []
    cpu_ms: list[float] = []
    with telephones() as port:
        for _ in range(ROUNDS):
            async with running_asterisk(port) as asterisk, bare(asterisk) as script:
                bare_rates.append(await rate(script.one, bare_cpu_ms))
            async with running_asterisk(port) as asterisk, gateway(asterisk) as timed:
                rates.append(await rate(timed.one, cpu_ms))
            ratios.append(rates[-1] / bare_rates[-1])
        per_second = statistics.median(rates) / 2
        async with running_asterisk(port) as asterisk, bare(asterisk) as script:
            bare_ms = await paced(script.one, script.setup_ms, per_second)
        async with running_asterisk(port) as asterisk, gateway(asterisk) as timed:
            gateway_ms = await paced(timed.one, timed.setup_ms, per_second)
    return {
        "bare_calls_per_s": round(statistics.median(bare_rates), 2),
        "calls_per_s": round(statistics.median(rates), 2),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
        "bare_cpu_ms_per_call": round(statistics.median(bare_cpu_ms), 1),
        "cpu_ms_per_call": round(statistics.median(cpu_ms), 1),
        "paced_calls_per_s": round(per_second, 2),
        "bare_setup_ms_median": round(statistics.median(bare_ms), 1),
        "bare_setup_ms_p99": round(_p99(bare_ms), 1),
        "setup_ms_median": round(statistics.median(gateway_ms), 1),
        "setup_ms_p99": round(_p99(gateway_ms), 1),
        "added_ms_median": round(statistics.median(gateway_ms) - statistics.median(bare_ms), 1),
        "added_ms_p99": round(_p99(gateway_ms) - _p99(bare_ms), 1),
    }


async def rate(one: OneCall, cpu_ms: list[float]) -> float:
    """Return calls per second with `AT_ONCE` of them under way; note our CPU for one."""
    numbers, cpu = iter(range(CALLS)), time.process_time()

    async def caller() -> None:
        for n in numbers:
            await one(n)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(caller())
    cpu_ms.append((time.process_time() - cpu) / CALLS * 1000)
    return CALLS / (time.perf_counter() - began)


async def paced(one: OneCall, setup_ms: Mapping[str, float], per_second: float) -> list[float]:
    """Begin so many calls per second; return what each set-up took."""
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for n in range(round(PACED_S * per_second)):
            await asyncio.sleep(max(0.0, began + n / per_second - time.perf_counter()))
            group.create_task(_awaited(one(n)))
    return list(setup_ms.values())


async def _awaited(work: Awaitable[None]) -> None:
    await work


def _p99(values: list[float]) -> float:
    return statistics.quantiles(values, n=100)[98]


@contextmanager
def telephones() -> Iterator[int]:
    """SIPp answers every number on a port."""
    port = free_port(socket.SOCK_DGRAM)
    words = ["sipp", "-sf", str(_SCENARIO), "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
    process = subprocess.Popen(  # noqa: S603  (our own words)
        words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        process.kill()
        process.wait()


def number_of(n: int) -> str:
    """Return who is called, nobody twice at a time."""
    return f"+44207{9460000 + n % 1000}"


# --- the bare script ----------------------------------------------------------------------------


class Bare:
    """The least that a program must do by ARI for a call between two telephones.

    Attributes:
        setup_ms: by call.
    """

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.setup_ms: dict[str, float] = {}
        self._client = client
        self._at: dict[tuple[str, str], asyncio.Future[int]] = defaultdict(
            asyncio.get_running_loop().create_future
        )

    async def read(self, session: Any) -> None:  # noqa: ANN401  (httpx2's own)
        """Take events in."""
        while True:
            event = json.loads(await session.receive_text())
            if "channel" in event:
                happened = self._at[event["type"], event["channel"]["id"]]
                if not happened.done():
                    happened.set_result(instant_ms(event["timestamp"]))

    async def one(self, n: int) -> None:
        """Have one call; its second party is gone after a while."""
        a, b, bridge = f"bare{n}.a", f"bare{n}.b", f"bare{n}"
        await self._ring(a, A)
        answered = await self._at["StasisStart", a]
        waited = WallClock().now_ms() - answered
        await self._ring(b, number_of(n))
        answered = await self._at["StasisStart", b]
        await self._ask("POST", f"bridges/{bridge}", type="mixing,proxy_media")
        await self._ask("POST", f"bridges/{bridge}/addChannel", channel=f"{a},{b}")
        self.setup_ms[bridge] = waited + await self._at["ChannelEnteredBridge", b] - answered
        await asyncio.sleep(TALK_S)
        await self._ask("DELETE", f"channels/{b}")
        await self._at["ChannelDestroyed", b]
        await self._ask("DELETE", f"channels/{a}")
        await self._ask("DELETE", f"bridges/{bridge}")
        await self._at["ChannelDestroyed", a]

    async def _ring(self, channel: str, number: str) -> None:
        endpoint = f"PJSIP/{number}@main"
        await self._ask("POST", f"channels/{channel}", endpoint=endpoint, app="bare")

    async def _ask(self, method: str, path: str, **query: str) -> None:
        answer = await self._client.request(method, path, params=query)
        assert answer.is_success, (method, path, answer.text)


@asynccontextmanager
async def bare(asterisk: Asterisk) -> AsyncIterator[Bare]:
    """Run the script's socket."""
    async with (
        httpx2.AsyncClient(
            auth=("callgate", PASSWORD), base_url=f"{asterisk.url}/", trust_env=False
        ) as client,
        client.websocket(
            f"ws{asterisk.url.removeprefix('http')}/events", params={"app": "bare"}
        ) as session,
    ):
        script = Bare(client)
        reader = asyncio.create_task(script.read(session))
        yield script
        reader.cancel()
        await asyncio.wait({reader})


# --- the gateway --------------------------------------------------------------------------------


class Timed:
    """A core on Asterisk whose calls' set-up is measured.

    Attributes:
        setup_ms: by call.
    """

    def __init__(self, core: Core, user_id: str, network: AriClient) -> None:
        self.setup_ms: dict[str, float] = defaultdict(float)
        self._core = core
        self._user_id = user_id
        self._network = network
        self._asked_ns: dict[str, int] = {}
        core.engine.driver.actuator.observe = self._ordered

    async def one(self, n: int) -> None:
        """Have one call, from the request to its bill."""
        number = number_of(n)
        self._asked_ns[number] = time.monotonic_ns()
        command = CallCommand(Number(number))
        outcome = await self._core.handle(request_of(command, f"call{n}", self._user_id))
        assert isinstance(outcome, Launched), outcome
        driver, talking = self._core.engine.driver, False
        changed = driver.watch.subscribe(outcome.call_id)
        while (live := driver.live.get(outcome.call_id)) is not None:
            if not talking and self._bridged(live.call):
                talking = True
                await asyncio.sleep(TALK_S)
                await self._network.hang_up(live.call.others[0].last_leg.id, NORMAL_CLEARING)
                continue
            changed.clear()
            await changed.wait()
        driver.watch.unsubscribe(outcome.call_id, changed)

    def _bridged(self, call: Call) -> bool:
        """Add from B's answer until the two are bridged, once they are."""
        leg = call.others[0].last_leg
        if leg.bridged_call_ms is None or leg.answered_call_ms is None:
            return False
        self.setup_ms[call.id] += leg.bridged_call_ms - leg.answered_call_ms
        return True

    def _ordered(self, verb: str, call: Call, leg: Leg, began_ns: int) -> None:
        """Add from the request to A's order, and from A's answer to B's."""
        if verb != "originate":
            return
        if leg.n == call.first.n:
            asked_ns = self._asked_ns[call.others[0].last_leg.number]
            self.setup_ms[call.id] += (began_ns - asked_ns) / _NS_PER_MS
        else:
            answered_ms = call.first.last_leg.answered_call_ms
            assert answered_ms is not None
            since_ms = (time.monotonic_ns() - began_ns) / _NS_PER_MS
            self.setup_ms[call.id] += WallClock().now_ms() - since_ms - answered_ms


@asynccontextmanager
async def gateway(asterisk: Asterisk) -> AsyncIterator[Timed]:
    """Run a core on Asterisk and a new SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/calls.db"
        migrate.upgrade(url)
        wall, rng = WallClock(), random.SystemRandom()
        store = await Store.open(url)
        client, network = (AriClient(asterisk.url, "callgate", PASSWORD) for _ in range(2))
        switch = AsteriskSwitch(
            name="asterisk",
            client=client,
            wall=wall,
            app="callgate",
            trunks={"main"},
            ports=1_000,
            plus=True,
            media={},
        )
        engine = Engine(store, switch, house_of(switch), wall, wall, rng, {}, EngineSettings())
        core = Core(store, engine, wall, wall, rng)
        await core.start()
        try:
            async with asyncio.timeout(UP_S):
                while not (await switch.health()).up:  # noqa: ASYNC110  (another program's)
                    await asyncio.sleep(0.05)
            yield Timed(core, await add_user(core, store, phone=A), network)
        finally:
            await core.stop()
            await client.aclose()
            await network.aclose()


def house_of(switch: AsteriskSwitch) -> House:
    """Return a deployment without limits."""
    return House(
        node="bench",
        switch=switch.name,
        trunk="main",
        ports=1_000,
        service_number=SERVICE,
        decks=Decks(),
        limits=OPEN_LIMITS,
        rules=rules_of(OPEN_LIMITS, switch.cut_guard_ms),
    )


if __name__ == "__main__":
    main()
