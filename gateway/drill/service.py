"""The service under drill: settings, people, prices, and its processes, each of which may die."""

import asyncio
import os
import shutil
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from call_core.administration import (
    ActivateDeck,
    AddCustomer,
    AddPhone,
    AddToken,
    AddUser,
    TopUp,
)
from call_core.units.access import hash_of
from gateway.deck_load import load_deck
from gateway.drill.relay import Relay
from gateway.operator_door import ask, made_id, new_token
from gateway.settings_file import load_settings
from gateway.wiring import Core, open_core

SITES = ("ny", "la", "ldn")
SPEED = 4
CALLERS = 6
START_S = 300
_TALK_S = 20
_RICH_MICROS = 1_000_000_000_000
_SELL = """\
prefix,destination,price_per_minute,first_increment_s,next_increment_s
1,US,0.02,6,6
44,UK,0.03,6,6
"""
_BUY = "prefix,destination,price_per_minute\n1,US,0.00{}\n44,UK,0.00{}\n"
_SETTINGS = """\
[http]
port = 0
[smtp]
enabled = false
[snpp]
enabled = false
[packet]
enabled = false
[logs]
level = "warning"
[limits]
concurrent_calls = 100000
calls_per_second = 100000
callee_per_hour = 100000
destination_block_per_hour = 100000
free_legs_per_day = 0
pending_schedules = 1000
[simulator]
file = "clock.json"
speed = {speed}
[simulator.default]
ring_s = 2
talk_s = {talk}
"""


class DrillError(Exception):
    """The drill cannot be held; the message is a sentence."""


@dataclass(slots=True)
class Node:
    """One process of the service, and how it is reached."""

    name: str
    process: asyncio.subprocess.Process
    port: int = 0
    relay: Relay | None = None


@dataclass(slots=True)
class Service:
    """Everything that runs.

    Attributes:
        tokens: one per caller, for the API.
        nodes, switches: the processes by name.
    """

    folder: Path
    database: str
    tokens: list[str] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    switches: dict[str, Node] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """The settings of all."""
        return self.folder / "callgate.toml"

    # --- before it runs -------------------------------------------------------------------------

    async def set_up(self) -> None:
        """Write settings, migrate the empty database, add people and prices."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.file.write_text(self._settings(), encoding="utf-8")
        settings = load_settings(self.file, {"CALLGATE_DATABASE__URL": self.database})
        async with open_core(settings, create=True, drive=False) as core:
            await _load(core, "standard", _SELL)
            for place, site in enumerate(SITES, start=3):
                await _load(core, f"buy-{site}", _BUY.format(place, place))
            self.tokens = [await _caller(core, n) for n in range(CALLERS)]

    def _settings(self) -> str:
        text = _SETTINGS.format(speed=SPEED, talk=_TALK_S)
        for site in SITES:
            text += f'[switches.{site}]\nsocket = "{site}.sock"\n'
            text += f'[trunks.{site}]\nswitch = "{site}"\ntariff = "buy-{site}"\n'
        return text

    # --- processes ------------------------------------------------------------------------------

    async def start_switch(self, site: str) -> None:
        """Start (again) what carries a site's calls."""
        process = await self._start(f"switch-{site}", ("simulate", site), {})
        self.switches[site] = Node(site, process)
        await _announced(process)

    async def start_node(self, name: str) -> None:
        """Start (again) one node, with a wire of its own to the database."""
        before = self.nodes.get(name)
        relay = before.relay if before is not None and before.relay else Relay(self.database)
        url = await relay.start() if before is None else ""
        port = before.port if before is not None else _free_port()
        self._urls[name] = url or self._urls[name]
        environment = {
            "CALLGATE_DATABASE__URL": self._urls[name],
            "CALLGATE_NODE": name,
            "CALLGATE_HTTP__PORT": str(port),
        }
        process = await self._start(f"node-{name}", ("serve",), environment)
        self.nodes[name] = Node(name, process, port, relay)
        await _announced(process)

    async def _start(
        self, log: str, words: tuple[str, ...], more: dict[str, str]
    ) -> asyncio.subprocess.Process:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CALLGATE_")}
        errors = (self.folder / f"{log}.log").open("ab")
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.cli", *words),
                *("--json", "--config", str(self.file)),
                env=kept | more,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        finally:
            errors.close()

    async def kill(self, node: Node) -> None:
        """Let a process die where it stands."""
        with suppress(ProcessLookupError):
            node.process.kill()
        await node.process.wait()

    async def stop(self) -> None:
        """Stop everything, nodes first; what does not stop in time is killed."""
        for each in (*self.nodes.values(), *self.switches.values()):
            with suppress(ProcessLookupError):
                each.process.send_signal(signal.SIGCONT)
                each.process.terminate()
            try:
                async with asyncio.timeout(30):
                    await each.process.wait()
            except TimeoutError:
                await self.kill(each)
            if each.relay is not None:
                await each.relay.stop()


async def _announced(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            line = await process.stdout.readline()
    except TimeoutError:
        line = b""
    if not line:
        raise DrillError("A process of the service did not start; its log is in the folder.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _load(core: Core, tariff: str, text: str) -> None:
    async def quiet(_rows: int) -> None:
        return None

    loaded = await load_deck(
        core.store,
        tariff,
        text.splitlines(keepends=True),
        currency="USD",
        timezone="UTC",
        mapping={},
        progress=quiet,
    )
    await ask(core, ActivateDeck(tariff, loaded.version), core.wall.now_ms())


async def _caller(core: Core, n: int) -> str:
    """Add a customer with a user who may call, and return the user's token."""
    now = core.wall.now_ms
    customer = AddCustomer(
        f"Drill {n}",
        "USD",
        "prepaid",
        tariff="standard",
        regions=("US", "GB"),
        daily_spend_micros=_RICH_MICROS,
        concurrent_calls=100_000,
    )
    customer_id = made_id(await ask(core, customer, now()), "customer_id")
    await ask(core, TopUp(customer_id, _RICH_MICROS), now())
    user_id = made_id(await ask(core, AddUser(customer_id, f"Caller {n}"), now()), "user_id")
    await ask(core, AddPhone(user_id, "office", f"+1212555{1000 + n}", trusted=True), now())
    token = new_token()
    await ask(core, AddToken(user_id, hash_of(token), "drill"), now())
    return token
