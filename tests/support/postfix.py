"""A real Postfix on loopback that accepts every mail and throws it away, in a folder of its own.

Nothing of the machine's own Postfix is read or touched. It needs root, as Postfix does.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.dovecot import free_port

START_TIMEOUT_S = 15.0
_SBIN = "/usr/sbin"
_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
mynetworks = 127.0.0.0/8
default_transport = discard
relay_transport = discard
default_process_limit = 200
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_message_rate_limit = 0
smtpd_peername_lookup = no
in_flow_delay = 0
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""
_MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""


def program(name: str) -> str | None:
    """Return where a program of Postfix is, None when it is not installed."""
    return shutil.which(name) or shutil.which(name, path=_SBIN)


@contextlib.contextmanager
def running() -> Iterator[int]:
    """Run one and yield its port; remove it afterwards.

    Raises:
        TimeoutError: it does not answer; its log is in the message.
    """
    found = program("postfix")
    assert found is not None, "asked for by the caller"
    folder = Path(tempfile.mkdtemp(prefix="postfix-"))
    folder.chmod(0o755)
    port = free_port()
    for name in ("conf", "queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", "postfix")
    (folder / "conf" / "main.cf").write_text(_MAIN.format(folder=folder), encoding="utf-8")
    (folder / "conf" / "master.cf").write_text(_MASTER.format(port=port), encoding="utf-8")
    try:
        _postfix(found, folder, "start")
        _wait(folder, port)
        yield port
    finally:
        _postfix(found, folder, "stop")
        shutil.rmtree(folder, ignore_errors=True)


def _postfix(found: str, folder: Path, command: str) -> None:
    subprocess.run(  # noqa: S603  (the program that is measured against)
        [found, "-c", str(folder / "conf"), command],
        check=False,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C"},
    )


def _wait(folder: Path, port: int) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port), timeout=2) as probe,
        ):
            if probe.recv(3) == b"220":
                return
        time.sleep(0.1)
    log = folder / "log"
    raise TimeoutError(log.read_text(encoding="utf-8") if log.exists() else "no log")
