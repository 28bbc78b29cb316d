"""The SMTP listener on real sockets: what is acknowledged, refused and believed."""

import smtplib
import warnings
from typing import cast

import pytest

from call_core.commands import Call, Number
from call_core.contracts import CallCore, Clock
from call_core.errors import CommitUnknown, Overloaded, ParseError, StoreUnavailable
from call_core.requests import Evidence
from channels.kit.contract import Environment
from channels.kit.mail_out import MailOutSettings
from channels.smtp.channel import SmtpChannel
from channels.smtp.settings import SmtpSettings
from tests.integration.smtp_support import (
    LOOPBACK,
    NOW_MS,
    Core,
    Frozen,
    in_thread,
    mail,
    send,
    served,
)

pytestmark = pytest.mark.anyio


async def test_a_mail_becomes_one_request_and_then_250() -> None:
    """Everything the core needs is there, and the ref is in the reply."""
    core = Core()
    content = mail(
        "add bob\r\n",
        Date="Fri, 20 Nov 2026 14:00:00 -0500",
        Subject="Re: [4F7] Calling mom",
        References="<callgate.obx_1.4F7@gw.example.org>",
        DKIM_Signature="d=x.example; b=AAAA",
    )
    async with served(core) as (channel, port):
        assert channel.listening() == (f"smtp://127.0.0.1:{port}",)
        assert await in_thread(lambda: send(port, content)) == (250, "2.0.0 Accepted 4F7")
    (request,) = core.requests
    assert (request.channel, request.id_space, request.external_id) == (
        "smtp",
        "mail",
        "1@x.example",
    )
    assert (request.sender, request.user_id, request.evidence) == (
        "ann@x.example",
        None,
        Evidence.PROVEN,
    )
    assert (request.received_wall_ms, request.sent_wall_ms) == (NOW_MS, NOW_MS)
    assert (request.text, request.reply_to_ref) == ("add bob", "4F7")
    assert request.thread == "callgate.obx_1.4F7@gw.example.org 1@x.example"
    assert request.replay_ids == ("dkim:63c1dd951ffedf6f7fd968ad4efa39b8ed584f16",)
    assert not request.in_session
    assert channel.listening() == ()


async def test_a_number_as_the_address_is_called() -> None:
    """An empty mail to NUMBER at our domain is a call."""
    core = Core()
    async with served(core, domains=["gw.example.org"]) as (_, port):
        code, _ = await in_thread(lambda: send(port, mail(""), ("6169779933@GW.example.org",)))
    assert code == 250
    assert core.requests[0].command == Call(Number("6169779933"))


async def test_one_mail_twice_and_to_two_addresses_is_one_request() -> None:
    """The Message-ID is the request, whatever the envelope."""
    core = Core()
    async with served(core) as (_, port):
        both = ("call@gw.example.org", "conf@gw.example.org")
        assert await in_thread(lambda: send(port, mail(), both)) == (250, "2.0.0 Accepted 4F7")
        assert await in_thread(lambda: send(port, mail())) == (250, "2.0.0 Accepted 4F7")
    assert len(core.requests) == 1


async def test_a_mail_that_is_kept_is_accepted_without_a_ref() -> None:
    """In a burst the call has no name yet; the answer will bring it."""
    async with served(Core(promises=True)) as (_, port):
        assert await in_thread(lambda: send(port, mail())) == (250, "2.0.0 Accepted")


async def test_a_mail_that_says_nothing_clear_is_a_request_all_the_same() -> None:
    """It is acknowledged, and the core answers why not."""
    core = Core()
    async with served(core) as (_, port):
        assert (await in_thread(lambda: send(port, mail("call mom\r\n", Subject="call dad"))))[
            0
        ] == 250
    assert isinstance(core.requests[0].command, ParseError)


@pytest.mark.parametrize(
    ("fault", "reply"),
    [
        (Overloaded(), "We are very busy. Nothing was launched; try again soon."),
        (
            StoreUnavailable(),
            "We cannot write it down now, so nothing was launched. Try again soon.",
        ),
        (CommitUnknown(), "We are not sure that it was written down. Send the same again."),
        (ValueError("a defect"), "Something failed on our side. Nothing was launched."),
        (KeyError("another"), "Something failed on our side. Nothing was launched."),
    ],
)
async def test_every_failure_of_ours_is_temporary(fault: Exception, reply: str) -> None:
    """451, so that the sender's server tries again; the session goes on."""
    core = Core(fault=fault)
    async with served(core) as (_, port):

        def twice() -> tuple[tuple[int, bytes], tuple[int, bytes]]:
            with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
                client.ehlo()
                replies = []
                for _ in range(2):
                    client.mail("ann@x.example")
                    client.rcpt("call@gw.example.org")
                    replies.append(client.data(mail()))
                    core.fault = None
                return replies[0], replies[1]

        first, second = await in_thread(twice)
    assert first == (451, f"4.3.0 {reply}".encode())
    assert second == (250, b"2.0.0 Accepted 4F7")


@pytest.mark.parametrize(
    ("content", "sender", "reply"),
    [
        (mail(Auto_Submitted="auto-replied"), "ann@x.example", 250),
        (mail(), "", 250),
        (mail(List_Id="<x>"), "ann@x.example", 250),
    ],
)
async def test_automatic_mail_is_taken_and_dropped(content: bytes, sender: str, reply: int) -> None:
    """Refusing it would make a bounce, and answering it a loop."""
    core = Core()
    async with served(core) as (_, port):
        assert (await in_thread(lambda: send(port, content, sender=sender)))[0] == reply
    assert core.requests == []


async def test_a_sender_who_wants_no_answer_launches_without_one() -> None:
    """X-Auto-Response-Suppress from a person."""
    core = Core()
    async with served(core) as (_, port):
        await in_thread(lambda: send(port, mail(X_Auto_Response_Suppress="All")))
    assert core.requests[0].in_session


async def test_unknown_and_forged_senders_get_the_same_words_at_once() -> None:
    """550 in the session: no bounce, and nobody learns which addresses are known."""
    stranger = mail().replace(b"ann@x", b"eve@x")
    forged = mail(Authentication_Results="mx; dmarc=fail action=reject header.from=x.example")
    async with served(Core()) as (_, port):
        unknown = await in_thread(lambda: send(port, stranger))
    relay = {"trusted_networks": (), "relay_networks": LOOPBACK, "authserv_id": "mx"}
    async with served(Core(), **relay) as (_, port):
        false = await in_thread(lambda: send(port, forged))
    assert unknown == false
    assert unknown[0] == 550
    assert unknown[1].startswith("5.7.1 ")


DMARC = "dmarc=pass header.from=x.example"
SIGNED = {
    "DKIM_Signature": "d=x.example; h=From:To:Date:Subject:Message-ID; b=AAAA",
}


@pytest.mark.parametrize(
    ("fields", "evidence"),
    [
        ({}, Evidence.CLAIMED),
        ({"Authentication_Results": f"mx; {DMARC}; spf=pass"}, Evidence.VOUCHED),
        (
            {**SIGNED, "Authentication_Results": f"mx; {DMARC}; dkim=pass header.d=x.example"},
            Evidence.PROVEN,
        ),
        ({"Authentication_Results": f"other; {DMARC}"}, Evidence.CLAIMED),
        ({"Authentication_Results": "mx; dmarc=fail header.from=x.example"}, Evidence.CLAIMED),
        ({"Authentication_Results": "mx; dmarc=pass header.from=y.example"}, Evidence.CLAIMED),
    ],
)
async def test_a_border_server_is_believed(fields: dict[str, str], evidence: Evidence) -> None:
    """Only its own field, and only a signature over the whole command proves."""
    core = Core()
    relay = {"trusted_networks": (), "relay_networks": LOOPBACK, "authserv_id": "mx"}
    async with served(core, **relay) as (_, port):
        await in_thread(lambda: send(port, mail(**fields)))
    assert core.requests[0].evidence is evidence


async def test_nobody_is_believed_without_a_reason() -> None:
    """A stranger's Authentication-Results are only words."""
    core = Core()
    results = {"Authentication_Results": f"mx; {DMARC}; spf=pass"}
    async with served(core, trusted_networks=(), authserv_id="mx") as (_, port):
        await in_thread(lambda: send(port, mail(**results)))
    assert core.requests[0].evidence is Evidence.CLAIMED


REJECTING = {"_dmarc.x.example": ["v=DMARC1; p=reject"], "x.example": ["v=spf1 ip4:127.0.0.1 -all"]}


@pytest.mark.parametrize(
    ("records", "sender", "code", "evidence"),
    [
        (REJECTING, "ann@x.example", 250, Evidence.VOUCHED),
        (REJECTING, "ann@y.example", 550, None),
        ({}, "ann@x.example", 250, Evidence.CLAIMED),
        (None, "ann@x.example", 451, None),
    ],
)
async def test_senders_are_verified_here_when_asked(
    records: dict[str, list[str]] | None, sender: str, code: int, evidence: Evidence | None
) -> None:
    """SPF vouches, a strict policy refuses, and a silent name server means later."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the extra's sources are older than our warnings
        mail_verify = pytest.importorskip("channels.kit.mail_verify")

    def dns(name: str, record_type: str) -> list[str]:
        if records is None:
            raise mail_verify.LookupFailed(name)
        return records.get(name, []) if record_type == "TXT" else []

    core = Core()
    async with served(core, trusted_networks=(), verify=True, extras={"dns": dns}) as (_, port):
        reply, text = await in_thread(lambda: send(port, mail(), sender=sender))
    assert (reply, text.startswith("4.7.5")) == (code, code == 451)
    assert [request.evidence for request in core.requests] == ([evidence] if evidence else [])


def test_the_system_resolver_is_the_default() -> None:
    """Without a replacement the channel asks real name servers."""
    environment = Environment(
        core=cast("CallCore", Core()),
        wall=cast("Clock", Frozen()),
        call=cast("Clock", Frozen()),
        public_url="",
        mail=MailOutSettings(),
    )
    channel = SmtpChannel(SmtpSettings(verify=True), environment)
    assert channel.listening() == ()
