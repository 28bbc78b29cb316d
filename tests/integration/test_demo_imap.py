"""The demo's IMAP server with real clients: the library's, curl, our channel, and rude ones."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from imapclient import IMAPClient

from call_core.commands import Call, Name
from channels.kit.contract import Identity
from gateway.demo import imap_server
from gateway.demo.imap_server import (
    MAX_CONNECTIONS,
    MAX_LINE_BYTES,
    MAX_LITERAL_BYTES,
    MAX_LITERALS,
    USER,
    ImapServer,
)
from gateway.demo.world import mailbox_settings
from tests.integration.imap_support import reading
from tests.integration.smtp_support import Core, in_thread

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
PASSWORD = 'se"cr\\et'
MAIL = b"From: ann@x.example\r\nMessage-ID: <1@x.example>\r\n\r\ncall mom\r\n"


@pytest.fixture
async def server() -> AsyncIterator[ImapServer]:
    """Running, without a mail."""
    made = ImapServer(PASSWORD)
    await made.start()
    yield made
    await made.stop()


async def test_a_library_puts_mails_in_and_takes_them_out(server: ImapServer) -> None:
    """Every command that our channel gives, by the library's own methods, a push by IDLE too."""

    def use() -> None:
        with IMAPClient("127.0.0.1", server.port, ssl=False) as client:
            client.login(USER, PASSWORD)
            assert not client.folder_exists("Done")
            client.create_folder("Done")
            assert client.folder_exists("Done")
            assert client.select_folder("INBOX")[b"UIDVALIDITY"] == 1
            client.idle()
            with IMAPClient("127.0.0.1", server.port, ssl=False) as other:
                other.login(USER, PASSWORD)
                other.append("INBOX", MAIL, flags=[b"\\Seen"])
            assert client.idle_check(10) == [(1, b"EXISTS")]
            client.idle_done()
            assert client.search(["HEADER", "Message-ID", "<1@x.example>"]) == [1]
            assert client.fetch([1], ["BODY.PEEK[]<0.9999>"])[1][b"BODY[]<0>"] == MAIL
            client.move([1], "Done")
            assert client.search("UNDELETED") == []

    await in_thread(use)


async def test_our_channel_reads_it(server: ImapServer) -> None:
    """A mail that its client puts in becomes a request, and the mail is moved away."""
    core = Core()
    async with reading(core, mailbox_settings(server.port, PASSWORD)) as channel:
        assert await channel.probe(Identity("usr_1", "ann@x.example"), "call mom") == ""
    assert core.requests[0].command == Call(Name("mom"))
    assert len(server.folders.uids("Done")) == 1


@pytest.mark.peer("curl")
async def test_curl_puts_a_mail_in_and_shows_it(server: ImapServer, tmp_path: Path) -> None:
    """Another client, which asks for its literal to be waited for and gives flags."""
    if (curl := shutil.which("curl")) is None:
        pytest.skip("needs curl (deploy/peers/install)")
    (tmp_path / "mail").write_bytes(MAIL)
    url = f"imap://127.0.0.1:{server.port}/INBOX"
    who = ["--silent", "--show-error", "--user", f"{USER}:{PASSWORD}"]

    def run(*words: str) -> bytes:
        done = subprocess.run([curl, *who, *words], capture_output=True, check=True, timeout=30)  # noqa: S603  (a peer)
        return done.stdout

    await in_thread(lambda: run("--upload-file", str(tmp_path / "mail"), url))
    assert await in_thread(lambda: run(f"{url};UID=1")) == MAIL


RUDE = (
    (b"a " + b"x" * MAX_LINE_BYTES + b"\r\n", b"* BYE A line is too long\r\n"),
    (b"a X {%d}\r\n" % (MAX_LITERAL_BYTES + 1), b"* BYE A literal is too long\r\n"),
    (b"a X" + b" {1+}\r\nx" * (MAX_LITERALS + 1) + b"\r\n", b"* BYE Too many literals\r\n"),
    (b"a IDLE\r\nb LOGOUT\r\n", b"a BAD This mailbox does not know the command\r\n"),
    (b"\r\nb LOGOUT\r\n", b"* BAD This mailbox does not know the command\r\n"),
    (b"a X" + b" {1+}\r\nx" * MAX_LITERALS + b"\r\nb LOGOUT\r\n", b"a BAD "),
    (b"a NOOP", b""),
)


@pytest.mark.parametrize(("said", "answer"), RUDE)
async def test_rude_clients_are_hung_up(server: ImapServer, said: bytes, answer: bytes) -> None:
    """With a word, and the next is served."""
    for _ in range(2):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        assert (await reader.readline()).startswith(b"* OK [CAPABILITY IMAP4rev1")
        writer.write(said)
        writer.write_eof()
        assert (await reader.read()).startswith(answer)
        writer.close()


async def test_a_client_that_does_not_say_done_is_told(server: ImapServer) -> None:
    """While it waits it may say nothing else."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    password = PASSWORD.encode()
    writer.write(b"a LOGIN calls {%d+}\r\n%s\r\nb SELECT INBOX\r\n" % (len(password), password))
    writer.write(b"c IDLE\r\nd NOOP\r\ne LOGOUT\r\n")
    assert (await reader.read()).splitlines()[-4:] == [
        b"+ idling",
        b"c BAD DONE is wanted",
        b"* BYE Goodbye",
        b"e OK Done",
    ]
    writer.close()


async def test_connections_have_a_limit_and_a_stop_ends_them(server: ImapServer) -> None:
    """One past it is told; those that hang on are closed."""
    open_connection = asyncio.open_connection
    held = [await open_connection("127.0.0.1", server.port) for _ in range(MAX_CONNECTIONS)]
    for reader, _ in held:
        assert await reader.readline()
    reader, writer = await open_connection("127.0.0.1", server.port)
    assert await reader.read() == b"* BYE Too many connections\r\n"
    await server.stop()
    for each, _ in held:
        assert await each.read() == b""
    for open_writer in (writer, *(each for _, each in held)):
        open_writer.close()


async def test_a_silent_client_is_hung_up(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the time that it has."""
    monkeypatch.setattr(imap_server, "IDLE_TIMEOUT_S", 0.05)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    assert await reader.readline()
    assert await reader.read() == b""
    writer.close()
