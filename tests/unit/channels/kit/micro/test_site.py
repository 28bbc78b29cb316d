"""The frame of the pages: sessions that end, faults, emergencies, long answers, headers."""

import re
from collections.abc import AsyncIterator

import pytest

from call_core.commands import Menu
from call_core.errors import Overloaded, StoreUnavailable
from call_core.outcomes import Phrase, Refused, Told
from call_core.requests import Evidence
from channels.kit.micro.site import MAX_REPEATED_BYTES
from channels.kit.micro.visit import MAX_FORM_BYTES
from channels.kit.page_tokens import MICRO_PAGE_LIFETIME_S
from tests.support.clocks import FakeClock
from tests.support.micro import DEVICES, Handset, handset_before, plain_core
from tests.support.scripted_core import NOW_MS, ScriptedCore

pytestmark = pytest.mark.anyio
TOO_LATE_MS = (MICRO_PAGE_LIFETIME_S + 1) * 1000


@pytest.fixture
def core() -> ScriptedCore:
    """Return a core that knows two names and three phones."""
    return plain_core()


@pytest.fixture
def wall() -> FakeClock:
    """Return the clock that sessions go by."""
    return FakeClock(NOW_MS)


@pytest.fixture(params=list(DEVICES))
async def handset(
    request: pytest.FixtureRequest, core: ScriptedCore, wall: FakeClock
) -> AsyncIterator[Handset]:
    """Return each kind of browser, signed in, in turn."""
    async with handset_before(core, request.param, wall) as made:
        await made.enter()
        yield made


async def test_every_page_says_what_it_depends_on(handset: Handset) -> None:
    """Vary, no caching, a charset; 200 with a page instead of a redirect."""
    for label in ("Directory", "mom", "Call"):
        await handset.press(label)
        headers = handset.answer.headers
        assert handset.answer.status_code == 200
        assert headers["vary"] == "Accept, User-Agent"
        assert headers["cache-control"] == "no-cache"
        assert headers["content-type"].endswith("; charset=utf-8")


async def test_a_session_goes_on_while_pages_are_pressed(handset: Handset, wall: FakeClock) -> None:
    """Each answer carries a new state that is good for ten minutes more."""
    for _ in range(5):
        wall.jump(MICRO_PAGE_LIFETIME_S * 1000)
        screen = await handset.press("Directory")
        assert screen.title == "Directory"
        await handset.press("Home")
    states = set()
    for _ in range(3):
        await handset.press("Directory")
        states.add(handset.state)
        await handset.press("Home")
        states.add(handset.state)
    assert len(states) == 6


async def test_a_page_that_is_too_old_does_nothing(
    handset: Handset, wall: FakeClock, core: ScriptedCore
) -> None:
    """One second past ten minutes one signs in again, on any page."""
    await handset.press("Directory")
    await handset.press("mom")
    wall.jump(TOO_LATE_MS)
    screen = await handset.press("Call")
    assert "older than ten minutes" in screen.text
    assert core.asked == []
    assert handset.labels() == ["Sign in", "Mail me a code"]


@pytest.mark.parametrize("state", ["", "x", "A" * 68])
async def test_a_state_that_is_none_of_ours_is_nobody(
    handset: Handset, core: ScriptedCore, state: str
) -> None:
    """Gateways' words on who the subscriber is are not believed either."""
    screen = await handset.ask("ring:mom", {"s": state})
    assert "Please sign in." in screen.words
    assert core.asked == []


async def test_a_page_that_there_is_not_is_the_first_one(handset: Handset) -> None:
    """Nothing that is sent is a dead end."""
    for action in ("nonsense", "", "!", "9999!home", "x" * 700):
        screen = await handset.ask(action)
        assert (handset.answer.status_code, screen.title) == (200, "Callgate Anna")
        await handset.ask("home")


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [Overloaded(), StoreUnavailable(), RuntimeError("defect")])
async def test_a_fault_of_ours_is_temporary_and_can_be_repeated(
    handset: Handset, core: ScriptedCore, fault: Exception
) -> None:
    """`Try again` sends the same on the same state: whatever was done is not done twice."""
    await handset.press("Dial")
    core.fault = fault
    screen = await handset.press("Call", {"to": "mom"})
    assert handset.answer.status_code == 503
    assert int(handset.answer.headers["retry-after"]) > 0
    assert "othing was launched" in screen.text or "not sure" in screen.text
    assert ("reference is err_" in screen.text) is isinstance(fault, RuntimeError)
    core.fault = None
    again = handset.screen
    await handset.press("Try again")
    assert "Status" in handset.labels()
    handset.screen = again
    await handset.press("Try again")
    assert len(core.asked) == 1


@pytest.mark.parametrize(("more", "label"), [(0, "Try again"), (1, "Sign in")])
async def test_what_is_too_long_to_repeat_is_typed_again(
    handset: Handset, core: ScriptedCore, more: int, label: str
) -> None:
    """At the limit the page carries it, one past it the phone's own back key does."""
    core.fault = Overloaded()
    await handset.ask("meet", {"participants": "x" * (MAX_REPEATED_BYTES + more)})
    assert handset.labels() == [label]


async def test_a_form_that_is_too_long_is_refused(handset: Handset) -> None:
    """In a page."""
    screen = await handset.ask("home", {"x": "y" * MAX_FORM_BYTES})
    assert handset.answer.status_code == 400
    assert "too long" in screen.text


# --- emergencies --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "digits"),
    [
        ({"to": "911"}, "911"),
        ({"participants": "mom, 112"}, "112"),
        ({"text": "call 999"}, "999"),
    ],
)
async def test_an_emergency_is_answered_without_signing_in(
    handset: Handset, core: ScriptedCore, wall: FakeClock, fields: dict[str, str], digits: str
) -> None:
    """The core has the words; it is asked as somebody whom nobody knows."""
    core.answers = [Refused("emergency", fields={"digits": digits})]
    wall.jump(TOO_LATE_MS)
    screen = await handset.ask("ring", fields)
    assert digits in screen.text
    (asked,) = core.asked
    assert (asked.evidence, asked.user_id, asked.sender) == (Evidence.FORGED, None, "")


@pytest.mark.parametrize("fields", [{"to": "mom"}, {"to": "+1 616 977 9933"}, {"text": "dir"}])
async def test_other_numbers_are_not_looked_at_without_signing_in(
    handset: Handset, core: ScriptedCore, wall: FakeClock, fields: dict[str, str]
) -> None:
    """A stranger costs no work of the core's."""
    wall.jump(TOO_LATE_MS)
    await handset.ask("ring", fields)
    assert core.asked == []


# --- long answers -------------------------------------------------------------------------------


async def test_a_long_answer_goes_on_without_being_asked_twice(
    handset: Handset, core: ScriptedCore
) -> None:
    """`More` shows the stored answer from where the screen ended; the core does nothing again."""
    rows = tuple(
        Phrase("menu_row", {"example": f"line {number:02}", "text": "x" * 60})
        for number in range(40)
    )
    core.answers = [Told("menu", rows=rows)]
    await handset.press("Balance")
    seen = handset.screen.text
    presses = 0
    while "More" in handset.labels():
        await handset.press("More")
        seen += f"\n{handset.screen.text}"
        presses += 1
    assert re.findall(r"line \d\d", seen) == [f"line {number:02}" for number in range(40)]
    assert presses > 1
    assert len(core.asked) == 1


async def test_an_answer_that_nobody_gave_is_the_menu(handset: Handset, core: ScriptedCore) -> None:
    """A made-up id launches nothing."""
    await handset.ask("again:abc:def")
    assert [request.command for request in core.asked] == [Menu()]
    assert (core.asked[0].external_id, core.asked[0].fingerprint) == ("abc.def", "def")


@pytest.mark.parametrize("kind", ["wml", "palm"])
async def test_pages_of_a_simulator_say_so(core: ScriptedCore, kind: str) -> None:
    """Nobody takes a test for a telephone."""
    async with handset_before(core, kind, test=True) as handset:
        screen = await handset.enter()
        assert screen.title == "TEST Callgate Anna"
