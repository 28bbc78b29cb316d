"""Answers as pages: the words, and a button for everything that can be said next."""

import pytest

from call_core.commands import Command, Menu, Number, Save, UsePhone
from call_core.outcomes import Asked, Done, Launched, Outcome, Phrase, Refused, Scheduled, Told
from channels.kit.micro.answers import answer_page
from channels.kit.micro.page import Press, Words
from tests.support.scripted_core import ANNA

SAVE = Save("bob", Number("+44 20 7946 0018"))
CHOICES = (Phrase("choice_text", {"text": "mom"}), Phrase("choice_text", {"text": "<b>"}))


@pytest.mark.parametrize(
    ("outcome", "command", "presses"),
    [
        (Launched("call_launched", "4F7", "call_1"), Menu(), {"Status": "call:4F7"}),
        (Scheduled("call_scheduled", "4F7", "call_1"), Menu(), {"Status": "call:4F7"}),
        (Asked("stale", "4F7"), Menu(), {"Yes, go ahead": "say:go%204F7"}),
        (
            Asked("which_name", "4F7", CHOICES),
            Menu(),
            {"mom": "say:4F7%201", "<b>": "say:4F7%202"},
        ),
        (Told("history", more=True), Menu(), {"Show more": "say:more"}),
        (Told("history"), Menu(), {}),
        (Done("saved"), SAVE, {"Undo": "say:undo"}),
        (Done("used"), UsePhone("cell"), {"Undo": "say:undo"}),
        (Done("muted", "4F7", "call_1"), Menu(), {"Status": "call:4F7"}),
        (Done("undone"), Menu(), {}),
        (Refused("no_such_call", "4F7"), Menu(), {}),
    ],
)
def test_an_answer_leads_on(outcome: Outcome, command: Command, presses: dict[str, str]) -> None:
    """Questions by their choices, calls by their status, changes by undo; always home."""
    page = answer_page(outcome, command, ANNA)
    blocks = [block for row in page.rows for block in row]
    shown = {block.label: block.action for block in blocks if isinstance(block, Press)}
    assert shown == presses
    assert any(isinstance(block, Words) for block in blocks)
    assert [press.label for press in page.foot] == ["Home"]


def test_choices_are_buttons_and_no_lines() -> None:
    """Nothing is on a small screen twice."""
    page = answer_page(Asked("which_name", "4F7", CHOICES), Menu(), ANNA)
    words = [block.text for row in page.rows for block in row if isinstance(block, Words)]
    assert not any("<b>" in line for line in words)


def test_a_test_says_so() -> None:
    """A simulator's answer begins with TEST."""
    page = answer_page(Done("undone"), Menu(), ANNA, test=True)
    first = page.rows[0][0]
    assert isinstance(first, Words)
    assert first.text.startswith("TEST ")
