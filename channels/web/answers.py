"""What a page shows for an outcome: words, and buttons for what can be said next."""

import json
from dataclasses import asdict, dataclass

from call_core.commands import Forget, Save, SetBillingCode, SetSlot, UsePhone
from call_core.outcomes import Asked, Done, Outcome, Refused, Told
from channels.kit.render import Budget, render, render_phrase, render_title

_CAN_BE_UNDONE = (Save, Forget, SetSlot, UsePhone, SetBillingCode)


@dataclass(frozen=True, slots=True)
class Button:
    """A button that sends one line of the grammar."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An outcome as a page shows it.

    Attributes:
        kind: the outcome's kind (`launched`, `asked`, `refused`, …); `refused` is read out at once.
        title: one line.
        text: the whole answer, lines separated by newlines.
        buttons: answers to a question, `undo`, `more`.
    """

    kind: str
    title: str
    text: str
    buttons: tuple[Button, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether it was not done."""
        return self.kind == Refused.kind


def answer_of(outcome: Outcome, command: object, timezone: str, *, test: bool = False) -> Answer:
    """Return how to show `outcome`, the answer to `command`, in the user's zone."""
    return Answer(
        outcome.kind,
        render_title(outcome),
        render(outcome, Budget.FULL, timezone, test=test),
        _buttons(outcome, command, timezone),
    )


def _buttons(outcome: Outcome, command: object, timezone: str) -> tuple[Button, ...]:
    match outcome:
        case Asked(ref=ref, choices=()):
            return (Button("Yes, go ahead", f"go {ref}".strip()),)
        case Asked(ref=ref, choices=choices):
            return tuple(
                Button(render_phrase(choice, timezone), f"{ref} {number}".strip())
                for number, choice in enumerate(choices, start=1)
            )
        case Told(more=True):
            return (Button("Show more", "more"),)
        case Done() if isinstance(command, _CAN_BE_UNDONE):
            return (Button("Undo", "undo"),)
        case _:
            return ()


def to_text(answer: Answer) -> str:
    """Return the answer as JSON, for carrying it over a redirect (`page_tokens.seal`)."""
    return json.dumps(asdict(answer), separators=(",", ":"))


def from_text(text: str) -> Answer | None:
    """Undo `to_text`; None for ""."""
    if not text:
        return None
    data = json.loads(text)
    buttons = tuple(Button(**button) for button in data.pop("buttons"))
    return Answer(**data, buttons=buttons)
