"""Mail over IMAP through a whole gateway: from a mail in a mailbox to the bill and the answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from channels.imap.settings import ImapSettings
from gateway.clocks import WallClock
from gateway.demo.bills import compare
from gateway.demo.run import make_settings
from gateway.demo.set_up import Settled, set_up
from gateway.demo.world import people
from gateway.mailbox import Mailbox, MailboxMessage
from gateway.server import Options, Running, running
from tests.integration.imap_support import mailbox, server, until
from tests.integration.smtp_support import in_thread, send
from tests.support.dovecot import Dovecot

pytestmark = [pytest.mark.anyio, pytest.mark.peer("dovecot")]
__all__ = ["server"]  # the fixture


@dataclass(frozen=True, slots=True)
class Service:
    """A running gateway that reads a mailbox, its people, and the mail that it sent."""

    running: Running
    settled: list[Settled]
    relay: Mailbox

    def sent_to(self, address: str) -> list[MailboxMessage]:
        """Return what was mailed to somebody."""
        return [message for message in self.relay.messages() if message.to == address]


@pytest.fixture
async def service(tmp_path: Path, server: Dovecot) -> AsyncIterator[Service]:
    """Run it until the test is over."""
    relay = Mailbox(WallClock())
    settings = make_settings(tmp_path / "gateway", await relay.start())
    read = ImapSettings.model_validate({"mailboxes": {"calls": mailbox(server.port)}})
    settings = settings.model_copy(update={"imap": read})
    options = Options(create=True, test_texts=False)
    try:
        async with running(settings, asyncio.Event(), options) as service:
            everybody = people({"smtp": "mail", "imap": "mail"})
            yield Service(service, await set_up(service.core, everybody), relay)
    finally:
        await relay.stop()


async def test_a_call_by_imap_is_billed_as_one_by_smtp(service: Service, server: Dovecot) -> None:
    """From APPEND to the bill, and the answers and receipts by mail."""
    _, *callers = service.settled
    by_smtp, by_imap = await compare(service.running, callers)
    assert (by_smtp.channel, by_imap.channel) == ("smtp", "imap")
    assert by_smtp.bill is not None
    assert by_imap.bill is not None
    assert by_imap.equal, by_imap.different
    assert by_imap.bill.total_micros() > 0
    assert {cdr.channel for cdr in by_imap.bill.cdrs} == {"imap"}
    assert server.count("Done") == 1
    address = callers[1].person.mail
    await until(lambda: len(service.sent_to(address)) == 2, "the answer and the receipt")
    assert all(by_imap.bill.ref in message.subject for message in service.sent_to(address))


async def test_one_mail_by_smtp_and_then_by_imap_is_one_call_and_one_answer(
    service: Service, server: Dovecot
) -> None:
    """A forwarding that delivers both ways rings nobody twice."""
    ada = service.settled[0]
    core = service.running.core
    content = (
        f"From: {ada.person.mail}\r\nTo: call@demo.example\r\n"
        "Message-ID: <once@demo.example>\r\n\r\ncall mom\r\n"
    ).encode()
    smtp = next(each for each in service.running.listening() if each.startswith("smtp:"))
    port = int(smtp.rpartition(":")[2])
    code, _ = await in_thread(lambda: send(port, content, sender=ada.person.mail))
    assert code == 250
    await until(lambda: len(service.sent_to(ada.person.mail)) == 1)
    for _ in range(2):
        server.append(content)
    await until(lambda: server.count("Done") == 2)
    who = await core.principal_of_token(ada.identity.token, core.wall.now_ms())
    assert who is not None
    assert len((await core.calls(who, 10, "")).items) == 1
    await asyncio.sleep(0.5)
    assert len([each for each in service.sent_to(ada.person.mail) if each.id]) == 1


async def test_a_mail_that_cannot_be_read_is_answered_by_the_real_core(
    service: Service, server: Dovecot
) -> None:
    """The reason comes by mail; the mail is in Failed."""
    ada = service.settled[0]
    head = f"From: {ada.person.mail}\r\nMessage-ID: <bad@demo.example>\r\n\r\n"
    server.append(head.encode() + b"x" * 999)
    await until(lambda: len(service.sent_to(ada.person.mail)) == 1)
    assert "A line of your mail is over 998 bytes" in service.sent_to(ada.person.mail)[0].body
    assert server.count("Failed") == 1
