"""Pagers through the whole gateway: from a page to a bill, and from a failed call to a choice."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from call_core.commands import OptOut
from call_core.contracts import CallView, Cdr, Principal
from call_core.requests import Evidence, Request
from channels.kit.contract import Identity
from gateway.clocks import WallClock
from gateway.demo.run import make_settings
from gateway.demo.set_up import set_up
from gateway.demo.world import people
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running
from gateway.settings_file import load_settings
from parsers.wctp import Control, Message, Payload, Poll
from parsers.wctp_write import document, operation
from tests.support.pagers import Carrier, Wire

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]
WAIT_S = 40.0
BUSY = "+1 616 977 9999"
BUSY_PHONE = """
[simulator.phones."+16169779999"]
ring_s = 1
result = "busy"
"""


@dataclass(frozen=True, slots=True)
class Gateway:
    """A running gateway with one user who has a pager."""

    service: Running
    pager: str
    identity: Identity

    async def who(self) -> Principal:
        """Return the user."""
        core = self.service.core
        found = await core.principal_of_token(self.identity.token, core.wall.now_ms())
        assert found is not None
        return found

    async def calls(self) -> Sequence[CallView]:
        """Return the user's calls, the newest first."""
        return (await self.service.core.calls(await self.who(), 10, "")).items

    async def records(self, count: int) -> list[Cdr]:
        """Wait until there are so many records and return them."""
        async with asyncio.timeout(WAIT_S):
            while True:
                page = await self.service.core.cdrs(await self.who(), 100, "", "")
                if len(page.items) >= count:
                    return list(page.items)
                await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def gateway(
    folder: Path, channel: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[Gateway]:
    """Run a whole gateway; its user Ada has a pager of that channel and the demo's names."""
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    make_settings(folder / "gateway", relay_port)
    file = folder / "gateway" / "callgate.toml"
    file.write_text(f"{file.read_text()}{BUSY_PHONE}")
    settings = load_settings(file, environ or {})
    try:
        options = Options(create=True, test_texts=False)
        async with running(settings, asyncio.Event(), options) as service:
            ada = people({channel: channel})[0]
            [settled] = await set_up(service.core, [ada])
            pager = next(address for name, address in ada.senders if name == channel)
            yield Gateway(service, pager, settled.identity)
    finally:
        await mailbox.stop()
        await Wire.close_all()


def snpp_port(service: Running) -> int:
    """Return where pages are taken."""
    [channel] = [each for each in service.channels if each.name == "snpp"]
    return int(channel.listening()[0].rpartition(":")[2])


async def page(wire: Wire, text: str) -> str:
    """Page us; return the reply to SEND."""
    await wire.codes("PAGE callgate", f"MESS {text}")
    return await wire.say("SEND")


async def test_a_page_ends_in_a_bill(tmp_path: Path) -> None:
    """Called, hung up by a second page, two legs billed to the channel."""
    async with gateway(tmp_path, "snpp") as us:
        wire = await Wire.open(snpp_port(us.service))
        await wire.read()
        assert (await wire.say(f"LOGI {us.pager} wrong"))[:3] == "550"
        assert (await wire.say(f"LOGI {us.pager} {us.identity.password}"))[:3] == "250"
        answer = await page(wire, "call mom")
        assert answer.startswith("250 Calling mom")
        assert await page(wire, "call mom") == answer
        async with asyncio.timeout(WAIT_S):
            while (calls := await us.calls())[0].state != "CONNECTED":  # noqa: ASYNC110  (a call does it)
                await asyncio.sleep(0.05)
        assert len(calls) == 1
        assert (await page(wire, "hangup")).startswith("250 Hung up")
        legs = {record.leg: record for record in await us.records(2)}
        assert {record.channel for record in legs.values()} == {"snpp"}
        assert legs["B"].total_micros > 0
        # Money goes to the address on file and not into the session.
        assert "$" not in await page(wire, "balance")


async def test_the_command_line_gives_a_pager_its_secret(tmp_path: Path) -> None:
    """Shown once, good for that pager's line and for nothing else."""
    async with gateway(tmp_path, "snpp") as us:
        words = ["sender", "add", "Ada", "snpp", "(555) 777-0000", "--json"]
        config = str(tmp_path / "gateway" / "callgate.toml")
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.cli",
            *words,
            "--config",
            config,
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await asyncio.wait_for(program.communicate(), WAIT_S)
        secret = json.loads(out)["secret"]
        core = us.service.core
        assert await core.principal_of_token(secret, core.wall.now_ms()) is None
        wire = await Wire.open(snpp_port(us.service))
        await wire.read()
        assert await wire.codes(f"LOGI {us.pager} {secret}", f"LOGI 5557770000 {secret}") == [
            "550",
            "250",
        ]
        assert (await page(wire, "call mom")).startswith("250 Calling mom")


async def test_a_choice_on_a_pager_calls_again(tmp_path: Path) -> None:
    """A busy number is told by a two-way page; picking `call back now` is a new call."""
    carrier = Carrier({"SEND": "861 123 456 sent", "MSTA": "888 2 261120120000+0 1"})
    async with carrier.running() as port:
        environ = {
            "CALLGATE_SNPP__CARRIER_HOST": "127.0.0.1",
            "CALLGATE_SNPP__CARRIER_PORT": str(port),
            "CALLGATE_SNPP__CARRIER_POLL_S": "0.1",
        }
        async with gateway(tmp_path, "snpp", environ) as us:
            await us.service.core.handle(await _only_pager(us))
            wire = await Wire.open(snpp_port(us.service))
            await wire.read()
            await wire.say(f"LOGI {us.pager} {us.identity.password}")
            assert (await page(wire, f"call {BUSY}")).startswith("250 ")
            async with asyncio.timeout(WAIT_S):
                while len(calls := await us.calls()) < 2:  # noqa: ASYNC110  (the outbox does it)
                    await asyncio.sleep(0.05)
            carrier.replies["MSTA"] = "861 2 261120120000+0 waiting"
            assert {call.channel for call in calls} == {"snpp"}
            assert {call.parties[1].number for call in calls} == {"+16169779999"}
    assert f"PAGE {us.pager}" in carrier.said
    assert "MCRE 1 Call back now" in carrier.said
    assert "KTAG 123 456" in carrier.said


async def _only_pager(us: Gateway) -> Request:
    """Return an opt-out of Ada's mail address, so that news go to the pager."""
    return Request(
        channel="smtp",
        id_space="mail",
        external_id="stop@x",
        sender=us.identity.address,
        evidence=Evidence.PROVEN,
        received_wall_ms=us.service.core.wall.now_ms(),
        command=OptOut("STOP"),
        text="STOP",
        fingerprint="stop",
    )


async def exchange(url: str, body: bytes) -> bytes:
    """POST as old programs do, HTTP/1.0 and the wrong media type; return headers and body."""
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = (
        f"POST /wctp HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    answer = await asyncio.wait_for(reader.read(), WAIT_S)
    writer.close()
    await writer.wait_closed()
    return answer


async def test_a_wctp_message_ends_in_a_bill_and_an_answer(tmp_path: Path) -> None:
    """Confirmed, answered when polled, repeated without harm, billed."""
    async with gateway(tmp_path, "wctp") as us:
        sent = Message(
            "SubmitRequest",
            us.pager,
            us.identity.password,
            ("callgate",),
            Payload("call bob"),
            Control("42"),
        )
        london = Message(
            "SubmitRequest",
            us.pager,
            us.identity.password,
            ("callgate",),
            Payload("call mom"),
            Control("43"),
        )
        asked = document(operation(sent))
        first = await exchange(us.service.url, asked)
        assert first.startswith(b"HTTP/1.1 200")
        assert b"content-length:" in first.lower()
        assert b'successCode="200"' in first
        again = await exchange(us.service.url, asked)
        assert again.split(b"\r\n\r\n", 1)[1] == first.split(b"\r\n\r\n", 1)[1]
        assert b'successCode="200"' in await exchange(us.service.url, document(operation(london)))
        poll = document(operation(Poll(us.pager, us.identity.password, 10)))
        told = b""
        async with asyncio.timeout(WAIT_S):
            while told.count(b"<wctp-Message ") < 2:
                told = await exchange(us.service.url, poll)
        assert b"ReplyChoice" in told  # bob is in another country: a question
        assert b'responseToMessageID="42"' in told
        assert b"Calling mom" in told
        assert [call.channel for call in await us.calls()] == ["wctp"]
