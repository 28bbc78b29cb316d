"""What is inside the containers, run: the wheel with compose's environment, on PostgreSQL."""

import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import httpx2
import pytest

from gateway.clocks import WallClock
from gateway.metrics import Metrics
from tests.support.deployment import ROOT, Tree, environment_of, metrics_in, queries, read_compose
from tests.support.kannel import free_port
from tests.support.postgres import fresh_database

BUILD = "import sys; from hatchling.build import build_wheel; print(build_wheel(sys.argv[1]))"
START_S = 40


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, unpacked."""
    folder = tmp_path_factory.mktemp("deploy")
    built = subprocess.run(  # noqa: S603  (a constant program)
        [sys.executable, "-c", BUILD, str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    with zipfile.ZipFile(folder / built.stdout.split()[-1]) as packed:
        packed.extractall(folder / "site")
    return folder / "site"


class Process:
    """One service of compose as a plain process: its environment, another address."""

    def __init__(self, site: Path, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        kept = {name: v for name, v in os.environ.items() if not name.startswith("CALLGATE_")}
        self._environment = kept | environment | {"PYTHONPATH": str(site)}

    def popen(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command of it."""
        return subprocess.Popen(  # noqa: S603  (our own program)
            [sys.executable, "-c", "from gateway.cli import main; main()", *words],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *words: str) -> str:
        """Run a command of it to its end, which must be a good one."""
        process = self.popen(*words)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        return said


def on_loopback(environment: dict[str, str], url: str, port: int) -> dict[str, str]:
    """Return an environment with this machine's addresses instead of the containers'."""
    hosts = {name: "127.0.0.1" for name, value in environment.items() if value == "0.0.0.0"}  # noqa: S104  (compared)
    ports = {name.replace("__HOST", "__PORT"): str(free_port()) for name in hosts}
    return (
        environment
        | hosts
        | ports
        | {"CALLGATE_DATABASE__URL": url, "CALLGATE_HTTP__PORT": str(port)}
    )


@pytest.mark.postgres
@pytest.mark.timeout(180)
def test_a_gateway_of_compose_upgrades_serves_is_ready_and_drains(
    site: Path, tmp_path: Path, postgres_server: str
) -> None:
    """From the wheel, on PostgreSQL; every queried metric is there; SIGTERM ends it well."""
    with fresh_database(postgres_server) as url:
        port = free_port()
        services = read_compose()["services"]
        migrate = on_loopback(environment_of(services["migrate"]), url, port)
        assert "revision" in Process(site, tmp_path, migrate).run(*services["migrate"]["command"])
        gateway = on_loopback(environment_of(services["gateway1"]), url, port)
        process = Process(site, tmp_path, gateway).popen("serve")
        try:
            ready = until_ready(f"http://127.0.0.1:{port}", process)
            assert ready["status"] == "ready"
            there = set(re.findall(r"^# TYPE (\w+)", metrics_of(port), re.MULTILINE))
            asked = {name for query in queries() for name in metrics_in(query)}
            plain = {re.sub(r"_(bucket|sum|count|total)$", "", name) for name in asked}
            there |= {name.removesuffix("_total") for name in there}
            assert plain - there == set()
            assert Process(site, tmp_path, gateway).run("ledger", "verify")
        finally:
            process.send_signal(signal.SIGTERM)
            said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said


def metrics_of(port: int) -> str:
    """Return what Prometheus would read."""
    return httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text


def until_ready(url: str, process: "subprocess.Popen[str]") -> Tree:
    """Wait until the gateway may get work."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        assert process.poll() is None, process.communicate()[0]
        try:
            answer = httpx2.get(f"{url}/readyz", timeout=5)
        except httpx2.HTTPError:
            time.sleep(0.1)
            continue
        if answer.status_code == 200:
            found: Tree = answer.json()
            return found
        time.sleep(0.1)
    pytest.fail("the gateway did not get ready")


def test_figures_exist_before_anything_was_counted() -> None:
    """A dashboard that is opened on the first day is not full of errors."""
    text = Metrics(WallClock()).text().decode()
    assert "callgate_commit_seconds" in text
