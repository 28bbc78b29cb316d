"""`python -m tests.soak.faults FAULT --seconds N`: what a running `serve` may be denied.

    disk      the database's file system is full (needs root: a small tmpfs is mounted)
    lock      another process holds SQLite's lock
    postgres  every process of the PostgreSQL server is stopped
    clock     the machine's clock jumps an hour forwards, and back

Peers may only be told to come back later; afterwards everything goes on without a hand, nothing is
lost or doubled, and a call for later rings once.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateway import logs
from gateway.clocks import WallClock
from gateway.mailbox import Mailbox
from gateway.settings_sections import LogSettings
from gateway.wiring import open_core
from tests.soak import serving
from tests.soak.books import Compared, calls_alive, compare, unfinished
from tests.soak.clients import Asked, Clients, post_command
from tests.soak.kills import SETTLE_S, answering, database_of
from tests.soak.site import Site, make_site

ENOUGH = 8  # acknowledgements that show that it works
RECOVER_S = 60
DISK_MB = 12
HOUR_MS = 3_600_000
SCHEDULED = 5
Harm = Callable[["Gateway"], AbstractAsyncContextManager[None]]


class Gateway:
    """A site and the process that serves it.

    Attributes:
        clock: what is added to its time, in milliseconds, as a file.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.clock = site.config.parent / "clock"
        self.set_clock(0)
        self.process = serving.start(site.config, clock=self.clock)

    async def kill_and_start(self) -> None:
        """Let another process go on."""
        await asyncio.to_thread(self.process.kill)
        self.process = serving.start(self.site.config, clock=self.clock)
        await answering(self.site, self.process)

    def set_clock(self, offset_ms: int) -> None:
        """Set its clock wrong, in one step: the file is read all the time."""
        new = self.clock.with_suffix(".new")
        new.write_text(str(offset_ms), encoding="ascii")
        new.replace(self.clock)


@dataclass(frozen=True, slots=True)
class FaultReport:
    """What one fault came to.

    Attributes:
        failures: what peers were told instead of an acknowledgement, while it lasted.
        recovered_s: from its end to so many further acknowledgements.
        acknowledged: in the whole run.
        wrong: answers that must not be.
    """

    fault: str
    seed: int
    failures: dict[str, int]
    recovered_s: float
    acknowledged: int
    wrong: list[str]
    compared: Compared

    @property
    def good(self) -> bool:
        """Whether nothing at all was wrong."""
        return not (self.wrong or self.compared.wrong)


async def run(
    folder: Path, database: str, fault: str, harm: Harm, seconds: float, *, seed: int
) -> FaultReport:
    """Do harm to a working gateway for so long, let it recover and finish, and look."""
    loop = asyncio.get_running_loop()
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    try:
        site = await make_site(folder, database, relay_port)
        gateway = Gateway(site)
        await answering(site, gateway.process)
        rng = random.Random(seed)  # noqa: S311  (repeatable, guards nothing)
        clients = Clients(site, rng, dated=fault != "clock")
        clients.start(2)
        clients.start_pager()
        await _more(clients, gateway)
        await _schedule(site, clients)
        clients.tally.failures.clear()
        async with harm(gateway):
            await asyncio.sleep(seconds)
            failures = dict(clients.tally.failures)
        ended = loop.time()
        await _more(clients, gateway)
        recovered_s = loop.time() - ended
        await clients.stop()
        compared = await _finished(gateway, clients, clock=fault == "clock")
    finally:
        await mailbox.stop()
    tally = clients.tally
    return FaultReport(
        fault, seed, failures, round(recovered_s, 1), len(tally.acknowledged), tally.wrong, compared
    )


async def _more(clients: Clients, gateway: Gateway) -> None:
    """Return when enough has been acknowledged since now, by every kind of client."""
    before = Counter(each.channel for each in clients.tally.acknowledged.values())
    async with asyncio.timeout(RECOVER_S):
        while True:
            now = Counter(each.channel for each in clients.tally.acknowledged.values())
            if all(now[name] - before[name] >= ENOUGH for name in ("api", "smtp")):
                return
            status = gateway.process.status
            assert status is None, f"serve ended with {status}"
            await asyncio.sleep(0.05)


async def _schedule(site: Site, clients: Clients) -> None:
    """Ask for calls some simulated minutes from now: due during the fault and after it."""
    for minutes in range(1, SCHEDULED + 1):
        number = f"+4420799900{minutes:02}"
        kind, reply = await post_command(site, Asked(f"later-{minutes}", number, ""), minutes)
        assert kind == "done", reply
        clients.scheduled.append(number)


async def _finished(gateway: Gateway, clients: Clients, *, clock: bool) -> Compared:
    settings = gateway.site.settings()
    # A message that was tried in vain holds back those behind it, for minutes; that is its right.
    left = unfinished if clock else calls_alive
    async with asyncio.timeout(SETTLE_S), open_core(settings, drive=False) as core:
        while await left(core):  # noqa: ASYNC110  (another process does it)
            await asyncio.sleep(0.1)
    status = await asyncio.to_thread(gateway.process.stop)
    assert status == 0, f"serve did not drain: {status}"
    async with open_core(settings) as core:
        return await compare(core, clients.tally.acknowledged, clients.scheduled)


# --- harm ---------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small file system of its own within the context.

    Raises:
        PermissionError: it cannot be mounted here.
    """
    folder.mkdir()
    mount = shutil.which("mount") or "mount"
    command = [mount, "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder)]
    done = subprocess.run(command, check=False, capture_output=True)  # noqa: S603  (fixed words)
    if done.returncode:
        raise PermissionError(done.stderr.decode().strip())
    try:
        yield folder
    finally:
        umount = shutil.which("umount") or "umount"
        subprocess.run([umount, "-l", str(folder)], check=True)  # noqa: S603  (as above)


def full_disk(disk: Path) -> Harm:
    """Return the harm of filling a file system to the last octet."""

    @asynccontextmanager
    async def harm(_gateway: Gateway) -> AsyncIterator[None]:
        filler = disk / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for block in (65_536, 4_096, 1):
                with contextlib.suppress(OSError):
                    while file.write(bytes(block)):
                        pass
        yield
        filler.unlink()

    return harm


@asynccontextmanager
async def held_lock(gateway: Gateway) -> AsyncIterator[None]:
    """Hold SQLite's write lock, as a careless backup would."""
    file = gateway.site.settings().database_file()
    assert file is not None
    with contextlib.closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@asynccontextmanager
async def stopped_postgres(gateway: Gateway) -> AsyncIterator[None]:
    """Stop every process of the server, and let them go on."""
    query = parse_qs(urlsplit(gateway.site.settings().database.url).query)
    pid_file = Path(query["host"][0]) / "postmaster.pid"
    postmaster = int(pid_file.read_text(encoding="ascii").splitlines()[0])
    stopped = [postmaster]
    os.kill(postmaster, signal.SIGSTOP)
    for child in _children(postmaster):
        os.kill(child, signal.SIGSTOP)
        stopped.append(child)
    try:
        yield
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)


def _children(parent: int) -> Iterator[int]:
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            pid, _, rest = stat.read_text(encoding="utf-8").partition(" ")
            if int(rest.rpartition(")")[2].split()[1]) == parent:
                yield int(pid)


@asynccontextmanager
async def jumping_clock(gateway: Gateway) -> AsyncIterator[None]:
    """Set the clock an hour ahead, right, an hour back and right again, with a kill at each."""
    gateway.set_clock(HOUR_MS)
    yield
    for offset_ms in (HOUR_MS, 0, -HOUR_MS, 0):
        gateway.set_clock(offset_ms)
        await asyncio.sleep(1)
        await gateway.kill_and_start()


# --- the command line ---------------------------------------------------------------------------


@contextmanager
def prepared(fault: str, folder: Path) -> Iterator[tuple[str, Harm]]:
    """Yield the database's URL and the harm."""
    if fault == "disk":
        with small_disk(folder / "disk") as disk:
            yield f"sqlite:///{disk / 'callgate.db'}", full_disk(disk)
        return
    kind = "postgres" if fault == "postgres" else "sqlite"
    harm = {"lock": held_lock, "postgres": stopped_postgres, "clock": jumping_clock}[fault]
    with database_of(kind, folder) as url:
        yield url, harm


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print the report; the exit status is 0 when nothing was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("fault", choices=("disk", "lock", "postgres", "clock"))
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    asked = parser.parse_args(arguments)
    logs.configure(LogSettings(level="warning"))
    with tempfile.TemporaryDirectory(prefix="callgate-faults-") as name:
        folder = Path(name)
        with prepared(asked.fault, folder) as (url, harm):
            report = asyncio.run(
                run(folder / "site", url, asked.fault, harm, asked.seconds, seed=asked.seed)
            )
    sys.stdout.write(json.dumps(asdict(report), indent=1) + "\n")
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
