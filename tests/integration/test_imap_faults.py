"""The IMAP channel when servers, the core and its own handling fail: nothing lost or doubled."""

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator

import pytest

from call_core.errors import CommitUnknown, Overloaded, ParseError, StoreUnavailable
from call_core.outcomes import Outcome
from call_core.requests import Request
from channels.imap.backlog import TRY_LIMIT
from tests.integration.imap_support import a_dovecot, mailbox, reading, server, until
from tests.integration.smtp_support import Core, mail
from tests.support.dovecot import WITHOUT_MOVE, Dovecot

pytestmark = [pytest.mark.anyio, pytest.mark.peer("dovecot")]
__all__ = ["server"]  # the fixture


class Defective(Core):
    """A core that fails on one mail, whatever is asked with it, so many times."""

    def __init__(self, bad_id: str, failures: int) -> None:
        super().__init__()
        self.bad_id = bad_id
        self.left = failures
        self.tried = 0

    async def handle(self, request: Request) -> Outcome:
        """Fail as only a defect does."""
        if request.external_id == self.bad_id and self.left > 0:
            self.left -= 1
            self.tried += 1
            raise ValueError("a defect")
        return await super().handle(request)


class Counting(Core):
    """A core that counts how often it is asked, repeats included."""

    asked = 0

    async def handle(self, request: Request) -> Outcome:
        """Count, then do as any other."""
        self.asked += 1
        return await super().handle(request)


@pytest.mark.parametrize("fault", [Overloaded(), StoreUnavailable(), CommitUnknown()])
async def test_what_the_core_cannot_take_now_stays_and_is_tried_again(
    server: Dovecot, fault: Exception
) -> None:
    """However long it lasts, no mail is given up for it."""
    core = Core(fault=fault)
    async with reading(core, mailbox(server.port)):
        server.append(mail())
        await asyncio.sleep(0.2 * TRY_LIMIT)
        assert (server.count(), server.count("Failed"), core.requests) == (1, 0, [])
        core.fault = None
        await until(lambda: server.count("Done") == 1)
    assert len(core.requests) == 1


async def test_a_mail_that_fails_again_and_again_is_given_up_and_its_sender_told(
    server: Dovecot,
) -> None:
    """After the last try and not before; the mails behind it do not wait."""
    core = Defective("1@x.example", TRY_LIMIT)
    async with reading(core, mailbox(server.port)):
        server.append(mail())
        server.append(mail(message_id="<2@x.example>"))
        await until(lambda: server.count("Done") == 1)
        assert core.tried < TRY_LIMIT
        await until(lambda: server.count("Failed") == 1)
    assert core.tried == TRY_LIMIT
    first, told = core.requests
    assert first.external_id == "2@x.example"
    assert told.command == ParseError("mail_not_handled")


async def test_a_mail_that_succeeds_at_the_last_try_is_done(server: Dovecot) -> None:
    """One failure less than the limit."""
    core = Defective("1@x.example", TRY_LIMIT - 1)
    async with reading(core, mailbox(server.port)):
        server.append(mail())
        await until(lambda: server.count("Done") == 1)
    assert [request.external_id for request in core.requests] == ["1@x.example"]


async def test_a_mail_that_was_given_up_can_be_put_back(server: Dovecot) -> None:
    """Telling the sender did not use its id up."""
    core = Defective("1@x.example", TRY_LIMIT)
    async with reading(core, mailbox(server.port)):
        server.append(mail())
        await until(lambda: server.count("Failed") == 1)
        with server.client() as client:
            client.select_folder("Failed")
            client.move([1], "INBOX")
        await until(lambda: server.count("Done") == 1)
    assert [request.external_id for request in core.requests] == [
        "refused:1@x.example",
        "1@x.example",
    ]


async def test_a_folder_that_is_made_anew_has_other_uids(server: Dovecot) -> None:
    """Another UIDVALIDITY: what was known of the old UIDs is not believed of the new ones."""
    with server.client() as client:
        client.create_folder("Calls")
    core = Defective("1@x.example", 2)
    async with reading(core, mailbox(server.port, folder="Calls", poll_s=1)):
        server.append(mail(), "Calls")
        await until(lambda: server.count("Done") == 1)
        with server.client() as client:
            before = client.folder_status("Calls", [b"UIDVALIDITY"])[b"UIDVALIDITY"]
            client.delete_folder("Calls")
            await asyncio.sleep(1.1)  # a UIDVALIDITY is a second
            with contextlib.suppress(Exception):
                client.create_folder("Calls")
            after = client.folder_status("Calls", [b"UIDVALIDITY"])[b"UIDVALIDITY"]
        assert before != after
        server.append(mail(), "Calls")  # the same mail under the same UID
        server.append(mail(message_id="<2@x.example>"), "Calls")
        await until(lambda: server.count("Done") == 3)
    assert [request.external_id for request in core.requests] == ["1@x.example", "2@x.example"]


async def test_a_server_that_is_killed_while_the_core_thinks(server: Dovecot) -> None:
    """The outcome is committed, the mail still stands there, and is only filed afterwards."""
    core = Counting(slow=asyncio.Event())
    async with reading(core, mailbox(server.port)):
        server.append(mail())
        await until(lambda: core.asked == 1)
        server.kill()
        assert core.slow is not None
        core.slow.set()
        await until(lambda: len(core.requests) == 1)
        server.start()
        await until(lambda: server.count("Done") == 1)
        server.append(mail(message_id="<2@x.example>"))
        await until(lambda: server.count("Done") == 2)
    assert [request.external_id for request in core.requests] == ["1@x.example", "2@x.example"]


@pytest.mark.parametrize("capability", ["", WITHOUT_MOVE], ids=["MOVE", "COPY"])
async def test_kills_at_any_moment_lose_and_double_nothing(capability: str) -> None:
    """Thirty mails, eight kills of the server at random moments; the seed is in the failure."""
    seed, count = 20261123, 30
    rng = random.Random(seed)  # noqa: S311  (moments to kill at)
    with a_dovecot(capability) as server:
        for number in range(count):
            server.append(mail(message_id=f"<{number}@x.example>"))
        core = Core()
        async with reading(core, mailbox(server.port)):
            for _ in range(8):
                await asyncio.sleep(rng.uniform(0.0, 0.06))
                server.kill()
                await asyncio.to_thread(server.start)
            await until(lambda: server.count() == 0)
        found = sorted(int(request.external_id.partition("@")[0]) for request in core.requests)
        assert found == list(range(count)), seed
        # A server that dies in the middle of a move may keep both copies; a call is never doubled.
        with server.client() as client:
            client.select_folder("Done", readonly=True)
            kept = client.fetch(client.search("ALL"), ["ENVELOPE"]).values()
        ids = {each[b"ENVELOPE"].message_id for each in kept}
        assert ids == {f"<{number}@x.example>".encode() for number in range(count)}, seed


async def test_a_done_folder_that_cannot_be_written_asks_the_core_once(server: Dovecot) -> None:
    """The mail stays, is not handled again, and is moved as soon as that can be done."""
    core = Counting()
    async with reading(core, mailbox(server.port)):
        await until(lambda: _exists(server, "Done"))
        done = server.folder / "mail" / "calls" / "mailboxes" / "Done"
        aside = done.with_name("aside")
        done.rename(aside)
        done.write_text("in the way", encoding="utf-8")
        server.append(mail())
        await until(lambda: core.asked == 1)
        await asyncio.sleep(0.5)
        assert server.count() == 1
        server.append(mail(message_id="<2@x.example>"))
        await until(lambda: core.asked == 2)
        done.unlink()
        aside.rename(done)
        await until(lambda: server.count("Done") == 2)
    assert core.asked == 2


def _exists(server: Dovecot, folder: str) -> bool:
    with server.client() as client:
        return bool(client.folder_exists(folder))


# --- servers that push at the wrong moment, or stall ----------------------------------------------


class Scripted:
    """A server with one mail, which comes in the same packet as its answer to IDLE."""

    CONTENT = mail()

    def __init__(self) -> None:
        self.come = False
        self.idle_tag = b""
        self.moved = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one client."""
        writer.write(b"* OK [CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS] ready\r\n")
        while line := await reader.readline():
            writer.write(self.reply(line.split()))
        writer.close()

    def reply(self, words: list[bytes]) -> bytes:
        """Return what is said to one line."""
        if words == [b"DONE"]:
            return self.idle_tag + b" OK done\r\n"
        tag, name = words[0], words[2] if words[1] == b"UID" else words[1]
        if name == b"IDLE":
            self.idle_tag, self.come = tag, True
            return b"+ idling\r\n* 1 EXISTS\r\n"
        if name == b"MOVE":
            self.moved.set()
        return self.untagged(name, words) + tag + b" OK done\r\n"

    def untagged(self, name: bytes, words: list[bytes]) -> bytes:
        """Return what stands before the OK."""
        if name == b"CAPABILITY":
            return b"* CAPABILITY IMAP4rev1 IDLE MOVE UIDPLUS\r\n"
        if name == b"SELECT":
            return b"* 0 EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n"
        if name == b"SEARCH":
            return b"* SEARCH 1\r\n" if self.come and not self.moved.is_set() else b"* SEARCH\r\n"
        if name == b"FETCH" and b"RFC822.SIZE" in words[-1]:
            return b"* 1 FETCH (UID 1 RFC822.SIZE 20)\r\n"
        if name == b"FETCH":
            item = b"BODY[]<0> {%d}\r\n%b" % (len(self.CONTENT), self.CONTENT)
            return b"* 1 FETCH (UID 1 " + item + b")\r\n"
        return b""


async def test_a_push_in_one_packet_with_the_answer_to_idle_is_seen() -> None:
    """It stands in the buffer, where no wait for the socket would find it."""
    script, core = Scripted(), Core()
    listening = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    port = int(listening.sockets[0].getsockname()[1])
    async with reading(core, mailbox(port)), asyncio.timeout(5):
        await script.moved.wait()
    assert len(core.requests) == 1
    listening.close()
    await listening.wait_closed()


@contextlib.asynccontextmanager
async def stalled(*said: bytes) -> AsyncIterator[int]:
    """A server that says so much, one line for each of its client's, and then no more."""
    held: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        tag = b""
        for each in said:
            writer.write(each.replace(b"TAG", tag))
            tag = (await reader.readline()).partition(b" ")[0]

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield int(listening.sockets[0].getsockname()[1])
    finally:
        listening.close()
        for writer in held:
            writer.transport.abort()
        await listening.wait_closed()


@pytest.mark.parametrize(
    "said",
    [(), (b"* OK ready\r\n", b"* CAPABILITY IMAP4rev1\r\nTAG OK done\r\n")],
    ids=["silent", "no login"],
)
async def test_a_server_that_stalls_holds_up_neither_another_mailbox_nor_the_stop(
    server: Dovecot, said: tuple[bytes, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    """Each mailbox has its own thread; one that cannot be woken is left behind."""
    core = Core()
    async with (
        stalled(*said) as port,
        reading(core, mailbox(port, timeout_s=20), mailbox(server.port)) as channel,
    ):
        await asyncio.sleep(0.2)
        begun = time.monotonic()
        server.append(mail())
        await until(lambda: server.count("Done") == 1)
        assert time.monotonic() - begun < 3
        begun = time.monotonic()
        await channel.stop()
        assert time.monotonic() - begun < 2
        # Once it is connected there is a socket to close, and the thread ends with it.
        assert ("imap_thread_left" in capfd.readouterr().out) == (not said)


async def test_an_idle_mailbox_stops_at_once(server: Dovecot) -> None:
    """The thread is woken out of IDLE."""
    async with reading(Core(), mailbox(server.port)) as channel:
        await until(lambda: "Login" in server.log())
        await asyncio.sleep(0.3)
        begun = time.monotonic()
        await channel.stop()
        assert time.monotonic() - begun < 0.5


async def test_a_stop_lets_the_mail_at_work_finish(server: Dovecot) -> None:
    """What the core commits within the grace is moved; nothing is begun any more."""
    core = Counting(slow=asyncio.Event())
    async with reading(core, mailbox(server.port)) as channel:
        for number in range(3):
            server.append(mail(message_id=f"<{number}@x.example>"))
        await until(lambda: core.asked == 1)
        stopping = asyncio.create_task(channel.stop())
        await asyncio.sleep(0.2)
        assert core.slow is not None
        core.slow.set()
        await stopping
    assert (len(core.requests), server.count("Done"), server.count()) == (1, 1, 2)


async def test_a_stop_does_not_wait_for_a_core_that_hangs(server: Dovecot) -> None:
    """The mail stays in the folder for the next start."""
    core = Counting(slow=asyncio.Event())
    async with reading(core, mailbox(server.port)) as channel:
        server.append(mail())
        await until(lambda: core.asked == 1)
        begun = time.monotonic()
        await channel.stop()
        assert time.monotonic() - begun < 2
    assert (core.requests, server.count()) == ([], 1)


async def test_a_wrong_password_is_tried_again_and_harms_nobody(
    server: Dovecot, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is a warning in the log, without the password."""
    core = Core()
    wrong = mailbox(server.port, password="not-the-password", username="other")
    async with reading(core, wrong, mailbox(server.port)):
        server.append(mail())
        await until(lambda: server.count("Done") == 1)
        said = ""
        async with asyncio.timeout(10):
            while "LoginError" not in said:
                await asyncio.sleep(0.1)
                said += capfd.readouterr().out
    assert "not-the-password" not in said
