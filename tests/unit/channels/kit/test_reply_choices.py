import pytest

from call_core.codes.tables import TABLES
from call_core.errors import ParseError
from call_core.notices import Notice
from call_core.outcomes import Asked, Done, Outcome, Phrase
from channels.kit.reply_choices import (
    AGAIN_CODES,
    MAX_CHOICES,
    MAX_LABEL_LENGTH,
    ReplyChoice,
    reply_choices,
)
from parsers.grammar import parse

AGAIN = ("Call back now=last", "In ten minutes=call {to} in 10", "Status=status {ref}")


def choices(content: Outcome | Notice, again: tuple[str, ...] = AGAIN) -> list[tuple[str, str]]:
    """Return labels and commands."""
    return [(each.label, each.command) for each in reply_choices(content, "UTC", again)]


def test_a_question_has_its_own_choices() -> None:
    """Each answers by ref and number, so that it is right whenever it comes."""
    rows = tuple(Phrase("choice_name", {"name": f"mom number {n}"}) for n in range(12))
    found = choices(Asked("which_name", "4F7", rows, {"name": "mom"}))
    assert [command for _, command in found] == [f"4F7 {n}" for n in range(1, MAX_CHOICES + 1)]
    assert all(0 < len(label) <= MAX_LABEL_LENGTH for label, _ in found)


@pytest.mark.parametrize(
    ("fields", "go"), [({}, "go 4F7"), ({"secret": "881342"}, "go 4F7 881342")]
)
def test_a_plain_question_is_confirmed(fields: dict[str, str], go: str) -> None:
    """With its code where it has one; No does nothing."""
    assert choices(Asked("stale", "4F7", (), fields)) == [("Go", go), ("No", "")]


@pytest.mark.parametrize(
    ("to", "command"),
    [("mom", 'call "mom" in 10'), ("+44 20 7946 0018", "call +44 20 7946 0018 in 10")],
)
def test_a_call_that_failed_can_be_tried_again(to: str, command: str) -> None:
    """Now, in ten minutes, or whatever the settings say."""
    found = choices(Notice("b_busy", "4F7", {"to": to}))
    assert found == [
        ("Call back now", "last"),
        ("In ten minutes", command),
        ("Status", "status 4F7"),
    ]


@pytest.mark.parametrize("to", ["", "3 people", 'a "b"'])
def test_nobody_is_called_who_has_no_name(to: str) -> None:
    """The line that needs one is left out."""
    assert [label for label, _ in choices(Notice("b_busy", "4F7", {"to": to}))] == [
        "Call back now",
        "Status",
    ]


@pytest.mark.parametrize(
    ("notice", "expected"),
    [
        (
            Notice("party_missing", "4F7", {"party": 3, "label": "bob"}),
            [("Ring again", "redial 3 4F7"), ("Leave it", "")],
        ),
        (
            Notice("last_minute_time", "4F7", {}),
            [("15 minutes more", "extend 15 4F7"), ("Let it end", "")],
        ),
        (Notice("receipt", "4F7", {"to": "mom"}), []),
    ],
)
def test_news_offer_the_command_that_they_name(
    notice: Notice, expected: list[tuple[str, str]]
) -> None:
    """And a plain receipt wants no answer."""
    assert choices(notice) == expected


def test_answers_want_no_answer() -> None:
    """Only questions do."""
    assert reply_choices(Done("hung_up", "4F7"), "UTC") == ()


def test_every_choice_is_a_line_of_the_grammar() -> None:
    """What a pager sends back is understood."""
    contents: list[Outcome | Notice] = [
        Asked("stale", "4F7"),
        Asked("which_name", "4F7", (Phrase("choice_name", {"name": "mom"}),), {"name": "mom"}),
        *(Notice(code, "4F7", {"to": "mom", "party": 3}) for code in TABLES["notice"]),
    ]
    for content in contents:
        for choice in reply_choices(content, "UTC"):
            assert isinstance(choice, ReplyChoice)
            assert not choice.command or not isinstance(parse(choice.command), ParseError)


def test_the_notices_of_failed_calls_exist() -> None:
    """A code that was renamed would silently lose its choices."""
    assert TABLES["notice"].keys() >= AGAIN_CODES | {"party_missing", "last_minute_time"}
