"""What we tell later, without having been asked: receipts, warnings, news of a running call.

A notice is written to the outbox in the unit that decided it and delivered on the channel that
launched the call, or on the user's next sender when that fails.
"""

import json
from dataclasses import dataclass, field

from call_core.outcomes import Fields, decode_fields, encode_fields


@dataclass(frozen=True, slots=True)
class Notice:
    """One message to a user.

    Attributes:
        code: stable catalogue code (`codes.py`).
        ref: the call it is about, "" if none.
        fields: typed values for the text.
        expires_after_s: worth nothing later than this; 0 never expires.
    """

    code: str
    ref: str = ""
    fields: Fields = field(default_factory=dict)
    expires_after_s: int = 0


def to_json(notice: Notice) -> str:
    """Return the notice as compact JSON, the form in which the outbox stores it."""
    data = {
        "code": notice.code,
        "ref": notice.ref,
        "fields": encode_fields(notice.fields),
        "expires_after_s": notice.expires_after_s,
    }
    return json.dumps(data, separators=(",", ":"), sort_keys=True)


def from_json(text: str) -> Notice:
    """Undo `to_json`."""
    data = json.loads(text)
    data["fields"] = decode_fields(data["fields"])
    return Notice(**data)
