"""Real Kannel on loopback: bearerbox and smsbox with the shipped configuration, and fakesmsc.

with running(tmp_path, app_port) as kannel:
    with kannel.telephone("+12125550101 12345 text call mom") as telephone:
        telephone.wait_for_texts(1)
"""

import contextlib
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

BEARERBOX = Path("/usr/sbin/bearerbox")
SMSBOX = Path("/usr/sbin/smsbox")
FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
SHIPPED = Path(__file__).parents[2] / "deploy" / "kannel"
SECRET = "secret-of-the-path"
PASSWORD = "secret-of-sendsms"
START_S = 10.0
SETTLE_S = 0.3  # smsbox listens a moment before bearerbox counts it among those who get messages
_NONE = ("1 1 text none",)  # it wants one even when it shall send none
_GOT = re.compile(r"Got message \d+: <(\S+) (\S+) (text|ucs-2|udh|data) (.*)>$")


def skip_without_kannel() -> None:
    """Skip where Kannel or its fake message centre is not installed."""
    if not all(each.exists() for each in (BEARERBOX, SMSBOX, FAKESMSC)):
        pytest.skip("needs kannel and kannel-extras (deploy/peers/install)")


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def configure(folder: Path, changes: Mapping[str, str], centre: str = "smsc-fake.conf") -> Path:
    """Copy the shipped configuration, each of `changes` found in it and replaced.

    Raises:
        AssertionError: something to be changed is not there.
    """
    text = (SHIPPED / "kannel.conf").read_text(encoding="utf-8")
    smsc = (SHIPPED / centre).read_text(encoding="utf-8")
    for old, new in changes.items():
        assert old in text or old in smsc, old
        text, smsc = text.replace(old, new), smsc.replace(old, new)
    (folder / "smsc.conf").write_text(smsc, encoding="utf-8")
    file = folder / "kannel.conf"
    file.write_text(text, encoding="utf-8")
    return file


@dataclass
class Telephone:
    """A fakesmsc: sends its message, and shows what is sent to it."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def texts(self) -> list[tuple[str, str, str]]:
        """Return what has arrived: `(from, to, text)`."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        found = (_GOT.search(line) for line in lines)
        return [(each[1], each[2], each[4]) for each in found if each]

    def wait_for_texts(self, count: int, seconds: float = 15.0) -> list[tuple[str, str, str]]:
        """Return the texts once there are so many; fewer when time is up."""
        until = time.monotonic() + seconds
        while len(self.texts()) < count and time.monotonic() < until:
            time.sleep(0.05)
        return self.texts()


@dataclass
class Kannel:
    """Both boxes, running."""

    folder: Path
    centre_port: int
    sendsms_url: str
    boxes: list["subprocess.Popen[bytes]"] = field(default_factory=list)
    _telephones: int = 0

    @contextlib.contextmanager
    def telephone(
        self, *messages: str, count: int = 1, pause_s: float = 0, quiet: bool = False
    ) -> Iterator[Telephone]:
        """Send messages, and stay on the line for answers; `quiet` shows none of them."""
        self._telephones += 1
        log = self.folder / f"telephone{self._telephones}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  (the peer)
                [
                    str(FAKESMSC),
                    *("-H", "127.0.0.1", "-r", str(self.centre_port), "-v", "3" if quiet else "0"),
                    *("-m", str(count), "-i", str(pause_s), *(messages or _NONE)),
                ],
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                yield Telephone(process, log)
            finally:
                _end(process)

    def log(self) -> str:
        """Return what both boxes have written."""
        files = sorted(self.folder.glob("*box.log"))
        return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)


@contextlib.contextmanager
def running(
    folder: Path,
    app_port: int,
    *,
    centre: str = "smsc-fake.conf",
    changes: Mapping[str, str] | None = None,
) -> Iterator[Kannel]:
    """Run bearerbox and smsbox as shipped, but for ports, paths and secrets."""
    skip_without_kannel()
    admin, boxes, sendsms, smsc = (free_port() for _ in range(4))
    (folder / "spool").mkdir(exist_ok=True)
    file = configure(
        folder,
        {
            "admin-port = 13000": f"admin-port = {admin}",
            "smsbox-port = 13001": f"smsbox-port = {boxes}",
            "sendsms-port = 13013": f"sendsms-port = {sendsms}",
            "127.0.0.1:8080": f"127.0.0.1:{app_port}",
            "CHANGE-SECRET": SECRET,
            "CHANGE-PASSWORD": PASSWORD,
            "/var/log/kannel": str(folder),
            "/var/spool/kannel": str(folder / "spool"),
            "/etc/kannel/smsc.conf": str(folder / "smsc.conf"),
            "http-queue-delay = 10": "http-queue-delay = 1",
            **({"port = 10000": f"port = {smsc}"} if centre == "smsc-fake.conf" else {}),
            **(changes or {}),
        },
        centre,
    )
    made = Kannel(folder, smsc, f"http://127.0.0.1:{sendsms}/cgi-bin/sendsms")
    try:
        for box, port in ((BEARERBOX, boxes), (SMSBOX, sendsms)):
            made.boxes.append(_start(box, file, folder))
            _wait_for(port, made)
        time.sleep(SETTLE_S)
        yield made
    finally:
        for process in reversed(made.boxes):
            _end(process)


def _start(box: Path, file: Path, folder: Path) -> "subprocess.Popen[bytes]":
    with (folder / f"{box.name}.out").open("wb") as output:
        return subprocess.Popen(  # noqa: S603  (the peer)
            [box, "-v", "1", file], stdout=output, stderr=subprocess.STDOUT, cwd=folder
        )


def _wait_for(port: int, kannel: Kannel) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    outputs = [file.read_text(errors="replace") for file in kannel.folder.glob("*.out")]
    raise AssertionError(f"Kannel did not start: {outputs}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a process that we started; bearerbox may take its time to empty its queues."""
    process.terminate()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
