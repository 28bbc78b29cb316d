"""The SNPP listener on real sockets: who is believed, what is acknowledged, what has a limit."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from call_core.commands import Call, Name, When
from call_core.errors import CommitUnknown, Overloaded, ParseError, StoreUnavailable
from call_core.outcomes import Asked, Phrase, Refused
from call_core.requests import Evidence
from channels.kit.contract import Identity
from channels.snpp.channel import SnppChannel
from channels.snpp.settings import SnppSettings
from tests.support.pagers import PAGER, SECRET, Frozen, PagerCore, Wire, environment
from tests.support.scripted_core import ANNA, NOW_MS

pytestmark = pytest.mark.anyio
LOGIN = f"LOGI {PAGER} {SECRET}"


@contextlib.asynccontextmanager
async def served(
    core: PagerCore,
    clock: Frozen | None = None,
    **settings: Any,  # noqa: ANN401  (settings as in a file)
) -> AsyncIterator[tuple[SnppChannel, int]]:
    """Start the channel on a free port of loopback; yield it and the port."""
    made = SnppSettings.model_validate({"port": 0, **settings})
    channel = SnppChannel(made, environment(core, clock))
    await channel.start()
    try:
        yield channel, int(channel.listening()[0].rpartition(":")[2])
    finally:
        await channel.stop()
        await Wire.close_all()


async def greeted(port: int, *lines: str) -> Wire:
    """Connect, read the greeting and say lines that go well."""
    wire = await Wire.open(port)
    assert await wire.read() == "220 Callgate SNPP"
    assert {code[0] for code in await wire.codes(*lines)} <= {"2", "8"}
    return wire


async def page(wire: Wire, text: str) -> str:
    """Page us with a text; return the reply to SEND."""
    await wire.codes("PAGE callgate", f"MESS {text}")
    return await wire.say("SEND")


async def test_a_page_becomes_one_request_and_then_250() -> None:
    """Everything the core needs is there, and the answer is on the line."""
    core = PagerCore()
    async with served(core) as (channel, port):
        assert channel.listening() == (f"snpp://127.0.0.1:{port}",)
        wire = await greeted(port, LOGIN)
        assert (await page(wire, "call mom")).startswith("250 Calling")
        assert await wire.say("QUIT") == "221 Goodbye"
    (request,) = core.asked
    assert (request.channel, request.id_space, request.sender) == ("snpp", "snpp", PAGER)
    assert (request.user_id, request.evidence) == (ANNA.user_id, Evidence.VOUCHED)
    assert (request.command, request.text) == (Call(Name("mom")), "call mom")
    assert (request.received_wall_ms, request.sent_wall_ms) == (NOW_MS, None)
    assert request.in_session
    assert request.scopes == ANNA.scopes
    assert channel.listening() == ()


async def test_the_pager_itself_may_carry_the_secret() -> None:
    """Clients of level 1 know no LOGI: PAGE with a secret logs in."""
    core = PagerCore()
    async with served(core) as (_, port):
        wire = await greeted(port, f"PAGE 555-1000 {SECRET}", "MESS call mom")
        assert (await wire.say("SEND")).startswith("250")
        assert core.asked[0].sender == PAGER


async def test_the_same_page_within_90_seconds_is_one_request() -> None:
    """A retransmission gets the same answer; later, or from another pager, it is a new one."""
    core, clock = PagerCore(), Frozen()
    async with served(core, clock) as (_, port):
        first = await page(await greeted(port, LOGIN), "call mom")
        clock.now += 89_000
        assert await page(await greeted(port, LOGIN), "call mom") == first
        assert len(core.asked) == 1
        await page(await greeted(port, f"LOGI 5552000 {SECRET}"), "call mom")
        await page(await greeted(port, LOGIN), "call dad")
        clock.now += 2_000
        await page(await greeted(port, LOGIN), "call mom")
    assert len(core.asked) == 4


@pytest.mark.parametrize(
    "login", ["LOGI 5551000", "LOGI 5551000 wrong", "LOGI 5559999", f"LOGI 5559999 {SECRET}"]
)
async def test_a_stranger_learns_nothing(login: str) -> None:
    """Unknown pagers and wrong secrets get the same words, at LOGI and at SEND."""
    core = PagerCore()
    async with served(core) as (_, port):
        wire = await greeted(port)
        refusal = await wire.say(login)
        assert refusal == "550 Unknown pager or wrong secret; LOGI pager secret"
        assert await page(wire, "call mom") == refusal
    assert core.asked == []


async def test_an_emergency_is_answered_to_anybody() -> None:
    """Even to a pager that we do not know."""
    async with served(PagerCore()) as (_, port):
        answer = await page(await greeted(port), "911")
    assert answer.startswith("550 ")
    assert "911" in answer


async def test_guessing_is_slow_and_ends() -> None:
    """Five wrong secrets close the line; the next line is slow at once, per peer and per login."""
    core = PagerCore()
    async with served(core, max_logins=5) as (_, port):
        wire = await greeted(port)
        codes = await wire.codes(*[f"LOGI {PAGER} {number}" for number in range(5)])
        assert codes == ["550", "550", "550", "550", "421"]
        assert await wire.read() == ""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await greeted(port, LOGIN)
        assert loop.time() - begun > 1.5
        begun = loop.time()
        await greeted(port, LOGIN)
        assert loop.time() - begun < 1.0


@pytest.mark.parametrize(
    "fault", [Overloaded(), StoreUnavailable(), CommitUnknown(), ValueError("a defect")]
)
async def test_every_failure_of_ours_is_temporary(fault: Exception) -> None:
    """554, and SEND said again does it."""
    core = PagerCore()
    async with served(core) as (_, port):
        wire = await greeted(port, LOGIN, "PAGE callgate", "MESS call mom")
        core.fault = fault
        assert (await wire.say("SEND")).startswith("554 ")
        assert (await wire.say(LOGIN)).startswith("554 ")
        core.fault = None
        assert (await wire.codes(LOGIN, "SEND")) == ["250", "250"]
    assert len(core.asked) == 1


async def test_a_refusal_is_550_with_its_reason() -> None:
    """A client shows a failure, and a question is none."""
    refused = Refused("daily_spend", fields={"limit": "$20", "change": "administrator"})
    asked = Asked("which_name", "4F7", (Phrase("choice_name", {"name": "mom"}),), {"name": "mom"})
    core = PagerCore(answers=[refused, asked])
    async with served(core) as (_, port):
        wire = await greeted(port, LOGIN)
        assert (await page(wire, "call mom")).startswith("550 ")
        question = await page(wire, "call dad")
    assert question.startswith("250 ")
    assert "4F7" in question
    assert len(question) <= len("250 ") + 80


async def test_text_that_says_nothing_is_a_request_all_the_same() -> None:
    """The core answers why not."""
    core = PagerCore()
    async with served(core) as (_, port):
        await page(await greeted(port, LOGIN), "call")
    assert isinstance(core.asked[0].command, ParseError)


async def test_hold_is_the_time_of_a_call() -> None:
    """In UTC unless the settings or the offset say otherwise; what is past is now."""
    core = PagerCore()
    when = "2026-11-20 14:05"
    async with served(core, timezone="America/New_York") as (_, port):
        for hold, text in (("2611200905", "call mom"), ("261120150500 +0100", "call dad")):
            wire = await greeted(port, LOGIN, f"HOLD {hold}")
            assert (await page(wire, text))[:3] == "250"
        wire = await greeted(port, LOGIN, "HOLD 250101000000")
        await page(wire, "call bob")
        wire = await greeted(port, LOGIN, "HOLD 2611200905")
        assert (await page(wire, "hangup")).startswith("550 HOLD")
        wire = await greeted(port, LOGIN, "HOLD 2611200905")
        assert (await page(wire, "call mom at 6pm")).startswith("550 HOLD")
    times = [request.command.at for request in core.asked if isinstance(request.command, Call)]
    assert [isinstance(at, When) and at.text for at in times] == [f"{when} utc"] * 2 + [False]


async def test_a_two_way_page_is_answered_by_its_tag() -> None:
    """SEND gives tag and pass code; MSTA gives the answer, to its own user only, until KTAG."""
    core, clock = PagerCore(), Frozen()
    async with served(core, clock, tag_hours=24) as (_, port):
        wire = await greeted(port, LOGIN, "2WAY", "EXPT 1", "PAGE callgate", "MESS call mom")
        code, tag, pass_code, *_ = (await wire.say("SEND")).split()
        assert (code, len(tag), len(pass_code)) == ("861", 9, 8)
        status = await wire.say(f"MSTA {tag} {pass_code}")
        assert status.startswith("889 1 ")
        assert "Calling" in status
        assert await wire.codes(f"MSTA {tag} 1", "MSTA 1 2", "MSTA") == ["550"] * 3
        other = await greeted(port, f"LOGI 5552000 {SECRET}")
        assert await other.codes(f"MSTA {tag} {pass_code}", f"KTAG {tag} {pass_code}") == [
            "550",
            "550",
        ]
        assert (await (await greeted(port)).say(f"MSTA {tag} {pass_code}"))[:3] == "550"
        clock.now += 3_600_000
        assert (await wire.say(f"MSTA {tag} {pass_code}"))[:3] == "889"
        assert await wire.codes(f"KTAG {tag} {pass_code}", f"KTAG {tag} {pass_code}") == [
            "250",
            "550",
        ]
        await wire.codes("2WAY", "EXPT 1", "PAGE callgate", "MESS call dad")
        _, tag, pass_code, *_ = (await wire.say("SEND")).split()
        clock.now += 3_600_001
        assert (await wire.say(f"MSTA {tag} {pass_code}"))[:3] == "550"


@pytest.mark.parametrize(
    ("answer", "code"),
    [(None, "a"), (Refused("no_route"), "b"), (Asked("stale", "4F7", (), {"minutes": 11}), "c")],
)
async def test_a_choice_that_was_offered_is_picked(answer: Any, code: str) -> None:  # noqa: ANN401  (any outcome)
    """A client that offers yes, no and ? gets 888 with its code, and the words behind it."""
    core = PagerCore(answers=[answer] if answer else [])
    async with served(core) as (_, port):
        wire = await greeted(
            port,
            LOGIN,
            "2WAY",
            "PAGE callgate",
            "RTYP MULTICHOICE",
            "MCRE a Yes",
            "MCRE b No",
            "MCRE c ?",
            "MESS call mom",
        )
        _, tag, pass_code, *_ = (await wire.say("SEND")).split()
        status = (await wire.say(f"MSTA {tag} {pass_code}")).split()
    assert (status[0], status[3]) == ("888", code)
    assert len(status) > 4


async def test_only_our_ids_are_served_when_they_are_set() -> None:
    """And the user's own pager, because some clients page themselves."""
    async with served(PagerCore(), service_ids=["callgate", "1"]) as (_, port):
        wire = await greeted(port, LOGIN)
        assert await wire.codes("PAGE CALLGATE", "RESE", f"PAGE {PAGER}", "PAGE 2") == [
            "250",
            "250",
            "250",
            "550",
        ]
        assert await wire.codes("PING 1", "PING 2") == ["821", "550"]


async def test_connections_are_limited_in_total_and_per_peer() -> None:
    """One too many is told so and let go; a place that is free again is used."""
    for total, per_peer in ((2, 9), (9, 2)):
        limits = {"max_connections": total, "max_connections_per_peer": per_peer}
        async with served(PagerCore(), None, **limits) as (_, port):
            first, _second = await greeted(port), await greeted(port)
            third = await Wire.open(port)
            assert (await third.read()).startswith("421 ")
            assert await third.read() == ""
            await first.say("QUIT")
            await first.close()
            await asyncio.sleep(0.05)
            await greeted(port)


async def test_who_only_drips_octets_is_let_go() -> None:
    """The time counts from the last whole command; others are not held up."""
    async with served(PagerCore(), idle_s=0.6, data_s=0.3) as (_, port):
        slow = await greeted(port)
        for _ in range(3):
            slow.writer.write(b"X")
            await asyncio.sleep(0.15)
            assert (await greeted(port, LOGIN)).reader is not None
        assert (await slow.read()).startswith("421 Timeout")
        assert await slow.read() == ""


async def test_a_message_that_never_ends_is_let_go() -> None:
    """`text.` without a line's end is what HylaFAX sends of a file without one."""
    core = PagerCore()
    async with served(core, data_s=0.3) as (_, port):
        wire = await greeted(port, LOGIN, "PAGE callgate")
        assert (await wire.say("DATA"))[:3] == "354"
        wire.writer.write(b"call mom.\r\n.")
        assert (await wire.read()).startswith("421 Timeout")
    assert core.asked == []


async def test_stopping_finishes_what_was_sent() -> None:
    """A message at work is committed and answered; idle lines get a last word."""
    core = PagerCore(slow=asyncio.Event())
    async with served(core) as (channel, port):
        idle, busy = await greeted(port), await greeted(port, LOGIN, "PAGE callgate", "MESS x")
        busy.writer.write(b"SEND\r\nPAGE 1\r\n")
        await asyncio.sleep(0.1)
        stopping = asyncio.ensure_future(channel.stop())
        assert (await idle.read()).startswith("421 Shutting down")
        await asyncio.sleep(0.05)
        assert core.slow is not None
        core.slow.set()
        assert (await busy.read())[:3] in {"250", "550"}
        await stopping
    assert len(core.asked) == 1


async def test_a_peer_that_hangs_up_does_not_undo_its_page() -> None:
    """What was sent with SEND is committed, also when nobody reads the answer (as sendpage)."""
    core = PagerCore(slow=asyncio.Event())
    async with served(core) as (_, port):
        wire = await greeted(port, LOGIN, "PAGE callgate", "MESS call mom")
        wire.writer.write(b"SEND\r\n")
        await asyncio.sleep(0.05)
        await wire.close()
        assert core.slow is not None
        core.slow.set()
        await asyncio.sleep(0.1)
    assert len(core.asked) == 1


async def test_what_is_sent_ahead_is_answered_in_order() -> None:
    """A whole dialogue in one packet, and the end of the line right after it."""
    core = PagerCore()
    async with served(core) as (_, port):
        wire = await Wire.open(port)
        lines = f"{LOGIN}\nPAGE callgate\nDATA\ncall mom\n.\nSEND\nQUIT\n"
        wire.writer.write(lines.encode())
        wire.writer.write_eof()
        codes = [(await wire.read())[:3] for _ in range(8)]
    assert codes == ["220", "250", "250", "354", "250", "250", "221", ""]


async def test_the_line_may_be_encrypted(tmp_path: Path) -> None:
    """With a certificate the port speaks TLS from the start."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    file = tmp_path / "server.pem"
    issued.private_key_and_cert_chain_pem.write_to_path(file)
    context = ssl.create_default_context()
    authority.configure_trust(context)
    async with served(PagerCore(), tls_certificate=file) as (channel, port):
        assert channel.listening() == (f"snpps://127.0.0.1:{port}",)
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=context, server_hostname="localhost"
        )
        wire = Wire(reader, writer)
        assert await wire.read() == "220 Callgate SNPP"
        assert await wire.codes(LOGIN, "QUIT") == ["250", "221"]
        await wire.close()


async def test_the_probe_sees_what_a_pager_sees() -> None:
    """The words of the reply to SEND, refused or not."""
    core = PagerCore()
    identity = Identity(ANNA.user_id, PAGER, password=SECRET)
    async with served(core) as (channel, _):
        assert (await channel.probe(identity, "call mom")).startswith("Calling")
        wrong = Identity(ANNA.user_id, PAGER, password="wrong")
        assert "Unknown pager" in await channel.probe(wrong, "call mom")


def test_a_zone_that_is_none_stops_the_start() -> None:
    """Better then than at the first HOLD."""
    with pytest.raises(ValueError, match="IANA"):
        SnppSettings(timezone="Mars/Olympus")
