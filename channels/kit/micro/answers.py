"""The page that shows an answer: its words, and buttons for what can be said next."""

from dataclasses import replace

from call_core.commands import Command, Forget, Menu, Save, SetBillingCode, SetSlot, UsePhone
from call_core.contracts import Principal
from call_core.errors import ParseError
from call_core.outcomes import Asked, Done, Launched, Outcome, Scheduled, Told
from channels.kit.micro.page import Page, Press, Row, action_text, lines_of
from channels.kit.micro.site import HOME, MicroSite
from channels.kit.micro.visit import Visit
from channels.kit.render import Budget, render, render_phrase, render_title

BACK = Press("Home", action_text(HOME))
_CAN_BE_UNDONE = (Save, Forget, SetSlot, UsePhone, SetBillingCode)


async def answered(
    site: MicroSite, visit: Visit, who: Principal, command: Command | ParseError, text: str = ""
) -> Page:
    """Submit a command and return the page that says what came of it."""
    outcome, action = await site.submit(visit, who, command, text)
    page = answer_page(outcome, command, who, test=site.environment.test_texts)
    return replace(page, action=action)


async def answered_again(site: MicroSite, visit: Visit, who: Principal) -> Page:
    """Return the page of an answer that was given before, for the rows that did not fit."""
    outcome = await site.answer_again(visit, who)
    return answer_page(outcome, Menu(), who, test=site.environment.test_texts)


def answer_page(
    outcome: Outcome, command: Command | ParseError, who: Principal, *, test: bool = False
) -> Page:
    """Return the page that shows an outcome."""
    said = replace(outcome, choices=()) if isinstance(outcome, Asked) else outcome
    words = lines_of(render(said, Budget.FULL, who.timezone, test=test))
    presses = (*_answers(outcome, who.timezone), *_next(outcome, command))
    rows = (*words, *((press,) for press in presses))
    return Page(render_title(outcome), rows, (BACK,))


def say(label: str, line: str) -> Press:
    """Return a button that sends one line of the grammar."""
    return Press(label, action_text("say", line))


def _answers(outcome: Outcome, timezone: str) -> tuple[Press, ...]:
    """Return the buttons that answer a question."""
    match outcome:
        case Asked(ref=ref, choices=()):
            return (say("Yes, go ahead", f"go {ref}".strip()),)
        case Asked(ref=ref, choices=choices):
            return tuple(
                say(render_phrase(choice, timezone), f"{ref} {number}".strip())
                for number, choice in enumerate(choices, start=1)
            )
        case _:
            return ()


def _next(outcome: Outcome, command: Command | ParseError) -> tuple[Press, ...]:
    match outcome:
        case Launched(ref=ref) | Scheduled(ref=ref):
            return (Press("Status", action_text("call", ref)),)
        case Told(more=True):
            return (say("Show more", "more"),)
        case Done() if isinstance(command, _CAN_BE_UNDONE):
            return (say("Undo", "undo"),)
        case Done(ref=ref, call_id=call_id) if ref and call_id:
            return (Press("Status", action_text("call", ref)),)
        case _:
            return ()


def rows_of(presses: tuple[Press, ...]) -> tuple[Row, ...]:
    """Return one row for each button."""
    return tuple((press,) for press in presses)
