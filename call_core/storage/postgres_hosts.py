"""Which of several PostgreSQL servers is the primary, and which only believes it is.

A database URL may name every server of a streaming pair: `postgresql://user@/db?host=a,b`. After a
fail-over the standby is the primary, on a new timeline; the old primary, started again, takes
writes as before on its old one, and whoever asked it would be told of a world without everything
since. So the server that takes writes on the highest timeline is the primary, and a process that
has seen a timeline never goes back to a lower one.
"""

import threading
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from call_core.errors import StoreUnavailable

_TIMELINE = "SELECT ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int"
"""Of the write-ahead log that is written now; the control file says it only after a checkpoint."""
WRITABLE = "read-write"

Connect = Callable[[str], "psycopg.Connection[Any]"]


class Primary:
    """The servers of one URL, and the newest timeline that was seen.

    Args:
        url: `postgresql://…`, with one host or several.
    """

    def __init__(self, url: str) -> None:
        self.servers = servers_of(url)
        self._lock = threading.Lock()
        self._timeline = 0

    def connect(self, connect: Connect) -> "psycopg.Connection[Any]":
        """Connect to the primary: of several servers every one is asked, each time.

        The last one is not trusted: it may have died and come back since, as it was.

        Args:
            connect: opens a connection by the text that libpq takes.

        Raises:
            psycopg.Error: no server is reached that takes writes.
            StoreUnavailable: those that are reached have been replaced by another.
        """
        if len(self.servers) == 1:
            return connect(self.servers[0])
        asked = [_try(connect, server) for server in self.servers]
        found = [each for each in asked if not isinstance(each, psycopg.Error)]
        if not found:
            raise next(each for each in reversed(asked) if isinstance(each, psycopg.Error))
        connection, timeline = max(found, key=lambda each: each[1])
        for other, _ in found:
            if other is not connection:
                other.close()
        with self._lock:
            newest = self._timeline = max(self._timeline, timeline)
        if timeline == newest:
            return connection
        connection.close()
        raise StoreUnavailable(
            f"PostgreSQL: only an old primary answers (timeline {timeline}); {newest} was the "
            "primary's since. Stop the old one, or make it a standby with pg_rewind"
        )


def servers_of(url: str) -> tuple[str, ...]:
    """Return the connection text of each server that a URL names; of several, only for writing."""
    named: dict[str, Any] = dict(conninfo_to_dict(url))
    hosts = str(named.get("host", "")).split(",")
    ports = str(named.get("port", "")).split(",")
    if len(hosts) == 1:
        return (url,)
    if len(ports) == 1:
        ports *= len(hosts)
    named["target_session_attrs"] = WRITABLE
    return tuple(
        make_conninfo("", **(named | {"host": host, "port": port or None}))
        for host, port in zip(hosts, ports, strict=True)
    )


def _try(connect: Connect, server: str) -> "tuple[psycopg.Connection[Any], int] | psycopg.Error":
    """Connect to one server and read its timeline, or return why not."""
    try:
        connection = connect(server)
    except psycopg.Error as error:
        return error
    try:
        row = connection.execute(_TIMELINE).fetchone()
    except psycopg.Error as error:
        connection.close()
        return error
    assert row is not None
    return connection, int(row[0])


_KNOWN: dict[str, Primary] = {}


def primary_of(url: str) -> Primary:
    """Return what this process knows of the servers of a URL."""
    return _KNOWN.setdefault(url, Primary(url))
