"""Acknowledged mails per second, each a call that is committed, beside Postfix in the same run.

    python -m tests.bench.bench_mail [--messages 2000] [--rounds 5]

The load is Postfix's own `smtp-source`: 20 sessions, 2,048 octets, a connection for each mail. The
address is the number, so every 250 stands for a committed call with holds, parties and legs; the
phones ring until all is measured. Postfix takes the same mails in turn and discards them. Server
and load run on different processors. Needs Postfix, and root for it.
"""

import argparse
import contextlib
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support import postfix
from tests.support.dovecot import free_port

SESSIONS, OCTETS = 20, 2_048
NUMBER, SENDER = "6169779933@gw.example", "ada@demo.example"
START_TIMEOUT_S = 30.0
_FLOOR_S = 2.0
_SETTINGS = """
[database]
url = "sqlite:///callgate.db"
[http]
port = {http}
[smtp]
port = {smtp}
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
    "user add bench ada --country US --timezone America/New_York",
    "phone add ada office 2125550100 --trusted",
    f"sender add ada smtp {SENDER}",
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=2000, help="in each run")
    parser.add_argument("--rounds", type=int, default=5, help="of both, one after the other")
    options = parser.parse_args()
    if postfix.program("smtp-source") is None or os.getuid() != 0:
        raise SystemExit("needs Postfix (smtp-source) and root")
    rounds = [measured(options.messages) for _ in range(options.rounds)]
    ratios = [each["callgate"] / each["postfix"] for each in rounds]
    figures = {
        "raw_commits_per_s": raw_commits_per_s(),
        "postfix_per_s": _spread([each["postfix"] for each in rounds]),
        "callgate_per_s": _spread([each["callgate"] for each in rounds]),
        "fsyncs_per_mail": round(statistics.median(each["fsyncs"] for each in rounds), 3),
        "cpu_ms_per_mail": round(statistics.median(each["cpu_ms"] for each in rounds), 2),
        "ratio": round(statistics.median(ratios), 2),
    }
    sys.stdout.write(json.dumps(figures) + "\n")


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} ({min(values):.0f}-{max(values):.0f})"


def measured(messages: int) -> dict[str, float]:
    """Return one round: mails per second of both, and what a mail costs Callgate."""
    with postfix.running() as port:
        theirs = load(port, messages)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with serving(folder) as (process, port):
            before = _cpu_s(process.pid)
            ours = load(port, messages)
            cpu_s = _cpu_s(process.pid) - before
            fsyncs = _commits(folder)
        committed = _calls(folder)
    assert committed == messages, (committed, messages)
    return {
        "postfix": theirs,
        "callgate": ours,
        "fsyncs": fsyncs / messages,
        "cpu_ms": cpu_s * 1000 / messages,
    }


def load(port: int, messages: int) -> float:
    """Return mails per second that a server on loopback acknowledges."""
    source = postfix.program("smtp-source")
    assert source is not None, "looked for at the start"
    sizes = ["-s", str(SESSIONS), "-l", str(OCTETS), "-m", str(messages)]
    began = time.perf_counter()
    subprocess.run(  # noqa: S603  (the load)
        [*_on(1), source, *sizes, "-f", SENDER, "-t", NUMBER, f"127.0.0.1:{port}"], check=True
    )
    return messages / (time.perf_counter() - began)


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Serve a gateway whose limits nothing runs into; yield its process and SMTP port."""
    smtp, http = free_port(), free_port()
    text = _SETTINGS.format(smtp=smtp, http=http)
    (folder / "callgate.toml").write_text(text, encoding="utf-8")
    deck = "prefix,destination,price_per_minute\n1,USA,0.01\n"
    (folder / "deck.csv").write_text(deck, encoding="utf-8")
    for line in _SET_UP:
        subprocess.run(  # noqa: S603  (our own program)
            [*_callgate(), *line.split()], cwd=folder, check=True, capture_output=True
        )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  (our own program)
            [*_on(0), *_callgate(), "serve"], cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait(folder / "log", process)
        yield process, smtp
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


def _commits(folder: Path) -> float:
    """Return how many transactions were committed: pages in the log that end one."""
    log = (folder / "callgate.db-wal").read_bytes()
    size = int.from_bytes(log[8:12], "big")
    return sum(
        int.from_bytes(log[at + 4 : at + 8], "big") != 0 for at in range(32, len(log), size + 24)
    )


def _calls(folder: Path) -> int:
    with contextlib.closing(sqlite3.connect(folder / "callgate.db")) as connection:
        row = connection.execute("SELECT count(*) FROM calls WHERE channel = 'smtp'").fetchone()
    return int(row[0])


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
