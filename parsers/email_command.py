"""Which words of a mail are the command: its address, its body or its subject.

A mail has three places for a command and room for much else, so the rules are strict. A number as
the address is meant, and a body beside it only when it begins like a command; a bare target must
have the first line of the body to itself; the subject counts alone when the body is empty, and
beside a body only to notice that the two disagree.
"""

import re

from call_core.commands import Call, Command, Name, Number
from call_core.errors import ParseError
from parsers.email_message import MailMessage
from parsers.grammar import MAX_TEXT_CHARS, parse
from parsers.numbers import emergency_alone
from parsers.options import is_option_word
from parsers.verbs import find

_EXAMPLE = "call mom"
_DIGITS = re.compile(r"[*(+]?\d{2}")  # of a number, of a speed dial slot


def command_of(message: MailMessage) -> Command | ParseError:
    """Return the command of a mail, or why there is none.

    `lookalike_digits`, or any reason of the grammar; `subject_differs` (fields `subject` and
    `body`) when subject and body are two different commands.
    """
    if message.refusal is not None:
        return message.refusal
    if message.address_numbers:
        return _addressed(message)
    if not message.body_command:
        return parse(message.subject_command, reply_to_ref=message.reply_ref)
    command = _body_command(message)
    subject = _explicit(message.subject_command)
    if subject is None or subject == command:
        return command
    emergency = emergency_alone(f"{message.subject_command}, {message.body_command}".split())
    if emergency is not None:
        return Call(Number(emergency))  # whatever the other of the two says: `Subject: help`
    if isinstance(command, ParseError):
        return command
    return ParseError(
        "subject_differs",
        subject=message.subject_command,
        body=message.first_line,
        example=_EXAMPLE,
    )


def text_of(message: MailMessage) -> str:
    """Return the words that `command_of` read, for the history."""
    return " ".join((*message.address_numbers, message.command_text)).strip()


def _addressed(message: MailMessage) -> Command | ParseError:
    """Read a mail to a number. Many programs cannot send an empty mail: mere words are no command.

    Two numbers are a question of the grammar: ring one then the other, or a conference?
    """
    numbers = message.address_numbers
    if len(numbers) == 1 and len(message.body_command) > MAX_TEXT_CHARS:
        return parse(numbers[0])
    whole = parse(" ".join((*numbers, *message.body_command.split())))
    if isinstance(whole, ParseError) and len(numbers) == 1 and not _begins(message.first_line):
        return parse(numbers[0])
    return whole


def _begins(line: str) -> bool:
    """Whether a line begins as options, a command or a number do."""
    first = next(iter(line.lower().split()), "")
    return is_option_word(first.rstrip(":")) or _has_verb(line) or _DIGITS.match(first) is not None


def _body_command(message: MailMessage) -> Command | ParseError:
    """Read the first paragraph; of a bare target only what follows it as options.

    `mom` above `Bob` is a call to mom from Bob, not to somebody named `mom Bob`.
    """
    ref = message.reply_ref
    whole = parse(message.body_command, reply_to_ref=ref)
    first = parse(message.first_line, reply_to_ref=ref)
    if not isinstance(first, Call) or _has_verb(message.first_line):
        return whole
    return whole if isinstance(whole, Call) and whole.to == first.to else first


def _explicit(subject: str) -> Command | None:
    """Return the command of a subject that cannot be a mere title, else None."""
    command = parse(subject)
    if isinstance(command, ParseError):
        return None
    titled = isinstance(command, Call) and isinstance(command.to, Name) and not _has_verb(subject)
    return None if titled else command


def _has_verb(text: str) -> bool:
    words = text.lower().split()
    return any(find(" ".join(words[:count]).rstrip(":")) for count in (1, 2))
