"""The pager channels' figures against a core in memory. Prints one JSON object.

    python tests/bench/bench_pagers.py [--seconds 3] [--idle 2000]

Pages by SNPP (four commands each) over ten lines, alone, then with idle lines held and slow clients
dripping octets; messages by WCTP through the route, without an HTTP server, and documents decoded.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import resource
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx2
from fastapi import FastAPI

from channels.snpp.channel import SnppChannel
from channels.snpp.settings import SnppSettings
from channels.wctp.channel import WctpChannel
from channels.wctp.settings import WctpSettings
from parsers.wctp import Control, Message, Payload
from parsers.wctp_read import read_document
from parsers.wctp_write import document, operation
from tests.support.pagers import PAGER, SECRET, PagerCore, Wire, environment

LINES = 10
DRIPPING = 50
DRIP_S = 0.2
SENT = Message("SubmitRequest", PAGER, SECRET, ("callgate",), Payload("call mom"), Control("1"))
_NUMBERS = itertools.count()


async def rate(work: Callable[[], Awaitable[None]], seconds: float) -> float:
    """Return how often ten workers together did `work` in a second."""
    done, until = 0, time.perf_counter() + seconds

    async def worker() -> None:
        nonlocal done
        while time.perf_counter() < until:
            await work()
            done += 1

    begun = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(LINES)))
    return round(done / (time.perf_counter() - begun), 1)


async def snpp_line(port: int) -> Wire:
    """Connect and log in."""
    wire = await Wire.open(port)
    await wire.read()
    await wire.say(f"LOGI {PAGER} {SECRET}")
    return wire


async def snpp_rate(port: int, seconds: float) -> float:
    """Return pages a second."""
    free: asyncio.Queue[Wire] = asyncio.Queue()
    for _ in range(LINES):
        free.put_nowait(await snpp_line(port))

    async def page() -> None:
        wire = await free.get()
        await wire.say("PAGE callgate")
        await wire.say(f"MESS call +1616977{next(_NUMBERS) % 10000:04}")
        reply = await wire.say("SEND")
        assert reply.startswith("250"), reply
        free.put_nowait(wire)

    return await rate(page, seconds)


async def drip(port: int) -> None:
    """Send an octet now and then and never a line."""
    wire = await Wire.open(port)
    while True:
        wire.writer.write(b"X")
        await asyncio.sleep(DRIP_S)


async def snpp_figures(seconds: float, idle: int) -> dict[str, object]:
    """Measure the listener."""
    settings = SnppSettings(port=0, max_connections=idle + 500, max_connections_per_peer=idle + 500)
    channel = SnppChannel(settings, environment(PagerCore()))
    await channel.start()
    port = int(channel.listening()[0].rpartition(":")[2])
    try:
        alone = await snpp_rate(port, seconds)
        held = [await snpp_line(port) for _ in range(idle)]
        dripping = [asyncio.create_task(drip(port)) for _ in range(DRIPPING)]
        crowded = await snpp_rate(port, seconds)
        alive = [await wire.say("RESE") for wire in held]
        for task in dripping:
            task.cancel()
        await asyncio.gather(*dripping, return_exceptions=True)
        return {
            "pages_per_s": alone,
            "idle_lines": len(held),
            "idle_lines_alive_after": sum(reply.startswith("250") for reply in alive),
            "slow_clients": len(dripping),
            "pages_per_s_with_them": crowded,
        }
    finally:
        await channel.stop()
        await Wire.close_all()


async def wctp_figures(seconds: float) -> dict[str, object]:
    """Measure the endpoint and the codec."""
    channel = WctpChannel(WctpSettings(), environment(PagerCore()))
    app = FastAPI()
    for router in channel.routers():
        app.include_router(router)

    def body() -> bytes:
        return document(operation(replace(SENT, control=Control(str(next(_NUMBERS))))))

    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app), base_url="http://us"
    ) as client:

        async def post() -> None:
            answer = await client.post("/wctp", content=body())
            assert b'successCode="200"' in answer.content

        posted = await rate(post, seconds)
    whole, begun = body(), time.perf_counter()
    count = 2000
    for _ in range(count):
        read_document(whole)
    decoded = count / (time.perf_counter() - begun)
    return {"messages_per_s": posted, "documents_decoded_per_s": round(decoded)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each figure takes")
    parser.add_argument("--idle", type=int, default=2000, help="idle lines to hold")
    options = parser.parse_args()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    figures = {
        "snpp": asyncio.run(snpp_figures(options.seconds, options.idle)),
        "wctp": asyncio.run(wctp_figures(options.seconds)),
    }
    print(json.dumps(figures))  # noqa: T201  (a command line)


if __name__ == "__main__":
    main()
