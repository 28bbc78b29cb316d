"""Bad, slow and greedy peers at the SMTP listener harm only themselves."""

import asyncio
import contextlib

import pytest

from call_core.commands import Call, Name
from channels.smtp.protocol import SmtpProtocol
from tests.integration.smtp_support import Core, Wire, in_thread, mail, send, served

pytestmark = pytest.mark.anyio


async def test_foreign_recipients_are_refused() -> None:
    """Nothing is relayed; with no domains set every domain is ours."""
    async with served(Core(), domains=["gw.example.org"], max_recipients=2) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>")
        assert (await wire.say("RCPT TO:<bob@else.example>"))[:9] == "550 5.1.1"
        for name in ("a", "b"):
            assert (await wire.say(f"RCPT TO:<{name}@gw.example.org>"))[:3] == "250"
        assert (await wire.say("RCPT TO:<c@gw.example.org>"))[:9] == "452 4.5.3"
        await wire.close()


@pytest.mark.parametrize(("size", "code"), [(2_048, 250), (2_049, 552)])
async def test_the_announced_size_is_the_limit(size: int, code: int) -> None:
    """At the limit a mail is taken, one octet past it refused; also when it was not announced."""
    content = mail(message_id=f"<{size}@x.example>", body="call mom\r\n\r\n")
    padding = size - len(content)
    content += b"x" * (padding % 62) + b"\r\n" * (1 if padding % 62 else 0)
    content = (content + (b"x" * 60 + b"\r\n") * 40)[: size - 2] + b"\r\n"
    async with served(Core(), max_message_bytes=2_048) as (_, port):
        assert (await in_thread(lambda: send(port, content)))[0] == code
        wire = await Wire.open(port)
        await wire.greet()
        announced = await wire.say(f"MAIL FROM:<ann@x.example> SIZE={size}")
        assert announced[:3] == str(code)
        await wire.close()


async def test_long_lines_are_refused() -> None:
    """998 characters pass; 999 are no mail; a line past aiosmtpd's limit is cut off the wire."""
    async with served(Core()) as (_, port):

        def reply(length: int) -> int:
            body = "call mom\r\n\r\n" + "x" * length + "\r\n"
            return send(port, mail(body, message_id=f"<{length}@x.example>"))[0]

        codes = [await asyncio.to_thread(reply, length) for length in (998, 999, 1_001, 5_000)]
    assert codes == [250, 550, 500, 500]


async def test_unreadable_mail_is_refused_for_good() -> None:
    """Two authors are nobody, and trying again will not help."""
    async with served(Core()) as (_, port):
        code, text = await in_thread(lambda: send(port, b"From: a@b\r\n" + mail()))
        assert (code, "mail_field_repeated" in text) == (550, True)


async def test_a_message_without_end_is_cut_off() -> None:
    """Sixteen times the limit is read to be able to say 552, then no more."""
    async with served(Core(), max_message_bytes=1_024) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>", "RCPT TO:<call@gw.example.org>", "DATA")
        with contextlib.suppress(ConnectionError):
            for _ in range(40):
                wire.writer.write(b"x" * 1_024)
                await wire.writer.drain()
        assert (await wire.reply())[:9] == "552 5.3.4"
        await wire.close()


async def test_connections_are_limited_in_total_and_per_peer() -> None:
    """421 for one too many; one that leaves makes room."""
    async with served(Core(), max_connections_per_peer=2) as (_, port):
        wires = [await Wire.open(port) for _ in range(3)]
        greetings = [(await wire.reply())[:3] for wire in wires]
        assert greetings == ["220", "220", "421"]
        assert await wires[2].reply() == ""
        await wires[0].say("QUIT")
        await wires[0].close()
        await asyncio.sleep(0.05)
        again = await Wire.open(port)
        assert (await again.reply())[:3] == "220"
        for wire in (*wires[1:], again):
            await wire.close()
    async with served(Core(), max_connections=1) as (_, port):
        wires = [await Wire.open(port) for _ in range(2)]
        assert [(await wire.reply())[:3] for wire in wires] == ["220", "421"]
        for wire in wires:
            await wire.close()


async def test_mails_per_connection_are_limited() -> None:
    """One more than allowed ends the connection; a new one may go on."""
    async with served(Core(), max_messages=1) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>", "RSET")
        assert (await wire.say("MAIL FROM:<ann@x.example>"))[:3] == "421"
        assert await wire.reply() == ""
        await wire.close()


async def test_an_idle_connection_is_closed() -> None:
    """After `idle_s` without a command."""
    async with served(Core(), idle_s=0.2) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert await wire.reply() == ""
        await wire.close()


async def test_pipelined_garbage_ends_the_session_and_nothing_else() -> None:
    """Unknown commands, NULs and endless lines harm only their own connection."""
    async with served(Core()) as (_, port):
        wire = await Wire.open(port)
        await wire.reply()
        wire.writer.write(
            b"\x00\xff\r\nGET / HTTP/1.1\r\n" + b"A" * 5_000 + b"\r\n" + b"B\r\n" * 50
        )
        codes = set()
        while line := await wire.reply():
            codes.add(line[:3])
        assert codes == {"500", "502"}
        await wire.close()
        assert (await in_thread(lambda: send(port, mail())))[0] == 250


async def test_pipelined_commands_are_all_answered() -> None:
    """A client that does not wait for replies gets them in order."""
    core = Core()
    async with served(core) as (_, port):
        wire = await Wire.open(port)
        lines = ["EHLO x", "MAIL FROM:<ann@x.example>", "RCPT TO:<call@gw.example.org>", "DATA"]
        wire.writer.write("".join(f"{line}\r\n" for line in lines).encode() + mail() + b"\r\n.\r\n")
        codes = [(await wire.reply())[:3] for _ in range(6)]
        assert codes == ["220", "250", "250", "250", "354", "250"]
        await wire.close()
    assert core.requests[0].command == Call(Name("mom"))


@pytest.mark.parametrize("path", ["<a@", "<", "<@a:", '<"', "<a@[", "(" * 480, "nonsense <"])
async def test_a_path_that_ends_too_early_is_a_syntax_error(path: str) -> None:
    """The standard library's parser raises all sorts of things for these."""
    async with served(Core()) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert (await wire.say(f"MAIL FROM:{path}"))[:3] in {"501", "553"}
        assert (await wire.say("MAIL FROM:<ann@x.example>"))[:3] == "250"
        await wire.close()


async def test_a_defect_in_a_session_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one in the protocol itself: aiosmtpd would say 500, for ever."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(SmtpProtocol, "_strip_command_keyword", broken)
    async with served(Core()) as (_, port):
        wire = await Wire.open(port)
        await wire.greet()
        assert (await wire.say("MAIL FROM:<ann@x.example>"))[:9] == "451 4.3.0"
        await wire.close()


async def test_a_peer_that_hangs_up_in_the_middle_of_a_mail_launches_nothing() -> None:
    """Without the final dot there is no mail."""
    core = Core()
    async with served(core) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>", "RCPT TO:<call@gw.example.org>", "DATA")
        wire.writer.write(mail())
        await wire.close()
        await asyncio.sleep(0.05)
    assert core.requests == []


async def test_a_peer_that_hangs_up_after_the_dot_is_served_once() -> None:
    """What is being committed goes on; the repeat is the same request."""
    core = Core(slow=asyncio.Event())
    assert core.slow is not None
    async with served(core) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>", "RCPT TO:<call@gw.example.org>", "DATA")
        wire.writer.write(mail() + b"\r\n.\r\n")
        await wire.writer.drain()
        await asyncio.sleep(0.05)
        await wire.close()
        core.slow.set()
        await asyncio.sleep(0.05)
        assert len(core.requests) == 1
        assert (await in_thread(lambda: send(port, mail())))[0] == 250
    assert len(core.requests) == 1


async def test_a_slow_client_does_not_hold_the_others() -> None:
    """Nor does a request that waits for the core."""
    core = Core()
    async with served(core) as (_, port):
        wire = await Wire.open(port)
        await wire.greet("MAIL FROM:<ann@x.example>", "RCPT TO:<call@gw.example.org>", "DATA")
        wire.writer.write(b"From: ann@x.example\r\n")
        assert (await in_thread(lambda: send(port, mail())))[0] == 250
        await wire.close()


async def test_stopping_finishes_what_was_sent_completely() -> None:
    """The mail in hand is answered; idle connections hear 421; new ones are refused."""
    core = Core(slow=asyncio.Event())
    assert core.slow is not None
    async with served(core) as (channel, port):
        busy, idle = await Wire.open(port), await Wire.open(port)
        await busy.greet("MAIL FROM:<ann@x.example>", "RCPT TO:<call@gw.example.org>", "DATA")
        await idle.greet("MAIL FROM:<ann@x.example>", "RCPT TO:<call@gw.example.org>", "DATA")
        busy.writer.write(mail() + b"\r\n.\r\n")
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(channel.stop())
        await asyncio.sleep(0.05)
        idle.writer.write(mail(message_id="<2@x.example>") + b"\r\n.\r\n")
        assert (await idle.reply())[:9] == "421 4.3.2"
        core.slow.set()
        assert (await busy.reply())[:3] == "250"
        await stopping
        assert (await busy.reply())[:3] == "421"
        with pytest.raises(ConnectionRefusedError):
            await Wire.open(port)
        await channel.stop()
        for wire in (busy, idle):
            await wire.close()


async def test_a_large_mail_is_decoded_off_the_loop() -> None:
    """Half a megabyte of text costs time that other connections need."""
    core = Core()
    body = "call mom\r\n\r\n" + ("x" * 70 + "\r\n") * 7_000
    async with served(core) as (_, port):
        assert (await in_thread(lambda: send(port, mail(body))))[0] == 250
    assert core.requests[0].command == Call(Name("mom"))
