"""A mail that the server cannot give out holds up none of those behind it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from channels.imap.backlog import TRY_LIMIT
from tests.integration.imap_support import mailbox, reading, server, until
from tests.integration.smtp_support import Core, mail
from tests.support.dovecot import Dovecot

pytestmark = [pytest.mark.anyio]
__all__ = ["server"]  # the fixture
CAPABILITIES = b"IMAP4rev1 MOVE UIDPLUS IDLE"
GOOD = mail(message_id="<good@x.example>")


class Hangup(Exception):
    """The server closes the connection."""


class Damaged:
    """A server whose mail 1 cannot be read; the others can.

    Args:
        fetched: what it does when it is asked for mail 1.
        moved: what it does when it shall move mail 1: `OK`, `NO` or `BYE`.

    Attributes:
        uids: what stands in the folder.
        asked: how often each mail was asked for, by its size.
        idle: set when a client waits.
    """

    def __init__(self, fetched: str, moved: str = "OK") -> None:
        self.fetched, self.moved = fetched, moved
        self.uids = [1]
        self.asked: Counter[int] = Counter()
        self.tried = 0
        self.into: dict[int, str] = {}
        self.idle = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        tag = b""
        writer.write(b"* OK [CAPABILITY %b] ready\r\n" % CAPABILITIES)
        with contextlib.suppress(Hangup, ConnectionError):
            while line := await reader.readline():
                words = line.split()
                if words == [b"DONE"]:
                    writer.write(tag + b" OK done\r\n")
                    continue
                tag = words[0]
                writer.write(self.reply(tag, words[1:]))
        writer.close()

    def reply(self, tag: bytes, words: list[bytes]) -> bytes:
        """Return what is said to one line."""
        name = words[1] if words[0] == b"UID" else words[0]
        if name == b"IDLE":
            self.idle.set()
            return b"+ idling\r\n"
        if name == b"FETCH":
            return self.fetch(tag, int(words[2]), b"RFC822.SIZE" in words[3])
        if name == b"MOVE":
            return self.move(tag, int(words[2]), words[3].decode())
        found = " ".join(str(uid) for uid in self.uids).encode()
        said = {
            b"CAPABILITY": b"* CAPABILITY " + CAPABILITIES + b"\r\n",
            b"SELECT": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n",
            b"SEARCH": b"* SEARCH " + found + b"\r\n",
            b"LIST": b'* LIST () "/" Done\r\n',
        }
        return said.get(name, b"") + tag + b" OK done\r\n"

    def fetch(self, tag: bytes, uid: int, of_size: bool) -> bytes:  # noqa: FBT001  (which item)
        """Return a mail, or its size."""
        self.asked[uid] += of_size
        head = b"* %d FETCH (UID %d " % (uid, uid)
        if of_size:
            return head + b"RFC822.SIZE %d)\r\n%b OK done\r\n" % (len(GOOD), tag)
        if uid != 1:
            return head + b"BODY[]<0> {%d}\r\n%b)\r\n%b OK done\r\n" % (len(GOOD), GOOD, tag)
        if self.fetched == "hangs up":
            raise Hangup
        return {
            "NO": tag + b" NO [SERVERBUG] cannot read it\r\n",
            "BYE": b"* BYE internal error\r\n",
            "NIL": head + b"BODY[]<0> NIL)\r\n" + tag + b" OK done\r\n",
            "nothing": tag + b" OK done\r\n",
            "garbage": b"* 1 FETCH (UID 1 BODY[]<0> (((\r\n" + tag + b" OK done\r\n",
        }[self.fetched]

    def move(self, tag: bytes, uid: int, folder: str) -> bytes:
        """Move a mail away, or not."""
        self.tried += uid == 1
        if uid == 1 and self.moved == "BYE":
            raise Hangup
        if uid == 1 and self.moved == "NO":
            return tag + b" NO cannot read it\r\n"
        self.uids.remove(uid)
        self.into[uid] = folder.strip('"')
        return tag + b" OK done\r\n"


@contextlib.asynccontextmanager
async def read_by(core: Core, script: Damaged) -> AsyncIterator[None]:
    """Read the mailbox of a scripted server."""
    listening = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = int(listening.sockets[0].getsockname()[1])
    try:
        async with reading(core, mailbox(port, poll_s=1)):
            yield
    finally:
        listening.close()
        await listening.wait_closed()


def ids_of(core: Core) -> list[str]:
    """Return the Message-IDs of what the core was asked."""
    return [request.external_id for request in core.requests]


@pytest.mark.peer("dovecot")
async def test_a_mail_whose_file_cannot_be_read_holds_up_nobody(server: Dovecot) -> None:
    """A damaged disk: Dovecot hangs up at every FETCH of it, and it is filed by its index."""
    server.append(mail())
    server.append(mail(message_id="<2@x.example>"))
    [first] = server.folder.glob("mail/calls/mailboxes/INBOX/dbox-Mails/u.1")
    first.chmod(0)
    core = Core()
    async with reading(core, mailbox(server.port, poll_s=1)):
        await until(lambda: server.count("Done") == 1)
        await until(lambda: server.count("Failed") == 1)
    assert ids_of(core) == ["2@x.example"]
    assert server.count() == 0


@pytest.mark.parametrize("fetched", ["NO", "BYE", "hangs up", "NIL", "nothing", "garbage"])
async def test_a_mail_that_is_not_given_is_put_away_after_the_last_try(fetched: str) -> None:
    """However the server says so; the one behind it is done at once, and nobody is asked."""
    script, core = Damaged(fetched), Core()
    script.uids = [1, 2]
    async with read_by(core, script):
        await until(lambda: 2 in script.into)
        assert script.asked[1] < TRY_LIMIT
        await until(lambda: script.uids == [])
    assert script.into == {1: "Failed", 2: "Done"}
    assert script.asked == {1: TRY_LIMIT, 2: 1}
    assert ids_of(core) == ["good@x.example"]


@pytest.mark.parametrize("moved", ["NO", "BYE"])
async def test_a_mail_that_cannot_be_moved_either_is_left(moved: str) -> None:
    """It is tried once, and named once in the log; later mails are done as ever."""
    script, core = Damaged("hangs up", moved), Core()
    script.uids = [1, 2]
    async with read_by(core, script):
        await until(lambda: script.tried > 0)
        for uid in (3, 4):
            script.idle.clear()
            script.uids.append(uid)
            await until(lambda: script.uids == [1])
            await asyncio.wait_for(script.idle.wait(), 10)
    assert script.tried == {"NO": 2, "BYE": 1}[moved]  # a refusal is asked about twice
    assert script.asked[1] == TRY_LIMIT


async def test_a_server_that_gives_out_nothing_has_no_mail_put_away() -> None:
    """Its disks are away for an hour: every mail is still there, and done when they are back."""
    script, core = Damaged("NO"), Core()
    async with read_by(core, script):
        await until(lambda: script.asked[1] > TRY_LIMIT + 1)
        assert (script.uids, script.into) == ([1], {})
        script.uids.append(2)
        await until(lambda: script.uids == [])
    assert script.into == {1: "Failed", 2: "Done"}


async def test_what_is_named_and_not_given_is_waited_for() -> None:
    """The client goes to IDLE instead of asking again at the speed of the wire."""
    script = Damaged("nothing")
    async with read_by(Core(), script):
        await asyncio.wait_for(script.idle.wait(), 10)
    assert script.uids == [1]
