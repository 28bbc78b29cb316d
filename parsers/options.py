"""Options behind a target: `from office code ACME-12 max $5 private at mon 9am london`.

In any order. An option word counts only when a value of its type follows, so that "bob at the bar"
can still be a name; the first token is never an option. A target ends where the first option
begins. What an option does not use up is refused by naming it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from call_core.commands import Amount, Target, When
from call_core.errors import ParseError
from parsers.lexer import Kind, Token, joined, trimmed
from parsers.targets import not_understood, read_target
from parsers.when import (
    MAX_DURATION_MINUTES,
    RELATIVE_DAYS,
    read_when,
    starts_time,
    take_duration,
)

MAX_BILLING_CODE_CHARS = 40
MAX_TITLE_CHARS = 60
MAX_EXAMPLE = "call mom max $5"

_BILLING_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._/#-]{{0,{MAX_BILLING_CODE_CHARS - 1}}}")
_AMOUNT = re.compile(r"\d{1,9}(?:[.,]\d{1,4})?")
_CURRENCY_FIRST = re.compile(
    rf"([$\u20ac\u00a3\u00a5]|[a-z]{{3}}) ?({_AMOUNT.pattern})", re.IGNORECASE
)
_CURRENCY_LAST = re.compile(
    rf"({_AMOUNT.pattern}) ?([$\u20ac\u00a3\u00a5]|[a-z]{{3,7}})", re.IGNORECASE
)
_CAP_START = re.compile(r"(?:[$\u20ac\u00a3\u00a5]|[a-z]{3})?\d.*", re.IGNORECASE)
_CURRENCY_ALONE = re.compile(r"[$\u20ac\u00a3\u00a5]|[a-z]{3}", re.IGNORECASE)
_CURRENCY_WORDS = {
    "dollar": "$",
    "dollars": "$",
    "bucks": "$",
    "euro": "\u20ac",
    "euros": "\u20ac",
    "pound": "\u00a3",
    "pounds": "\u00a3",
}
_ISO_CURRENCY_CHARS = 3
_AFTER_A_DAY = frozenset({"at", "in", "morning", "afternoon", "evening"})


class Option(Enum):
    """What an option word asks for."""

    FROM = "from"
    CODE = "code"
    MAX = "max"
    PRIVATE = "private"
    AT = "at"
    FOR = "for"
    TITLE = "title"


_WORDS = {
    "from": Option.FROM,
    "code": Option.CODE,
    "max": Option.MAX,
    "private": Option.PRIVATE,
    "at": Option.AT,
    "on": Option.AT,
    "in": Option.AT,
    **dict.fromkeys(RELATIVE_DAYS, Option.AT),
    "for": Option.FOR,
    "title": Option.TITLE,
}
FOR_CALL = frozenset({Option.FROM, Option.CODE, Option.MAX, Option.PRIVATE, Option.AT, Option.FOR})
FOR_CONFERENCE = FOR_CALL | {Option.TITLE}
FOR_QUOTE = frozenset({Option.FROM})


@dataclass(slots=True)
class Options:
    """What the options said; None, False or "" where they did not."""

    origin: Target | None = None
    billing_code: str | None = None
    max_cost: Amount | None = None
    max_minutes: int | None = None
    private: bool = False
    at: When | None = None
    minutes: int | None = None
    title: str = ""


def read_options(tokens: list[Token], allowed: frozenset[Option]) -> tuple[list[Token], Options]:
    """Split `tokens` into those of the target and the options behind it.

    Raises:
        ParseError: `option_twice`, `max_unit_unclear`, `minutes_out_of_range`,
            `not_understood`, those of `read_when` and of `read_target`.
    """
    starts = _starts(tokens, allowed)
    edges = [*starts, len(tokens)]
    options = Options()
    for start, end in zip(starts, edges[1:], strict=True):
        if Option.TITLE in allowed and _WORDS[tokens[start].word] == Option.AT:
            _refuse_people(trimmed(tokens[start:end]))
        _read_option(options, tokens[start:end])
    return tokens[: edges[0]], options


def _refuse_people(time: list[Token]) -> None:
    """Refuse words behind a comma in a conference's time: `at 5pm, jordan` may be a person."""
    commas = [place for place, token in enumerate(time) if token.kind is Kind.SEPARATOR]
    for place in commas:
        behind = time[place + 1 :]
        if not starts_time([token.text for token in behind]):
            raise not_understood(joined(behind), "conf mom, jordan at 5pm")


def is_option_word(word: str) -> bool:
    """Whether a word, in lower case, can begin an option."""
    return word in _WORDS


def _starts(tokens: list[Token], allowed: frozenset[Option]) -> list[int]:
    """Return where options begin. Read from the end, because `private` asks what follows it."""
    begins = [False] * (len(tokens) + 1)
    begins[len(tokens)] = True
    for place in range(len(tokens) - 1, 0, -1):
        option = _WORDS.get(tokens[place].word)
        if option in allowed:
            following = tokens[place + 1 : place + 4]
            begins[place] = (
                begins[place + 1] or following[0].kind is Kind.SEPARATOR
                if option == Option.PRIVATE
                else _value_follows(tokens[place].word, following)
            )
    starts: list[int] = []
    in_time = False
    first_free = 1  # the first token behind an option word is its value, even `code code`
    for place in range(1, len(tokens)):
        option = _WORDS.get(tokens[place].word)
        repeats = in_time and option == Option.AT  # "fri at 4pm", "3 in the afternoon"
        if begins[place] and place >= first_free and not repeats:
            starts.append(place)
            in_time = option == Option.AT
            first_free = place + (1 if option == Option.PRIVATE else 2)
    return starts


def _value_follows(word: str, following: list[Token]) -> bool:
    """Whether what follows an option word is a value of its type."""
    words = [token.text if token.kind is Kind.WORD else "" for token in following]
    option = _WORDS[word]
    if word in RELATIVE_DAYS:
        return not words or starts_time(words) or words[0].lower() in _AFTER_A_DAY
    if not words or following[0].kind is Kind.SEPARATOR:
        return False
    if option == Option.CODE:
        return bool(_BILLING_CODE.fullmatch(words[0]))
    if option == Option.MAX:
        return _cap_follows(words)
    if option == Option.FOR or word == "in":
        return take_duration(words) is not None
    return option != Option.AT or starts_time(words)


def _cap_follows(words: list[str]) -> bool:
    if _CURRENCY_ALONE.fullmatch(words[0]):
        return len(words) > 1 and bool(_AMOUNT.fullmatch(words[1]))
    return bool(_CAP_START.fullmatch(words[0]))


def _read_option(options: Options, tokens: list[Token]) -> None:
    """Read one option, its word first, into `options`."""
    _SETTERS[_WORDS[tokens[0].word]](options, tokens[0].word, trimmed(tokens))


def _set_from(options: Options, word: str, tokens: list[Token]) -> None:
    _once(word, options.origin)
    options.origin = read_target(tokens[1:])


def _set_code(options: Options, word: str, tokens: list[Token]) -> None:
    _once(word, options.billing_code)
    options.billing_code = read_billing_code(tokens[1:])


def _set_max(options: Options, word: str, tokens: list[Token]) -> None:
    cap = read_cap(tokens[1:])
    if isinstance(cap, Amount):
        _once(word, options.max_cost)
        options.max_cost = cap
    else:
        _once(word, options.max_minutes)
        options.max_minutes = cap


def _set_private(options: Options, word: str, tokens: list[Token]) -> None:
    _once(word, options.private or None)
    if tokens[1:]:
        raise not_understood(joined(tokens[1:]), "call mom private")
    options.private = True


def _set_at(options: Options, word: str, tokens: list[Token]) -> None:
    _once(word, options.at)
    options.at = read_when(_time_words(tokens[1:] if word in {"at", "on"} else tokens))


def _set_for(options: Options, word: str, tokens: list[Token]) -> None:
    _once(word, options.minutes)
    options.minutes = read_minutes(tokens[1:], "conf mom, bob for 30 min")


def _set_title(options: Options, word: str, tokens: list[Token]) -> None:
    _once(word, options.title or None)
    options.title = read_title(tokens[1:])


_SETTERS: dict[Option, Callable[[Options, str, list[Token]], None]] = {
    Option.FROM: _set_from,
    Option.CODE: _set_code,
    Option.MAX: _set_max,
    Option.PRIVATE: _set_private,
    Option.AT: _set_at,
    Option.FOR: _set_for,
    Option.TITLE: _set_title,
}


def _once(word: str, value: object) -> None:
    if value is not None:
        raise ParseError("option_twice", option=word, example="call mom from office")


def _time_words(tokens: list[Token]) -> list[str]:
    """Return the words of a time; a comma in it is a space, a quoted name is not a time."""
    quoted = next((token for token in tokens if token.kind is Kind.QUOTED), None)
    if quoted:
        raise not_understood(f'"{quoted.text}"', "call mom at 6pm")
    return [token.text for token in tokens if token.kind is Kind.WORD]


def read_cap(tokens: list[Token]) -> Amount | int:
    """Read money (`$5`, `5 usd`, `5 dollars`) or minutes (`20 min`, `1h30`).

    Raises:
        ParseError: `max_unit_unclear` for a bare number, `minutes_out_of_range`,
            `not_understood` naming what is left.
    """
    words = [token.text if token.kind is Kind.WORD else "" for token in tokens]
    cap: Amount | int | None
    for used in (2, 1):
        cap = _amount(" ".join(words[:used]))
        if cap:
            break
    else:
        cap, used = _minutes_cap(words)
    rest = tokens[used:]
    if cap is None or rest:
        raise not_understood(joined(rest), MAX_EXAMPLE)
    return cap


def _minutes_cap(words: list[str]) -> tuple[int | None, int]:
    """Return minutes and the words they took; (None, 0) where there are none."""
    first = words[0] if words else ""
    duration = take_duration(words)
    if _AMOUNT.fullmatch(first) and (duration is None or duration[1] == 1):
        raise ParseError(
            "max_unit_unclear", value=first, example=f"call mom max ${first.replace(',', '.')}"
        )
    return (_in_range(duration[0]), duration[1]) if duration else (None, 0)


def _amount(text: str) -> Amount | None:
    """Return `text` as money with a currency, or None."""
    first, last = _CURRENCY_FIRST.fullmatch(text), _CURRENCY_LAST.fullmatch(text)
    if first:
        number, unit = first[2], first[1]
    elif last:
        number, unit = last[1], last[2]
    else:
        return None
    if take_duration(["1", unit]) != (1, 1):  # `20 min`, `1 hrs`
        return None
    currency = _CURRENCY_WORDS.get(unit.lower(), unit.upper())
    return (
        None if len(currency) > _ISO_CURRENCY_CHARS else Amount(number.replace(",", "."), currency)
    )


def read_minutes(tokens: list[Token], example: str) -> int:
    """Read minutes; a bare number is minutes, because only minutes can be meant.

    Raises:
        ParseError: `not_understood`, `minutes_out_of_range`.
    """
    words = [token.text if token.kind is Kind.WORD else "" for token in tokens]
    duration = take_duration(words)
    minutes, used = duration or (0, 0)
    if used < len(tokens) or duration is None:
        raise not_understood(joined(tokens[used:]), example)
    return _in_range(minutes)


def _in_range(minutes: int) -> int:
    if not 1 <= minutes <= MAX_DURATION_MINUTES:
        raise ParseError(
            "minutes_out_of_range",
            minutes=minutes,
            limit=MAX_DURATION_MINUTES,
            example="call mom max 20 min",
        )
    return minutes


def read_billing_code(tokens: list[Token]) -> str:
    """Read a billing code, one word as it was written; raises `not_understood`."""
    text = joined(tokens[:1])
    if not _BILLING_CODE.fullmatch(text):
        raise not_understood(joined(tokens), "call mom code ACME-12")
    if tokens[1:]:
        raise not_understood(joined(tokens[1:]), "call mom code ACME-12")
    return text


def read_title(tokens: list[Token]) -> str:
    """Read a conference's title, quoted or not; raises `not_understood` and `too_long`."""
    example = 'conf mom, bob title "weekly"'
    if len(tokens) > 1 and any(token.kind is Kind.QUOTED for token in tokens):
        raise not_understood(joined(tokens[1:]), example)
    title = joined(tokens)
    if not title:
        raise not_understood('""', example)
    if len(title) > MAX_TITLE_CHARS:
        raise ParseError("too_long", limit=MAX_TITLE_CHARS, length=len(title), example=example)
    return title
