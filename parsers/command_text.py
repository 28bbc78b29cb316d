"""The encoder of the grammar: a command as the line that reads back to it.

`parsers.grammar.parse(write(command)) == command` for every command that the parser makes. A name
is quoted unless it is one plain word that can mean nothing else.
"""

import re
from collections.abc import Callable
from dataclasses import fields

from call_core.commands import (
    Amount,
    Call,
    Choose,
    Command,
    Conference,
    Directory,
    Forget,
    Mute,
    Name,
    Number,
    OptIn,
    OptOut,
    OwnPhone,
    Quote,
    Save,
    Slot,
    Target,
    Unmute,
    UsePhone,
    When,
)
from parsers import verbs
from parsers.options import is_option_word

_PLAIN = re.compile(r"[^\W\d_][\w'-]*")
_SPECIAL_WORDS = frozenset({"all", "and", "to", "from"})
_ISO_CURRENCY_CHARS = 3
_WORDS: dict[object, str] = {verb.make: verb.word for verb in verbs.VERBS}


def write(command: Command) -> str:
    """Return one line that parses to `command`; money without a currency has no such line."""
    writer = _WRITERS.get(type(command))
    return " ".join(writer(command) if writer else _plain(command))


def target_text(target: Target) -> str:
    """Return a target as it is written, a name in quotes where it needs them."""
    if isinstance(target, Slot):
        return f"*{target.number}"
    return _name_text(target.text) if isinstance(target, Name) else target.text


def cap_text(amount: Amount) -> str:
    """Return money with its currency: `$5`, `5 USD`."""
    symbol_first = len(amount.currency) < _ISO_CURRENCY_CHARS
    return f"{amount.currency}{amount.text}" if symbol_first else f"{amount.text} {amount.currency}"


def _name_text(name: str) -> str:
    word = name.lower()
    plain = _PLAIN.fullmatch(name) and not is_option_word(word) and word not in _SPECIAL_WORDS
    if plain and verbs.find(word) is None and word.upper() not in verbs.CARRIER_WORDS:
        return name
    return f'"{name}"'


def _plain(command: Command) -> list[str]:
    """Write the verb and its values in order, which is that of the fields."""
    word = _WORDS[type(command)]
    values = (getattr(command, field.name) for field in fields(command))
    return [word, *(_value(value) for value in values if _is_said(value))]


def _is_said(value: object) -> bool:
    return value is not None and value != ""


def _value(value: Target | When | int | str) -> str:
    if isinstance(value, Number | Name | Slot):
        return target_text(value)
    return value.text if isinstance(value, When) else str(value)


def _party(command: Mute | Unmute) -> list[str]:
    word = "mute" if isinstance(command, Mute) else "unmute"
    party = "all" if command.party is None else _value(command.party)
    return [word, party, *([command.ref] if command.ref else [])]


def _choose(command: Choose) -> list[str]:
    if command.ref:
        return [command.ref, str(command.number)]
    return [str(command.number)] if command.number in range(10) else ["pick", str(command.number)]


def _entry(command: Forget | UsePhone) -> list[str]:
    if isinstance(command, Forget):
        return ["forget", _name_text(command.name)]
    return ["use", _name_text(command.label)]


def _directory(command: Directory) -> list[str]:
    return ["dir", command.prefix] if command.prefix else ["dir"]


def _save(command: Save) -> list[str]:
    return ["save", _name_text(command.name), command.number.text]


def _own_phone(command: OwnPhone) -> list[str]:
    number = [] if command.number is None else [command.number.text]
    return ["verify", _name_text(command.label), *number]


def _quote(command: Quote) -> list[str]:
    return ["quote", target_text(command.to), *_from(command.origin)]


def _from(origin: Target | None) -> list[str]:
    return ["from", target_text(origin)] if origin else []


def _call(command: Call) -> list[str]:
    return ["call", target_text(command.to), *_options(command)]


def _conference(command: Conference) -> list[str]:
    people = ", ".join(map(target_text, command.participants))
    minutes = ["for", f"{command.minutes} min"] if command.minutes else []
    title = ["title", f'"{command.title}"'] if command.title else []
    return ["conf", people, *minutes, *title, *_options(command)]


def _options(command: Call | Conference) -> list[str]:
    """Write what calls and conferences share; the time last, because a place may end it."""
    words = _from(command.origin)
    if command.billing_code:
        words += ["code", command.billing_code]
    if command.max_cost:
        words += ["max", cap_text(command.max_cost)]
    if command.max_minutes:
        words += ["max", f"{command.max_minutes} min"]
    if command.private:
        words.append("private")
    if command.at:
        words += [command.at.text] if command.at.in_minutes else ["at", command.at.text]
    return words


def _word(command: OptOut | OptIn) -> list[str]:
    return [command.word]


_WRITERS: dict[type, Callable[..., list[str]]] = {
    Call: _call,
    Conference: _conference,
    Choose: _choose,
    Mute: _party,
    Unmute: _party,
    Forget: _entry,
    UsePhone: _entry,
    Directory: _directory,
    Save: _save,
    OwnPhone: _own_phone,
    Quote: _quote,
    OptOut: _word,
    OptIn: _word,
}
