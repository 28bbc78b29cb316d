"""The table of verbs: looked up, suggested, and complete."""

from typing import get_args

import pytest

from call_core.commands import Command, Menu, OptIn, OptOut
from parsers.grammar import parse
from parsers.verbs import (
    BARE_FORMS,
    LATER_WORDS,
    VERBS,
    carrier_command,
    find,
    find_silent,
    grammar_table,
    suggest,
)


def test_every_command_can_be_written() -> None:
    """The examples of the table make every command of the union but the carriers' words."""
    examples = [line for verb in VERBS for line in verb.examples]
    made = {type(parse(line)) for line in examples}
    assert made == set(get_args(Command)) - {OptIn, OptOut}


def test_every_example_makes_its_own_verbs_command() -> None:
    """An example of one verb never shows another's."""
    for verb in VERBS:
        if verb.make is not None:
            assert {type(parse(line)) for line in verb.examples} == {verb.make}, verb.word


def test_words_are_found_by_synonym_and_silent_words_apart() -> None:
    """A carrier's word is not a verb on its own."""
    assert find("bye") is find("hangup")
    assert find("end") is None
    assert find_silent("end") is find("hangup")
    assert find("block") is not None
    assert find("nothing") is None


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("balence", "balance"),
        ("hangpu", "hangup"),
        ("CNOF", "conf"),
        ("zzz", None),
        ("blok", "lock"),
    ],
)
def test_a_misspelled_verb_is_suggested(word: str, wanted: str | None) -> None:
    """The nearest taught word, never a reserved one."""
    assert suggest(word) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Stop", OptOut("STOP")),
        ("opt-out.", OptOut("OPTOUT")),
        ("unstop", OptIn("UNSTOP")),
        ("info", Menu()),
        ("stop 4F7", None),
        ('"stop"', None),
        ("stopping", None),
        ("", None),
    ],
)
def test_a_carriers_word_alone_is_consent(text: str, wanted: Command | None) -> None:
    """However spaced or punctuated, but only when it is the whole text."""
    assert carrier_command(text) == wanted


def test_the_table_has_a_row_for_every_verb_that_works() -> None:
    """Reserved words are not taught."""
    table = grammar_table()
    assert len(table) == len(BARE_FORMS) + len(VERBS) - len(LATER_WORDS)
    assert ("`hangup` · `hangup 4F7` · `bye`", "ends the call") in table
    assert not [cell for cell, _ in table for word in LATER_WORDS if f"`{word}" in cell]
