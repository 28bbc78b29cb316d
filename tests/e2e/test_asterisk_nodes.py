"""Two gateways on one Asterisk and one PostgreSQL: one is killed with its calls up."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import select

from call_core.administration import AddToken
from call_core.storage import tables
from call_core.storage.statements import select_statement
from call_core.switches.simulator_phone import PhoneScript
from call_core.units.access import hash_of
from gateway.drill import checks
from gateway.operator_door import ask, new_token
from gateway.server import Options, Running, running
from gateway.settings_file import load_settings
from tests.bench.bench_calls import add_user
from tests.support.asterisk import PASSWORD, Asterisk, running_asterisk
from tests.support.kannel import free_port

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.enable_socket,
    pytest.mark.postgres,
    pytest.mark.timeout(180),
]
TALKS, RINGS, AFTER = "+442079460001", "+442079460002", "+442079460003"
RECORDS = select_statement(
    select(
        tables.cdrs.c.leg,
        tables.cdrs.c.duration_s,
        tables.cdrs.c.end_estimated,
        tables.cdrs.c.hangup_by,
    ).order_by(tables.cdrs.c.call_id, tables.cdrs.c.leg),
    name="records_of_nodes",
)
_SETTINGS = """\
switch = "asterisk"
[smtp]
enabled = false
[snpp]
enabled = false
[packet]
enabled = false
[logs]
level = "warning"
"""


@asynccontextmanager
async def killable_node(
    folder: Path, environ: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a node as a process; whoever leaves finds it gone."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CALLGATE_")}
    with (folder / "killed.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "serve", "--json"),
            *("--config", str(folder / "callgate.toml")),
            env=kept | environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline(), (folder / "killed.log").read_text()
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def launch(url: str, token: str, to: str) -> None:
    """Launch a call at one node."""
    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        answer = await client.post(f"{url}/api/v1/calls", json={"to": to})
        assert answer.status_code == 202, answer.text


async def shards_of(made: Running, count: int) -> None:
    """Wait until a node drives so many shards."""
    async with asyncio.timeout(60):
        while len(made.core.engine.house.tenure.epochs) != count:  # noqa: ASYNC110  (a beat)
            await asyncio.sleep(0.1)


async def up(asterisk: Asterisk, numbers: set[str]) -> None:
    """Wait until these numbers have been answered."""
    async with asyncio.timeout(60):
        while not numbers <= {  # noqa: ASYNC110  (phones tell nobody)
            each.number for each in asterisk.phones.dialogs.values() if each.answered
        }:
            await asyncio.sleep(0.1)


async def rung(asterisk: Asterisk, number: str) -> None:
    """Wait until a number is rung."""
    async with asyncio.timeout(60):
        while number not in {  # noqa: ASYNC110  (as above)
            each.number for each in asterisk.phones.dialogs.values()
        }:
            await asyncio.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Site:
    """The node that lives, what the other one is told, and the phones."""

    asterisk: Asterisk
    alive: Running
    token: str
    dead_environ: dict[str, str]

    @property
    def dead_url(self) -> str:
        """Where the other node listens."""
        return f"http://127.0.0.1:{self.dead_environ['CALLGATE_HTTP__PORT']}"


@asynccontextmanager
async def site(database: str, folder: Path) -> AsyncIterator[Site]:
    """Run an Asterisk and one node, with a caller whose phone presses 1."""
    (folder / "callgate.toml").write_text(_SETTINGS, encoding="utf-8")
    async with running_asterisk() as asterisk:
        asterisk.phones.default = PhoneScript(ring_ms=200, press="1")
        asterisk.phones.press_after_s = 0.5
        environ = {
            "CALLGATE_DATABASE__URL": database,
            "CALLGATE_ASTERISK__URL": asterisk.url,
            "CALLGATE_ASTERISK__PASSWORD": PASSWORD,
        }
        each = [
            environ | {"CALLGATE_NODE": name, "CALLGATE_HTTP__PORT": str(free_port())}
            for name in ("alive", "dead")
        ]
        settings = load_settings(folder / "callgate.toml", each[0])
        assert settings.many_nodes
        options = Options(create=True, test_texts=False)
        async with running(settings, asyncio.Event(), options) as made:
            user_id = await add_user(made.core, made.core.store)
            token = new_token()
            added = AddToken(user_id, hash_of(token), "test")
            await ask(made.core, added, made.core.wall.now_ms())
            yield Site(asterisk, made, token, each[1])


async def all_ended(made: Running) -> list[tuple[str, int, int, str]]:
    """Return the records once every call has ended."""
    async with asyncio.timeout(60):
        while await made.core.store.read(checks.live):  # noqa: ASYNC110  (the store)
            await asyncio.sleep(0.1)
    return await made.core.store.read(lambda tx: tx.all(RECORDS))


async def test_a_dead_nodes_calls_are_adopted_and_billed(
    empty_postgres_url: str, tmp_path: Path
) -> None:
    """One talks and one still rings when the node dies; both are carried on, ended and billed.

    The phone that still rang is answered while nobody has its shard: it waits in the dialplan and
    is handed to the new owner, who bridges it.
    """
    async with site(empty_postgres_url, tmp_path) as made:
        alive, phones = made.alive, made.asterisk.phones
        phones.scripts[TALKS] = PhoneScript(ring_ms=200, press="", talk_ms=12_000)
        phones.scripts[RINGS] = PhoneScript(ring_ms=3_000, press="", talk_ms=9_000)
        phones.scripts[AFTER] = PhoneScript(ring_ms=200, press="", talk_ms=1_000)
        shards = alive.settings.nodes.shards
        async with killable_node(tmp_path, made.dead_environ) as process:
            await shards_of(alive, shards // 2)
            await launch(made.dead_url, made.token, TALKS)
            await up(made.asterisk, {TALKS})
            await launch(made.dead_url, made.token, RINGS)
            await rung(made.asterisk, RINGS)
            assert not alive.core.engine.driver.live
            process.kill()
            await process.wait()
        await shards_of(alive, shards)
        await launch(alive.url, made.token, AFTER)
        records = await all_ended(alive)
        assert [row[0] for row in records] == ["A", "B"] * 3, records
        assert [row[3] for row in records] == ["service", "callee"] * 3, records
        assert not any(row[2] for row in records), records
        # What the phones talked, whole seconds of the switch; nobody was cut when the node died.
        after, rings, talks = sorted(row[1] for row in records if row[0] == "B")
        # A second either way: the phones are on a machine that does other things too.
        assert after < 8 <= rings <= talks, records
        assert talks >= 11, records
        heard = [each.media.heard for each in phones.dialogs.values() if each.number == RINGS]
        assert heard[0] > 20, heard
        assert all(each.ended for each in phones.dialogs.values())
        assert "0 active channels" in made.asterisk.command("core show channels")
