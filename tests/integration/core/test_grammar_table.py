"""Every example of the grammar's table is said to a prepared world, and answered as it should be.

The table is read from the page that teaches it, so an example that is added there is tried here.
"""

import re
from pathlib import Path

import pytest

from call_core.administration import AddSender
from call_core.outcomes import Asked, Outcome
from tests.support.world import UK, US, User, World, guests

pytestmark = pytest.mark.anyio
README = Path(__file__).parents[3] / "parsers" / "README.md"
FREEPHONE = "+18003569377"

LAUNCH, CONTROL, TOLD = {"launched"}, {"done"}, {"told"}
EXPECTED: dict[str, set[str]] = {
    "call": {"launched", "scheduled"},
    "conf": {"launched", "scheduled"},
    "last": LAUNCH,
    "add": CONTROL,
    "drop": CONTROL,
    "mute": CONTROL,
    "unmute": CONTROL,
    "lock": CONTROL,
    "unlock": CONTROL,
    "extend": CONTROL,
    "redial": CONTROL,
    "move": CONTROL,
    "who": TOLD,
    "hangup": CONTROL,
    "bye": CONTROL,
    "go": LAUNCH,
    "pick": {"launched"},
    "2": {"launched"},
    "quote": TOLD,
    "rate": TOLD,
    "balance": TOLD,
    "history": TOLD,
    "status": TOLD,
    "why": TOLD,
    "code": CONTROL,
    "more": TOLD,
    "next": TOLD,
    "skip": CONTROL,
    "late": CONTROL,
    "at": CONTROL,
    "save": CONTROL,
    "forget": CONTROL,
    "dir": TOLD,
    "slot": CONTROL,
    "phones": TOLD,
    "use": CONTROL,
    "undo": CONTROL,
    "verify": LAUNCH,
    "device": CONTROL,
    "join": {"refused"},  # from an address that is on file already
    "detach": CONTROL,
    "time": TOLD,
    "dial": TOLD,
    "menu": TOLD,
    "?": TOLD,
}
NO_SUCH_CHOICE = {"pick 12 4F7"}  # two digits can be written; no question has so many choices
IN_A_CONFERENCE = {"add", "drop", "mute", "unmute", "lock", "unlock", "extend", "redial", "move"}
IN_A_CONFERENCE |= {"who", "hangup", "bye"}
OF_A_SCHEDULE = {"next", "skip", "late", "at"}
OF_A_PAST_CALL = {"last", "history", "status", "why", "code"}
OF_A_QUESTION = {"go", "pick", "2"}


def examples() -> list[str]:
    """Return every example of the table, row by row."""
    _, _, after = README.read_text().partition("| Write | Means |")
    table, _, _ = after.partition("\n\n")
    cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return [example for cell in cells for example in re.findall(r"`([^`]+)`", cell)]


def verb_of(example: str) -> str:
    """Return the word that decides what an example does; `call` for what stands alone."""
    if example == "4F7":
        return "status"
    if example in ("2", "4F7 2"):
        return "2"
    first = example.split(maxsplit=1)[0].lower()
    return first if first in EXPECTED else "call"


def test_the_table_is_there_and_every_verb_has_an_expectation() -> None:
    """No verb is left out, and no expectation is without its example."""
    assert len(examples()) > 60
    assert {verb_of(example) for example in examples()} == set(EXPECTED)


@pytest.mark.parametrize("example", examples())
async def test_every_example_does_what_the_page_says(world: World, example: str) -> None:
    """The answer is of the kind that the verb has, never a failure of ours."""
    ada = await prepared(world, "GB" if "0207" in example else "US")
    verb = verb_of(example)
    ref = await situation(world, ada, verb)

    text = re.sub(r"\b4F7\b", ref, example).removesuffix(" 881342") if ref else example
    answer = await world.say(ada, text)

    if example in NO_SUCH_CHOICE:
        assert (answer.kind, answer.code) == ("refused", "not_a_choice"), answer
    else:
        assert answer.kind in EXPECTED[verb], answer


async def prepared(world: World, country: str) -> User:
    """Return a user with the names, phones, codes and slots that the examples use."""
    rows = [("1", "United States", 10_000), ("44", "UK", 20_000), ("233", "Ghana", 200_000)]
    await world.deck([*rows, ("81", "Japan", 50_000)])
    acme = await world.customer(regions=("US", "GB", "GH", "001"))
    ada = await world.user(acme, country=country)
    await world.billing_code(acme, "ACME-12")
    people = guests(world, 5)
    for name, number in zip(("mom", "bob", '"bob and sons"', "smith"), people, strict=False):
        assert (await world.say(ada, f"save {name} {number}")).kind == "done"
    assert (await world.say(ada, "slot 7 mom")).kind == "done"
    await world.phone(ada, "desk", "+14155552671", trusted=True)
    return ada


async def situation(world: World, ada: User, verb: str) -> str:
    """Bring about what an example needs; return the ref that stands for its `4F7`."""
    if verb in IN_A_CONFERENCE:
        return await in_a_conference(world, ada, verb)
    if verb in OF_A_SCHEDULE:
        return (await world.say(ada, "conf mom, bob at tomorrow 9am")).ref
    if verb in OF_A_PAST_CALL:
        world.script(UK, talk_s=20)
        ref = (await world.say(ada, f"call {UK}")).ref
        await world.run_out()
        await world.advance(100)
        return ref
    if verb in OF_A_QUESTION:
        return (await asked(world, ada, verb)).ref
    await something_to_change(world, ada, verb)
    return ""


async def something_to_change(world: World, ada: User, verb: str) -> None:
    """Bring about what commands without a call need."""
    match verb:
        case "more":
            for n in range(8):
                await world.say(ada, f"save friend{n} +442079460{n:03d}")
            await world.say(ada, "dir", channel="smtp")
        case "verify":
            await world.say(ada, "detach cell")
            await world.phone(ada, "cell", "+14155552671")
        case "detach":
            await world.administer(AddSender(ada.id, "smtp", "ann@example.org"))
        case "undo":
            await world.say(ada, "use cell")
        case _:
            return


async def in_a_conference(world: World, ada: User, verb: str) -> str:
    """Start a conference of stated length in which the third party is bob, there or gone."""
    others = f"{US}, +13125550124" if verb == "add" else f"{US}, mom, bob"
    ref = (await world.say(ada, f"conf {others} for 60 min")).ref
    await world.advance(15)
    if verb == "redial":
        await world.say(ada, "drop 3")
        await world.advance(2)
    return ref


async def asked(world: World, ada: User, verb: str) -> Outcome:
    """Have a question asked that the example answers."""
    if verb == "go":
        world.script(UK, talk_s=20)
        await world.say(ada, f"call {UK}")
        await world.run_out()
        question = await world.say(ada, f"call {UK}")
    else:
        for n in range(3):
            await world.say(ada, f"save jo{n:02d} +442079460{n:03d}")
        question = await world.say(ada, "call jo")
    assert isinstance(question, Asked), question
    return question
