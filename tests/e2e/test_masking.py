"""What a whole run writes to its log: every channel, what is refused, what breaks, no secrets."""

import asyncio
import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import httpx2
import pytest
import structlog

from call_core.errors import StoreUnavailable
from call_core.storage.waiting import Work
from channels.kit.registry import channel_classes
from gateway import logs
from gateway.clocks import WallClock
from gateway.demo import world
from gateway.demo.bills import compare
from gateway.demo.run import make_settings
from gateway.demo.set_up import Settled, set_up
from gateway.demo.world import FRIENDS, people
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running
from gateway.settings_sections import LogSettings

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket, pytest.mark.timeout(300)]
WAIT_S = 60.0
REFUSED = (
    "call 911",
    "call +900 123 4567",
    "call +1 900 555 0123",
    "call +44 20 7946 0018 and then +44 20 7946 0101",
    "save bob +44 20 7946 0018 x9876543",
    "call mom at the time of 2079460018",
    "go 4F7 881342",
)
WRONG_TOKEN = "cg_00000000000000000000000wrong99x"
WRONG_PASSWORD = "hunter2hunter2"


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Write everything, debugging included, as JSON into the stream."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    out = io.StringIO()
    logs.configure(LogSettings(format="json", level="debug"), out)
    try:
        yield out
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()


@asynccontextmanager
async def demo(folder: Path, mailbox: Mailbox) -> AsyncIterator[tuple[Running, list[Settled]]]:
    """Run what the demo runs."""
    settings = make_settings(folder, await mailbox.start())
    spaces = {name: made.id_space for name, made in channel_classes().items()}
    try:
        async with running(settings, asyncio.Event(), Options(create=True)) as service:
            yield service, await set_up(service.core, people(spaces))
    finally:
        await mailbox.stop()


async def test_a_whole_run_logs_no_number_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole numbers, tokens, passwords, sessions and one-time codes stay out, whatever happens."""
    usual = world.free_port
    monkeypatch.setattr(world, "free_port", lambda listener: usual(replace(listener, port=0)))
    mailbox = Mailbox(WallClock())
    secrets: list[str] = [WRONG_TOKEN, WRONG_PASSWORD]
    with logged() as out:
        async with demo(tmp_path / "demo", mailbox) as (service, everybody):
            await compare(service, everybody[1:])
            await _refused(service, everybody)
            secrets += await _signed_in(service, everybody[0], mailbox)
            await _broken(service, everybody, monkeypatch)
            for settled in everybody:
                secrets += [settled.identity.password, settled.identity.token]
            numbers = [n for each in everybody for _, n in each.person.phones]
    text = out.getvalue()
    events = [json.loads(line)["event"] for line in text.splitlines()]
    assert {"request.handled", "api_failed"} <= set(events)
    _nothing_of(text, secrets, [*numbers, *(friend.number for friend in FRIENDS)])


def _nothing_of(text: str, secrets: Sequence[str], numbers: Sequence[str]) -> None:
    leaked = [secret for secret in secrets if secret and secret in text]
    assert leaked == []
    for number in numbers:
        # With whatever stands between the digits, and without country code.
        digits = r"[ ().\-/]{0,3}".join(number.removeprefix("+")[-9:])
        found = re.search(digits, text)
        assert found is None, text[max(0, found.start() - 200) : found.end() + 40]


async def _refused(service: Running, everybody: Sequence[Settled]) -> None:
    """Ask every channel for what it refuses, and knock with wrong secrets."""
    own = {settled.person.channel: settled.identity for settled in everybody}
    for channel in service.channels:
        identity = own.get(channel.name)
        for text in REFUSED if identity is not None else ():
            with suppress(Exception):  # each client tells a refusal in its own way
                async with asyncio.timeout(WAIT_S):
                    await channel.probe(identity, text)  # type: ignore[arg-type]  # not None
    wrong = {"Authorization": f"Bearer {WRONG_TOKEN}"}
    good = {"Authorization": f"Bearer {everybody[0].identity.token}"}
    async with httpx2.AsyncClient(base_url=service.url, timeout=WAIT_S) as client:
        await client.post("/api/v1/calls", json={"to": "+442079460018"}, headers=wrong)
        await client.post("/api/v1/calls", content=b'{"to": "+442079460018', headers=good)
        await client.post("/api/v1/commands", json={"text": "call 02079460018 x"}, headers=good)
        await client.get(f"/api/v1/calls/{everybody[0].identity.token}", headers=good)
        await client.get("/+442079460018", params={"token": everybody[0].identity.token})


async def _signed_in(service: Running, ada: Settled, mailbox: Mailbox) -> list[str]:
    """Sign in by code and by password, wrong and right; return the secrets that were used."""
    core, now = service.core, service.core.wall.now_ms()
    await core.start_sign_in(ada.person.mail, now)
    code = ""
    async with asyncio.timeout(WAIT_S):
        while not code:
            await asyncio.sleep(0.1)
            mine = [each for each in mailbox.messages() if ada.person.mail in each.to]
            found = [re.search(r"sign-in code is (\w+)", each.body) for each in mine]
            code = next((each[1] for each in found if each is not None), "")
    assert await core.sign_in(ada.person.mail, WRONG_PASSWORD, now) is None
    by_code = await core.sign_in(ada.person.mail, code, now)
    by_password = await core.sign_in(ada.person.mail, ada.identity.password, now)
    assert by_code is not None
    assert by_password is not None
    return [code, by_code, by_password]


async def _broken(
    service: Running, everybody: Sequence[Settled], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let the store fail, and something of ours break with all of it in the message."""
    ada = everybody[0].identity
    headers = {"Authorization": f"Bearer {ada.token}"}
    said = f"call +44 20 7946 0018 token={ada.token} password={ada.password}"

    def failing(error: Exception) -> object:
        async def submit(_: Work) -> NoReturn:
            raise error

        return submit

    backend = service.core.store._backend  # noqa: SLF001  (what fails is below the store)
    async with httpx2.AsyncClient(base_url=service.url, timeout=WAIT_S) as client:
        for error, status in ((StoreUnavailable(said), 503), (RuntimeError(said), 503)):
            with monkeypatch.context() as broken:
                broken.setattr(backend, "submit", failing(error))
                answer = await client.post(
                    "/api/v1/calls", json={"to": "+442079460018"}, headers=headers
                )
                assert answer.status_code == status, answer.text
                for channel in service.channels:
                    with suppress(Exception):
                        async with asyncio.timeout(1):
                            await channel.probe(ada, said)
