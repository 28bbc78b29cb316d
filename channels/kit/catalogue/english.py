"""English, all subjects together, and the sentences for a code whose text is missing."""

from types import MappingProxyType

from channels.kit.catalogue import (
    en_calls,
    en_directory,
    en_money,
    en_notices,
    en_parsing,
    en_people,
    en_questions,
    en_refusals,
)
from channels.kit.catalogue.en_words import WORDS
from channels.kit.catalogue.model import line, say

SUBJECTS = (
    en_calls,
    en_questions,
    en_money,
    en_directory,
    en_refusals,
    en_parsing,
    en_notices,
    en_people,
)

TEXTS = MappingProxyType(
    {code: text for subject in SUBJECTS for code, text in subject.TEXTS.items()}
)

UNKNOWN = MappingProxyType(
    {
        "launched": say("Under way", "Under way ({code}).[ Call {ref}.]>>To hang up: HANGUP {ref}"),
        "scheduled": say("Scheduled", "Scheduled ({code}).[ Call {ref}.]>>To drop it: SKIP {ref}"),
        "asked": say("A question", "A question ({code}).[ {ref}.]>>[Reply GO {ref}]"),
        "done": say("Done", "Done ({code}).[ {ref}.]"),
        "told": say("Answer", "Answer ({code}).[ {ref}.]"),
        "refused": say(
            "Not done",
            "Not done ({code}).[ {ref}.]>>[Try: {example}][!example:Try: menu]",
            "Not done ({code}).[ {ref}.]>>Try: menu",
        ),
        "notice": say("News", "News ({code}).[ Call {ref}.]>>[Reply STATUS {ref}]"),
        "phrase": line("{code}"),
    }
)
"""Kind -> what is said about a code without a text: sane, never silent."""

TEST_MARK = "TEST "
MORE_FULL = "\nReply MORE for the rest."
MORE_SHORT = " MORE"

__all__ = ["MORE_FULL", "MORE_SHORT", "SUBJECTS", "TEST_MARK", "TEXTS", "UNKNOWN", "WORDS"]
