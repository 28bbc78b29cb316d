"""How many micro pages are made in a second, without sockets: the cost of ours alone."""

import asyncio
import json
import sys
import time

from tests.support.micro import DEVICES, handset_before, plain_core

PAGES = 1500


async def pages_per_second(kind: str) -> float:
    """Return how many directory pages of two names one process answers in a second."""
    async with handset_before(plain_core(), kind) as handset:
        await handset.enter()
        data = {"b": "dir:", "s": handset.state}
        begun = time.perf_counter()
        for _ in range(PAGES):
            answer = await handset.client.post(handset.path, data=data, headers=handset.headers)
            assert answer.status_code == 200
        return PAGES / (time.perf_counter() - begun)


def main() -> None:
    """Print the figures as JSON."""
    figures = {kind: round(asyncio.run(pages_per_second(kind))) for kind in DEVICES}
    json.dump({"micro_pages_per_second": figures}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
