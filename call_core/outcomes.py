"""Direct answers to a request: the closed union `Outcome`, and the typed values they carry.

An outcome is stored with its request and rendered again for a repeat, so it is JSON all through:
`to_json` and `from_json` round-trip. The words live in one catalogue (`channels.kit.catalogue`),
keyed by `code`; the codes are stable and listed in `codes.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Money:
    """An amount for a text: integer micros of a currency."""

    micros: int
    currency: str


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time for a text, to be shown in an IANA zone, weekday and zone included."""

    at_ms: int
    timezone: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A telephone number for a text: E.164 with `+`; shown formatted, never cut."""

    e164: str
    extension: str = ""


@dataclass(frozen=True, slots=True)
class Seconds:
    """A duration for a text, shown as 1:05 or 12 min."""

    seconds: int


Value = str | int | Money | Instant | Phone | Seconds | tuple["Phrase", ...]
Fields = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Phrase:
    """A line of an answer: a catalogue code and its values."""

    code: str
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Launched:
    """A call or conference is under way; the user's phone rings next."""

    kind: ClassVar[str] = "launched"
    code: str
    ref: str
    call_id: str
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A call or conference is on the calendar."""

    kind: ClassVar[str] = "scheduled"
    code: str
    ref: str
    call_id: str
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question; answered by `go REF` or by a number. `choices` are in order, from 1."""

    kind: ClassVar[str] = "asked"
    code: str
    ref: str
    choices: tuple[Phrase, ...] = ()
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """It was done (control, directory, administration)."""

    kind: ClassVar[str] = "done"
    code: str
    ref: str = ""
    call_id: str = ""
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """Information: a head line and rows; `more` when rows were left out."""

    kind: ClassVar[str] = "told"
    code: str
    ref: str = ""
    rows: tuple[Phrase, ...] = ()
    more: bool = False
    fields: Fields = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Refused:
    """It was not done, and why; `example` in the fields shows one correct way."""

    kind: ClassVar[str] = "refused"
    code: str
    ref: str = ""
    call_id: str = ""
    fields: Fields = field(default_factory=dict)


Outcome = Launched | Scheduled | Asked | Done | Told | Refused
_OUTCOMES = {c.kind: c for c in (Launched, Scheduled, Asked, Done, Told, Refused)}
_VALUES: dict[str, type[Any]] = {
    "$money": Money,
    "$instant": Instant,
    "$phone": Phone,
    "$seconds": Seconds,
}


def _encode(value: Value) -> object:
    match value:
        case Money(micros, currency):
            return {"$money": [micros, currency]}
        case Instant(at_ms, timezone):
            return {"$instant": [at_ms, timezone]}
        case Phone(e164, extension):
            return {"$phone": [e164, extension]}
        case Seconds(seconds):
            return {"$seconds": [seconds]}
        case tuple():
            return [_encode_phrase(phrase) for phrase in value]
        case _:
            return value


def _encode_phrase(phrase: Phrase) -> dict[str, object]:
    return {"code": phrase.code, "fields": {k: _encode(v) for k, v in phrase.fields.items()}}


def _decode(value: Any) -> Value:  # noqa: ANN401  (JSON, checked by shape below)
    if isinstance(value, list):
        return tuple(_decode_phrase(item) for item in value)
    if isinstance(value, dict):
        ((tag, arguments),) = value.items()
        made: Value = _VALUES[tag](*arguments)
        return made
    plain: str | int = value
    return plain


def _decode_phrase(data: Mapping[str, Any]) -> Phrase:
    return Phrase(data["code"], {k: _decode(v) for k, v in data["fields"].items()})


def encode_fields(fields: Fields) -> dict[str, object]:
    """Return the fields as JSON values."""
    return {name: _encode(value) for name, value in fields.items()}


def decode_fields(data: Mapping[str, Any]) -> dict[str, Value]:
    """Undo `encode_fields`."""
    return {name: _decode(value) for name, value in data.items()}


def to_json(outcome: Outcome) -> str:
    """Return the outcome as compact JSON, the form in which it is stored."""
    data: dict[str, object] = {"kind": outcome.kind, "code": outcome.code, "ref": outcome.ref}
    data["fields"] = encode_fields(outcome.fields)
    if isinstance(outcome, Launched | Scheduled | Done | Refused):
        data["call_id"] = outcome.call_id
    if isinstance(outcome, Asked):
        data["choices"] = [_encode_phrase(choice) for choice in outcome.choices]
    if isinstance(outcome, Told):
        data["rows"] = [_encode_phrase(row) for row in outcome.rows]
        data["more"] = outcome.more
    return json.dumps(data, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> Outcome:
    """Undo `to_json`."""
    data = json.loads(text)
    made = _OUTCOMES[data.pop("kind")]
    data["fields"] = decode_fields(data["fields"])
    for name in ("choices", "rows"):
        if name in data:
            data[name] = tuple(_decode_phrase(item) for item in data[name])
    outcome: Outcome = made(**data)
    return outcome
