"""A browser small enough to read: signs in, fills the form that fits, reads the answer.

The demo and the parity test launch with it over loopback, as a person would with any browser.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

import httpx2

from call_core.commands import Call, Conference
from call_core.errors import DeliveryError
from channels.kit.contract import Identity
from parsers.grammar import parse
from parsers.page_form import encode

TIMEOUT_S = 20.0
_VOID_ELEMENTS = frozenset({"br", "hr", "img", "input", "link", "meta"})


@dataclass(slots=True)
class Form:
    """A form of a page: where it goes, and the fields that it came with."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _PageReader(HTMLParser):
    """Collects the forms of a page and the words of its answer (`id="answer"`)."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "form":
            self.forms.append(Form(attributes.get("action") or ""))
        elif tag == "input" and attributes.get("type") == "hidden" and self.forms:
            self.forms[-1].fields[attributes.get("name") or ""] = attributes.get("value") or ""
        if attributes.get("id") == "answer" or self._depth:
            self._depth += tag not in _VOID_ELEMENTS

    def handle_endtag(self, tag: str) -> None:
        if self._depth and tag not in _VOID_ELEMENTS:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        if self._depth and data.strip():
            self.words.append(data.strip())


def read_page(html: str) -> tuple[Sequence[Form], str]:
    """Return a page's forms and the words of its answer, "" when it shows none."""
    reader = _PageReader()
    reader.feed(html)
    reader.close()
    return reader.forms, "\n".join(reader.words)


async def launch(base_url: str, identity: Identity, text: str) -> str:
    """Sign in as `identity`, send `text` by the form that fits, return what the page answers.

    Raises:
        DeliveryError: signing in failed, or a page did not have the form that it must have.
    """
    async with httpx2.AsyncClient(
        base_url=base_url, follow_redirects=True, timeout=TIMEOUT_S
    ) as client:
        page = await client.get("/sign-in")
        page = await _send(client, page, "/sign-in", {"address": identity.address})
        known = {"address": identity.address, "secret": identity.password}
        page = await _send(client, page, "/sign-in/code", known)
        action, fields = form_of(text)
        answer = await _send(client, page, action, fields)
        return read_page(answer.text)[1]


def form_of(text: str) -> tuple[str, Mapping[str, str]]:
    """Return which form of the home page says `text`, and how it is filled."""
    command = parse(text)
    match command:
        case Call():
            return "/call", encode(command)
        case Conference():
            return "/conference", encode(command)
        case _:
            return "/command", {"text": text}


async def _send(
    client: httpx2.AsyncClient, page: httpx2.Response, action: str, fields: Mapping[str, str]
) -> httpx2.Response:
    found = [form for form in read_page(page.text)[0] if form.action == action and form.fields]
    if not found:
        raise DeliveryError(f"no form {action} on {page.url.path}", retryable=False)
    return await client.post(action, data={**found[0].fields, **fields})
