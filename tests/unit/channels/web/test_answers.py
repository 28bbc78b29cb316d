"""What a page shows for an outcome."""

import pytest

from call_core.commands import Command, History, Number, Save, Undo
from call_core.outcomes import Asked, Done, Launched, Outcome, Phone, Phrase, Refused, Told
from channels.web.answers import Answer, Button, answer_of, from_text, to_text

SAVE = Save("bob", Number("1"))


CHOICES = (
    Phrase("choice_name", {"name": "bob smith", "number": Phone("+442079460018")}),
    Phrase("choice_name", {"name": "bob jones", "number": Phone("+442079460019")}),
)


@pytest.mark.parametrize(
    ("outcome", "command", "texts"),
    [
        (Asked("price_changed", "4F7"), SAVE, ["go 4F7"]),
        (Asked("which_name", "4F7", CHOICES), SAVE, ["4F7 1", "4F7 2"]),
        (Told("history", more=True), History(), ["more"]),
        (Told("history"), History(), []),
        (Done("saved"), SAVE, ["undo"]),
        (Done("undone"), Undo(), []),
        (Refused("name_unknown"), SAVE, []),
        (Launched("call_launched", "4F7", "call_1"), History(), []),
    ],
)
def test_buttons_say_what_comes_next(outcome: Outcome, command: Command, texts: list[str]) -> None:
    """Questions, longer lists and changes of the directory have buttons; nothing else has."""
    answer = answer_of(outcome, command, "UTC")
    assert [button.text for button in answer.buttons] == texts
    assert answer.refused is isinstance(outcome, Refused)
    assert answer.title
    assert answer.text


def test_a_choice_is_named_on_its_button() -> None:
    """Nobody has to count lines to know which button is whose."""
    answer = answer_of(Asked("which_name", "4F7", CHOICES), SAVE, "UTC")
    assert "bob smith" in answer.buttons[0].label


def test_simulated_calls_are_marked() -> None:
    """On a simulator outside the demo every text starts with TEST."""
    told = Told("history")
    assert answer_of(told, History(), "UTC", test=True).text.startswith("TEST")
    assert not answer_of(told, History(), "UTC").text.startswith("TEST")


def test_an_answer_travels_as_text() -> None:
    """Over a redirect nothing of it is lost; no text is no answer."""
    answer = Answer("done", "Saved", "Saved <bob>.\nUndo?", (Button("Undo", "undo"),))
    assert from_text(to_text(answer)) == answer
    assert from_text("") is None
