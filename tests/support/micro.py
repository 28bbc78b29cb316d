"""Small browsers before the micro pages, a core that is as awkward as it can be, and page lints."""

import contextlib
import re
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from html.parser import HTMLParser

import httpx2
from fastapi import FastAPI

from call_core.contracts import DirectoryEntry, PhoneView
from channels.kit.contract import Environment
from channels.kit.micro.client import MicroBrowser
from channels.pda import channel as pda
from channels.wap import channel as wap
from parsers.small_screen import Screen
from tests.support.clocks import FakeClock
from tests.support.scripted_core import ANNA, NOW_MS, PASSWORD, ScriptedCore, a_call

URL = "http://callgate.test"
NASTY = "<&\"'$()]]>"
AWKWARD = f"{NASTY} $(k) $$ Łucja\x00\x1b ;,:~!"
SHOWN = f"{NASTY} $(k) $$ Łucja"
LONG_NAME = "\u6f22" * 40
PHONES = (
    PhoneView("cell", "+442079460999", verified=True, default=True),
    PhoneView("office", "+442079460998", verified=True, default=False),
    PhoneView("attic", "+442079460997", verified=False, default=False),
)


@dataclass(frozen=True, slots=True)
class Device:
    """One kind of browser: where it goes, what it says of itself, what it must be shown."""

    path: str
    headers: Mapping[str, str]
    language: str


DEVICES = {
    "wml": Device(
        "/wap",
        {
            "Accept": "*/*, text/vnd.wap.wml, text/vnd.wap.wmlscript",
            "User-Agent": "Nokia7110/1.0 (04.84)",
            "X-WAP-Network-Client-MSISDN": "442079460999",
            "x-up-subno": "anna",
        },
        "wml",
    ),
    "xhtml-mp": Device("/wap", {"Accept": "application/vnd.wap.xhtml+xml"}, "xhtml"),
    "wap-html": Device("/wap", {"Accept": "text/html"}, "html"),
    "palm": Device("/pda", {"User-Agent": "Mozilla/2.0 (compatible; Elaine/3.0)"}, "html"),
    "pocket": Device(
        "/pda",
        {"User-Agent": "Mozilla/2.0 (compatible; MSIE 3.02; Windows CE; 240x320)"},
        "html",
    ),
}


class Handset(MicroBrowser):
    """A browser whose every answer is looked at by the lint of its language."""

    def __init__(self, client: httpx2.AsyncClient, device: Device, core: ScriptedCore) -> None:
        super().__init__(client, device.path, device.headers)
        self.device = device
        self.core = core

    @property
    def state(self) -> str:
        """The sealed state of this screen."""
        return next(press.fields["s"] for press in self.screen.presses if press.fields)

    async def ask(self, action: str, fields: Mapping[str, str] | None = None) -> Screen:
        """Send an action as if this screen had a button for it."""
        data = {"b": action, "s": self.state, **(fields or {})}
        return self._show(await self.client.post(self.device.path, data=data, headers=self.headers))

    async def enter(self) -> Screen:
        """Sign in as Anna."""
        await self.open()
        return await self.press("Sign in", {"u": ANNA.address, "k": PASSWORD})

    def labels(self) -> list[str]:
        """Return what can be pressed."""
        return [press.label for press in self.screen.presses]

    def _show(self, answer: httpx2.Response) -> Screen:
        lint(answer.text)
        assert "set-cookie" not in answer.headers
        return super()._show(answer)


@contextlib.asynccontextmanager
async def handset_before(
    core: ScriptedCore, kind: str, wall: FakeClock | None = None, *, test: bool = False
) -> AsyncIterator[Handset]:
    """Put a browser before the channels, with a scripted core behind them; no sockets."""
    clock = wall or FakeClock(NOW_MS)
    environment = Environment(core, clock, clock, URL, None, test_texts=test)
    app = FastAPI(openapi_url=None)
    for made in (wap, pda):
        for router in made(made.Settings(), environment).routers():
            app.include_router(router)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url=URL) as client:
        yield Handset(client, DEVICES[kind], core)


def plain_core() -> ScriptedCore:
    """Return a core that knows two names and Anna's phones."""
    entries = [
        DirectoryEntry("mom", "+442079460018", "", shared=False),
        DirectoryEntry("bob smith", "+16169779933", "12", shared=True),
    ]
    return ScriptedCore(own_phones=list(PHONES), entries=entries)


def awkward_core() -> ScriptedCore:
    """Return a core with long and hostile names everywhere, 64 people in a call, 60 calls."""
    names = [AWKWARD[:40], LONG_NAME, *(f"name {number:02} {NASTY}" for number in range(40))]
    entries = [DirectoryEntry(name, "+442079460018", "12345678901", shared=False) for name in names]
    phones = [
        replace(PHONES[0], label=f"{number} {NASTY} {LONG_NAME}"[:40], default=number == 0)
        for number in range(6)
    ]
    core = ScriptedCore(own_phones=phones, entries=entries)
    one = a_call()
    people = tuple(
        replace(one.parties[1], n=number, label=f"{AWKWARD[:20]}{LONG_NAME[:20]}", muted=True)
        for number in range(64)
    )
    for number in range(60):
        call_id = f"call_{number}"
        view = a_call(call_id, f"{number % 8 + 2}F{number % 8 + 2}G{number % 8 + 2}")
        core.views[call_id] = replace(view, parties=people, title=AWKWARD * 2)
    core.views["call_59"] = replace(
        core.views["call_59"], state="ENDED", reason="money", title=LONG_NAME
    )
    return core


# --- lints --------------------------------------------------------------------------------------

_WML: Mapping[str, tuple[set[str], set[str], bool]] = {
    # element: (children, attributes, whether text may stand in it)
    "wml": ({"head", "card"}, set(), False),
    "head": ({"meta"}, set(), False),
    "meta": (set(), {"http-equiv", "content", "forua"}, False),
    "card": ({"onevent", "p"}, {"title", "newcontext"}, False),
    "onevent": ({"refresh"}, {"type"}, False),
    "refresh": ({"setvar"}, set(), False),
    "setvar": (set(), {"name", "value"}, False),
    "p": ({"a", "anchor", "br", "input", "select"}, set(), True),
    "a": (set(), {"href"}, True),
    "anchor": ({"go"}, set(), True),
    "go": ({"postfield"}, {"href", "method"}, False),
    "postfield": (set(), {"name", "value"}, False),
    "br": (set(), set(), False),
    "input": (set(), {"type", "name", "emptyok", "maxlength"}, False),
    "select": ({"option"}, {"name", "multiple"}, False),
    "option": (set(), {"value"}, True),
}
_HTML: Mapping[str, set[str]] = {
    "html": {"xmlns"},
    "head": set(),
    "title": set(),
    "meta": {"name", "content"},
    "body": {"bgcolor", "text"},
    "b": set(),
    "p": set(),
    "br": set(),
    "a": {"href"},
    "form": {"action", "method"},
    "input": {"type", "name", "value", "size", "maxlength"},
    "select": {"name"},
    "option": {"value", "selected"},
    "table": {"width", "border"},
    "tr": set(),
    "td": {"bgcolor"},
}
_VOID = {"br", "input", "meta"}
_GREYS = {"#000000", "#808080", "#C0C0C0", "#FFFFFF"}
_REFERENCE = re.compile(r"\$(?:\$|\((?:u|k|q|p|to|from|code|max|at|participants|minutes|text)\))")
_XHTML = {"body": {"p", "form"}, "form": {"p"}, "p": {"a", "b", "br", "input", "select"}}


def lint(text: str) -> None:
    """Check a page against what its language allows; a page is one of ours or an error."""
    if "<wml>" in text:
        lint_wml(text)
    elif "XHTML Mobile" in text:
        lint_xhtml(text)
    else:
        lint_html(text)


def lint_wml(text: str) -> None:
    """Known elements in their places, text in paragraphs, dollars doubled."""
    assert "-//WAPFORUM//DTD WML 1.1//EN" in text
    assert "$" not in _REFERENCE.sub("", text), (
        "a dollar that is neither doubled nor a field of ours"
    )
    root = ET.fromstring(text)  # noqa: S314  (a page of ours)
    assert root.tag == "wml"
    for node in root.iter():
        children, attributes, has_text = _WML[node.tag]
        assert {child.tag for child in node} <= children, node.tag
        assert set(node.attrib) <= attributes, node.attrib
        said = [node.text or "", *(child.tail or "" for child in node)]
        assert has_text or not "".join(said).strip(), (node.tag, said)


def lint_xhtml(text: str) -> None:
    """Well-formed, and blocks only where blocks may stand."""
    root = ET.fromstring(text)  # noqa: S314  (a page of ours)
    for node in root.iter():
        tag = node.tag.rpartition("}")[2]
        assert set(node.attrib) <= _HTML[tag], node.attrib
        if tag in _XHTML:
            assert {child.tag.rpartition("}")[2] for child in node} <= _XHTML[tag], tag
        if tag in {"body", "form"}:
            assert not (node.text or "").strip()
            assert not any((child.tail or "").strip() for child in node)


def lint_html(text: str) -> None:
    """HTML 3.2 within the limits of Web Clipping: known elements, four greys, no more than 240."""
    reader = _Lint()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    assert {"html", "head", "title", "body"} <= reader.seen
    assert ("table" in reader.seen) is ('width="240"' in text)
    assert ("table" in reader.seen) is not ("PalmComputingPlatform" in text)


class _Lint(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _HTML, tag
        attributes = dict(attrs)
        assert attributes.keys() <= _HTML[tag], attributes
        for name in ("bgcolor", "text"):
            assert attributes.get(name, "#FFFFFF") in _GREYS
        assert tag not in self.open or tag == "td", f"{tag} in {self.open}"
        assert tag not in {"input", "select"} or "form" in self.open
        self.seen.add(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, tag
