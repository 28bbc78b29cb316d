"""Text messages through the whole gateway: real Kannel, and Twilio's interface as a double."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from channels.kit.contract import Identity
from gateway.clocks import WallClock
from gateway.demo.run import make_settings
from gateway.demo.set_up import set_up
from gateway.demo.world import people
from gateway.mailbox import Mailbox
from gateway.server import Options, Running, running
from gateway.settings_file import load_settings
from tests.support import kannel
from tests.support.twilio_messages import ACCOUNT, NUMBER, TOKEN, TwilioMessages

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

PHONE = "+12125550990"  # Ada's; her texts come from it
OTHER_PHONE = "+12125550999"  # nobody's
COMMAND = "call mom"


@contextlib.asynccontextmanager
async def gateway(
    folder: Path, port: int, environ: Mapping[str, str], channel: str
) -> AsyncIterator[tuple[Running, Identity, Mailbox]]:
    """Run a whole gateway with more settings; yield it, Ada, and her mailbox."""
    mailbox = Mailbox(WallClock())
    relay_port = await mailbox.start()
    make_settings(folder / "gateway", relay_port)
    environ = {**environ, "CALLGATE_HTTP__PORT": str(port)}
    settings = load_settings(folder / "gateway" / "callgate.toml", environ)
    try:
        options = Options(create=True, test_texts=False)
        async with running(settings, asyncio.Event(), options) as service:
            ada = people({"smtp": "mail", channel: "sms"})[0]
            texts_first = replace(ada, senders=ada.senders[::-1])
            [settled] = await set_up(service.core, [texts_first])
            yield service, settled.identity, mailbox
    finally:
        await mailbox.stop()


async def until(done: Callable[[], bool], seconds: float = 40.0) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(seconds):
        while not done():  # noqa: ASYNC110  (several processes do it together)
            await asyncio.sleep(0.05)


async def calls_of(service: Running, identity: Identity) -> list[str]:
    """Return the channels of the user's calls."""
    who = await service.core.principal_of_token(identity.token, service.core.wall.now_ms())
    assert who is not None
    return [call.channel for call in (await service.core.calls(who, 10, "")).items]


async def test_a_text_by_kannel_rings_and_the_reply_comes_back(tmp_path: Path) -> None:
    """From the telephone to a committed call, its answer and its receipt, by real Kannel."""
    port = kannel.free_port()
    with kannel.running(tmp_path, port) as boxes:
        environ = {
            "CALLGATE_KANNEL_SMS__SECRET": kannel.SECRET,
            "CALLGATE_KANNEL_SMS__SENDSMS_URL": boxes.sendsms_url,
            "CALLGATE_KANNEL_SMS__PASSWORD": kannel.PASSWORD,
            "CALLGATE_KANNEL_SMS__FROM_NUMBER": NUMBER,
            "CALLGATE_KANNEL_SMS__REPORT_URL": f"http://127.0.0.1:{port}",
        }
        async with gateway(tmp_path, port, environ, "kannel_sms") as (service, ada, _):
            with boxes.telephone(f"{PHONE} 12345 text {COMMAND}") as telephone:
                texts = await asyncio.to_thread(telephone.wait_for_texts, 1, 40.0)
            with boxes.telephone(f"{PHONE} 12345 text hangup") as telephone:
                texts += await asyncio.to_thread(telephone.wait_for_texts, 2, 40.0)
            assert await calls_of(service, ada) == ["kannel_sms"]
    assert [(sender, receiver) for sender, receiver, _ in texts] == [(NUMBER, PHONE)] * 3
    assert "mom" in texts[0][2]
    assert "$" in texts[2][2]


def twilio_environ(twilio: TwilioMessages) -> dict[str, str]:
    """Return the settings that lead to the double."""
    return {
        "CALLGATE_TWILIO_SMS__AUTH_TOKENS": json.dumps([TOKEN]),
        "CALLGATE_TWILIO_SMS__ACCOUNT_SID": ACCOUNT,
        "CALLGATE_TWILIO_SMS__FROM_NUMBER": NUMBER,
        "CALLGATE_TWILIO_SMS__API_URL": twilio.url,
    }


async def test_a_text_by_twilio_rings_once_and_is_answered_once(tmp_path: Path) -> None:
    """The webhook's answer is empty both times; answer and receipt go out by REST, once each."""
    port = kannel.free_port()
    async with TwilioMessages(webhook=f"http://127.0.0.1:{port}/sms/twilio").serving() as twilio:
        environ = twilio_environ(twilio)
        async with gateway(tmp_path, port, environ, "twilio_sms") as (service, ada, _):
            answers = [await twilio.text(PHONE, COMMAND, sid="SM1") for _ in range(2)]
            assert [each.status_code for each in answers] == [200, 200]
            assert {each.text for each in answers} == {answers[0].text}
            assert "<Message>" not in answers[0].text
            await until(lambda: len(twilio.sent) >= 1)
            await twilio.text(PHONE, "hangup")
            await until(lambda: len(twilio.sent) >= 3)
            assert await calls_of(service, ada) == ["twilio_sms"]
            await asyncio.sleep(0.5)
    assert [message["to"] for message in twilio.sent] == [PHONE] * 3
    assert all(len(message["body"]) <= 160 for message in twilio.sent)


async def test_who_sent_stop_gets_the_receipt_by_mail(tmp_path: Path) -> None:
    """Twilio refuses with 21610; that is remembered, and the next address gets what was to say."""
    port = kannel.free_port()
    async with TwilioMessages(webhook=f"http://127.0.0.1:{port}/sms/twilio").serving() as twilio:
        environ = twilio_environ(twilio)
        async with gateway(tmp_path, port, environ, "twilio_sms") as (service, ada, mailbox):
            await twilio.text(PHONE, COMMAND)
            await until(lambda: len(twilio.sent) >= 1)
            await twilio.text(OTHER_PHONE, "who is there")
            twilio.opted_out.add(PHONE)
            await twilio.text(PHONE, "hangup")
            await until(lambda: len(mailbox.messages()) >= 1)
            assert await calls_of(service, ada) == ["twilio_sms"]
    assert len(twilio.sent) == 1


async def test_an_undelivered_text_goes_to_the_next_address(tmp_path: Path) -> None:
    """The status callback, twice, moves one message to mail once."""
    port = kannel.free_port()
    async with TwilioMessages(webhook=f"http://127.0.0.1:{port}/sms/twilio").serving() as twilio:
        environ = twilio_environ(twilio)
        async with gateway(tmp_path, port, environ, "twilio_sms") as (_, _ada, mailbox):
            await twilio.text(PHONE, "balance")
            await until(lambda: len(twilio.sent) >= 1)
            for status, code in (("sent", 0), ("undelivered", 30003), ("undelivered", 30003)):
                assert (await twilio.report(0, status, code)).status_code == 200
            await until(lambda: len(mailbox.messages()) >= 1)
            await asyncio.sleep(0.5)
            assert len(mailbox.messages()) == 1
    assert len(twilio.sent) == 1


async def test_what_arrived_stays_where_it_is(tmp_path: Path) -> None:
    """A failure that is told after the delivery, or for a message that we do not know, is none."""
    port = kannel.free_port()
    async with TwilioMessages(webhook=f"http://127.0.0.1:{port}/sms/twilio").serving() as twilio:
        environ = twilio_environ(twilio)
        async with gateway(tmp_path, port, environ, "twilio_sms") as (_, _ada, mailbox):
            await twilio.text(PHONE, "balance")
            await until(lambda: len(twilio.sent) >= 1)
            for status in ("delivered", "undelivered"):
                assert (await twilio.report(0, status)).status_code == 200
            twilio.sent[0]["callback"] += "x"
            assert (await twilio.report(0, "undelivered")).status_code == 200
            await asyncio.sleep(0.5)
            assert mailbox.messages() == []
    assert len(twilio.sent) == 1


async def test_stop_by_text_is_obeyed(tmp_path: Path) -> None:
    """After STOP nothing more is sent to the number, and a later answer goes by mail."""
    port = kannel.free_port()
    async with TwilioMessages(webhook=f"http://127.0.0.1:{port}/sms/twilio").serving() as twilio:
        environ = twilio_environ(twilio)
        async with gateway(tmp_path, port, environ, "twilio_sms") as (_, _ada, mailbox):
            assert "<Message>" not in (await twilio.text(PHONE, "Stop")).text
            await twilio.text(PHONE, "balance")
            await until(lambda: len(mailbox.messages()) >= 1)
    assert twilio.sent == []
