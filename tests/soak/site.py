"""A deployment to be broken: settings, prices, one user with money without end, free ports."""

import itertools
import json
import random
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from call_core.administration import TopUp
from channels.kit.registry import channel_classes
from gateway.demo.set_up import set_up
from gateway.demo.world import Person
from gateway.operator_door import ask
from gateway.settings import Settings
from gateway.settings_file import load_settings
from gateway.wiring import open_core

MAIL = "ada@demo.example"
PHONE = "+12125550990"
PAGER = "5550100990"
FORTUNE_MICROS = 1_000_000_000_000
_SPEED = 60
NO_LIMIT = 1_000_000
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST_PORT = 10_000
_LISTENERS = ("http", "smtp", "snpp", "packet")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a gateway is set up.

    Attributes:
        config: its `callgate.toml`.
        ports: by listener.
        token, password: of the one user; the password is the pager's secret too.
    """

    config: Path
    ports: dict[str, int]
    token: str
    password: str

    def settings(self) -> Settings:
        """Return the settings as `serve` reads them."""
        return load_settings(self.config, {})


async def make_site(folder: Path, database: str, relay_port: int, extra: str = "") -> Site:
    """Write the settings and make the database with its one user.

    Args:
        folder: where it lives; what is missing of its path is made.
        database: its URL.
        relay_port: where answers are sent to.
        extra: further lines of the settings file.
    """
    with free_ports(len(_LISTENERS)) as found:
        ports = dict(zip(_LISTENERS, found, strict=True))
    sections: dict[str, dict[str, object]] = {
        "database": {"url": database},
        "mail_out": {"host": "127.0.0.1", "port": relay_port, "tls": "never"},
        "simulator": {"speed": _SPEED, "file": "simulator.json"},
        "simulator.default": {"ring_s": 2, "talk_s": 10},
    }
    config = _written(folder, settings_text("soak", "simulator", sections, ports) + extra)
    settings = load_settings(config, {})
    spaces = {name: made.id_space for name, made in channel_classes().items()}
    mail_channel = next(name for name, space in spaces.items() if space == "mail")
    ada = Person(
        "Kill & Co", "Ada", MAIL, [(mail_channel, MAIL), ("snpp", PAGER)], [("office", PHONE)]
    )
    async with open_core(settings, create=True, drive=False) as core:
        [settled] = await set_up(core, [ada])
        principal = await core.verify_password(MAIL, settled.identity.password)
        assert principal is not None
        top_up = TopUp(principal.customer_id, FORTUNE_MICROS)
        await ask(core, top_up, core.wall.now_ms())
    return Site(config, ports, settled.identity.token, settled.identity.password)


def _written(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "callgate.toml"
    config.write_text(text, encoding="utf-8")
    return config


@contextmanager
def free_ports(count: int) -> Iterator[list[int]]:
    """Find ports that nothing uses, for TCP and UDP; they are held until the context ends.

    None is of the range from which the system takes ports for outgoing connections: while a
    gateway is dead, anybody's connection could take its port from there.
    """
    rng, found = random.SystemRandom(), dict[int, list[socket.socket]]()
    try:
        while len(found) < count:
            port = rng.randrange(_LOWEST_PORT, _lowest_ephemeral_port())
            probes = [] if port in found else _held(port)
            if probes:
                found[port] = probes
        yield list(found)
    finally:
        for probe in itertools.chain(*found.values()):
            probe.close()


def _held(port: int) -> list[socket.socket]:
    """Return sockets that hold a port for TCP and UDP; none when somebody has it."""
    probes: list[socket.socket] = []
    try:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            probes.append(socket.socket(socket.AF_INET, kind))
            if kind is socket.SOCK_STREAM:
                probes[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probes[-1].bind(("127.0.0.1", port))
    except OSError:
        for probe in probes:
            probe.close()
        return []
    return probes


def _lowest_ephemeral_port() -> int:
    return int(_EPHEMERAL.read_text(encoding="ascii").split()[0]) if _EPHEMERAL.exists() else 32_768


def settings_text(
    node: str, switch: str, sections: Mapping[str, Mapping[str, object]], ports: Mapping[str, int]
) -> str:
    """Return settings in which no limit stands in the way.

    Args:
        node: its name.
        switch: the kind of its switch.
        sections: what this deployment has of its own.
        ports: by listener.
    """
    limits = {
        "concurrent_calls": NO_LIMIT,
        "calls_per_second": NO_LIMIT,
        "daily_spend": str(NO_LIMIT),
        "destination_block_per_hour": NO_LIMIT,
        "callee_per_hour": NO_LIMIT,
    }
    of_ports: dict[str, dict[str, object]] = {name: {"port": port} for name, port in ports.items()}
    of_ports["smtp"]["trusted_networks"] = ["127.0.0.0/8"]
    lines = [f'node = "{node}"', f'switch = "{switch}"']
    for name, values in {**sections, "limits": limits, **of_ports}.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items())]
    return "\n".join([*lines, ""])
