"""The IMAP channel against a real Dovecot: what becomes of a mail."""

import asyncio
import time
from pathlib import Path
from typing import cast

import pytest
import trustme

from call_core.commands import Call, Name, Number
from call_core.contracts import CallCore, Clock
from call_core.errors import DeliveryError, ParseError
from call_core.requests import Evidence
from channels.imap.channel import ImapChannel
from channels.imap.settings import ImapSettings
from channels.kit.contract import Environment, Identity
from channels.kit.mail_out import MailOutSettings
from parsers.email_message import MESSAGE_SIZE_LIMIT
from tests.integration.imap_support import a_dovecot, mailbox, reading, server, until
from tests.integration.smtp_support import Core, Frozen, in_thread, mail, send, served
from tests.support.dovecot import WITHOUT_EXPUNGE, WITHOUT_IDLE, WITHOUT_MOVE, Dovecot

pytestmark = [pytest.mark.anyio, pytest.mark.peer("dovecot")]
__all__ = ["server"]  # the fixture


async def test_a_mail_becomes_one_request_and_then_leaves_the_folder(server: Dovecot) -> None:
    """Everything the core needs is there, and the mail is in Done as it came: unseen."""
    core = Core()
    async with reading(core, mailbox(server.port)) as channel:
        assert channel.listening() == ()
        await in_thread(lambda: server.append(mail("call mom\n", Subject="Re: [4F7] Calling mom")))
        await until(lambda: server.count("Done") == 1)
    (request,) = core.requests
    assert (request.channel, request.id_space, request.external_id) == (
        "imap",
        "mail",
        "1@x.example",
    )
    assert (request.sender, request.evidence) == ("ann@x.example", Evidence.PROVEN)
    assert (request.command, request.reply_to_ref) == (Call(Name("mom")), "4F7")
    assert not request.in_session
    with server.client() as client:
        assert client.select_folder("Done")[b"EXISTS"] == 1
        assert b"\\Seen" not in client.get_flags([1])[1]
    assert server.count() == 0


async def test_mail_that_waited_is_read_at_start_oldest_first(server: Dovecot) -> None:
    """What came while nobody read is not missed."""
    for number in range(3):
        server.append(mail(f"call 21255501{number:02}\n", f"<{number}@x.example>"))
    core = Core()
    async with reading(core, mailbox(server.port)):
        await until(lambda: server.count("Done") == 3)
    assert [request.external_id for request in core.requests] == [
        f"{n}@x.example" for n in range(3)
    ]


async def test_a_mail_is_not_marked_or_moved_before_it_is_answered(server: Dovecot) -> None:
    """While the core thinks, the folder looks as if nobody had been there."""
    core = Core(slow=asyncio.Event())
    async with reading(core, mailbox(server.port)):
        server.append(mail())
        await asyncio.sleep(0.3)
        with server.client() as client:
            client.select_folder("INBOX", readonly=True)
            assert (client.search("SEEN"), client.search("UNSEEN")) == ([], [1])
        assert server.count("Done") == 0
        assert core.slow is not None
        core.slow.set()
        await until(lambda: server.count("Done") == 1)


async def test_the_same_mail_by_smtp_and_by_imap_is_one_request(server: Dovecot) -> None:
    """The Message-ID is the request, whichever way was first."""
    core = Core()
    async with served(core) as (_, port), reading(core, mailbox(server.port)):
        assert await in_thread(lambda: send(port, mail())) == (250, "2.0.0 Accepted 4F7")
        server.append(mail())
        await until(lambda: server.count("Done") == 1)
    assert [request.channel for request in core.requests] == ["smtp"]


async def test_a_copy_in_another_folder_is_the_same_request(server: Dovecot) -> None:
    """Two folders that are both read, one mail in each."""
    with server.client() as client:
        client.create_folder("More")
    core = Core()
    both = (mailbox(server.port), mailbox(server.port, folder="More"))
    async with reading(core, *both):
        server.append(mail())
        server.append(mail(), "More")
        await until(lambda: server.count("Done") == 2)
    assert len(core.requests) == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (mail("x" * 999), "mail_line_too_long"),
        (mail("call mom\n" + "y\n" * (MESSAGE_SIZE_LIMIT // 2)), "mail_too_large"),
    ],
    ids=["long line", "too large"],
)
async def test_a_mail_that_cannot_be_read_goes_to_failed_and_its_sender_is_told(
    server: Dovecot, content: bytes, code: str
) -> None:
    """Nothing of it can launch a call, and the mails behind it are handled."""
    core = Core()
    async with reading(core, mailbox(server.port)):
        server.append(content)
        server.append(mail(message_id="<2@x.example>"))
        await until(lambda: (server.count("Failed"), server.count("Done")) == (1, 1))
    told, after = core.requests
    assert isinstance(told.command, ParseError)
    assert (told.command.code, told.external_id) == (code, "refused:1@x.example")
    assert after.external_id == "2@x.example"


async def test_a_mail_whose_author_cannot_be_told_is_only_put_away(server: Dovecot) -> None:
    """Two From fields: nobody can be answered."""
    core = Core()
    async with reading(core, mailbox(server.port)):
        server.append(mail(From="Bob <bob@x.example>"))
        await until(lambda: server.count("Failed") == 1)
    assert core.requests == []


async def test_a_mail_at_the_size_limit_is_read(server: Dovecot) -> None:
    """The limit itself is allowed."""
    head = mail("call mom\r\n\r\n")
    content = head + b"z\r\n" * ((MESSAGE_SIZE_LIMIT - len(head)) // 3)
    content += b" " * (MESSAGE_SIZE_LIMIT - len(content))
    core = Core()
    async with reading(core, mailbox(server.port)):
        server.append(content)
        await until(lambda: server.count("Done") == 1)
    assert core.requests[0].command == Call(Name("mom"))


async def test_strangers_and_machines_are_put_away_and_not_answered(server: Dovecot) -> None:
    """A stranger's mail to Failed, where an administrator may look; a bounce to Done."""
    core = Core(known=frozenset())
    async with reading(core, mailbox(server.port)):
        server.append(mail())
        server.append(mail(Auto_Submitted="auto-replied"))
        await until(lambda: (server.count("Failed"), server.count("Done")) == (1, 1))
    assert core.requests == []


async def test_a_mailbox_that_is_not_trusted_goes_by_its_servers_word(server: Dovecot) -> None:
    """The topmost Authentication-Results of the right id count, and no others."""
    signature = "d=x.example; b=AAAA; h=from:to:date:subject:message-id"
    results = "mx.example; dmarc=pass header.from=x.example; dkim=pass header.d=x.example"
    core = Core()
    async with reading(core, mailbox(server.port, trusted=False, authserv_id="mx.example")):
        for number, first in enumerate((results, results.replace("mx.", "evil."))):
            fields = {"Authentication_Results": first, "DKIM_Signature": signature}
            server.append(mail("call mom\n", f"<{number}@x.example>", **fields))
        await until(lambda: server.count("Done") == 2)
    assert [request.evidence for request in core.requests] == [Evidence.PROVEN, Evidence.CLAIMED]


async def test_a_number_as_the_address_is_called(server: Dovecot) -> None:
    """An empty mail to NUMBER at a domain of ours is a call, as by SMTP."""
    core = Core()
    async with reading(core, mailbox(server.port, domains=["gw2.example.org"])):
        server.append(mail("", To="6169779933@GW2.example.org"))
        await until(lambda: server.count("Done") == 1)
    assert core.requests[0].command == Call(Number("6169779933"))


@pytest.mark.parametrize(
    ("capability", "left"),
    [(WITHOUT_MOVE, 0), (WITHOUT_EXPUNGE, 1), (WITHOUT_IDLE, 0)],
    ids=["no MOVE", "no UIDPLUS", "no IDLE"],
)
async def test_servers_that_lack_something_are_served_all_the_same(
    capability: str, left: int
) -> None:
    r"""Copied, marked, removed; where one mail cannot be removed alone it stays marked \Deleted."""
    with a_dovecot(capability) as server:
        server.append(mail("untouched", "<0@x.example>"))
        with server.client() as client:
            client.select_folder("INBOX")
            client.add_flags([1], [b"\\Deleted"])
        core = Core()
        async with reading(core, mailbox(server.port, poll_s=1)):
            for number in range(1, 3):
                server.append(mail(message_id=f"<{number}@x.example>"))
                await until(lambda n=number: server.count("Done") == n)  # type: ignore[misc]  # a default
            await asyncio.sleep(0.2)
        # Somebody else's mark is let alone: only our own mails were removed.
        assert server.count() == 1 + 2 * left
        assert len(core.requests) == 2


async def test_starttls_with_a_certificate_that_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The password is sent only to a server that proves its name."""
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1")
    certificate, key, trusted = (tmp_path / name for name in ("chain.pem", "key.pem", "ca.pem"))
    made.cert_chain_pems[0].write_to_path(str(certificate))
    made.private_key_pem.write_to_path(str(key))
    authority.cert_pem.write_to_path(str(trusted))
    with a_dovecot(keys=(certificate, key)) as server:
        core = Core()
        server.append(mail())
        async with reading(core, mailbox(server.port, tls="required")):
            await asyncio.sleep(0.5)
        assert "Login: user=<calls>, method=PLAIN" not in server.log().split("TLS handshak")[-1]
        assert core.requests == []
        monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        async with reading(core, mailbox(server.port, tls="required")):
            await until(lambda: server.count("Done") == 1)


async def test_a_push_is_acted_on_at_once(server: Dovecot) -> None:
    """IDLE, not the poll every minute; half a second of it is Dovecot's own delay."""
    core = Core()
    took: list[float] = []
    async with reading(core, mailbox(server.port)):
        with server.client() as client:
            for number in range(10):
                await asyncio.sleep(0.05)
                content = mail(message_id=f"<{number}@x.example>")
                await in_thread(lambda sent=content: client.append("INBOX", sent))  # type: ignore[misc]  # a default
                begun = time.monotonic()
                while len(core.requests) <= number:  # noqa: ASYNC110  (measures)
                    await asyncio.sleep(0.001)
                took.append(time.monotonic() - begun)
    assert sorted(took)[5] < 1.0, took


async def test_the_client_for_the_parity_test_returns_when_the_mail_was_taken(
    server: Dovecot,
) -> None:
    """It puts a mail there as a mail server would."""
    core = Core()
    async with reading(core, mailbox(server.port)) as channel:
        assert channel.not_probed() == ""
        assert await channel.probe(Identity("usr_1", "ann@x.example"), "call mom") == ""
    assert core.requests[0].command == Call(Name("mom"))


async def test_without_a_mailbox_nothing_is_read_and_the_demo_is_told_why() -> None:
    """The channel still sends answers, so it is there."""
    environment = Environment(
        core=cast("CallCore", Core()),
        wall=cast("Clock", Frozen()),
        call=cast("Clock", Frozen()),
        public_url="",
        mail=MailOutSettings(),
    )
    channel = ImapChannel(ImapSettings(), environment)
    await channel.start()
    assert channel.not_probed() == "no mailbox is configured"
    with pytest.raises(DeliveryError, match="no mailbox is configured"):
        await channel.probe(Identity("usr_1", "ann@x.example"), "call mom")
    await channel.stop()
