from datetime import UTC

import pytest

from parsers.snpp import MAX_CHOICE_CHARS
from parsers.snpp_commands import (
    COMMANDS,
    HELP_LINES,
    Draft,
    StatusAsked,
    Submission,
    TagDropped,
    take_message,
)

LEVELS = {
    1: "PAGE MESS RESE SEND QUIT HELP",
    2: "DATA LOGI LEVE ALER COVE HOLD CALL SUBJ",
    3: "2WAY PING EXPT NOQU ACKR RTYP MCRE MSTA KTAG",
}


def test_every_command_of_every_level_is_there() -> None:
    """RFC 1861, three levels, and nothing else."""
    assert sorted(COMMANDS) == sorted(" ".join(LEVELS.values()).split())


@pytest.mark.parametrize("verb", sorted(COMMANDS))
def test_help_names_every_command(verb: str) -> None:
    """Whoever asks on the line finds it."""
    assert verb in " ".join(HELP_LINES)


def test_a_cleared_draft_is_a_fresh_one() -> None:
    """RESE and SEND leave nothing behind."""
    draft = Draft(two_way=True, pagers=["1"], text="x", choices={"1": "y"}, reply_type="TEXT")
    draft.clear()
    assert draft == Draft()


def test_a_draft_becomes_a_message() -> None:
    """Choices without a type are a multiple choice; a type that was said stays."""
    draft = Draft(pagers=["1"], text="x", choices={"1": "yes"})
    assert draft.submission() == Submission(
        ("1",), "x", reply_type="MULTICHOICE", choices=(("1", "yes"),)
    )
    assert Draft(text="x", reply_type="TEXT").submission().reply_type == "TEXT"
    assert Draft(text="x").submission().reply_type == "NONE"


def test_a_choice_has_eighty_characters() -> None:
    """One more is refused."""
    draft = Draft(two_way=True)
    assert COMMANDS["MCRE"](draft, "1 " + "x" * MAX_CHOICE_CHARS, UTC) == (250, "OK")
    refused = COMMANDS["MCRE"](draft, "2 " + "x" * (MAX_CHOICE_CHARS + 1), UTC)
    assert isinstance(refused, tuple)
    assert refused[0] == 550


def test_tags_are_split() -> None:
    """A tag and a pass code, whatever they are."""
    assert COMMANDS["MSTA"](Draft(), "1  2", UTC) == StatusAsked("1", "2")
    assert COMMANDS["KTAG"](Draft(), "1", UTC) == TagDropped("1", "")


def test_blank_messages_are_refused() -> None:
    """A page without words is no command."""
    assert take_message(Draft(), " \n ")[0] == 550
    assert take_message(Draft(), "x", too_long=True)[0] == 550
