"""A deployed gateway on a real Asterisk: a call by each old device, speech both ways, the bill."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx2
import pytest

from call_core.contracts import Cdr
from call_core.switches.simulator_phone import PhoneScript
from channels.kit.micro.client import launch
from tests.support.asterisk_site import (
    MAIL,
    OFFICE,
    PAGER,
    SMS_SECRET,
    AsteriskSite,
    asterisk_site,
    until,
)
from tests.support.micro import DEVICES

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(180)]
PRICE_MICROS, INCREMENT_S, QUANTUM_MICROS = 10_000, 6, 100


async def by_mail(site: AsteriskSite, text: str) -> None:
    """As a mail program does."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = MAIL, "call@callgate.example", text
    message.set_content("")
    port = site.ports["smtp"]
    await aiosmtplib.send(message, hostname="127.0.0.1", port=port, start_tls=False)


async def by_sms(site: AsteriskSite, text: str) -> None:
    """As Kannel does for a telephone's text message."""
    fields = {
        "id": f"message-{time.monotonic_ns()}",
        "from": OFFICE,
        "to": "12345",
        "text": text,
        "coding": "0",
        "charset": "UTF-8",
        "time": str(int(time.time())),  # noqa: TID251  (the carrier's clock)
        "smsc": "carrier",
    }
    async with httpx2.AsyncClient(base_url=site.url) as client:
        answer = await client.get(f"/sms/kannel/{SMS_SECRET}", params=fields)
        assert answer.is_success, answer.text


async def by_pager(site: AsteriskSite, text: str) -> None:
    """As a two-way pager's carrier does, by SNPP."""
    reader, writer = await asyncio.open_connection("127.0.0.1", site.ports["snpp"])
    assert (await reader.readline()).startswith(b"220")
    login = f"LOGI {PAGER} {site.identity.password}"
    for words in (login, "PAGE callgate", f"MESS {text}", "SEND"):
        writer.write(f"{words}\r\n".encode())
        reply = await reader.readline()
        assert reply[:1] == b"2", (words, reply)
    writer.close()


async def by_wap(site: AsteriskSite, text: str) -> None:
    """As somebody at a WAP telephone does: sign in, dial, call."""
    device = DEVICES["wml"]
    await launch(site.url, device.path, site.identity, text, device.headers)


WAYS: dict[str, Callable[[AsteriskSite, str], Awaitable[None]]] = {
    "smtp": by_mail,
    "kannel_sms": by_sms,
    "snpp": by_pager,
    "wap": by_wap,
}


def rated(cdr: Cdr) -> int:
    """Return what a leg of so many seconds costs."""
    billable_s = -(-cdr.duration_s // INCREMENT_S) * INCREMENT_S
    assert cdr.billable_s == billable_s
    micros = -(-billable_s * PRICE_MICROS // 60)
    return -(-micros // QUANTUM_MICROS) * QUANTUM_MICROS


async def test_each_device_has_its_call_and_its_bill(tmp_path: Path) -> None:
    """A is asked for a key, both hear each other's own voice, B hangs up, both are billed."""
    async with asterisk_site(tmp_path) as site:
        await site.start()
        for count, (channel, by) in enumerate(WAYS.items(), 1):
            number = f"+1312555012{count}"
            site.asterisk.phones.scripts[number] = PhoneScript(ring_ms=200, press="")
            await by(site, f"call {number}")
            await both_hear(site, number)
            site.put_down(number)
            cdrs = list((await site.ended(count)).values())[-1]
            assert [(cdr.channel, cdr.leg) for cdr in cdrs] == [(channel, "A"), (channel, "B")]
            assert [cdr.to_number for cdr in cdrs] == [OFFICE, number]
            assert [cdr.hangup_by for cdr in cdrs] == ["service", "callee"]
            assert [cdr.total_micros for cdr in cdrs] == [rated(cdr) for cdr in cdrs]
        await until(lambda: _nothing_up(site))
        assert await site.wrong() == []


async def both_hear(site: AsteriskSite, number: str) -> None:
    """Wait until both have heard the other's own voice."""

    async def talking() -> bool:
        return site.talking(OFFICE, number)

    await until(talking)


async def _nothing_up(site: AsteriskSite) -> bool:
    return "0 active channels" in await asyncio.to_thread(site.channels)
