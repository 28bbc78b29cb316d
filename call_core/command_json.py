"""Commands as JSON, for what must wait: scheduled calls, open questions, undo.

A dataclass becomes `{"type": "Call", …fields}`; `to_json` and `from_json` round-trip every member
of the unions `Command` and `Administration`.
"""

import dataclasses
import json
from typing import Any, get_args

from call_core.administration import Administration
from call_core.commands import Amount, Command, Name, Number, Slot, Target, When

_CLASSES = {
    made.__name__: made
    for made in (*get_args(Command), *get_args(Administration), Amount, Name, Number, Slot, When)
}


def to_json(command: Command | Administration | Target) -> str:
    """Return the command, or the target of one, as compact JSON."""
    return json.dumps(_encode(command), separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> Any:  # noqa: ANN401  (whichever command was written)
    """Undo `to_json`."""
    return _decode(json.loads(text))


def _encode(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: _encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return {"type": type(value).__name__, **fields}
    if isinstance(value, tuple):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, dict):
        made = _CLASSES[value["type"]]
        return made(**{k: _decode(v) for k, v in value.items() if k != "type"})
    if isinstance(value, list):
        return tuple(_decode(item) for item in value)
    return value
