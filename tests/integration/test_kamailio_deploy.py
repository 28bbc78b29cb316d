"""The shipped Kamailio configuration, run: calls are shared, a dead Asterisk is passed over."""

import select
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.deployment import DEPLOY

pytestmark = pytest.mark.timeout(60)
BYTES = 65_535
WAIT_S = 20.0


class Asterisk:
    """As much of an Asterisk as Kamailio sees: answers OPTIONS, takes INVITEs."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.asked: Counter[str] = Counter()
        self._running = True
        self._thread = threading.Thread(target=self._answer)
        self._thread.start()

    def _answer(self) -> None:
        while self._running:
            if not select.select([self._socket], [], [], 0.1)[0]:
                continue
            message, sender = self._socket.recvfrom(BYTES)
            text = message.decode()
            method = text.split(" ", 1)[0]
            self.asked[method] += 1
            if method in ("OPTIONS", "INVITE"):
                self._socket.sendto(answer(text).encode(), sender)

    def stop(self) -> None:
        """Be gone."""
        self._running = False
        self._thread.join()
        self._socket.close()


def answer(request: str) -> str:
    """Return a 200 to a request: its own headers, and a tag."""
    kept = [
        line
        for line in request.split("\r\n")
        if line.lower().startswith(("via:", "from:", "to:", "call-id:", "cseq:", "record-route:"))
    ]
    tagged = [f"{line};tag=asterisk" if line.lower().startswith("to:") else line for line in kept]
    return "\r\n".join(["SIP/2.0 200 OK", *tagged, "Content-Length: 0", "", ""])


class Carrier:
    """Sends requests as a carrier does."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._sent = 0

    def ask(self, method: str, wait_s: float = WAIT_S) -> int:
        """Send one request; return the status of its final answer, 0 for none."""
        self._sent += 1
        mine = self._socket.getsockname()[1]
        lines = [
            f"{method} sip:+12025550143@127.0.0.1:{self._port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{mine};branch=z9hG4bK{self._sent}",
            "Max-Forwards: 70",
            f"From: <sip:+442079460018@127.0.0.1:{mine}>;tag=carrier",
            f"To: <sip:+12025550143@127.0.0.1:{self._port}>",
            f"Call-ID: call-{self._sent}@carrier",
            f"CSeq: 1 {method}",
            f"Contact: <sip:carrier@127.0.0.1:{mine}>",
            "Content-Length: 0",
            "",
            "",
        ]
        self._socket.sendto("\r\n".join(lines).encode(), ("127.0.0.1", self._port))
        end = time.monotonic() + wait_s
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._socket], [], [], left)[0]:
                break
            status = int(self._socket.recv(BYTES).decode().split(" ", 2)[1])
            if status >= 200:
                return status
        return 0

    def close(self) -> None:
        """Be gone."""
        self._socket.close()


@pytest.fixture
def asterisks() -> Iterator[list[Asterisk]]:
    """Two of them."""
    made = [Asterisk(), Asterisk()]
    yield made
    for each in made:
        each.stop()


@pytest.fixture
def carrier(asterisks: list[Asterisk], tmp_path: Path) -> Iterator[Carrier]:
    """A carrier whose calls go to Kamailio with the shipped configuration."""
    program = shutil.which("kamailio")
    if program is None:
        pytest.skip("needs kamailio (deploy/peers/install)")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rows = [f"1 sip:127.0.0.1:{each.port} 0 0 weight=50\n" for each in asterisks]
    file = tmp_path / "dispatcher.list"
    file.write_text("".join(rows), encoding="utf-8")
    command = [program, "-DD", "-E", "-m", "32", "-M", "4", "-Y", str(tmp_path)]
    command += ["-f", str(DEPLOY / "kamailio/kamailio.cfg")]
    command += ["-A", f"LISTEN=udp:127.0.0.1:{port}", "-A", f'DISPATCHERS="{file}"']
    log = tmp_path / "log"
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:  # noqa: S603  (a peer of ours)
        made = Carrier(port)
        try:
            yield made
        finally:
            made.close()
            process.terminate()


def until_ready(carrier: Carrier) -> None:
    """Wait until Kamailio answers."""
    end = time.monotonic() + WAIT_S
    while time.monotonic() < end:
        if carrier.ask("OPTIONS", 0.2) == 200:
            return
    pytest.fail("kamailio did not answer")


def test_calls_are_shared_and_go_on_without_one(
    asterisks: list[Asterisk], carrier: Carrier
) -> None:
    """Both get some; when one is gone, every call is answered by the other."""
    until_ready(carrier)
    assert [carrier.ask("INVITE") for _ in range(12)] == [200] * 12
    shared = [each.asked["INVITE"] for each in asterisks]
    assert min(shared) > 0
    asterisks[0].stop()
    assert [carrier.ask("INVITE") for _ in range(3)] == [200] * 3
    assert asterisks[1].asked["INVITE"] >= shared[1] + 3


def test_only_calls_come_in(asterisks: list[Asterisk], carrier: Carrier) -> None:
    """No registration, no message: nobody signs in here."""
    until_ready(carrier)
    assert carrier.ask("REGISTER") == 405
    assert carrier.ask("MESSAGE") == 405
    assert [each.asked["REGISTER"] for each in asterisks] == [0, 0]
