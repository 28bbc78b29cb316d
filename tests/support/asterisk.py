"""A real Asterisk on loopback with the files of `deploy/asterisk`, in a folder of its own."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.support.sip_phones import Phones

ROOT = Path(__file__).parents[2]
DEPLOYED = ROOT / "deploy" / "asterisk"
SYSTEM = Path(os.environ.get("CALLGATE_TEST_ASTERISK", "/var/lib/callgate-peers/asterisk"))
PASSWORD = "only-for-tests"
UP_TRIES = 300


def skip_without_asterisk() -> None:
    """Skip where no system with Asterisk is, or we may not change into it."""
    if not (SYSTEM / "usr/sbin/asterisk").is_file() or os.geteuid() != 0:
        pytest.skip("needs asterisk (deploy/peers/install) and root")


def free_port(kind: socket.SocketKind) -> int:
    """Return a port that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


@dataclass
class Asterisk:
    """One Asterisk that runs."""

    folder: Path
    ari_port: int
    process: subprocess.Popen[bytes]
    phones: Phones

    @property
    def url(self) -> str:
        """Where ARI is."""
        return f"http://127.0.0.1:{self.ari_port}/ari"

    def kill(self) -> None:
        """Kill it with -9; every call is gone, and what it remembered."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=20)

    async def start_again(self) -> None:
        """Start it after a kill, and wait until it is up."""
        self.process = _started(self.folder)
        await _until_up(self)

    def command(self, line: str) -> str:
        """Do one line of Asterisk's own console."""
        inside = Path("/") / self.folder.relative_to(SYSTEM)
        done = subprocess.run(  # noqa: S603  (our own words)
            [
                "/usr/sbin/chroot",
                str(SYSTEM),
                "asterisk",
                "-C",
                f"{inside}/etc/asterisk.conf",
                "-rx",
                line,
            ],
            capture_output=True,
            check=False,
            timeout=20,
        )
        return done.stdout.decode(errors="replace")

    def set_endpoint(self, line: str) -> None:
        """Change the trunk's endpoint, as `dtmf_mode=info`, and load it."""
        file = self.folder / "etc" / "pjsip_trunks.conf"
        file.write_text(file.read_text().replace("aors = main", f"{line}\naors = main", 1))
        self.command("module reload res_pjsip.so")

    def log(self) -> str:
        """Return what it has written."""
        file = self.folder / "log" / "messages"
        return file.read_text(errors="replace") if file.exists() else ""


def _configure(folder: Path, ari_port: int, sip_port: int, phones_port: int) -> None:
    """Write deploy's files with other ports and folders."""
    etc = folder / "etc"
    shutil.copytree(DEPLOYED, etc)
    for name in ("var", "run", "log", "spool"):
        (folder / name).mkdir()
    inside = Path("/") / folder.relative_to(SYSTEM)
    directories = {
        "astetcdir": f"{inside}/etc",
        "astvarlibdir": "/usr/share/asterisk",
        "astdatadir": "/usr/share/asterisk",
        "astdbdir": f"{inside}/var",
        "astkeydir": f"{inside}/var",
        "astspooldir": f"{inside}/spool",
        "astrundir": f"{inside}/run",
        "astlogdir": f"{inside}/log",
    }
    (module,) = SYSTEM.glob("usr/lib/*/asterisk/modules")
    directories["astmoddir"] = f"/{module.relative_to(SYSTEM)}"
    lines = "".join(f"{name} => {value}\n" for name, value in directories.items())
    main = etc / "asterisk.conf"
    main.write_text(f"[directories]\n{lines}\n{main.read_text()}")
    (etc / "ari_password.conf").write_text(f"password = {PASSWORD}\n")
    _change(etc / "http.conf", "bindport = 8088", f"bindport = {ari_port}")
    _change(etc / "pjsip.conf", "bind = 0.0.0.0:5060", f"bind = 127.0.0.1:{sip_port}")
    _change(etc / "pjsip_trunks.conf", "127.0.0.1:5070", f"127.0.0.1:{phones_port}")
    _change(etc / "pjsip_trunks.conf", "qualify_frequency = 60", "qualify_frequency = 0")


def _change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text, f"{file.name} has no {old!r}"
    file.write_text(text.replace(old, new))


@asynccontextmanager
async def running_asterisk(phones_port: int = 0) -> AsyncIterator[Asterisk]:
    """Run one with telephones behind its trunk, and leave nothing behind.

    Args:
        phones_port: where other telephones are that answer instead of ours.
    """
    skip_without_asterisk()
    phones = Phones()
    phones_port = phones_port or await phones.start()
    folder = Path(tempfile.mkdtemp(prefix="callgate-", dir=SYSTEM / "tmp"))
    ari_port = free_port(socket.SOCK_STREAM)
    _configure(folder, ari_port, free_port(socket.SOCK_DGRAM), phones_port)
    found = Asterisk(folder, ari_port, _started(folder), phones)
    try:
        await _until_up(found)
        yield found
    finally:
        found.kill()
        phones.close()
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder: Path) -> subprocess.Popen[bytes]:
    inside = Path("/") / folder.relative_to(SYSTEM)
    words = ["/usr/sbin/chroot", str(SYSTEM), "asterisk", "-f"]
    with (folder / "console").open("ab") as console:
        return subprocess.Popen(  # noqa: S603  (our own words)
            [*words, "-C", f"{inside}/etc/asterisk.conf"],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
        )


async def _until_up(found: Asterisk) -> None:
    async with httpx2.AsyncClient(auth=("callgate", PASSWORD), trust_env=False) as client:
        for _ in range(UP_TRIES):
            assert found.process.poll() is None, found.log()
            try:
                answer = await client.get(f"{found.url}/asterisk/ping")
                if answer.status_code == 200 and "main" in found.command("pjsip show endpoints"):
                    return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(found.log())
