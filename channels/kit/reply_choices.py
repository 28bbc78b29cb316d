"""What a person can answer with one key: an outcome or notice as choices, each with its command.

Two-way pagers show a list under the message and send back which one was taken. A question's
choices are its own; a call that did not come about offers to try again; news that name a command
offer that command. The commands are lines of the grammar.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from call_core.notices import Notice
from call_core.outcomes import Asked, Outcome
from channels.kit.render import Budget, render_phrase

MAX_LABEL_LENGTH = 20  # characters; two-way pagers show one short line for each choice
MAX_CHOICES = 9
AGAIN_CODES = frozenset(
    {
        "a_busy",
        "a_not_accepted",
        "a_not_reached",
        "b_busy",
        "b_no_answer",
        "b_not_reached",
        "expired",
        "lines_busy",
        "nobody_came",
    }
)
DEFAULT_AGAIN = ("Call back now=last", "In ten minutes=call {to} in 10")


@dataclass(frozen=True, slots=True)
class ReplyChoice:
    """One line under a message: what it says, and the command it means ("" for none)."""

    label: str
    command: str


def reply_choices(
    content: Outcome | Notice, timezone: str, again: Sequence[str] = DEFAULT_AGAIN
) -> tuple[ReplyChoice, ...]:
    """Return the choices that fit a message, in order, none when it wants no answer.

    Args:
        content: what is said.
        timezone: the reader's zone, for instants in choices.
        again: `label=command` for calls that did not come about; `{to}` is whom was called, `{ref}`
            the call; a line that names what the message does not have is left out.
    """
    if isinstance(content, Asked):
        return _of_question(content, timezone)
    if not isinstance(content, Notice):
        return ()
    if content.code in AGAIN_CODES:
        return _again(content, again)
    return _of_news(content)


def _of_question(question: Asked, timezone: str) -> tuple[ReplyChoice, ...]:
    if not question.choices:
        code = question.fields.get("secret", "")
        confirmed = f"go {question.ref} {code}".rstrip()
        return (ReplyChoice("Go", confirmed), ReplyChoice("No", ""))
    return tuple(
        ReplyChoice(
            render_phrase(choice, timezone, Budget.PAGER80)[:MAX_LABEL_LENGTH].rstrip(),
            f"{question.ref} {number}",
        )
        for number, choice in enumerate(question.choices[:MAX_CHOICES], start=1)
    )


def _again(notice: Notice, again: Sequence[str]) -> tuple[ReplyChoice, ...]:
    to, found = str(notice.fields.get("to", "")), []
    for line in again[:MAX_CHOICES]:
        label, _, command = line.partition("=")
        if "{to}" in command and not _can_be_called(to):
            continue
        written = command.replace("{to}", f'"{to}"' if to[:1].isalpha() else to)
        written = written.replace("{ref}", notice.ref)
        found.append(ReplyChoice(label.strip()[:MAX_LABEL_LENGTH], written.strip()))
    return tuple(found)


def _can_be_called(to: str) -> bool:
    """Whether the label of the other party is a name or number that calls it."""
    return bool(to) and '"' not in to and not to.endswith(" people")


def _of_news(notice: Notice) -> tuple[ReplyChoice, ...]:
    if notice.code == "party_missing" and "party" in notice.fields:
        command = f"redial {notice.fields['party']} {notice.ref}"
        return (ReplyChoice("Ring again", command), ReplyChoice("Leave it", ""))
    if notice.code == "last_minute_time":
        extend = ReplyChoice("15 minutes more", f"extend 15 {notice.ref}")
        return (extend, ReplyChoice("Let it end", ""))
    return ()
