"""Every command can be written down and read again."""

import dataclasses
import json
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from call_core.administration import Administration
from call_core.command_json import from_json, to_json
from call_core.commands import Amount, Call, Command, Conference, Name, Number, Slot, Target, When

EVERYTHING = (*get_args(Command), *get_args(Administration))
VALUES = (*get_args(Target), Amount, When)
SIMPLE = {str: "caf\u00e9", int: 7, bool: True}


def made(kind: Any, *, full: bool) -> Any:  # noqa: ANN401  (any command and any of its fields)
    """Return a value of a type: with everything set, or with as little as it may have."""
    if kind in SIMPLE:
        return SIMPLE[kind]
    if get_origin(kind) in (Union, UnionType):
        options = [option for option in get_args(kind) if option is not type(None)]
        bare = not full and type(None) in get_args(kind)
        return None if bare else made(options[-1] if full else options[0], full=full)
    if get_origin(kind) is tuple:
        return tuple(made(get_args(kind)[0], full=full) for _ in range(2 if full else 1))
    hints = get_type_hints(kind)
    names = [
        field.name
        for field in dataclasses.fields(kind)
        if full or field.default is dataclasses.MISSING
    ]
    return kind(**{name: made(hints[name], full=full) for name in names})


@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
@pytest.mark.parametrize("kind", [*EVERYTHING, *VALUES], ids=lambda kind: kind.__name__)
def test_what_is_written_is_what_is_read(kind: type, *, full: bool) -> None:
    """Every command comes back equal, with all of its fields and with the least of them."""
    command = made(kind, full=full)
    assert from_json(to_json(command)) == command
    assert type(from_json(to_json(command))) is kind


@pytest.mark.parametrize("target", [Number("+1 616"), Name("mom"), Slot(7)])
def test_targets_keep_their_kind(target: Target) -> None:
    """A name that looks like a number stays a name, wherever it stands."""
    call = Call(target, origin=Name("616"), at=When("in 5", in_minutes=5))
    conference = Conference((target, Number("616")), max_cost=Amount("5", "$"))
    assert from_json(to_json(call)) == call
    assert from_json(to_json(conference)) == conference


def test_the_written_form() -> None:
    """Compact and sorted, each dataclass with its type: what waits must stay readable."""
    assert to_json(Conference((Slot(7),), minutes=30)) == json.dumps(
        {
            "at": None,
            "billing_code": None,
            "max_cost": None,
            "max_minutes": None,
            "minutes": 30,
            "origin": None,
            "participants": [{"number": 7, "type": "Slot"}],
            "private": False,
            "title": "",
            "type": "Conference",
        },
        separators=(",", ":"),
    )


def test_names_are_unique() -> None:
    """The type's name alone tells what was written, and no field hides it."""
    names = [kind.__name__ for kind in (*EVERYTHING, *VALUES)]
    assert len(set(names)) == len(names)
    fields = {field.name for kind in EVERYTHING for field in dataclasses.fields(kind)}
    assert "type" not in fields


def test_what_was_never_written_cannot_be_read() -> None:
    """An unknown type is an error, not a guess."""
    with pytest.raises(KeyError):
        from_json('{"type":"Explode"}')
