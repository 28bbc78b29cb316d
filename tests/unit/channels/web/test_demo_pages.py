"""The demo's pages: there only when the demo put something behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tests.support.scripted_core import NOW_MS
from tests.unit.channels.web.conftest import Visitor


@dataclass
class Telephone:
    """A phone on the wall."""

    number: str = "+442079460999"
    label: str = "Anna's cell"
    state: str = "ringing"
    leg_id: str = "leg_1"
    heard: str = "Press 1."


@dataclass
class Mail:
    """A mail in the box."""

    id: str = "out_1"
    to: str = "anna@example.test"
    subject: str = "Your code"
    body: str = "<482913>"
    sent_wall_ms: int = NOW_MS


@dataclass
class Demo:
    """A wall with one phone, and a box with one mail."""

    done: list[tuple[str, ...]] = field(default_factory=list)

    def phones(self) -> Sequence[Telephone]:
        """Return the one phone."""
        return [Telephone()]

    async def pick_up(self, leg_id: str) -> None:
        """Note it."""
        self.done.append(("pick_up", leg_id))

    async def keypress(self, leg_id: str, digit: str) -> None:
        """Note it."""
        self.done.append(("keypress", leg_id, digit))

    async def put_down(self, leg_id: str) -> None:
        """Note it."""
        self.done.append(("put_down", leg_id))

    def messages(self) -> Sequence[Mail]:
        """Return the one mail."""
        return [Mail()]


@pytest.fixture
def demo() -> Demo:
    """Return what the demo would offer."""
    return Demo()


@pytest.fixture
def extras(request: pytest.FixtureRequest) -> dict[str, object]:
    """Put the demo behind the pages, for tests that ask for it."""
    if "demo" not in request.fixturenames:
        return {}
    demo = request.getfixturevalue("demo")
    return {"phones": demo, "mailbox": demo}


@pytest.mark.anyio
async def test_without_a_demo_there_are_no_demo_pages(visitor: Visitor) -> None:
    """Neither the pages nor the links to them."""
    assert "demo" not in (await visitor.get("/help")).text
    assert (await visitor.get("/demo/phones")).status_code == 404
    assert (await visitor.get("/demo/mailbox")).status_code == 404


@pytest.mark.anyio
async def test_phones_can_be_answered(visitor: Visitor, demo: Demo) -> None:
    """Pick up, press 1, hang up: what a person would do, and only on phones that are there."""
    page = await visitor.get("/demo/phones")
    assert 'href="/demo/phones" aria-current="page"' in page.text
    forms = [
        {"leg": "leg_1", "action": "pick_up"},
        {"leg": "leg_1", "action": "press", "key": "1"},
        {"leg": "leg_1", "action": "press", "key": "11"},
        {"leg": "leg_9", "action": "put_down"},
        {"leg": "leg_1", "action": "put_down"},
    ]
    for fields in forms:
        await visitor.fill("/demo/phones", fields)
    assert demo.done == [("pick_up", "leg_1"), ("keypress", "leg_1", "1"), ("put_down", "leg_1")]


@pytest.mark.anyio
async def test_mail_is_shown_as_text(visitor: Visitor, demo: Demo) -> None:
    """The code for signing in can be read there, and no mail becomes part of the page."""
    del demo
    page = await visitor.get("/demo/mailbox")
    assert "&lt;482913&gt;" in page.text
