"""The IMAP channel's figures against a real Dovecot on loopback. Prints one JSON object.

    python -m tests.bench.bench_imap [--mails 200] [--pushes 20]

The floors are what a bare client does on the same server: how long after APPEND it is told of a new
mail in IDLE (Dovecot itself waits half a second), and how many mails a second it fetches and moves.
The core is one in memory, so the figures are the channel's and the server's alone.
"""

import argparse
import asyncio
import json
import statistics
import time

from imapclient import IMAPClient

from tests.integration.imap_support import mailbox, reading
from tests.integration.smtp_support import Core, mail
from tests.support import dovecot
from tests.support.dovecot import PASSWORD, Dovecot

PAUSE_S = 0.1


def fill(server: Dovecot, mails: int, user: str) -> None:
    """Put mails into the folder."""
    with server.client(user) as client:
        for number in range(mails):
            client.append("INBOX", mail(message_id=f"<{user}{number}@x.example>"))


def bare_push_ms(server: Dovecot, pushes: int) -> float:
    """Return the median from the end of APPEND to EXISTS at a client in IDLE."""
    took: list[float] = []
    with (
        IMAPClient("127.0.0.1", server.port, ssl=False) as idle,
        server.client("bare") as sender,
    ):
        idle.login("bare", PASSWORD)
        idle.select_folder("INBOX")
        for number in range(pushes):
            idle.idle()
            time.sleep(PAUSE_S)
            sender.append("INBOX", mail(message_id=f"<bare{number}@x.example>"))
            begun = time.perf_counter()
            while not any(each[1:] == (b"EXISTS",) for each in idle.idle_check(5)):
                pass
            took.append(time.perf_counter() - begun)
            idle.idle_done()
    return statistics.median(took) * 1000


def bare_mails_per_second(server: Dovecot, mails: int) -> float:
    """Return how many mails a client fetches and moves, one by one."""
    fill(server, mails, "floor")
    with server.client("floor") as client:
        client.create_folder("Done")
        client.select_folder("INBOX")
        begun = time.perf_counter()
        for uid in client.search("ALL"):
            client.fetch([uid], ["BODY.PEEK[]"])
            client.move([uid], "Done")
        return mails / (time.perf_counter() - begun)


async def push_ms(server: Dovecot, pushes: int) -> float:
    """Return the median from the end of APPEND to the request at the core."""
    core, took = Core(), []
    async with reading(core, mailbox(server.port, username="push")):
        with server.client("push") as client:
            for number in range(pushes):
                await asyncio.sleep(PAUSE_S)
                content = mail(message_id=f"<push{number}@x.example>")
                await asyncio.to_thread(client.append, "INBOX", content)
                begun = time.perf_counter()
                while len(core.requests) <= number:  # noqa: ASYNC110  (measures)
                    await asyncio.sleep(0.0005)
                took.append(time.perf_counter() - begun)
    return statistics.median(took) * 1000


async def mails_per_second(server: Dovecot, mails: int) -> float:
    """Return how many waiting mails are handled and moved away."""
    await asyncio.to_thread(fill, server, mails, "calls")
    core = Core()
    begun = time.perf_counter()
    async with reading(core, mailbox(server.port)):
        while len(core.requests) < mails:  # noqa: ASYNC110  (measures)
            await asyncio.sleep(0.002)
        return mails / (time.perf_counter() - begun)


async def stop_ms(server: Dovecot) -> float:
    """Return how long an idle mailbox takes to stop."""
    async with reading(Core(), mailbox(server.port, username="stop")) as channel:
        await asyncio.sleep(0.5)
        begun = time.perf_counter()
        await channel.stop()
        return (time.perf_counter() - begun) * 1000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mails", type=int, default=200)
    parser.add_argument("--pushes", type=int, default=20)
    options = parser.parse_args()
    with dovecot.running() as server:
        figures = {
            "bare_push_ms": bare_push_ms(server, options.pushes),
            "push_to_core_ms": asyncio.run(push_ms(server, options.pushes)),
            "bare_mails_per_second": bare_mails_per_second(server, options.mails),
            "mails_per_second": asyncio.run(mails_per_second(server, options.mails)),
            "idle_stop_ms": asyncio.run(stop_ms(server)),
        }
    print(json.dumps({name: round(value, 1) for name, value in figures.items()}))  # noqa: T201  (its only output)


if __name__ == "__main__":
    main()
