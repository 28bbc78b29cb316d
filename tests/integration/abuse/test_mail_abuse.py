"""Mails that mean harm, through a real socket: what each of them gets.

The table of all cases and where they are tested is in this folder's README.
"""

import asyncio

import pytest

from channels.smtp.protocol import COMMAND_LIMIT
from tests.integration.smtp_support import Core, Wire, in_thread, mail, send, served

pytestmark = [pytest.mark.enable_socket, pytest.mark.anyio]
US = "call@gw.example.org"
SMUGGLED = (
    b"MAIL FROM:<ann@x.example>\r\nRCPT TO:<call@gw.example.org>\r\nDATA\r\n"
    b"From: Ann <ann@x.example>\r\nMessage-ID: <2@x.example>\r\n\r\ncall +19005550100\r\n"
)


@pytest.mark.parametrize(
    "ending",
    [
        b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n",
        b"\r\n\x00.\r\n", b"\r\n.\x00\r\n", b"\r\n.\r\r\n", b"\x0b.\x0b", b"\x85.\x85",
    ],
)  # fmt: skip
async def test_no_other_ending_ends_a_mail(ending: bytes) -> None:
    """Only CRLF.CRLF does: what follows another ending is part of the one mail, or nothing."""
    core = Core()
    async with served(core) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>", f"RCPT TO:<{US}>")
        assert (await wire.say("DATA"))[:3] == "354"
        wire.writer.write(mail("call mom\r\n") + ending + SMUGGLED + b"\r\n.\r\n")
        first = await wire.reply()
        assert first[:3] in {"250", "550", "500"}
        # Whatever the reply was, it was one: the next line answers the next command.
        assert (await wire.say("NOOP"))[:3] in {"250", "421", ""}
        await wire.close()
    assert len(core.requests) <= 1
    assert "<2@x.example>" not in {request.external_id for request in core.requests}
    assert all("9005550100" not in str(request.command) for request in core.requests)


async def test_thirty_megabytes_are_refused_as_too_large() -> None:
    """552 when announced, and the connection ends when it is sent nevertheless."""
    async with served(Core()) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert (await wire.say("MAIL FROM:<ann@x.example> SIZE=31457280"))[:3] == "552"
        await wire.say("MAIL FROM:<ann@x.example>")
        await wire.say(f"RCPT TO:<{US}>")
        await wire.say("DATA")
        line = b"x" * 76 + b"\r\n"
        try:
            for _ in range(30 * 1_048_576 // (len(line) * 1_000)):
                wire.writer.write(line * 1_000)
                await wire.writer.drain()
            wire.writer.write(b".\r\n")
            assert (await wire.reply())[:3] == "552"
        except ConnectionError:
            pass  # cut off: as good
        await wire.close()


async def test_ten_thousand_recipients_are_cut_at_the_limit() -> None:
    """452 from the eleventh on, and the connection ends when the peer goes on."""
    async with served(Core()) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>")
        counted: dict[str, int] = {}
        for number in range(10_000):
            code = (await wire.say(f"RCPT TO:<r{number}@gw.example.org>"))[:3]
            counted[code] = counted.get(code, 0) + 1
            if code in {"421", ""}:
                break
        await wire.close()
    assert counted["250"] == 10
    assert sum(counted.values()) < 100 * 11 + COMMAND_LIMIT


@pytest.mark.parametrize(
    "body",
    ["call mom\r\n" * 20_000, "call " + "mom," * 30_000, "> call mom\r\n" * 3_000],
    ids=["many commands", "one long line", "only quotes"],
)
async def test_long_texts_are_answered_at_once(body: str) -> None:
    """Each is answered, and the next mail is taken."""
    core = Core()
    async with served(core) as (_, port):
        async with asyncio.timeout(20):
            code, _ = await in_thread(lambda: send(port, mail(body)))
            assert code in {250, 500, 550}
            after = mail("call mom\r\n", message_id="<after@x.example>")
            assert (await in_thread(lambda: send(port, after)))[0] == 250


@pytest.mark.parametrize("field", ["Subject", "X-Loop", "References", "Date"])
async def test_a_field_cannot_begin_another(field: str) -> None:
    """Folding, bare CR and encoded CRLF in a field end in a refusal or in that field alone."""
    evil = "=?utf-8?q?hello=0D=0ABcc:_eve@x.example?="
    core = Core()
    async with served(core) as (_, port):
        code, _ = await in_thread(lambda: send(port, mail("call mom\r\n", **{field: evil})))
    assert code in {250, 550}
    for request in core.requests:
        assert "\r" not in request.thread
        assert "\n" not in request.thread
