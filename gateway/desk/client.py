"""What the window asks of a gateway: the JSON API with the device's token.

A command goes out under one `Idempotency-Key` until it is answered, so what is sent again launches
once.
"""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from channels.api.door import PREFIX
from channels.api.models import BalanceOut, CallOut, DirectoryEntryOut, ListView, PhoneOut

TIMEOUT_S = 10.0
TRIES = 3
BETWEEN_TRIES_S = 1.0
CALLS_SHOWN = 20

M = TypeVar("M", bound=BaseModel)


class DeskError(Exception):
    """The gateway cannot be asked now; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one line.

    Attributes:
        is_done: False when it was refused or a question has to be answered first.
        answer: what to send to say yes to a question, "" when there is none.
        choices: of a question: what to send, and what it does.
    """

    is_done: bool
    text: str
    ref: str = ""
    answer: str = ""
    choices: tuple[tuple[str, str], ...] = ()

    @property
    def is_question(self) -> bool:
        """Whether something has to be answered before anything happens."""
        return bool(self.answer or self.choices)


class DeskClient:
    """One gateway, one token. Use it as an asynchronous context."""

    def __init__(self, url: str, token: str, between_tries_s: float = BETWEEN_TRIES_S) -> None:
        self._url = url
        self._between_tries_s = between_tries_s
        headers = {"Authorization": f"Bearer {token}"}
        self._http = httpx2.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def phones(self) -> list[PhoneOut]:
        """Return the user's own phones, the default first.

        Raises:
            DeskError: it cannot be read now, as below.
        """
        return (await self._read("/phones", ListView[PhoneOut])).items

    async def directory(self) -> list[DirectoryEntryOut]:
        """Return the names that can be called."""
        return (await self._read("/directory", ListView[DirectoryEntryOut])).items

    async def calls(self) -> list[CallOut]:
        """Return the newest calls, running ones included."""
        path = f"/calls?limit={CALLS_SHOWN}"
        return (await self._read(path, ListView[CallOut])).items

    async def balance(self) -> BalanceOut:
        """Return the money."""
        return await self._read("/balance", BalanceOut)

    async def say(self, line: str) -> Answer:
        """Send one line of the grammar; sent again until it is answered, and done once.

        Raises:
            DeskError: there was no answer; whether it was done is not known.
        """
        key = {"Idempotency-Key": uuid.uuid4().hex}
        for left in reversed(range(TRIES)):
            try:
                return _answer_of(await self._ask("POST", "/commands", {"text": line}, key))
            except DeskError:
                if not left:
                    raise
                await asyncio.sleep(self._between_tries_s)
        raise AssertionError("unreachable: the last try returns or raises")

    async def _read(self, path: str, model: type[M]) -> M:
        response = await self._ask("GET", path)
        if response.status_code != HTTPStatus.OK:
            raise DeskError(_answer_of(response).text)
        try:
            return model.model_validate_json(response.content)
        except ValidationError as error:
            raise DeskError(f"{self._url} answers as no gateway of this version does.") from error

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        try:
            response = await self._http.request(
                method, f"{PREFIX}{path}", json=body, headers=dict(headers or {})
            )
        except httpx2.HTTPError as error:
            why = str(error) or type(error).__name__
            raise DeskError(f"{self._url} does not answer ({why}).") from error
        if response.is_server_error:
            raise DeskError(_answer_of(response).text)
        return response


def _answer_of(response: httpx2.Response) -> Answer:
    try:
        said: dict[str, Any] = response.json()
        text = str(said.get("text") or said["detail"])
        choices = tuple((each["text"], each["label"]) for each in said.get("choices", ()))
        ref, answer = str(said.get("ref") or ""), str(said.get("answer") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DeskError(
            f"{response.url.host} answers {response.status_code} and no words; is it a gateway?"
        ) from None
    return Answer(response.is_success, text, ref, answer, choices)
