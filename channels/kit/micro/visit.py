"""One request of a micro browser: what was pressed, what was typed, who it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from fastapi import Request

from call_core.contracts import Principal
from channels.kit.http_body import read_limited
from channels.kit.micro.html import BUTTON_FIELD, BUTTON_PREFIX, STATE_FIELD
from channels.kit.micro.page import read_action

MAX_FORM_BYTES = 8192
MAX_FORM_FIELDS = 80
MAX_FIELD_CHARS = 1000
SEVERAL = ";"  # between the values of fields of one name; what WML writes between choices

_CONTROLS = dict.fromkeys({*range(32), 127} - {10}, " ")  # a new line separates people


@dataclass(frozen=True, slots=True)
class Visit:
    """One request.

    Attributes:
        page, arguments, first: the action that was pressed (`channels.kit.micro.page`).
        fields: what was typed, stripped; without button and state.
        state: the sealed state as it came; "" for a GET.
        session: the core's session token, "" when not signed in.
        request_id: names the page that was pressed on; "" when its state was not valid.
        who: None when not signed in.
    """

    now_wall_ms: int
    page: str = ""
    arguments: tuple[str, ...] = ()
    first: int = 0
    fields: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    session: str = ""
    request_id: str = ""
    who: Principal | None = None

    def argument(self, number: int) -> str:
        """Return an argument of the action, "" when there is none."""
        return self.arguments[number] if number < len(self.arguments) else ""

    def field(self, name: str) -> str:
        """Return what was typed, "" for nothing."""
        return self.fields.get(name, "")


# b=ring&s=AZq1…&to=mom&from=           (WML)      b%3Aring=Call&s=AZq1…&to=mom&from=   (HTML)
async def read_form(request: Request) -> Mapping[str, str] | None:
    """Return a form's fields, stripped; values of equal names joined by `SEVERAL`.

    None when it is no form of ours or longer than `MAX_FORM_BYTES`. Old browsers send Latin-1
    whatever the page is in, so what is not UTF-8 is read as that.
    """
    body = await read_limited(request, MAX_FORM_BYTES)
    if body is None:
        return None
    for encoding in ("utf-8", "iso-8859-1"):
        try:
            pairs = parse_qsl(
                body.decode(encoding),
                keep_blank_values=True,
                max_num_fields=MAX_FORM_FIELDS,
                encoding=encoding,
                errors="strict",
            )
        except UnicodeDecodeError:
            continue
        except ValueError:
            return None
        return _joined(pairs)
    return None  # pragma: no cover  (every byte is a letter of Latin-1)


def _joined(pairs: list[tuple[str, str]]) -> Mapping[str, str] | None:
    fields: dict[str, str] = {}
    for name, value in pairs:
        said = value.translate(_CONTROLS).strip()
        fields[name] = f"{fields[name]}{SEVERAL}{said}" if fields.get(name) else said
        if len(fields[name]) > MAX_FIELD_CHARS:
            return None
    return fields


def visit_of(fields: Mapping[str, str], now_wall_ms: int) -> Visit:
    """Return a visit from the fields of a form; who it is comes later."""
    first, page, arguments = read_action(_pressed(fields))
    typed = {
        name: value
        for name, value in fields.items()
        if name not in {BUTTON_FIELD, STATE_FIELD} and not name.startswith(BUTTON_PREFIX)
    }
    return Visit(now_wall_ms, page, arguments, first, typed, fields.get(STATE_FIELD, ""))


def _pressed(fields: Mapping[str, str]) -> str:
    """Return the action: WML sends it as a value, HTML as the name of the button."""
    named = (name[len(BUTTON_PREFIX) :] for name in fields if name.startswith(BUTTON_PREFIX))
    return fields.get(BUTTON_FIELD) or next(named, "")
