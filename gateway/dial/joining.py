"""How this desktop gets its key: it shows the gateway the code that `device` gave elsewhere.

    POST /api/v1/devices {"code": "7K3F-9QTD", "label": "laptop"}
    201 {"user": "Ada", "label": "laptop", "token": "cg_…"}

The key comes back readable, so it is asked for over https, or on this machine, only (`url_of`).
"""

import asyncio
import uuid

import httpx2
from pydantic import ValidationError

from channels.api.bodies import MAX_LABEL_LENGTH
from channels.api.door import PREFIX
from channels.api.models import DeviceOut
from channels.api.problems import ProblemBody

TIMEOUT_S = 10.0
TRIES = 3
BETWEEN_TRIES_S = 0.5


class JoinError(Exception):
    """This desktop has not joined; the message is a sentence."""


def label_of(host_name: str) -> str:
    """Return what a desktop is called when nobody says: the first part of the machine's name."""
    name = host_name.partition(".")[0]
    plain = "".join(letter for letter in name if letter.isascii() and letter.isprintable())
    return plain[:MAX_LABEL_LENGTH].strip() or "desktop"


async def join(url: str, code: str, label: str) -> DeviceOut:
    """Trade a code for a key.

    Args:
        url: where the gateway's pages are, as `device_file.url_of` lets it pass.
        code: as it was shown.
        label: what the user will know this desktop by.

    Raises:
        JoinError: it was refused, or nobody knows; then the code may have been used up.
    """
    answer = await _asked(url, {"code": code, "label": label})
    try:
        if answer.is_success:
            return DeviceOut.model_validate_json(answer.content)
        raise JoinError(ProblemBody.model_validate_json(answer.content).detail)
    except ValidationError:
        raise JoinError(
            f"{url} answers {answer.status_code} and no words; is it a gateway?"
        ) from None


async def _asked(url: str, body: dict[str, str]) -> httpx2.Response:
    """Ask, and ask again under the same key when no answer came: the code works only once."""
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    async with httpx2.AsyncClient(base_url=url, timeout=TIMEOUT_S, headers=headers) as client:
        for left in reversed(range(TRIES)):
            try:
                return await client.post(f"{PREFIX}/devices", json=body)
            except httpx2.HTTPError as error:
                if not left:
                    why = str(error) or type(error).__name__
                    raise JoinError(
                        f"{url} does not answer ({why}); name the gateway's pages with --url."
                    ) from error
                await asyncio.sleep(BETWEEN_TRIES_S)
    raise AssertionError("unreachable: the last try returns or raises")
