"""A whole gateway whose switch is a real Asterisk: calls by API and by mail ring SIP telephones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import aiosmtplib
import httpx2
import pytest
from sqlalchemy import update

from call_core.storage import tables
from call_core.storage.statements import write_statement
from call_core.switches.simulator_phone import PhoneScript
from channels.kit.contract import Identity
from gateway.clocks import WallClock
from gateway.demo import world
from gateway.demo.run import make_settings
from gateway.demo.set_up import set_up
from gateway.demo.world import people
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running
from gateway.settings_file import SettingsError, load_settings
from gateway.wiring import open_core
from tests.support.asterisk import PASSWORD, Asterisk, running_asterisk
from tests.support.kannel import free_port
from tests.support.wire_cutter import WireCutter

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
MOM = "+16169779933"
KEY_WANTED = write_statement(update(tables.phones).values(accept_key=1), name="key_wanted")
"""The demo trusts its users' phones, which then need not press a key."""


@dataclass(frozen=True, slots=True)
class Service:
    """A running gateway, Ada, and the Asterisk."""

    running: Running
    ada: Identity
    asterisk: Asterisk
    wire: WireCutter


def settings_file(folder: Path, relay_port: int) -> Path:
    """Write the demo's settings without its sites, which are simulated."""
    make_settings(folder, relay_port)
    file = folder / "callgate.toml"
    sections = file.read_text(encoding="utf-8").split("\n[")
    ours = [each for each in sections if not each.startswith(("switches.", "trunks."))]
    file.write_text("\n[".join(ours), encoding="utf-8")
    return file


@pytest.fixture(autouse=True)
def free_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take ports that the system gives; tests run side by side."""
    usual = world.free_port
    monkeypatch.setattr(world, "free_port", lambda listener: usual(replace(listener, port=0)))


@asynccontextmanager
async def service(folder: Path) -> AsyncIterator[Service]:
    """Run a gateway on an Asterisk with one user, whose phones press 1."""
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    file = settings_file(folder / "gateway", relay_port)
    async with running_asterisk() as asterisk, (wire := WireCutter(asterisk.ari_port)).running():
        asterisk.phones.default = PhoneScript(ring_ms=300, press="1")
        asterisk.phones.press_after_s = 1.0
        asterisk.phones.scripts[MOM] = PhoneScript(ring_ms=300, press="", talk_ms=2_000)
        environ = {
            "CALLGATE_SWITCH": "asterisk",
            "CALLGATE_HTTP__PORT": str(free_port()),
            "CALLGATE_ASTERISK__URL": f"http://127.0.0.1:{wire.port}/ari",
            "CALLGATE_ASTERISK__PASSWORD": PASSWORD,
        }
        settings = load_settings(file, environ)
        try:
            options = Options(create=True, test_texts=False)
            async with running(settings, asyncio.Event(), options) as started:
                [settled] = await set_up(started.core, people({"smtp": "mail"})[:1])
                yield Service(started, settled.identity, asterisk, wire)
        finally:
            await mailbox.stop()


async def ended_call(made: Service) -> list[dict[str, Any]]:
    """Return the records of the only call once it has ended."""
    headers = {"Authorization": f"Bearer {made.ada.token}"}
    url = f"{made.running.url}/api/v1"
    async with httpx2.AsyncClient(headers=headers, base_url=url) as client, asyncio.timeout(60):
        while True:
            calls = (await client.get("/calls")).json()["items"]
            if calls and calls[0]["state"] == "ENDED":
                break
            await asyncio.sleep(0.1)
        records: list[dict[str, Any]] = (
            await client.get("/cdrs", params={"call_id": calls[0]["id"]})
        ).json()["items"]
        return records


async def by_api(made: Service) -> None:
    """Launch a call."""
    headers = {"Authorization": f"Bearer {made.ada.token}"}
    async with httpx2.AsyncClient(headers=headers) as client:
        answer = await client.post(f"{made.running.url}/api/v1/calls", json={"to": "mom"})
        assert answer.status_code == 202, answer.text


async def by_mail(made: Service) -> None:
    """Launch the same call by mail."""
    message = EmailMessage()
    message["From"], message["To"] = "ada@demo.example", "call@callgate.example"
    message["Subject"] = "call mom"
    message.set_content("")
    port = made.running.settings.channel("smtp").port  # type: ignore[attr-defined]
    await aiosmtplib.send(message, hostname="127.0.0.1", port=port, start_tls=False)


async def test_a_call_by_the_api_is_carried_and_billed(tmp_path: Path) -> None:
    """A answers, B is rung, both hear each other, B hangs up."""
    async with service(tmp_path) as made:
        await by_api(made)
        cdrs = await ended_call(made)
        assert [cdr["leg"] for cdr in cdrs] == ["A", "B"]
        assert {cdr["switch"] for cdr in cdrs} == {"asterisk"}
        assert [cdr["hangup_by"] for cdr in cdrs] == ["service", "callee"]
        assert all(cdr["duration_s"] > 0 for cdr in cdrs)
        assert all(dialog.media.heard for dialog in made.asterisk.phones.dialogs.values())
        assert all(dialog.ended for dialog in made.asterisk.phones.dialogs.values())


async def test_a_call_by_mail_rings(tmp_path: Path) -> None:
    """The same by mail, with a key: A presses 1 before B is rung."""
    async with service(tmp_path) as made:
        await made.running.core.store.run(lambda tx: tx.write(KEY_WANTED))
        await by_mail(made)
        assert [cdr["leg"] for cdr in await ended_call(made)] == ["A", "B"]


async def test_voicemail_opens_no_second_leg(tmp_path: Path) -> None:
    """Nobody keys: B is never rung."""
    async with service(tmp_path) as made:
        made.asterisk.phones.default = PhoneScript(ring_ms=300, press="", talk_ms=4_000)
        await made.running.core.store.run(lambda tx: tx.write(KEY_WANTED))
        await by_mail(made)
        cdrs = await ended_call(made)
        assert [cdr["leg"] for cdr in cdrs if cdr["answer_at"]] == ["A"], cdrs
        assert MOM not in {dialog.number for dialog in made.asterisk.phones.dialogs.values()}


async def test_a_call_survives_lost_sockets(tmp_path: Path) -> None:
    """Asterisk's events are lost again and again; the call is carried and billed all the same."""
    async with service(tmp_path) as made:
        made.asterisk.phones.scripts[MOM] = PhoneScript(ring_ms=1_000, press="", talk_ms=3_000)
        await by_api(made)
        for _ in range(6):
            await asyncio.sleep(0.7)
            made.wire.cut()
        cdrs = await ended_call(made)
        assert [cdr["leg"] for cdr in cdrs] == ["A", "B"]
        assert [each.ended for each in made.asterisk.phones.dialogs.values()] == [True, True]
        assert "0 active channels" in made.asterisk.command("core show channels")


async def test_without_a_password_nothing_starts(tmp_path: Path) -> None:
    """The sentence names the setting."""
    settings = load_settings(None, {"CALLGATE_SWITCH": "asterisk"}).placed(tmp_path, None)
    with pytest.raises(SettingsError, match=r"asterisk\.password"):
        async with open_core(settings, create=True):
            pass
