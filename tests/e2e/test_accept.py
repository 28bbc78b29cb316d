"""`callgate accept`: a second process on the port of mail, whose requests `serve` does."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.clocks import WallClock
from gateway.mailbox import Mailbox
from gateway.server import running
from gateway.settings_file import load_settings
from tests.soak.books import compare, unfinished
from tests.soak.clients import Acknowledged, Asked, send_mail
from tests.soak.serving import ROOT
from tests.soak.site import Site, make_site

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio]
SHARED = {"CALLGATE_SMTP__REUSE_PORT": "true"}
MAILS = 40


@contextlib.contextmanager
def _accepting(site: Site, environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run `callgate accept` until the context ends, killed if need be; its log is beside it."""
    command = [sys.executable, "-m", "gateway.cli", "accept", "1", "--config", str(site.config)]
    with (site.config.parent / "accept.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  (our own program)
            command, cwd=ROOT, env=os.environ | environ, stdout=subprocess.PIPE, stderr=log
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


async def _banner(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return (await asyncio.to_thread(process.stdout.readline)).decode()


async def _send(site: Site, asked: Asked) -> tuple[str, Acknowledged]:
    """Send a mail until it is acknowledged: the process that has it may be killed."""
    async with asyncio.timeout(60):
        while True:
            try:
                kind, reply = await send_mail(site, asked)
            except (OSError, EOFError):
                continue
            assert kind != "refused", reply
            if kind == "done":
                return asked.key, Acknowledged("smtp", asked.number, reply)


async def test_two_processes_take_mail_and_one_may_be_killed(tmp_path: Path) -> None:
    """Each mail is one call, whoever took it, and whoever died with its acknowledgement."""
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    site = await make_site(tmp_path, f"sqlite:///{tmp_path / 'callgate.db'}", relay_port)
    settings = load_settings(site.config, SHARED)
    asked = [Asked(f"m{n}", f"+442071{n:06}", "") for n in range(MAILS)]
    try:
        async with running(settings, asyncio.Event()) as service:
            with _accepting(site, SHARED) as beside:
                assert (await _banner(beside)).startswith("Taking mail at smtp://")
                sending = [asyncio.create_task(_send(site, each)) for each in asked]
                done, _ = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
                assert done
            acknowledged = dict(await asyncio.gather(*sending))
            with _accepting(site, SHARED) as beside:
                await _banner(beside)
                repeated = dict(await asyncio.gather(*(_send(site, each) for each in asked)))
                beside.terminate()
                assert await asyncio.to_thread(beside.wait) == 0
            async with asyncio.timeout(60):
                while await unfinished(service.core):  # noqa: ASYNC110  (the store tells nobody)
                    await asyncio.sleep(0.1)
            compared = await compare(service.core, acknowledged)
    finally:
        await mailbox.stop()
    assert compared.wrong == []
    assert (compared.requests, compared.calls) == (MAILS, MAILS)
    assert repeated.keys() == acknowledged.keys()


async def test_a_port_that_is_not_shared_is_told(tmp_path: Path) -> None:
    """In a sentence, with what to set, and the exit status of settings."""
    site = await make_site(tmp_path, f"sqlite:///{tmp_path / 'callgate.db'}", 25)
    with _accepting(site, {}) as process:
        assert await asyncio.to_thread(process.wait) == 3
    told = (tmp_path / "accept.log").read_text(encoding="utf-8")
    assert "set smtp.reuse_port = true" in " ".join(told.split())
