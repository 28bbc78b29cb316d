"""Acknowledged mails per second, each a call that is committed, beside Postfix in the same run.

    python -m tests.bench.bench_mail [--messages 2000] [--rounds 5]

The load is Postfix's own `smtp-source`: 20 sessions of five senders, 2,048 octets, a connection for
each mail. The address is the number, so every mail is a call, and every 250 stands for a committed
row: of the call, or of the inbox, whose calls are counted before the round ends. `launched_per_s`
is all of it: from the first mail to the last call. `shared` is with `callgate accept` beside
`serve`, on any processor. The phones ring until all is measured. Postfix
takes the same mails in turn and discards them. Server and load run on different processors. Needs
Postfix, and root for it.
"""

import argparse
import contextlib
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tests.support import postfix
from tests.support.dovecot import free_port

SENDERS, SESSIONS, OCTETS = 5, 20, 2_048
NUMBER = "6169779933@gw.example"
START_TIMEOUT_S = 30.0
_LAUNCH_TIMEOUT_S = 120.0
_FLOOR_S = 2.0
_CALLS = "SELECT count(*) FROM calls WHERE channel = 'smtp'"
_SETTINGS = """
[database]
url = "sqlite:///callgate.db"
[http]
port = {http}
[smtp]
port = {smtp}
reuse_port = true
trusted_networks = ["127.0.0.0/8"]
domains = ["gw.example"]
max_connections = 1000
max_connections_per_peer = 1000
[snpp]
enabled = false
[packet]
enabled = false
[simulator]
ports = 1000000
[simulator.default]
ring_s = 3000
[limits]
concurrent_calls = 1000000
daily_spend = 100000000
calls_per_second = 1000000
callee_per_hour = 1000000
destination_block_per_hour = 1000000
first_calls = 0
repeat_window_s = 0
ring_timeout_s = 3600
"""
_SET_UP = (
    "db upgrade",
    "rates load retail deck.csv --currency USD --yes",
    "customer add bench --currency USD --plan prepaid --tariff retail",
    "topup bench 10000000",
    *(
        line
        for each in range(SENDERS)
        for line in (
            f"user add bench u{each} --country US --timezone America/New_York",
            f"phone add u{each} office 212555010{each} --trusted",
            f"sender add u{each} smtp u{each}@demo.example",
        )
    ),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000, help="in each run")
    parser.add_argument("--rounds", type=int, default=5, help="of both, one after the other")
    parser.add_argument("--beside", type=int, default=1, help="processes that accept beside serve")
    options = parser.parse_args()
    if postfix.program("smtp-source") is None or os.getuid() != 0:
        raise SystemExit("needs Postfix (smtp-source) and root")
    with tempfile.TemporaryDirectory() as name:
        world = Path(name)
        set_up(world)
        rounds = [measured(world, options.messages, options.beside) for _ in range(options.rounds)]
    ratios = [each["callgate"] / each["postfix"] for each in rounds]
    figures = {
        "raw_commits_per_s": raw_commits_per_s(),
        "postfix_per_s": _spread([each["postfix"] for each in rounds]),
        "callgate_per_s": _spread([each["callgate"] for each in rounds]),
        "callgate_shared_per_s": _spread([each["shared"] for each in rounds]),
        "launched_per_s": _spread([each["launched"] for each in rounds]),
        "syncs_per_mail": round(statistics.median(each["syncs"] for each in rounds), 3),
        "cpu_ms_to_250": round(statistics.median(each["accept_cpu_ms"] for each in rounds), 2),
        "cpu_ms_to_call": round(statistics.median(each["cpu_ms"] for each in rounds), 2),
        "ratio": round(statistics.median(ratios), 2),
        "ratio_shared": round(
            statistics.median(each["shared"] / each["callgate"] for each in rounds), 2
        ),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


def set_up(folder: Path) -> None:
    """Make the database and the deck that every round begins with."""
    (folder / "callgate.toml").write_text(_SETTINGS.format(smtp=0, http=0), encoding="utf-8")
    deck = "prefix,destination,price_per_minute\n1,USA,0.01\n"
    (folder / "deck.csv").write_text(deck, encoding="utf-8")
    for line in _SET_UP:
        subprocess.run(  # noqa: S603  (our own program)
            [*_callgate(), *line.split()], cwd=folder, check=True, capture_output=True
        )


def measured(world: Path, messages: int, beside: int) -> dict[str, float]:
    """Return one round: mails per second of each, and what a mail costs Callgate."""
    with postfix.running() as port:
        theirs = load(port, messages)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(world, folder) as (process, smtp, http):
            cpu_s, syncs = _cpu_s(process.pid), _syncs(http)
            began = time.perf_counter()
            ours = load(smtp, messages)
            accept_cpu_s, syncs = _cpu_s(process.pid) - cpu_s, _syncs(http) - syncs
            _wait_for_calls(folder, messages)
            launched = messages / (time.perf_counter() - began)
            cpu_s = _cpu_s(process.pid) - cpu_s
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        _, smtp, _ = stack.enter_context(serving(world, folder))
        for each in range(beside):
            stack.enter_context(_accepting(folder, str(each)))
        shared = load(smtp, messages)
        _wait_for_calls(folder, messages)
    return {
        "postfix": theirs,
        "callgate": ours,
        "shared": shared,
        "launched": launched,
        "syncs": syncs / messages,
        "accept_cpu_ms": accept_cpu_s * 1000 / messages,
        "cpu_ms": cpu_s * 1000 / messages,
    }


def load(port: int, messages: int) -> float:
    """Return mails per second that a server on loopback acknowledges."""
    source = postfix.program("smtp-source")
    assert source is not None, "looked for at the start"
    sizes = ["-s", str(SESSIONS // SENDERS), "-l", str(OCTETS), "-m", str(messages // SENDERS)]
    began = time.perf_counter()
    sources = [
        subprocess.Popen(  # noqa: S603  (the load)
            [*_on(1), source, *sizes, "-f", sender, "-t", NUMBER, f"127.0.0.1:{port}"]
        )
        for sender in (f"u{each}@demo.example" for each in range(SENDERS))
    ]
    assert [each.wait() for each in sources] == [0] * SENDERS
    return messages / (time.perf_counter() - began)


@contextlib.contextmanager
def serving(world: Path, folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """Serve a gateway whose limits nothing runs into; yield its process, SMTP and HTTP port."""
    smtp, http = free_port(), free_port()
    text = _SETTINGS.format(smtp=smtp, http=http)
    shutil.copytree(world, folder, dirs_exist_ok=True)
    (folder / "callgate.toml").write_text(text, encoding="utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (our own program)
            [*_on(0), *_callgate(), "serve"], cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait(folder / "log", process)
        yield process, smtp, http
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def _accepting(folder: Path, name: str) -> Iterator[None]:
    """Take mail beside the one that serves."""
    command = [*_callgate(), "accept", name]
    with (folder / f"log-{name}").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (our own program)
            command, cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait(folder / f"log-{name}", process)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _callgate() -> list[str]:
    return [sys.executable, "-m", "gateway.cli"]


def _on(processor: int) -> list[str]:
    return ["taskset", "-c", str(processor)] if (os.cpu_count() or 1) > 1 else []


def _wait(log: Path, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while "smtp://" not in log.read_text(encoding="utf-8"):
        assert process.poll() is None, log.read_text(encoding="utf-8")
        assert time.monotonic() < until, log.read_text(encoding="utf-8")
        time.sleep(0.1)


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _syncs(http: int) -> float:
    """Return how many commits were made durable so far."""
    with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    return sum(float(line.split()[1]) for line in lines if line.startswith("callgate_store_syncs"))


def _wait_for_calls(folder: Path, messages: int) -> None:
    until = time.monotonic() + _LAUNCH_TIMEOUT_S
    with contextlib.closing(sqlite3.connect(folder / "callgate.db")) as connection:
        while connection.execute(_CALLS).fetchone() != (messages,):
            assert time.monotonic() < until, connection.execute(_CALLS).fetchone()
            time.sleep(0.2)


def raw_commits_per_s() -> int:
    """Return how many single-row transactions per second the disk takes with synchronous=FULL."""
    with tempfile.TemporaryDirectory() as name:
        connection = sqlite3.connect(Path(name) / "floor.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT)")
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < _FLOOR_S:
            connection.execute("INSERT INTO row (text) VALUES ('x')")
            done += 1
        connection.close()
    return round(done / _FLOOR_S)


if __name__ == "__main__":
    main()
