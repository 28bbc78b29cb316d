"""A real Dovecot on loopback, as a plain process with a configuration of its own.

Nothing of the machine's own Dovecot is read or touched: folders, sockets, log and users are below
one temporary folder, and the whole process group is ended with the test.
"""

import contextlib
import getpass
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientAbortError

PROGRAM = "dovecot"
PASSWORD = "imap-password"
START_TIMEOUT_S = 15.0
_SBIN = "/usr/sbin"
_ROOT = 0
# sdbox, because its locks are the kernel's; those of Maildir outlive a killed Dovecot by minutes.
_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = {ssl}
{keys}
disable_plaintext_auth = no
default_internal_user = {internal}
default_internal_group = {group}
default_login_user = {login}
first_valid_uid = 1
mail_location = sdbox:{folder}/mail/%u
mail_max_userip_connections = 100
imap_idle_notify_interval = 29 mins
{capability}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
"""
# What Dovecot offers, without MOVE; and without UIDPLUS too.
WITHOUT_MOVE = "IMAP4rev1 LITERAL+ IDLE UIDPLUS"
WITHOUT_EXPUNGE = "IMAP4rev1 LITERAL+ IDLE"
WITHOUT_IDLE = "IMAP4rev1 LITERAL+ UIDPLUS MOVE"


def program() -> str | None:
    """Return where Dovecot is, None when it is not installed."""
    return shutil.which(PROGRAM) or shutil.which(PROGRAM, path=_SBIN)


def free_port() -> int:
    """Return a port of loopback that nothing uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Dovecot:
    """One server.

    Attributes:
        port: where it listens; the same after a restart.
        tls: whether it offers STARTTLS.
    """

    def __init__(
        self, folder: Path, capability: str = "", keys: tuple[Path, Path] | None = None
    ) -> None:
        self.folder = folder
        self.port = free_port()
        self.tls = keys is not None
        self._process: subprocess.Popen[bytes] | None = None
        self._write(capability, keys)

    def _write(self, capability: str, keys: tuple[Path, Path] | None) -> None:
        owner, internal, login = _users()
        mail = self.folder / "mail"
        mail.mkdir()
        os.chown(mail, owner.pw_uid, owner.pw_gid)
        certificate = "" if keys is None else f"ssl_cert = <{keys[0]}\nssl_key = <{keys[1]}"
        text = _CONFIG.format(
            folder=self.folder,
            port=self.port,
            ssl="no" if keys is None else "yes",
            keys=certificate,
            internal=internal,
            login=login,
            group=grp.getgrgid(pwd.getpwnam(internal).pw_gid).gr_name,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            password=PASSWORD,
            capability=f"imap_capability = {capability}" if capability else "",
        )
        (self.folder / "dovecot.conf").write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Start it and wait for its greeting.

        Raises:
            TimeoutError: it does not answer; its log is in the message.
        """
        until = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn()
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), timeout=2) as probe,
            ):
                if probe.recv(4) == b"* OK":
                    return
            time.sleep(0.02)
        raise TimeoutError(self.log())

    def _spawn(self) -> subprocess.Popen[bytes]:
        """Start the program; the file that a killed one left may name somebody else by now."""
        found = program()
        assert found is not None, "asked for by the fixture"
        (self.folder / "run" / "master.pid").unlink(missing_ok=True)
        return subprocess.Popen(  # noqa: S603  (the program that is tested against)
            [found, "-F", "-c", str(self.folder / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def kill(self) -> None:
        """SIGKILL the master and every process of its, as a machine that loses power."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def log(self) -> str:
        """Return what it wrote."""
        file = self.folder / "log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    @contextlib.contextmanager
    def client(self, user: str = "calls") -> Iterator[Any]:
        """Sign in as a person's mail program."""
        with self._signed_in(user) as client:
            yield client

    def _signed_in(self, user: str) -> Any:  # noqa: ANN401  (the library has no types)
        """Sign in; a machine that is busy may be too slow for Dovecot's own processes."""
        for tries_left in (4, 3, 2, 1, 0):
            client = IMAPClient("127.0.0.1", self.port, ssl=False, timeout=10)
            try:
                client.login(user, PASSWORD)
            except IMAPClientAbortError:
                client.shutdown()
                if not tries_left:
                    raise
                time.sleep(0.2)
            else:
                return client
        raise AssertionError("the last try returns or raises")

    def append(self, content: bytes, folder: str = "INBOX", user: str = "calls") -> None:
        """Put one mail into a folder; again when Dovecot hung up on us without doing it."""
        before = self._next_uid(folder, user)
        try:
            with self.client(user) as client:
                client.append(folder, content)
        except IMAPClientAbortError:
            if self._next_uid(folder, user) == before:
                with self.client(user) as client:
                    client.append(folder, content)

    def _next_uid(self, folder: str, user: str) -> int:
        with self.client(user) as client:
            return int(client.folder_status(folder, ["UIDNEXT"])[b"UIDNEXT"])

    def count(self, folder: str = "INBOX", user: str = "calls") -> int:
        """Return how many mails a folder holds, 0 when there is none of that name."""
        with self.client(user) as client:
            if not client.folder_exists(folder):
                return 0
            return int(client.folder_status(folder, [b"MESSAGES"])[b"MESSAGES"])


def _users() -> tuple[pwd.struct_passwd, str, str]:
    """Return who owns the mail, and whom Dovecot's own processes run as."""
    if os.getuid() != _ROOT:
        name = getpass.getuser()
        return pwd.getpwnam(name), name, name
    return pwd.getpwnam("nobody"), "dovecot", "dovenull"


@contextlib.contextmanager
def running(capability: str = "", keys: tuple[Path, Path] | None = None) -> Iterator[Dovecot]:
    """Run a server in a folder of its own, and remove both afterwards."""
    # Not pytest's folder: only root may pass through that, and its path is too long for sockets.
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    folder.chmod(0o755)
    server = Dovecot(folder, capability, keys)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
