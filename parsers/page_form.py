"""The forms of pages: fields to commands, the same commands that the grammar makes of a line.

    to=mom&from=office&code=ACME-12&max=%245&private=on&at=6pm
    participants=mom%0Abob&title=weekly&minutes=30&at=mon+9am+london&timezone=
    text=hangup+4F7

A field holds exactly one value: in `to` the words `bob from office` are a name, not an option.
A form with `participants` is a conference, with `text` a line of the grammar, else a call. Fields
with other names (tokens, buttons) are the page's own and are not looked at.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from call_core.commands import Amount, Call, Command, Conference, Target, When
from call_core.errors import ParseError
from parsers.command_text import cap_text, target_text, write
from parsers.grammar import parse
from parsers.lexer import MAX_TEXT_CHARS, Token, normalise, tokens_of
from parsers.options import read_billing_code, read_cap, read_minutes, read_title
from parsers.targets import read_target, read_targets
from parsers.when import read_when

FIELDS = frozenset(
    {
        "text",
        "to",
        "participants",
        "from",
        "code",
        "max",
        "max_minutes",
        "private",
        "at",
        "timezone",
        "title",
        "minutes",
    }
)
MAX_FIELD_CHARS = 200
_LONG_FIELDS = {"text": MAX_TEXT_CHARS, "participants": MAX_TEXT_CHARS}
_ON = frozenset({"on", "yes", "true", "1", "private"})

_Value = TypeVar("_Value")


def decode(form: Mapping[str, str], *, reply_to_ref: str | None = None) -> Command | ParseError:
    """Read a submitted form.

    Args:
        form: field values by name, as the browser sent them; empty means not filled in.
        reply_to_ref: the call that the page is about, for `text`.

    Returns:
        The command, or a `ParseError` with the name of the field in `field`.
    """
    try:
        values = {name: _clean(name, form[name]) for name in FIELDS & form.keys()}
        if values.get("text"):
            return parse(values["text"], reply_to_ref=reply_to_ref)
        return _conference(values) if values.get("participants") else _call(values)
    except ParseError as error:
        return error


def encode(command: Command) -> dict[str, str]:
    """Return the fields that `decode` reads back to `command`, to fill a form in beforehand."""
    if isinstance(command, Call):
        form = {"to": target_text(command.to)}
    elif isinstance(command, Conference):
        form = {"participants": "\n".join(map(target_text, command.participants))}
        form["title"] = f'"{command.title}"' if command.title else ""
        form["minutes"] = str(command.minutes or "")
    else:
        return {"text": write(command)}
    form |= {
        "from": target_text(command.origin) if command.origin else "",
        "code": command.billing_code or "",
        "max": cap_text(command.max_cost) if command.max_cost else "",
        "max_minutes": str(command.max_minutes or ""),
        "private": "on" if command.private else "",
        "at": command.at.text if command.at else "",
    }
    return {name: value for name, value in form.items() if value}


def _clean(name: str, value: str) -> str:
    limit = _LONG_FIELDS.get(name, MAX_FIELD_CHARS)
    if len(value) > limit:
        raise ParseError("too_long", field=name, limit=limit, length=len(value), example="mom")
    return normalise(value).strip()


def _field(
    values: Mapping[str, str], name: str, read: Callable[[list[Token]], _Value]
) -> _Value | None:
    """Read one field; None when it is empty. Errors say which field they are about."""
    if not values.get(name):
        return None
    try:
        return read(tokens_of(values[name]))
    except ParseError as error:
        raise ParseError(error.code, **{**error.fields, "field": name}) from error


def _call(values: Mapping[str, str]) -> Call:
    to = _field(values, "to", read_target)
    if to is None:
        raise ParseError("missing_argument", verb="call", field="to", example="616 977 9933")
    max_cost, max_minutes = _caps(values)
    return Call(
        to=to,
        origin=_origin(values),
        billing_code=_field(values, "code", read_billing_code),
        max_cost=max_cost,
        max_minutes=max_minutes,
        private=_is_private(values),
        at=_when(values),
    )


def _conference(values: Mapping[str, str]) -> Conference:
    participants = _field(values, "participants", read_targets)
    if not participants:
        raise ParseError("missing_argument", verb="conf", field="participants", example="mom, bob")
    max_cost, max_minutes = _caps(values)
    return Conference(
        participants=participants,
        origin=_origin(values),
        billing_code=_field(values, "code", read_billing_code),
        max_cost=max_cost,
        max_minutes=max_minutes,
        private=_is_private(values),
        at=_when(values),
        minutes=_field(values, "minutes", _minutes),
        title=_field(values, "title", read_title) or "",
    )


def _origin(values: Mapping[str, str]) -> Target | None:
    return _field(values, "from", read_target)


def _minutes(tokens: list[Token]) -> int:
    return read_minutes(tokens, "30")


def _caps(values: Mapping[str, str]) -> tuple[Amount | None, int | None]:
    """Read `max`, money or minutes, and `max_minutes`, which can only be minutes."""
    cap = _field(values, "max", read_cap)
    minutes = _field(values, "max_minutes", _minutes)
    if isinstance(cap, int):
        if minutes is not None:
            raise ParseError("option_twice", option="max", field="max", example="$5")
        return None, cap
    return cap, minutes


def _is_private(values: Mapping[str, str]) -> bool:
    return values.get("private", "").lower() in _ON


def _when(values: Mapping[str, str]) -> When | None:
    """Read `at`, with the zone of the page's own zone field when it has one."""
    if not values.get("at"):
        return None
    words = f"{values['at']} {values.get('timezone', '')}"
    try:
        return read_when(words)
    except ParseError as error:
        raise ParseError(error.code, **{**error.fields, "field": "at"}) from error
