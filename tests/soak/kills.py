"""`python -m tests.soak.kills --kills N --database sqlite|postgres`: kill -9 at random moments.

A real `callgate serve` on the simulator takes mail and API requests from clients that send again
whatever was not acknowledged. It is killed, also while it starts and looks at what the one before
left, and started again. At the end every call is let end, and the store is compared with the
clients' list.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway import logs
from gateway.clocks import WallClock
from gateway.mailbox import Mailbox
from gateway.settings_sections import LogSettings
from gateway.wiring import open_core
from tests.soak import serving
from tests.soak.books import Compared, calls_alive, compare
from tests.soak.clients import PAUSE_S, Clients
from tests.soak.site import Site, make_site
from tests.support import postgres

CLIENTS_OF_EACH = 3
EARLY_SHARE = 0.3  # of the kills are timed from the start, the others from the first answer
LONGEST_LIFE_S = 0.6  # after the first answer
SETTLE_S = 180
_KILLED = -9
_BAD_LINES = ('"level": "error"', '"level":"error"', '"level": "critical"', "Traceback")


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of kills came to.

    Attributes:
        start_s: until a start answers, measured on the first.
        early_kills: those that hit a process before it could answer.
        failures: what clients were told instead of an acknowledgement.
        errors: lines of the log that tell of a defect.
    """

    seed: int
    kills: int
    early_kills: int
    seconds: float
    start_s: float
    acknowledged: int
    repeated: int
    failures: dict[str, int]
    compared: Compared
    errors: list[str]
    wrong_answers: list[str]

    @property
    def good(self) -> bool:
        """Whether nothing at all was wrong."""
        return not (self.compared.wrong or self.errors or self.wrong_answers)


async def run(
    folder: Path, database: str, kills: int, *, seed: int, how: serving.Start = "fork",
    pause_s: float = PAUSE_S,
) -> Report:  # fmt: skip
    """Kill a gateway so many times, then let it finish and look at everything."""
    rng = random.Random(seed)  # noqa: S311  (repeatable, guards nothing)
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    began = time.monotonic()
    try:
        site = await make_site(folder, database, relay_port)
        start_s = await _first_start(site, how)
        clients = Clients(site, random.Random(seed), pause_s)  # noqa: S311  (as above)
        clients.start(CLIENTS_OF_EACH)
        early = 0
        for number in range(kills):
            before_answer = rng.random() < EARLY_SHARE
            life_s = rng.uniform(0, 1.2 * start_s if before_answer else LONGEST_LIFE_S)
            early += await _life(site, how, life_s, before_answer=before_answer)
            if (number + 1) % 50 == 0:
                _progress(number + 1, began, clients)
        compared = await _settled(site, how, clients)
    finally:
        await mailbox.stop()
    tally = clients.tally
    return Report(
        seed, kills, early, round(time.monotonic() - began, 1), round(start_s, 2),
        len(tally.acknowledged), tally.repeated, dict(tally.failures), compared,
        _errors(folder), tally.wrong,
    )  # fmt: skip


async def _first_start(site: Site, how: serving.Start) -> float:
    """Return how long a start takes; the first of all loads the modules, the second counts."""
    taken = 0.0
    for _ in range(2):
        process = serving.start(site.config, how)
        began = time.monotonic()
        await answering(site, process)
        taken = time.monotonic() - began
        await asyncio.to_thread(process.kill)
    return taken


async def answering(site: Site, process: serving.Serving) -> None:
    """Return when the process takes requests.

    Raises:
        AssertionError: it ended instead.
    """
    while not await _answers(site):
        assert process.status is None, f"serve ended with {process.status}: {last_words(site)}"
        await asyncio.sleep(0.01)


def last_words(site: Site) -> str:
    """Return the end of the log."""
    return (site.config.parent / serving.LOG).read_text(encoding="utf-8")[-2_000:]


async def _answers(site: Site) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", site.ports["http"])
    except OSError:
        return False
    writer.close()
    return True


async def _life(site: Site, how: serving.Start, life_s: float, *, before_answer: bool) -> bool:
    """Start, kill after so long; return whether it could not answer yet."""
    process = serving.start(site.config, how)
    if not before_answer:
        await answering(site, process)
    await asyncio.sleep(life_s)
    early = before_answer and not await _answers(site)
    status = await asyncio.to_thread(process.kill)
    assert status == _KILLED, f"serve ended by itself with {status}: {last_words(site)}"
    return early


async def _settled(site: Site, how: serving.Start, clients: Clients) -> Compared:
    """Let one more process finish everything, let it drain, and compare."""
    process = serving.start(site.config, how)
    await answering(site, process)
    await clients.stop()
    settings = site.settings()
    async with asyncio.timeout(SETTLE_S), open_core(settings, drive=False) as core:
        while await calls_alive(core):  # noqa: ASYNC110  (another process does it)
            await asyncio.sleep(0.1)
    status = await asyncio.to_thread(process.stop)
    assert status == 0, f"serve did not drain: {status}"
    async with open_core(settings) as core:
        return await compare(core, clients.tally.acknowledged)


def _errors(folder: Path) -> list[str]:
    lines = (folder / serving.LOG).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if any(bad in line for bad in _BAD_LINES)]


def _progress(done: int, began: float, clients: Clients) -> None:
    acknowledged = len(clients.tally.acknowledged)
    sys.stderr.write(
        f"{done} kills, {acknowledged} acknowledged, {time.monotonic() - began:.0f} s\n"
    )
    sys.stderr.flush()


@contextlib.contextmanager
def database_of(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a database of the kind, for as long as it is needed."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'callgate.db'}"
        return
    os.environ.setdefault("CALLGATE_TEST_REQUIRE", "postgres")
    with postgres.running_server() as server, postgres.fresh_database(server) as url:
        yield url


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print the report; the exit status is 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--start", choices=("fork", "exec"), default="fork")
    asked = parser.parse_args(arguments)
    logs.configure(LogSettings(level="warning"))
    sys.stderr.write(f"seed {asked.seed}\n")
    with tempfile.TemporaryDirectory(prefix="callgate-kills-") as name:
        folder = Path(name)
        with database_of(asked.database, folder) as url:
            report = asyncio.run(
                run(folder / "site", url, asked.kills, seed=asked.seed, how=asked.start)
            )
    sys.stdout.write(json.dumps(asdict(report), indent=1) + "\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
