"""The menu as lines of an answer, from the one table of verbs that the parser reads by."""

from collections.abc import Iterator
from typing import Final

from call_core.outcomes import Phrase
from parsers.verbs import BARE_FORMS, VERBS, Verb, find

_FIRST: Final = ("call", "conf", "hangup", "balance", "next", "who", "add", "quote", "history")
"""What a person needs first; small screens show as many as fit, in this order."""


def menu_rows(topic: str = "") -> tuple[Phrase, ...]:
    """Return one line for each command, or every example of the one that `topic` names."""
    verb = find(topic.lower())
    if verb is not None and not verb.later:
        return tuple(_rows_of(verb))
    listed = [verb for verb in VERBS if not verb.later]
    listed.sort(key=lambda verb: _FIRST.index(verb.word) if verb.word in _FIRST else len(_FIRST))
    bare = [_row(form.examples[0], form.help) for form in BARE_FORMS]
    return tuple([_row(verb.examples[0], verb.help) for verb in listed] + bare)


def _rows_of(verb: Verb) -> Iterator[Phrase]:
    for number, example in enumerate(verb.examples):
        yield _row(example, "" if number else verb.help)


def _row(example: str, text: str) -> Phrase:
    return Phrase("menu_row", {"example": example, "text": text})
