"""Targets and names: what was written where somebody to ring is expected.

A target is a speed dial slot (`*7`), a telephone number, or a name; in quotes it is always a name.
What mixes them is refused by naming the part that does not fit.
"""

import re

from call_core.commands import Name, Slot, Target
from call_core.errors import ParseError
from call_core.ids import is_ref
from parsers.lexer import Kind, Token, joined, normalise, tokens_of, trimmed
from parsers.numbers import (
    MIN_FULL_DIGITS,
    digits_of,
    emergency_in,
    looks_like_number,
    number_of,
    number_run,
    split_numbers,
)

MAX_NAME_CHARS = 40
MAX_TARGETS = 200  # the core refuses more than 64 parties, in its own words
_MIN_LEFTOVER_DIGITS = 5  # "7 eleven" and "4th floor" are names; "mom 555 1212" is not
_SLOT = re.compile(r"\* ?(\d{1,3})")
_SCHEMES = ("tel:", "callto:")
_LAST_PUNCTUATION = " .,;:!?"
EXAMPLE = "call mom"


def clean_name(text: str) -> str:
    """Return a name as it is kept: single spaces, no sentence mark at its end."""
    return " ".join(text.split()).rstrip(_LAST_PUNCTUATION)


def not_understood(leftover: str, example: str, **fields: object) -> ParseError:
    """Return the refusal that names what was not read."""
    return ParseError("not_understood", leftover=leftover, example=example, **fields)


def name_of(text: str) -> Name:
    """Return a name; raises `name_too_long` and, for no name at all, `not_understood`."""
    if not text:
        raise not_understood('""', EXAMPLE)
    if len(text) > MAX_NAME_CHARS:
        raise ParseError(
            "name_too_long", limit=MAX_NAME_CHARS, name=text[:MAX_NAME_CHARS], example=EXAMPLE
        )
    return Name(text)


def ref_of(token: Token) -> str | None:
    """Return the ref that a token is, `4F7` or `[4F7]`, in upper case, or None."""
    text = token.text.strip("[]") if token.kind is Kind.WORD else ""
    return text.upper() if is_ref(text) else None


def parse_target(text: str) -> Target | ParseError:
    """Read one whole field as a target: the form of pages and JSON, where no option can follow."""
    try:
        return read_target(tokens_of(normalise(text)))
    except ParseError as error:
        return error


def parse_targets(text: str) -> tuple[Target, ...] | ParseError:
    """Read a list of targets, separated as in `conf`; see `parse_target`."""
    try:
        return read_targets(tokens_of(normalise(text)))
    except ParseError as error:
        return error


def read_target(tokens: list[Token]) -> Target:
    """Return the one target that all of `tokens` are.

    Raises:
        ParseError: `not_understood`, `two_numbers` (with all of them in `numbers`),
            `name_too_long`, `number_too_long`.
    """
    tokens = trimmed(tokens)
    numbers = _numbers_in(tokens)
    if any(len(digits_of(number)) < MIN_FULL_DIGITS for number in numbers[1:]):
        numbers = []  # a number broken by a newline: `0207 946` and `0018` below it
    if not numbers:
        tokens = [token for token in tokens if token.text != "\n"]
        numbers = _numbers_in(tokens)
    if len(numbers) > 1:
        raise ParseError(
            "two_numbers",
            numbers=numbers,
            example=f"conf {numbers[0]}, {numbers[1]}",
        )
    if numbers:
        return number_of(numbers[0])
    return _slot_or_name(tokens)


def read_targets(tokens: list[Token]) -> tuple[Target, ...]:
    """Return all targets; comma, semicolon, newline, `and` and `&` separate them.

    Raises:
        ParseError: as `read_target`, and `too_many_targets`.
    """
    targets: list[Target] = []
    for chunk in _chunks(tokens):
        numbers = _numbers_in(chunk)
        targets += map(number_of, numbers) if numbers else [_slot_or_name(chunk)]
        if len(targets) > MAX_TARGETS:
            raise ParseError("too_many_targets", limit=MAX_TARGETS, example="conf mom, bob")
    return tuple(targets)


def _chunks(tokens: list[Token]) -> list[list[Token]]:
    """Cut at separators and at `and`."""
    chunks: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind is Kind.SEPARATOR or token.word == "and":
            chunks.append([])
        else:
            chunks[-1].append(token)
    return [chunk for chunk in chunks if chunk]


def _numbers_in(tokens: list[Token]) -> list[str]:
    """Return the telephone numbers that `tokens` consist of; [] when there is anything else."""
    if len(tokens) == 1 and re.fullmatch(r"[0-9]", tokens[0].text):
        return [tokens[0].text] if tokens[0].kind is Kind.WORD else []
    numbers: list[str] = []
    for chunk in _chunks(tokens):
        quoted = any(token.kind is Kind.QUOTED for token in chunk)
        found = [] if quoted else split_numbers(_without_scheme(joined(chunk)))
        if not found:
            return []
        numbers += found
    return numbers


def _without_scheme(text: str) -> str:
    """Return `tel:+1616…` without the scheme that address books put before it."""
    scheme = next((scheme for scheme in _SCHEMES if text.lower().startswith(scheme)), "")
    return text[len(scheme) :]


def _slot_or_name(tokens: list[Token]) -> Target:
    text = joined(tokens)
    if len(tokens) == 1 and tokens[0].kind is Kind.QUOTED:
        return name_of(text)
    slot = _SLOT.fullmatch(text)
    if slot:
        return Slot(int(slot[1]))
    emergency = emergency_in([token.text for token in tokens if token.kind is Kind.WORD])
    if emergency:
        return number_of(emergency)
    leftover = _leftover(tokens)
    if leftover:
        raise not_understood(leftover, EXAMPLE)
    name = clean_name(text)
    if not any(letter.isalnum() for letter in name):
        raise not_understood(text, EXAMPLE)
    return name_of(name)


def _leftover(tokens: list[Token]) -> str:
    """Return the part of an unquoted name that no name has, or ""."""
    for place, token in enumerate(tokens):
        if token.kind is Kind.QUOTED:
            return joined(tokens[1:] if place == 0 else tokens[place:]) or '""'
        if token.text in {",", ";"} or ref_of(token) or _SLOT.fullmatch(token.text):
            return joined(tokens[place:])
    words = [token.text for token in tokens]
    leading = number_run(words)
    trailing = len(words) - number_run(words[::-1])
    if _is_long_number(words[:leading]):
        return " ".join(words[leading:])
    return " ".join(words[trailing:]) if _is_long_number(words[trailing:]) else ""


def _is_long_number(words: list[str]) -> bool:
    text = " ".join(words)
    return len(digits_of(text)) >= _MIN_LEFTOVER_DIGITS and looks_like_number(text)
