"""The command grammar that every channel with text shares: one line in, one command out.

`parse` never raises and never guesses: what was not consumed is a refusal that names it and shows
one correct example. It knows syntax only. Which verbs there are and what follows them is the table
in `parsers.verbs`; `parsers.shapes` holds one reader per shape of that table.
"""

from call_core.commands import Call, Choose, Command, Name, Number, Save, Status
from call_core.errors import ParseError
from parsers import verbs
from parsers.command_text import write
from parsers.lexer import MAX_TEXT_CHARS, Token, joined, normalise, tokens_of, trimmed
from parsers.numbers import emergency_alone
from parsers.shapes import MAX_CHOICE_DIGITS, READERS, Arguments, is_digits
from parsers.targets import (
    MAX_NAME_CHARS,
    MAX_TARGETS,
    clean_name,
    not_understood,
    parse_target,
    parse_targets,
    ref_of,
)
from parsers.verbs import Shape, Verb

__all__ = [
    "MAX_NAME_CHARS",
    "MAX_TARGETS",
    "MAX_TEXT_CHARS",
    "is_saveable_name",
    "parse",
    "parse_target",
    "parse_targets",
    "write",
]

_CALL = verbs.VERBS[0]


def parse(text: str, *, reply_to_ref: str | None = None) -> Command | ParseError:
    """Read one message as a command.

    Args:
        text: what was written, at most `MAX_TEXT_CHARS`. A newline is a space, except in `conf`,
            where it separates.
        reply_to_ref: the call that a reply belongs to; commands that name none get it.

    Returns:
        The command, or the reason why it is none: a `ParseError` whose fields hold an `example`
        that parses and, where something was left over, that `leftover`.
    """
    try:
        return _read(normalise(text).strip(), reply_to_ref)
    except ParseError as error:
        # Whatever cannot be read, a cry for help is heard: `911 fire at 25 main st` is no time.
        emergency = emergency_alone(text[:MAX_TEXT_CHARS].split())
        return error if emergency is None else Call(Number(emergency))


def is_saveable_name(name: str) -> bool:
    """Whether a directory entry of this name calls itself, bare and after `call`."""
    wanted = Call(Name(name))
    return (
        len(name) <= MAX_NAME_CHARS
        and clean_name(name) == name
        and parse(name) == wanted
        and parse(f"call {name}") == wanted
    )


def _read(text: str, ref: str | None) -> Command:
    consent = verbs.carrier_command(text)
    if consent is not None:
        return consent
    tokens = tokens_of("?" if text and not text.strip("?") else text.rstrip(" .!?\n"))
    if not tokens:
        raise ParseError("empty", example="call mom")
    first_ref = ref_of(tokens[0])
    if first_ref is None:
        return _command(tokens, ref)
    return _command_with_ref(trimmed(tokens[1:]), first_ref)


def _command_with_ref(tokens: list[Token], ref: str) -> Command:
    """Read `4F7 2`, `4F7 who`; a ref alone asks for the status."""
    if not tokens:
        return Status(ref)
    if len(tokens) == 1 and is_digits(tokens[0], MAX_CHOICE_DIGITS):
        return Choose(int(tokens[0].text), ref)
    command = _command(tokens, ref)
    if getattr(command, "ref", None) != ref:
        raise not_understood(joined(tokens), f"{ref} 2")
    return command


def _command(tokens: list[Token], ref: str | None) -> Command:
    """Read a line that does not begin with a ref."""
    choice = _bare_choice(tokens, ref)
    if choice is not None:
        return choice
    arguments = _verb_line(tokens, ref)
    if arguments is None:
        return _bare_call(Arguments(_CALL, tokens, ref))
    command = READERS[arguments.verb.shape](arguments)
    if isinstance(command, Save) and not is_saveable_name(command.name):
        raise ParseError(
            "name_not_allowed", name=command.name[:MAX_NAME_CHARS], example=arguments.example
        )
    return command


def _bare_choice(tokens: list[Token], ref: str | None) -> Choose | None:
    """Read `2` and `2 4F7`: a lone digit is never a call."""
    if not is_digits(tokens[0], 1):
        return None
    number = int(tokens[0].text)
    if len(tokens) == 1:
        return Choose(number, ref)
    behind = ref_of(tokens[1]) if len(tokens) == 2 else None  # noqa: PLR2004  (a digit and a ref)
    return Choose(number, behind) if behind else None


def _verb_line(tokens: list[Token], ref: str | None) -> Arguments | None:
    """Return the verb that the line begins with and what follows it, or None."""
    word = tokens[0].word
    two_words = f"{word} {tokens[1].word}" if len(tokens) > 1 else ""
    for key, used in ((two_words, 2), (word, 1)):
        verb = verbs.find(key)
        if verb:
            return Arguments(verb, trimmed(tokens[used:]), ref)
    silent = verbs.find_silent(word)
    return Arguments(silent, tokens[1:], ref) if silent and _is_meant(silent, tokens[1:]) else None


def _bare_call(arguments: Arguments) -> Command:
    """Read a line without a verb; a refusal says which verb was perhaps meant."""
    try:
        return READERS[Shape.CALL](arguments)
    except ParseError as error:
        nearest = verbs.suggest(arguments.tokens[0].word)
        if error.code != "not_understood" or nearest is None:
            raise
        raise ParseError(error.code, **{**error.fields, "suggestion": nearest}) from error


def _is_meant(verb: Verb, rest: list[Token]) -> bool:
    """Whether a carrier word is our verb: `cancel 4F7`, `help conf`; not `end of the line`."""
    if not rest or len(rest) > 2:  # noqa: PLR2004  (a ref and a code, or one topic)
        return False
    if verb.shape is Shape.TOPIC:
        return len(rest) == 1 and verbs.find(rest[0].word) is not None
    return ref_of(rest[0]) is not None and (verb.shape is Shape.CONFIRM or len(rest) == 1)
