"""The micro pages as a person meets them: a whole gateway, real HTTP, simulated telephones.

Takes the fixture `gateway`: a running gateway with `url`, and with `identity`, a user who has two
phones, a password, money, and the name `mom` in the directory.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import httpx2
import pytest

from channels.kit.contract import Identity
from channels.kit.micro.client import MicroBrowser, launch
from tests.support.micro import DEVICES

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
WAIT_S = 30.0


class Gateway(Protocol):
    """What these tests need of the fixture."""

    url: str
    identity: Identity


@pytest.fixture(params=list(DEVICES))
async def browser(request: pytest.FixtureRequest, gateway: Gateway) -> AsyncIterator[MicroBrowser]:
    """Return each kind of browser, signed in, in turn."""
    device = DEVICES[request.param]
    async with httpx2.AsyncClient(base_url=gateway.url, timeout=WAIT_S) as client:
        made = MicroBrowser(client, device.path, device.headers)
        await made.sign_in(gateway.identity)
        assert not client.cookies
        yield made


@pytest.mark.parametrize("kind", ["wml", "palm"])
async def test_a_probe_launches_and_reads_the_answer(gateway: Gateway, kind: str) -> None:
    """The channels' own client gets as far as a person would."""
    device = DEVICES[kind]
    said = await launch(gateway.url, device.path, gateway.identity, "call mom", device.headers)
    assert "mom" in said


async def test_a_call_from_three_presses_to_its_bill(browser: MicroBrowser) -> None:
    """Directory, name, Call; then Status, Hang up, and the arithmetic."""
    for label in ("Directory", "mom", "Call", "Status"):
        await browser.press(label)
    async with asyncio.timeout(WAIT_S):
        while "Connected." not in browser.screen.words:
            await browser.press("Refresh")
            await asyncio.sleep(0.1)
    status = browser.screen
    await browser.press("Hang up")
    ended = browser.screen.title
    browser.screen = status
    await browser.press("Hang up")
    assert browser.screen.title == ended
    async with asyncio.timeout(WAIT_S):
        await browser.press("Status")
        while not any(line.startswith("Over") for line in browser.screen.words):
            await browser.press("Refresh")
            await asyncio.sleep(0.1)
    words = browser.screen.text
    while any(press.label == "More" for press in browser.screen.presses):
        await browser.press("More")
        words += browser.screen.text
    assert "$0." in words
    assert "billed as" in words or "Charge" in words or "charge" in words


async def test_a_conference_of_ticked_names(browser: MicroBrowser) -> None:
    """Two presses from home; it is on the home page afterwards and ends by one."""
    await browser.press("Conference")
    ticked = ";".join(value for value, _ in browser.screen.options["p"][:2])
    await browser.press("Start", {"p": ticked})
    assert "2 people" in browser.screen.title
    for label in ("Status", "Hang up"):
        await browser.press(label)


async def test_an_emergency_number_is_answered_without_signing_in(browser: MicroBrowser) -> None:
    """By the core itself, in every language."""
    await browser.press("Sign out")
    state = next(press.fields["s"] for press in browser.screen.presses if press.fields)
    answer = await browser.client.post(
        browser.path, data={"b": "ring", "s": state, "to": "911"}, headers=browser.headers
    )
    assert "Dial 911 on a phone NOW" in answer.text


async def test_the_application_page_is_there(gateway: Gateway) -> None:
    """It leads back to this gateway."""
    async with httpx2.AsyncClient(base_url=gateway.url) as client:
        answer = await client.get("/pda/app")
    assert f'action="{gateway.url}/pda"' in answer.text
