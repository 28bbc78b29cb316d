"""A micro browser small enough to read: no cookies, no script; signs in, fills a form, reads.

The demo and the parity test launch with it over loopback, as a phone or an organizer would.
"""

from collections.abc import Mapping

import httpx2

from call_core.commands import Call, Conference
from call_core.errors import DeliveryError, ParseError
from channels.kit.contract import Identity
from parsers.grammar import parse
from parsers.page_form import encode
from parsers.small_screen import Screen, read_screen

TIMEOUT_S = 20.0
_LINE = ("Menu", "call")
"""The way to a field for one line of the grammar."""


class MicroBrowser:
    """Shows one screen at a time.

    Attributes:
        client, path, headers: how it speaks, where it begins, what it says of itself.
        answer, screen: what it shows, as it came and as it is read.
    """

    def __init__(self, client: httpx2.AsyncClient, path: str, headers: Mapping[str, str]) -> None:
        self.client = client
        self.path = path
        self.headers = dict(headers)
        self.screen = Screen()
        self.answer = httpx2.Response(200)

    async def open(self) -> Screen:
        """Go to the first page."""
        return self._show(await self.client.get(self.path, headers=self.headers))

    async def press(self, label: str, typed: Mapping[str, str] | None = None) -> Screen:
        """Press what says `label`, with what is typed into the fields of the screen.

        Raises:
            DeliveryError: the screen has nothing that says so.
        """
        try:
            press = self.screen.press(label)
        except ParseError as error:
            raise DeliveryError(
                f"no {label!r} on this screen: {error!r}", retryable=False
            ) from error
        data = self.screen.sent(press, typed or {})
        return self._show(await self.client.post(press.href, data=data, headers=self.headers))

    def _show(self, answer: httpx2.Response) -> Screen:
        self.answer = answer
        self.screen = read_screen(answer.text)
        return self.screen

    async def sign_in(self, identity: Identity) -> Screen:
        """Sign in with the password; the home page is shown."""
        await self.open()
        return await self.press("Sign in", {"u": identity.address, "k": identity.password})


async def launch(
    base_url: str, path: str, identity: Identity, text: str, headers: Mapping[str, str]
) -> str:
    """Sign in as `identity`, send `text` by the form that fits, return what the page answers.

    Raises:
        DeliveryError: a screen did not have what it must have.
    """
    async with httpx2.AsyncClient(base_url=base_url, timeout=TIMEOUT_S) as client:
        browser = MicroBrowser(client, path, headers)
        await browser.sign_in(identity)
        return (await _send(browser, text)).text


async def _send(browser: MicroBrowser, text: str) -> Screen:
    command = parse(text)
    page, button = {Call: ("Dial", "Call"), Conference: ("Conference", "Start")}.get(
        type(command), ("", "")
    )
    if isinstance(command, Call | Conference):
        fields = encode(command)
        home = browser.screen
        await browser.press(page)
        if fields.keys() <= browser.screen.inputs.keys():
            return await browser.press(button, fields)
        browser.screen = home
    for label in _LINE:
        await browser.press(label)
    return await browser.press("Send", {"text": text})
