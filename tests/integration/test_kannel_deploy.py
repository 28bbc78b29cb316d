"""The shipped configuration for carriers and modems, in real Kannel."""

import asyncio
import os
import pty
from collections.abc import Callable
from pathlib import Path
from typing import cast
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI, Response
from starlette.types import Receive, Scope, Send

from gateway.http_listener import HttpListener
from parsers.sms_webhook import decode_kannel
from tests.support import kannel
from tests.support.smpp_centre import HEADER, UCS2, SmppCentre

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket, pytest.mark.timeout(90)]

ANNA = "+12125550101"
SHIPPED = ("smsc-fake.conf", "smsc-smpp.conf", "smsc-modem.conf")


async def until(done: Callable[[], bool]) -> None:
    """Wait until something is true."""
    async with asyncio.timeout(20):
        while not done():  # noqa: ASYNC110  (other processes do it)
            await asyncio.sleep(0.05)


def test_every_message_centre_of_the_readme_is_shipped() -> None:
    """And nothing else."""
    found = {file.name for file in kannel.SHIPPED.glob("smsc-*.conf")}
    readme = (kannel.SHIPPED / "README.md").read_text(encoding="utf-8")
    assert found == set(SHIPPED)
    assert all(name in readme for name in SHIPPED)


async def test_a_carrier_by_smpp(tmp_path: Path) -> None:
    """Bind; texts in by both alphabets and in parts; a text out, and its receipt."""
    asked: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
        await Response("", media_type="text/plain")(scope, receive, send)

    listener = HttpListener("127.0.0.1", 0)
    await listener.start(cast("FastAPI", app))
    async with SmppCentre().serving() as centre:
        changes = {
            "CHANGE-HOST": "127.0.0.1",
            "port = 2775": f"port = {centre.port}",
            "CHANGE-SYSTEM-ID": "callgate",
            "CHANGE-SMPP-PASSWORD": "smpppass",
        }
        boxes = kannel.running(tmp_path, listener.port, centre="smsc-smpp.conf", changes=changes)
        running = await asyncio.to_thread(boxes.__enter__)
        try:
            await until(lambda: bool(centre.bound))
            centre.deliver(ANNA, b"call mom")
            centre.deliver(ANNA, "мама".encode("utf-16-be"), coding=UCS2)
            for part, text in ((2, b"tomorrow"), (1, b"call mom ")):
                header = bytes([5, 0, 3, 42, 2, part])
                centre.deliver(ANNA, header + text, esm_class=HEADER)
            await until(lambda: len(asked) >= 3)
            await send(running.sendsms_url, listener.port)
            await until(lambda: len(asked) >= 4)
        finally:
            await asyncio.to_thread(boxes.__exit__, None, None, None)
    await listener.stop()
    assert centre.bound == [("callgate", "smpppass")]
    assert centre.acknowledged >= 4
    messages = [decode_kannel(each.partition("?")[2].encode()) for each in asked[:3]]
    assert [each.sender for each in messages] == [ANNA] * 3
    assert {each.text for each in messages} == {"call mom", "мама", "call mom tomorrow"}
    assert centre.submitted == [("12025550143", "12125550101", "Calling mom.")]
    assert parse_qs(urlsplit(asked[3]).query)["dlr"] == ["1"]


async def send(sendsms_url: str, port: int) -> None:
    """Send one text with a report, as the channel does."""
    headers = {
        "X-Kannel-Username": "callgate",
        "X-Kannel-Password": kannel.PASSWORD,
        "X-Kannel-From": "+12025550143",
        "X-Kannel-To": ANNA,
        "X-Kannel-DLR-Mask": "19",
        "X-Kannel-DLR-Url": f"http://127.0.0.1:{port}/report?dlr=%d",
        "Content-Type": "text/plain; charset=UTF-8",
    }
    async with httpx2.AsyncClient() as client:
        answer = await client.post(sendsms_url, content="Calling mom.", headers=headers)
    assert answer.status_code == 202


def test_a_modem_is_opened_and_spoken_to(tmp_path: Path) -> None:
    """On a pseudo terminal: Kannel takes the configuration and sends AT commands."""
    ours, theirs = pty.openpty()
    changes = {"/dev/ttyUSB0": os.ttyname(theirs), "CHANGE-OWN-NUMBER": "+12025550143"}
    try:
        with kannel.running(
            tmp_path, kannel.free_port(), centre="smsc-modem.conf", changes=changes
        ):
            said = os.read(ours, 64)
    finally:
        os.close(ours)
        os.close(theirs)
    assert b"AT" in said.upper()
