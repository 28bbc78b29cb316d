"""A whole gateway whose switch is Twilio: a call by API and by mail, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx2
import pytest

from call_core.switches.simulator_phone import PhoneScript
from channels.kit.contract import Identity
from gateway.clocks import WallClock
from gateway.demo.run import make_settings
from gateway.demo.set_up import set_up
from gateway.demo.world import people
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running
from gateway.settings_file import SettingsError, load_settings
from gateway.wiring import open_core
from tests.support.kannel import free_port
from tests.support.twilio_voice_calls import ACCOUNT, SERVICE, TOKEN
from tests.support.twilio_voice_server import TwilioTwin

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
MOM = "+16169779933"
PHONES = {MOM: PhoneScript(ring_ms=300, talk_ms=2_000)}
DEFAULT = PhoneScript(ring_ms=300, press_after_ms=100)


@dataclass(frozen=True, slots=True)
class Service:
    """A running gateway, Ada, and the twin."""

    running: Running
    ada: Identity
    twin: TwilioTwin


def settings_of(twin: TwilioTwin, port: int) -> dict[str, str]:
    """Return the settings that lead to the twin."""
    return {
        "CALLGATE_SWITCH": "twilio_voice",
        "CALLGATE_HTTP__PORT": str(port),
        "CALLGATE_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "CALLGATE_TWILIO_VOICE__ACCOUNT_SID": ACCOUNT,
        "CALLGATE_TWILIO_VOICE__AUTH_TOKENS": json.dumps([TOKEN]),
        "CALLGATE_TWILIO_VOICE__FROM_NUMBER": SERVICE,
        "CALLGATE_TWILIO_VOICE__CALLS_PER_SECOND": "10",
        "CALLGATE_TWILIO_VOICE__API_URL": twin.url,
    }


def settings_file(folder: Path, relay_port: int) -> Path:
    """Write the demo's settings without its sites, which are simulated."""
    make_settings(folder, relay_port)
    file = folder / "callgate.toml"
    sections = file.read_text(encoding="utf-8").split("\n[")
    ours = [each for each in sections if not each.startswith(("switches.", "trunks."))]
    file.write_text("\n[".join(ours), encoding="utf-8")
    return file


@asynccontextmanager
async def service(folder: Path, more: Mapping[str, str] | None = None) -> AsyncIterator[Service]:
    """Run a gateway on the twin with one user."""
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    file = settings_file(folder / "gateway", relay_port)
    twin = TwilioTwin(WallClock(), PHONES, DEFAULT, calls_per_second=10)
    async with twin.running():
        environ = {**settings_of(twin, free_port()), **(more or {})}
        settings = load_settings(file, environ)
        try:
            options = Options(create=True, test_texts=False)
            async with running(settings, asyncio.Event(), options) as started:
                [settled] = await set_up(started.core, people({"smtp": "mail"})[:1])
                yield Service(started, settled.identity, twin)
        finally:
            await mailbox.stop()


async def ended_call(made: Service) -> dict[str, object]:
    """Return the only call once it has ended."""
    headers = {"Authorization": f"Bearer {made.ada.token}"}
    url = f"{made.running.url}/api/v1"
    async with httpx2.AsyncClient(headers=headers, base_url=url) as client, asyncio.timeout(60):
        while True:
            calls = (await client.get("/calls")).json()["items"]
            if calls and calls[0]["state"] == "ENDED":
                break
            await asyncio.sleep(0.1)
        items = (await client.get("/cdrs", params={"call_id": calls[0]["id"]})).json()["items"]
        return {"call": calls[0], "cdrs": items}


async def test_a_call_by_the_api_is_carried_and_billed(tmp_path: Path) -> None:
    """Bridged in one conference, ended by the other party, billed by the second.

    Two legs, two Calls, one Conference; every callback was signed, and none was refused.
    """
    async with service(tmp_path) as made:
        headers = {"Authorization": f"Bearer {made.ada.token}"}
        async with httpx2.AsyncClient(headers=headers) as client:
            url = f"{made.running.url}/api/v1/calls"
            assert (await client.post(url, json={"to": "mom"})).status_code == 202
        found = await ended_call(made)
        cdrs = found["cdrs"]
        assert isinstance(cdrs, list)
        assert [cdr["leg"] for cdr in cdrs] == ["A", "B"]
        assert {cdr["switch"] for cdr in cdrs} == {"twilio_voice"}
        assert [cdr["hangup_by"] for cdr in cdrs] == ["service", "callee"]
        for cdr, call in zip(cdrs, made.twin.calls.values(), strict=True):
            # Both round their own instants to whole seconds.
            assert abs(cdr["duration_s"] - int(call.shown()["duration"])) <= 1
        assert len(made.twin.conferences) == 1


async def test_a_call_by_mail_rings_at_twilio(tmp_path: Path) -> None:
    """One mail, two telephones."""
    async with service(tmp_path) as made:
        message = EmailMessage()
        message["From"], message["To"] = "ada@demo.example", "call@callgate.example"
        message["Subject"] = "call mom"
        message.set_content("")
        port = made.running.settings.channel("smtp").port  # type: ignore[attr-defined]
        await aiosmtplib.send(message, hostname="127.0.0.1", port=port, start_tls=False)
        found = await ended_call(made)
        assert found["call"]["channel"] == "smtp"  # type: ignore[index]
        assert [call.said["To"] for call in made.twin.calls.values()][1] == MOM


@pytest.mark.parametrize("headers", [{}, {"x-twilio-signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}])
async def test_nobody_but_twilio_is_heard(tmp_path: Path, headers: dict[str, str]) -> None:
    """Without a signature, or with another's, nothing is read and nothing happens."""
    async with service(tmp_path) as made:
        query = "d=callgate&leg=leg_1&call=call_1&shard=0&limit=60"
        address = f"{made.running.url}/voice/twilio/status?{query}"
        async with httpx2.AsyncClient() as client:
            answer = await client.post(
                address, data={"CallSid": "CA1", "CallStatus": "completed"}, headers=headers
            )
            tone = await client.get(f"{made.running.url}/voice/twilio/hold.wav")
        assert answer.status_code == 403
        assert (tone.status_code, tone.content[:4]) == (200, b"RIFF")
        assert (await made.running.core.switches["twilio_voice"].health()).legs == 0


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("CALLGATE_TWILIO_VOICE__ACCOUNT_SID", "account_sid"),
        ("CALLGATE_TWILIO_VOICE__AUTH_TOKENS", "auth_tokens"),
        ("CALLGATE_PUBLIC_URL", "public_url"),
    ],
)
async def test_what_is_missing_is_named(tmp_path: Path, missing: str, said: str) -> None:
    """Before anything is opened to the world, in one sentence."""
    file = settings_file(tmp_path / "gateway", 1)
    twin = TwilioTwin(WallClock(), {}, DEFAULT)
    environ = {name: value for name, value in settings_of(twin, 1).items() if name != missing} | {
        "CALLGATE_TWILIO_VOICE__API_URL": "http://127.0.0.1:1"
    }
    await twin.stop()
    settings = load_settings(file, environ)
    with pytest.raises(SettingsError, match=said):
        async with open_core(settings, create=True):
            pass
