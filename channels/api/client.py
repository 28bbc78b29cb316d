"""A client of the API small enough to read; the demo and the parity test launch with it."""

from collections.abc import Mapping
from typing import Any

import httpx2

from call_core.commands import Amount, Call, Conference
from call_core.errors import DeliveryError
from channels.api.door import PREFIX
from channels.kit.contract import Identity
from parsers.command_text import target_text
from parsers.grammar import parse

TIMEOUT_S = 20.0


async def launch(base_url: str, identity: Identity, text: str) -> str:
    """POST what `text` says and return the words of the answer, problems included.

    Raises:
        DeliveryError: the answer is a failure of the server's.
    """
    path, body = body_of(text)
    headers = {"Authorization": f"Bearer {identity.token}"}
    async with httpx2.AsyncClient(base_url=base_url, timeout=TIMEOUT_S, headers=headers) as client:
        answer = await client.post(f"{PREFIX}{path}", json=body)
    if answer.is_server_error:
        raise DeliveryError(f"{answer.status_code} from {path}", retryable=True)
    said: dict[str, Any] = answer.json()
    return str(said.get("text") or said.get("detail", ""))


def body_of(text: str) -> tuple[str, Mapping[str, object]]:
    """Return the route and the JSON body that say `text`."""
    command = parse(text)
    match command:
        case Call(to=to):
            return "/calls", {"to": target_text(to), **_options(command)}
        case Conference(participants=participants):
            body: dict[str, object] = {"participants": [target_text(one) for one in participants]}
            body |= {"title": command.title} if command.title else {}
            body |= {"minutes": command.minutes} if command.minutes else {}
            return "/conferences", {**body, **_options(command)}
        case _:
            return "/commands", {"text": text}


def _options(command: Call | Conference) -> Mapping[str, object]:
    told = {
        "from": target_text(command.origin) if command.origin else None,
        "billing_code": command.billing_code,
        "max_cost": _decimal(command.max_cost),
        "max_minutes": command.max_minutes,
        "private": command.private or None,
        "at": command.at.text if command.at else None,
    }
    return {name: value for name, value in told.items() if value is not None}


def _decimal(cost: Amount | None) -> str | None:
    return cost.text if cost else None
