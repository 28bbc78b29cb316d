"""Which server of a pair is the primary; real pairs: tests/e2e/test_fail_over.py."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from call_core.errors import StoreUnavailable
from call_core.storage.postgres_hosts import Primary, primary_of, servers_of

URL = "postgresql://ann@/db?host=a,b"


@dataclass
class Server:
    """What a connection to a server answers."""

    timeline: int
    closed: bool = False

    def execute(self, _query: str) -> "Server":
        """Take any question."""
        if self.timeline < 0:
            raise psycopg.OperationalError("gone meanwhile")
        return self

    def fetchone(self) -> tuple[int]:
        """Answer it."""
        return (self.timeline,)

    def close(self) -> None:
        """Note it."""
        self.closed = True


@dataclass
class Network:
    """Servers by host, None where nobody answers."""

    timelines: dict[str, int | None]
    asked: list[str] = field(default_factory=list)
    opened: list[Server] = field(default_factory=list)

    def connect(self, text: str) -> Any:  # noqa: ANN401  (a connection's stand-in)
        """Open a connection to one server."""
        host = str(conninfo_to_dict(text)["host"])
        self.asked.append(host)
        timeline = self.timelines[host]
        if timeline is None:
            raise psycopg.OperationalError("nobody")
        server = Server(timeline)
        self.opened.append(server)
        return server


def test_each_server_is_asked_for_writing_only() -> None:
    """A standby refuses by itself; one port is everybody's; no port is the driver's own."""
    first, second = (conninfo_to_dict(each) for each in servers_of(f"{URL}&port=6000"))
    assert (first["host"], first["port"], second["host"]) == ("a", "6000", "b")
    assert first["target_session_attrs"] == second["target_session_attrs"] == "read-write"
    ports = [conninfo_to_dict(each).get("port") for each in servers_of("postgresql://x@a:1,b:2/db")]
    assert ports == ["1", "2"]
    assert "port" not in conninfo_to_dict(servers_of(URL)[0])


def test_one_server_is_taken_as_it_is() -> None:
    """Nothing is asked where nothing can be chosen, and the URL is untouched."""
    network, primary = Network({"a": 7}), Primary("postgresql://ann@a/db")
    assert servers_of("postgresql://ann@a/db") == ("postgresql://ann@a/db",)
    found: Any = primary.connect(network.connect)
    assert found is network.opened[0]
    assert network.asked == ["a"]


def test_every_server_is_asked_for_every_connection() -> None:
    """The last primary may have died and come back as it was; what is not used is closed."""
    network, primary = Network({"a": 1, "b": None}), Primary(URL)
    primary.connect(network.connect)
    network.timelines = {"a": 1, "b": 2}
    found: Any = primary.connect(network.connect)
    assert network.asked == ["a", "b", "a", "b"]
    assert found.timeline == 2
    assert [server.closed for server in network.opened] == [False, True, False]


def test_an_old_primary_is_never_gone_back_to() -> None:
    """Not by who has seen the new one, even when that is away, nor by who sees both."""
    network, primary = Network({"a": 1, "b": None}), Primary(URL)
    primary.connect(network.connect)
    network.timelines = {"a": None, "b": 2}
    found: Any = primary.connect(network.connect)
    assert found is network.opened[-1]
    network.timelines = {"a": 1, "b": 2}
    found = primary.connect(network.connect)
    assert found.timeline == 2
    fresh: Any = Primary(URL).connect(network.connect)
    assert fresh.timeline == 2
    assert [server.closed for server in network.opened[-2:]] == [True, False]

    network.timelines = {"a": 1, "b": None}
    with pytest.raises(StoreUnavailable, match=r"timeline 1\); 2 was"):
        primary.connect(network.connect)
    assert network.opened[-1].closed


def test_nobody_answers() -> None:
    """The driver's own error says why; a server that is lost while it is asked is none."""
    network, primary = Network({"a": None, "b": -1}), Primary(URL)
    with pytest.raises(psycopg.OperationalError, match="gone meanwhile"):
        primary.connect(network.connect)
    assert network.opened[0].closed


def test_a_process_remembers_per_url() -> None:
    """Every connection of a process shares what was seen."""
    assert primary_of(URL) is primary_of(URL)
