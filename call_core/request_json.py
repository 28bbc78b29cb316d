"""A request as JSON, for what is kept before it is done."""

import dataclasses
import json
from typing import Any

from call_core import command_json
from call_core.errors import ParseError
from call_core.requests import Evidence, Request

_FIELDS = tuple(each.name for each in dataclasses.fields(Request))
_TUPLES = ("replay_ids", "scopes")


def to_json(request: Request) -> str:
    """Return a request as compact JSON."""
    fields: dict[str, Any] = {name: getattr(request, name) for name in _FIELDS}
    command = fields.pop("command")
    if isinstance(command, ParseError):
        fields["unreadable"] = {"code": command.code, "fields": dict(command.fields)}
    else:
        fields["command"] = command_json.to_json(command)
    return json.dumps(fields, separators=(",", ":"))


def from_json(text: str) -> Request:
    """Undo `to_json`; tuples among the fields of what was unreadable come back as lists."""
    fields: dict[str, Any] = json.loads(text)
    unreadable = fields.pop("unreadable", None)
    if unreadable is None:
        fields["command"] = command_json.from_json(fields["command"])
    else:
        fields["command"] = ParseError(unreadable["code"], **unreadable["fields"])
    fields["evidence"] = Evidence(fields["evidence"])
    for name in _TUPLES:
        fields[name] = tuple(fields[name])
    return Request(**fields)
