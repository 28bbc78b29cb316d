"""The micro pages before real programs: Kannel's compiler and gateway, lynx and w3m."""

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import httpx2
import pytest
from fastapi import FastAPI

from call_core.commands import Call, Number
from channels.kit.contract import Environment
from channels.kit.micro.client import MicroBrowser
from channels.pda import channel as pda
from channels.wap import channel as wap
from gateway.http_listener import HttpListener
from parsers import wml
from tests.support.clocks import FakeClock
from tests.support.micro import DEVICES, awkward_core, handset_before, plain_core
from tests.support.micro_walk import compiled_bound, every_screen
from tests.support.scripted_core import ANNA, NOW_MS, PASSWORD, ScriptedCore

pytestmark = [pytest.mark.anyio, pytest.mark.enable_socket]
WML_TESTER: Final = Path("/usr/lib/kannel/test/wml_tester")
FAKEWAP: Final = Path("/usr/lib/kannel/test/fakewap")
WAIT_S: Final = 20


def needs(program: str | Path, package: str) -> pytest.MarkDecorator:
    """Skip where a real program is not installed."""
    there = shutil.which(str(program)) is not None
    return pytest.mark.skipif(not there, reason=f"needs {package}: deploy/peers/install")


def run(*command: str | Path, text: str = "") -> str:
    """Return what a real program prints."""
    done = subprocess.run(  # noqa: S603  (programs of the table above)
        [str(word) for word in command],
        input=text,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


@contextlib.asynccontextmanager
async def served(core: ScriptedCore) -> AsyncIterator[str]:
    """Serve both channels on loopback; yield the base of their addresses."""
    clock = FakeClock(NOW_MS)
    listener = HttpListener("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.port}"
    app = FastAPI(openapi_url=None)
    for made in (wap, pda):
        for router in made(made.Settings(), Environment(core, clock, clock, url, None)).routers():
            app.include_router(router)
    await listener.start(app)
    try:
        yield url
    finally:
        await listener.stop()


# --- Kannel's compiler --------------------------------------------------------------------------


@needs(WML_TESTER, "kannel-extras")
@pytest.mark.peer("kannel")
async def test_every_deck_compiles_below_its_limit(tmp_path: Path) -> None:
    """A gateway's own compiler takes every deck, and ours counted no byte too few."""
    too_large, miscounted = {}, {}
    async with handset_before(awkward_core(), "wml") as handset:
        async for name, text in every_screen(handset):
            size = await asyncio.to_thread(compiled, text, tmp_path)
            if not 0 < size <= wml.MAX_COMPILED_BYTES:
                too_large[name] = size
            if size > compiled_bound(text):
                miscounted[name] = (size, compiled_bound(text))
    assert too_large == {}
    assert miscounted == {}


def compiled(deck: str, folder: Path) -> int:
    """Return how many bytes Kannel makes of a deck."""
    file = folder / "deck.wml"
    file.write_text(deck, encoding="utf-8")
    done = subprocess.run(  # noqa: S603  (a constant program)
        [WML_TESTER, "-b", file], capture_output=True, timeout=WAIT_S, check=True
    )
    return len(done.stdout)


# --- lynx and w3m -------------------------------------------------------------------------------

LYNX = ("lynx", "-dump", "-nolist", "-width=72", "-assume_charset=utf-8", "-display_charset=utf-8")
W3M = ("w3m", "-dump", "-cols", "72", "-I", "utf-8", "-O", "utf-8")


@pytest.mark.parametrize("path", ["/wap", "/pda"])
@pytest.mark.parametrize(
    "browser",
    [
        pytest.param(LYNX, marks=needs("lynx", "lynx"), id="lynx"),
        pytest.param(W3M, marks=needs("w3m", "w3m"), id="w3m"),
    ],
)
async def test_text_browsers_show_the_first_page(browser: Sequence[str], path: str) -> None:
    """Fields and buttons, by the browser's own Accept header."""
    async with served(plain_core()) as url:
        shown = await asyncio.to_thread(run, *browser, f"{url}{path}")
    assert "Callgate" in shown
    assert "Mail or user name" in shown
    assert "Sign in" in shown
    assert "<p>" not in shown


def lynx_post(url: str, fields: dict[str, str]) -> str:
    """Send a form with lynx and return the source of the answer."""
    data = str(httpx2.QueryParams(fields))
    return run("lynx", "-source", "-post_data", url, text=f"{data}\n---\n")


@needs("lynx", "lynx")
@pytest.mark.parametrize("path", ["/wap", "/pda"])
async def test_lynx_signs_in_and_dials(path: str) -> None:
    """Three forms by a real browser, no cookie kept, one call; the second tap is no second call."""
    core = plain_core()
    async with served(core) as url, httpx2.AsyncClient() as nobody:
        browser = Lynx(nobody, path, {})
        await browser.post(url, {"b:in": "Sign in", "u": ANNA.address, "k": PASSWORD})
        await browser.post(url, browser.screen.sent(browser.screen.press("Dial"), {}))
        data = browser.screen.sent(browser.screen.press("Call"), {"to": "+44 20 7946 0018"})
        await browser.post(url, data)
        first = browser.screen
        await browser.post(url, data)
    assert first.text == browser.screen.text
    assert [request.command for request in core.asked] == [Call(Number("+44 20 7946 0018"))]


class Lynx(MicroBrowser):
    """Reads what lynx fetched."""

    async def post(self, url: str, fields: dict[str, str]) -> None:
        """Send a form and show its answer."""
        source = await asyncio.to_thread(lynx_post, f"{url}{self.path}", fields)
        self._show(httpx2.Response(200, text=source))


@needs("w3m", "w3m")
async def test_w3m_shows_a_call(tmp_path: Path) -> None:
    """A hostile name is shown as it is written, and posted by w3m itself."""
    core = awkward_core()
    async with served(core) as url, httpx2.AsyncClient(base_url=url) as client:
        browser = MicroBrowser(client, "/pda", DEVICES["palm"].headers)
        await browser.open()
        await browser.press("Sign in", {"u": ANNA.address, "k": PASSWORD})
        fields = browser.screen.sent(browser.screen.press("Directory"), {})
        file = tmp_path / "form"
        file.write_text(str(httpx2.QueryParams(fields)), encoding="ascii")
        shown = await asyncio.to_thread(run, *W3M, "-post", str(file), f"{url}/pda")
    assert "<&\"'$()]]> $(k) $$ Łucja" in shown


# --- a real WAP gateway -------------------------------------------------------------------------

KANNEL_CONF = """
group = core
admin-port = {admin}
admin-password = made-up
wapbox-port = {box}
wdp-interface-name = "127.0.0.1"
log-file = "{folder}/bearerbox.log"

group = wapbox
bearerbox-host = 127.0.0.1
log-file = "{folder}/wapbox.log"
"""


def free_port() -> int:
    """Return a port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def kannel(folder: Path) -> AsyncIterator[None]:
    """Run bearerbox and wapbox with WSP on their own ports of loopback."""
    conf = folder / "kannel.conf"
    ports = {"admin": free_port(), "box": free_port(), "folder": folder}
    conf.write_text(KANNEL_CONF.format(**ports), encoding="utf-8")
    boxes = []
    try:
        for box, ready in (("bearerbox", "bearerbox.log"), ("wapbox", "wapbox.log")):
            quiet = asyncio.subprocess.DEVNULL
            made = await asyncio.create_subprocess_exec(
                f"/usr/sbin/{box}", "-v", "4", str(conf), stdout=quiet, stderr=quiet
            )
            boxes.append(made)
            await _until_there(folder / ready)
        await asyncio.sleep(1)
        yield
    finally:
        for made in reversed(boxes):
            with contextlib.suppress(ProcessLookupError):
                made.terminate()
            try:
                await asyncio.wait_for(made.wait(), 5)
            except TimeoutError:
                made.kill()
                await made.wait()


def _is_filled(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 0


async def _until_there(file: Path) -> None:
    for _ in range(100):
        if _is_filled(file):
            return
        await asyncio.sleep(0.1)
    pytest.fail(f"{file.name} did not come")


@needs(FAKEWAP, "kannel-extras")
@needs("/usr/sbin/bearerbox", "kannel")
@pytest.mark.peer("kannel")
@pytest.mark.timeout(90)
async def test_a_deck_goes_through_a_real_gateway(tmp_path: Path) -> None:
    """A telephone gets the first deck compiled: WML 1.1, UTF-8, with its words in it."""
    deck = tmp_path / "deck.wmlc"
    async with served(plain_core()) as url, kannel(tmp_path):
        command: list[str | Path] = [FAKEWAP, "-g", "127.0.0.1", "-p", "9201", "-M", "1", "-m", "1"]
        command += ["-A", "Nokia7110/1.0", "-w", deck, f"{url}/wap"]
        await asyncio.to_thread(run, *command)
    found = deck.read_bytes() if deck.exists() else b""
    assert found[:3] == b"\x01\x04\x6a", found[:20]
    assert re.search(b"Callgate.*Password or code", found, re.DOTALL)
    assert len(found) <= wml.MAX_COMPILED_BYTES
