"""The pages as a person presses through them, in every language that they are written in."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from call_core.commands import Balance, Call, Conference, Name, Number, Quote
from call_core.contracts import PhoneView
from channels.kit.micro.pages import MAX_ADDRESS_CHARS, MAX_OPTION_BYTES, MAX_SECRET_CHARS
from parsers.verbs import VERBS
from tests.support.clocks import FakeClock
from tests.support.micro import DEVICES, NASTY, PHONES, Handset, handset_before, plain_core
from tests.support.scripted_core import ANNA, CODE, NOW_MS, PASSWORD, ScriptedCore

pytestmark = pytest.mark.anyio


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
    """Return each kind of browser in turn."""
    async with handset_before(core, request.param, wall) as made:
        yield made


# --- signing in ---------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [PASSWORD, CODE])
async def test_a_password_or_a_code_signs_in(handset: Handset, secret: str) -> None:
    """The home page greets by name; there is no cookie."""
    await handset.open()
    screen = await handset.press("Sign in", {"u": ANNA.address, "k": secret})
    assert screen.title == "Callgate Anna"
    assert "Directory" in handset.labels()


async def test_a_code_is_mailed(handset: Handset, core: ScriptedCore) -> None:
    """The words are the same for an address that we do not know, and the address stays."""
    await handset.open()
    known = await handset.press("Mail me a code", {"u": ANNA.address})
    assert core.mailed == [ANNA.address]
    assert known.inputs["u"] == ANNA.address
    unknown = await handset.press("Mail me a code", {"u": "eve@example.test"})
    assert unknown.words == known.words
    assert core.mailed == [ANNA.address]
    empty = await handset.press("Mail me a code", {"u": ""})
    assert "Write your mail address first." in empty.words
    long = await handset.press("Mail me a code", {"u": "a" * (MAX_ADDRESS_CHARS + 1)})
    assert "Write your mail address first." in long.words


@pytest.mark.parametrize(
    ("address", "secret"),
    [
        (ANNA.address, "wrong"),
        (ANNA.address, ""),
        ("eve@example.test", PASSWORD),
        (ANNA.address, "x" * (MAX_SECRET_CHARS + 1)),
        ("x" * (MAX_ADDRESS_CHARS + 1), PASSWORD),
        (NASTY, NASTY),
    ],
)
async def test_a_wrong_secret_is_refused_in_the_same_words(
    handset: Handset, address: str, secret: str
) -> None:
    """Nobody learns which names there are."""
    await handset.open()
    screen = await handset.press("Sign in", {"u": address, "k": secret})
    assert "That code or password is not right, or the code is too old." in screen.words
    assert handset.labels() == ["Sign in", "Mail me a code"]


async def test_a_double_tap_on_signing_in_signs_in_once(
    handset: Handset, core: ScriptedCore
) -> None:
    """The second answer, which the phone shows, is signed in too, by the same session."""
    first = await handset.open()
    typed = {"u": ANNA.address, "k": CODE}
    await handset.press("Sign in", typed)
    handset.screen = first
    screen = await handset.press("Sign in", typed)
    assert screen.title == "Callgate Anna"
    assert len(core.sessions) == 1


async def test_signing_out_ends_the_session(handset: Handset, core: ScriptedCore) -> None:
    """What was pressed on an older page afterwards does nothing."""
    home = await handset.enter()
    screen = await handset.press("Sign out")
    assert "You are signed out." in screen.words
    assert core.sessions == {}
    handset.screen = home
    screen = await handset.press("Balance")
    assert "Please sign in." in screen.words
    assert core.asked == []


# --- launching ----------------------------------------------------------------------------------


async def test_a_name_is_called_in_three_presses(handset: Handset, core: ScriptedCore) -> None:
    """Directory, the name, Call; the number is shown before."""
    await handset.enter()
    for label in ("Directory", "bob smith"):
        await handset.press(label)
    assert "+1 616-977-9933 x12" in handset.screen.text
    screen = await handset.press("Call")
    assert "Status" in handset.labels()
    assert screen.words
    (asked,) = core.asked
    assert asked.command == Call(Name("bob smith"))
    assert (asked.channel, asked.id_space, asked.user_id) == (
        handset.device.path[1:],
        handset.device.path[1:],
        ANNA.user_id,
    )
    assert (asked.text, asked.in_session) == ('call "bob smith"', True)


async def test_a_double_tap_launches_once(handset: Handset, core: ScriptedCore) -> None:
    """The same button of the same page is the same request; a new page is another one."""
    await handset.enter()
    await handset.press("Directory")
    page = await handset.press("mom")
    first = await handset.press("Call")
    handset.screen = page
    second = await handset.press("Call")
    assert (first.title, first.words) == (second.title, second.words)
    assert len(core.asked) == 1
    handset.screen = page
    await handset.press("Call from office")
    assert [request.command for request in core.asked] == [
        Call(Name("mom")),
        Call(Name("mom"), Name("office")),
    ]
    await handset.press("Home")
    for label in ("Directory", "mom", "Call"):
        await handset.press(label)
    assert len(core.asked) == 3


async def test_phones_that_are_not_verified_are_not_offered(handset: Handset) -> None:
    """Only what may ring is shown."""
    await handset.enter()
    for label in ("Directory", "mom"):
        await handset.press(label)
    assert [label for label in handset.labels() if label.startswith("Call")] == [
        "Call",
        "Call from office",
    ]


async def test_the_price_is_told(handset: Handset, core: ScriptedCore) -> None:
    """Before anything rings."""
    await handset.enter()
    for label in ("Directory", "mom", "Price"):
        await handset.press(label)
    assert core.asked[0].command == Quote(Name("mom"))


async def test_a_number_is_dialled(handset: Handset, core: ScriptedCore) -> None:
    """With every option that a line of the grammar has for it."""
    await handset.enter()
    await handset.press("Dial")
    typed = {"to": "+44 20 7946 0018", "from": "office", "code": "A-1", "max": "20 min"}
    await handset.press("Call", typed)
    (asked,) = core.asked
    assert asked.command == Call(
        Number("+44 20 7946 0018"), Name("office"), billing_code="A-1", max_minutes=20
    )


async def test_what_cannot_be_read_is_refused_with_the_page_that_it_came_from(
    handset: Handset, core: ScriptedCore
) -> None:
    """Nothing typed is nothing launched."""
    await handset.enter()
    await handset.press("Dial")
    await handset.press("Call")
    assert core.views == {}
    assert handset.labels() == ["Home"]


async def test_a_conference_of_ticked_and_written(handset: Handset, core: ScriptedCore) -> None:
    """Both kinds of people, from the phone that was picked."""
    await handset.enter()
    await handset.press("Conference")
    ticked = ";".join(value for value, _ in handset.screen.options["p"])
    typed = {"p": ticked, "participants": "carol, +33 1 42 68 12 34", "from": "office"}
    await handset.press("Start", {**typed, "minutes": "30"})
    (asked,) = core.asked
    assert asked.command == Conference(
        (Name("mom"), Name("bob smith"), Name("carol"), Number("+33 1 42 68 12 34")),
        Name("office"),
        minutes=30,
    )


@pytest.mark.parametrize("people", ["", "mom ; +44 20 7946 0018 x 5 y"])
async def test_a_conference_that_cannot_be_read_is_refused(
    handset: Handset, core: ScriptedCore, people: str
) -> None:
    """Nobody is rung for it."""
    await handset.enter()
    await handset.press("Conference")
    await handset.press("Start", {"participants": people})
    assert core.views == {}
    assert len(core.asked) == 1


async def test_a_user_with_one_phone_picks_none(handset: Handset, core: ScriptedCore) -> None:
    """There is nothing to choose."""
    core.own_phones = [PHONES[0]]
    await handset.enter()
    await handset.press("Dial")
    assert "from" not in handset.screen.inputs


async def test_phones_that_are_too_many_for_a_page_are_written(
    handset: Handset, core: ScriptedCore
) -> None:
    """At the limit they are picked, one past it the label is typed."""
    label = "x" * (MAX_OPTION_BYTES // 2 - len("cell") - 1)
    long = PhoneView(label, "+442079460998", verified=True, default=False)
    core.own_phones = [PHONES[0], replace(long, label=label[:-1])]
    await handset.enter()
    home = handset.screen
    await handset.press("Dial")
    assert handset.screen.options["from"][1] == (label[:-1], label[:-1])
    core.own_phones.append(replace(long, label="xxxxxxxx"))
    handset.screen = home
    await handset.press("Dial")
    assert "from" not in handset.screen.options
    await handset.press("Call", {"to": "mom", "from": "xxxxxxxx"})
    assert core.asked[0].command == Call(Name("mom"), Name("xxxxxxxx"))


# --- directory, menu ----------------------------------------------------------------------------


async def test_names_are_found_by_how_they_begin(handset: Handset) -> None:
    """A long directory needs no turning of pages."""
    await handset.enter()
    await handset.press("Directory")
    await handset.press("Find", {"q": "bo"})
    assert "bob smith" in handset.labels()
    assert "mom" not in handset.labels()
    screen = await handset.press("Find", {"q": "zz"})
    assert "No such name." in screen.words


async def test_an_empty_directory_says_so(handset: Handset, core: ScriptedCore) -> None:
    """Nobody looks at an empty page."""
    core.entries = []
    await handset.enter()
    screen = await handset.press("Directory")
    assert "No names are saved yet." in screen.words
    screen = await handset.ask("name:mom")
    assert "There is no such name." in screen.words
    await handset.press("Home")
    await handset.press("Conference")
    assert "p" not in handset.screen.options


async def test_the_menu_is_the_table_of_verbs(handset: Handset) -> None:
    """Every word that is taught is there, on as many screens as it needs."""
    await handset.enter()
    await handset.press("Menu")
    seen = handset.labels()
    while "More" in handset.labels():
        await handset.press("More")
        seen += handset.labels()
    words = [label for label in seen if label not in {"More", "Home"}]
    assert words == [verb.word for verb in VERBS if not verb.later]


async def test_a_verb_is_explained_and_sent(handset: Handset, core: ScriptedCore) -> None:
    """What it does, how it is written, a field that begins with it."""
    await handset.enter()
    await handset.press("Menu")
    screen = await handset.press("call")
    assert "call mom" in screen.text
    assert screen.inputs["text"] == "call "
    await handset.press("Send", {"text": "call mom max 20 min"})
    assert core.asked[0].command == Call(Name("mom"), max_minutes=20)
    assert core.asked[0].text == "call mom max 20 min"


@pytest.mark.parametrize("word", ["nonsense", "topup", ""])
async def test_a_verb_that_there_is_not_is_said_to_be_none(handset: Handset, word: str) -> None:
    """Neither ones that are not built yet."""
    await handset.enter()
    screen = await handset.ask(f"verb:{word}")
    assert "There is no such word." in screen.words


async def test_a_button_says_a_line(handset: Handset, core: ScriptedCore) -> None:
    """Balance is one press from home."""
    await handset.enter()
    await handset.press("Balance")
    assert core.asked[0].command == Balance()


# --- the application of an organizer ------------------------------------------------------------


async def test_the_application_asks_once_more(handset: Handset, core: ScriptedCore) -> None:
    """Name, secret, people and phone at once; then one press on a page with its own token."""
    await handset.open()
    typed = {"u": ANNA.address, "k": PASSWORD, "participants": "mom, bob smith", "from": "office"}
    screen = await handset.ask("app", {**typed, "at": "6pm"})
    assert core.asked == []
    assert screen.title == "Conference"
    assert "mom, bob smith" in (screen.inputs["participants"], *screen.words)
    page = screen
    await handset.press("Start")
    handset.screen = page
    await handset.press("Start")
    (asked,) = core.asked
    command = asked.command
    assert isinstance(command, Conference)
    assert (command.participants, command.origin) == (
        (Name("mom"), Name("bob smith")),
        Name("office"),
    )
    assert command.at is not None


async def test_the_application_with_a_wrong_secret_asks_to_sign_in(handset: Handset) -> None:
    """Nothing is launched and nothing is told."""
    await handset.open()
    screen = await handset.ask("app", {"u": ANNA.address, "k": "x", "participants": "mom"})
    assert "That code or password is not right, or the code is too old." in screen.words


async def test_people_that_are_too_many_for_one_page_are_not_cut(handset: Handset) -> None:
    """Half a list would be a conference that nobody asked for."""
    await handset.open()
    people = "mom," * 76
    screen = await handset.ask("app", {"u": ANNA.address, "k": PASSWORD, "participants": people})
    assert screen.inputs["participants"] == ""
    assert "too many" in screen.text
