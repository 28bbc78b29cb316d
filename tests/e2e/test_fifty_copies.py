"""The same message fifty times at once, and again after a restart, on the wire of every channel."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlencode

import aiosmtplib
import httpx2
import pytest

from call_core.commands import Call
from channels.imap.settings import ImapSettings
from channels.kannel_sms.sending import path_of
from channels.kannel_sms.settings import KannelSettings
from channels.kit.micro.client import MicroBrowser
from channels.kit.registry import channel_classes
from channels.pda.channel import PALM_HEADERS
from channels.snpp.carrier import talk
from channels.twilio_sms.settings import TwilioSettings
from channels.wap.channel import PHONE_HEADERS
from channels.wctp.sender import post
from channels.web.browser import form_of, read_page
from gateway.clocks import WallClock
from gateway.demo import world
from gateway.demo.run import make_settings
from gateway.demo.set_up import Settled, set_up
from gateway.demo.world import people
from gateway.listeners import Listener
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running
from gateway.settings import Settings
from parsers import packet
from parsers.grammar import parse
from parsers.page_form import encode
from parsers.small_screen import read_screen
from parsers.sms_webhook import TextMessage, decode_twiml, encode_kannel, encode_twilio
from parsers.snpp_client import PageOrder, page_script
from parsers.twilio_signature import SIGNATURE_HEADER, sign
from parsers.wctp import Control, Message, Payload
from parsers.wctp_write import document, operation
from tests.integration.imap_support import mailbox, server, until
from tests.support.dovecot import Dovecot

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]
__all__ = ["server"]  # the fixture
COPIES = 50
PORTS = range(20_000, 32_000)
TIMEOUT_S = 60
TEXT = "call +44 20 7946 0018"
OTHER_AFTER_RESTART = frozenset({"pda", "snpp", "wap"})
"""Over a restart their answer may be another, though nothing rings: the micro pages ask to sign in
again; SNPP's wire carries no id, and beyond its window the core asks whether a repeat is meant."""

Send = Callable[[], Awaitable[str]]
"""Sends the very same message once more; returns what the client saw."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Where one person's messages go; addresses are the same after a restart."""

    url: str
    listening: Mapping[str, str]
    settings: Settings
    me: Settled

    def port(self, channel: str) -> int:
        """Return the port of a channel's own listener."""
        return int(self.listening[channel].rpartition(":")[2])


def bearer(wire: Wire) -> Mapping[str, str]:
    """Return the header of the person's token."""
    return {"Authorization": f"Bearer {wire.me.identity.token}"}


async def http(method: str, url: str, **more: object) -> httpx2.Response:
    """Send one request on a connection of its own."""
    async with httpx2.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True) as client:
        answer = await client.request(method, url, **more)  # type: ignore[arg-type]  # as httpx2 takes them
    assert answer.is_success, (answer.status_code, answer.text)
    return answer


async def api(wire: Wire) -> Send:
    """One idempotency key."""
    headers = {**bearer(wire), "Idempotency-Key": secrets.token_hex(8)}
    body = {"to": TEXT.removeprefix("call ")}

    async def send() -> str:
        answer = await http("POST", f"{wire.url}/api/v1/calls", json=body, headers=headers)
        return answer.text

    return send


async def web(wire: Wire) -> Send:
    """One form of a page, with its token."""
    me = wire.me.identity
    async with httpx2.AsyncClient(
        base_url=wire.url, follow_redirects=True, timeout=TIMEOUT_S
    ) as client:
        page = await client.get("/sign-in")
        for action, filled in (
            ("/sign-in", {"address": me.address}),
            ("/sign-in/code", {"address": me.address, "secret": me.password}),
        ):
            [form] = [one for one in read_page(page.text)[0] if one.action == action and one.fields]
            page = await client.post(action, data={**form.fields, **filled})
        action, fields = form_of(TEXT)
        [form] = [one for one in read_page(page.text)[0] if one.action == action and one.fields]
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    data = {**form.fields, **fields}

    async def send() -> str:
        answer = await http("POST", f"{wire.url}{action}", data=data, headers={"Cookie": cookie})
        return f"{answer.url} {read_page(answer.text)[1]}"

    return send


async def _micro(wire: Wire, path: str, headers: Mapping[str, str]) -> Send:
    """One press on one screen, with its token."""
    command = parse(TEXT)
    assert isinstance(command, Call)
    fields = encode(command)
    async with httpx2.AsyncClient(base_url=wire.url, timeout=TIMEOUT_S) as client:
        browser = MicroBrowser(client, path, headers)
        await browser.sign_in(wire.me.identity)
        screen = await browser.press("Dial")
        press = screen.press("Call")
        data = screen.sent(press, fields)

    async def send() -> str:
        answer = await http("POST", f"{wire.url}{press.href}", data=data, headers=headers)
        return read_screen(answer.text).text

    return send


async def wap(wire: Wire) -> Send:
    """As a telephone."""
    return await _micro(wire, "/wap", PHONE_HEADERS)


async def pda(wire: Wire) -> Send:
    """As a Palm VII."""
    return await _micro(wire, "/pda", PALM_HEADERS)


async def kannel_sms(wire: Wire) -> Send:
    """One id of smsbox."""
    message = TextMessage(secrets.token_hex(8), wire.me.identity.address, "12345", TEXT)
    known = wire.settings.channel("kannel_sms")
    assert isinstance(known, KannelSettings)
    path = path_of(known)

    async def send() -> str:
        return (await http("GET", f"{wire.url}{path}?{encode_kannel(message)}")).text

    return send


async def twilio_sms(wire: Wire) -> Send:
    """One MessageSid, signed."""
    known = wire.settings.channel("twilio_sms")
    assert isinstance(known, TwilioSettings)
    message = TextMessage(f"SM{secrets.token_hex(16)}", wire.me.identity.address, "+12025", TEXT)
    fields, url = encode_twilio(message, "AC0"), f"{wire.url}/sms/twilio"
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        SIGNATURE_HEADER: sign(url, fields, known.auth_tokens[0].get_secret_value()),
    }

    async def send() -> str:
        return decode_twiml(
            (await http("POST", url, content=urlencode(fields), headers=headers)).content
        )

    return send


async def packet_(wire: Wire) -> Send:
    """One sealed datagram, sent again until it is answered."""
    keys = packet.keys_of(packet.token_hash(wire.me.identity.token))
    asked = packet.PacketRequest(secrets.token_bytes(12), WallClock().now_ms(), TEXT)
    datagram = packet.seal_request(asked, keys, secrets.token_bytes(12))
    where = ("127.0.0.1", wire.port("packet"))

    async def send() -> str:
        loop, got = asyncio.get_running_loop(), asyncio.Queue[bytes]()
        line = Line(got)
        transport, _ = await loop.create_datagram_endpoint(lambda: line, remote_addr=where)
        try:
            while True:
                transport.sendto(datagram)
                try:
                    answer = packet.open_answer(await asyncio.wait_for(got.get(), 1.5), keys)
                except TimeoutError:
                    continue
                assert answer is not None
                return answer.text
        finally:
            transport.close()

    return send


class Line(asyncio.DatagramProtocol):
    """What came back."""

    def __init__(self, got: asyncio.Queue[bytes]) -> None:
        self._got = got

    def datagram_received(self, data: bytes, addr: object) -> None:
        """Keep it."""
        del addr
        self._got.put_nowait(data)


async def snpp(wire: Wire) -> Send:
    """The same page on a line of its own."""
    me = wire.me.identity
    order = PageOrder("callgate", TEXT, login=me.address, secret=me.password)

    async def send() -> str:
        port = wire.port("snpp")
        return (await talk(page_script(order), "127.0.0.1", port, timeout_s=TIMEOUT_S)).text

    return send


async def wctp(wire: Wire) -> Send:
    """One messageID."""
    me = wire.me.identity
    message = Message(
        operation="SubmitRequest",
        sender_id=me.address,
        security_code=me.password,
        recipients=("callgate",),
        payload=Payload(TEXT),
        control=Control(secrets.token_hex(8), allow_response=False),
        submitted_ms=WallClock().now_ms(),
    )
    body = document(operation(message))

    async def send() -> str:
        async with httpx2.AsyncClient(timeout=TIMEOUT_S) as client:
            return (await post(client, f"{wire.url}/wctp", body)).text

    return send


def a_mail(wire: Wire) -> EmailMessage:
    """Return a mail with one Message-ID."""
    mail = EmailMessage()
    mail["From"], mail["To"] = wire.me.identity.address, "call@callgate.example"
    mail["Message-ID"] = f"<{secrets.token_hex(8)}@probe.invalid>"
    mail.set_content(TEXT)
    return mail


async def smtp(wire: Wire) -> Send:
    """One Message-ID; the client sees that it was taken, the answer is one mail."""
    mail = a_mail(wire)

    async def send() -> str:
        port = wire.port("smtp")
        _, said = await aiosmtplib.send(mail, hostname="127.0.0.1", port=port, timeout=TIMEOUT_S)
        return said

    return send


MAKERS: Mapping[str, Callable[[Wire], Awaitable[Send]]] = {
    "api": api,
    "kannel_sms": kannel_sms,
    "packet": packet_,
    "pda": pda,
    "smtp": smtp,
    "snpp": snpp,
    "twilio_sms": twilio_sms,
    "wap": wap,
    "wctp": wctp,
    "web": web,
}


@dataclass(slots=True)
class Bench:
    """A gateway that can be started again on the same addresses.

    Attributes:
        settings, relay: of every start.
        callers: one person per channel, by channel.
    """

    settings: Settings
    relay: Mailbox
    callers: Mapping[str, Settled]

    @asynccontextmanager
    async def started(self) -> AsyncIterator[Running]:
        """Run it; people are made at the first start."""
        options = Options(create=True, test_texts=False)
        async with running(self.settings, asyncio.Event(), options) as service:
            if not self.callers:
                spaces = {name: made.id_space for name, made in channel_classes().items()}
                _, *callers = await set_up(service.core, people(spaces))
                self.callers = {one.person.channel: one for one in callers}
            yield service

    def wire(self, service: Running, channel: str) -> Wire:
        """Return one caller's way."""
        listening = {one.name: where for one in service.channels for where in one.listening()}
        return Wire(service.url, listening, self.settings, self.callers[channel])

    async def calls(self, service: Running, channel: str) -> int:
        """Return how many calls one caller has."""
        core, token = service.core, self.callers[channel].identity.token
        who = await core.principal_of_token(token, core.wall.now_ms())
        assert who is not None
        return len((await core.calls(who, COPIES, "")).items)


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    """Return a gateway on addresses of its own, not started."""
    usual, rng = world.free_port, random.SystemRandom()

    def free_port(listener: Listener) -> int:
        # None that the system gives away by itself: over the restart it might give it to another.
        return usual(replace(listener, port=rng.choice(PORTS)))

    monkeypatch.setattr(world, "free_port", free_port)
    relay = Mailbox(WallClock())
    try:
        yield Bench(make_settings(tmp_path / "gateway", await relay.start()), relay, {})
    finally:
        await relay.stop()


async def test_fifty_copies_are_one_call_and_fifty_equal_answers(bench: Bench) -> None:
    """On every channel; one more copy after a restart rings nobody and is answered alike."""
    assert {*MAKERS, "imap"} == set(channel_classes()), "a channel without its copies"
    sends: dict[str, Send] = {}
    said: dict[str, str] = {}
    found: dict[str, tuple[int, int]] = {}
    async with bench.started() as service:
        for name, make in MAKERS.items():
            sends[name] = await make(bench.wire(service, name))
            answers = await asyncio.gather(*(sends[name]() for _ in range(COPIES)))
            said[name] = answers[0]
            found[name] = (len(set(answers)), await bench.calls(service, name))
    assert found == dict.fromkeys(MAKERS, (1, 1))
    async with bench.started() as service:
        again = {name: await send() for name, send in sends.items()}
        calls = {name: await bench.calls(service, name) for name in MAKERS}
    assert calls == dict.fromkeys(MAKERS, 1)
    for name in OTHER_AFTER_RESTART:
        del again[name], said[name]
    assert again == said


@pytest.mark.peer("dovecot")
async def test_fifty_copies_in_a_mailbox_are_one_call_and_one_answer(
    bench: Bench, server: Dovecot
) -> None:
    """The same of a mailbox, where the answer is one mail."""
    read = ImapSettings.model_validate({"mailboxes": {"calls": mailbox(server.port)}})
    bench.settings = bench.settings.model_copy(update={"imap": read})

    async def put(copies: int) -> None:
        with server.client() as client:
            for _ in range(copies):
                client.append("INBOX", content)
        await until(lambda: server.count("INBOX") == 0, "all were taken")

    async with bench.started() as service:
        content = a_mail(bench.wire(service, "imap")).as_bytes()
        await put(COPIES)
        assert await bench.calls(service, "imap") == 1
    async with bench.started() as service:
        await put(1)
        assert await bench.calls(service, "imap") == 1
    address = bench.callers["imap"].identity.address
    answers = [one for one in bench.relay.messages() if one.to == address]
    assert len({one.subject for one in answers}) <= len(answers) <= 2, "the answer, the receipt"
