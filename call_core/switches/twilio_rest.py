"""Twilio's REST interface, as far as the switch needs it.

It is spoken with httpx2 and not with the twilio package: what a lost answer means decides whether a
phone may be rung again, and the package hides whether a request had left this machine. The package
also takes half a second to import, which every start of a command would pay.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

PAGE_SIZE: Final = 1_000  # Twilio's own limit
PAGES_LIMIT: Final = 20
BODY_LIMIT_BYTES: Final = 8 * 1024 * 1024
CONNECTIONS_LIMIT: Final = 50
_API: Final = "/2010-04-01/Accounts"
Form = Mapping[str, str | Sequence[str]]


class TwilioRefused(Exception):
    """Twilio did not do it, and said why.

    Attributes:
        status: of HTTP.
        code: Twilio's number of the error, 0 if there is none.
    """

    def __init__(self, status: int, code: int) -> None:
        super().__init__(f"Twilio: {status}, error {code}")
        self.status = status
        self.code = code

    @property
    def later(self) -> bool:
        """Whether the same request may be taken later."""
        return self.status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class TwilioUnreached(ConnectionError):
    """The request did not leave: it is certain that nothing was done."""


class TwilioUnknown(ConnectionError):
    """The answer was lost or cannot be read: it may have been done."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who we are at Twilio.

    Attributes:
        sid: of the account, `AC…`.
        user, password: account sid and token, or an API key and its secret.
        api_url: scheme and host of the interface.
    """

    sid: str
    user: str
    password: str
    api_url: str
    timeout_s: float


class TwilioRest:
    """A client of one account.

    Args:
        account: who we are.
        heard: told after every request whether Twilio could be reached.

    Attributes:
        pending: requests under way.
    """

    def __init__(self, account: Account, heard: Callable[[bool], None]) -> None:
        self._root = f"{_API}/{account.sid}"
        self._heard = heard
        self.pending = 0
        self._wire = httpx2.AsyncClient(
            base_url=account.api_url,
            auth=(account.user, account.password),
            timeout=account.timeout_s,
            limits=httpx2.Limits(max_connections=CONNECTIONS_LIMIT),
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._wire.aclose()

    # POST /2010-04-01/Accounts/AC…/Calls.json
    # To=%2B12125550101&From=%2B12025550143&Url=https%3A%2F%2Fcalls…%2Ftwiml%3Fleg%3D…&TimeLimit=180
    #   &Timeout=30&StatusCallback=https%3A%2F%2Fcalls…&StatusCallbackEvent=ringing&…
    async def create_call(self, form: Form) -> str:
        """Ring a number; return the call's sid.

        Raises:
            TwilioRefused: no call was made.
            TwilioUnreached: no call was made.
            TwilioUnknown: there may be a call.
        """
        made = await self._ask("POST", f"{self._root}/Calls.json", form)
        if "sid" not in made:
            raise TwilioUnknown("Twilio: the answer names no call")
        return str(made["sid"])

    async def update_call(self, sid: str, form: Form) -> None:
        """Change a call: its document, its longest duration, its end. As above."""
        await self._ask("POST", f"{self._root}/Calls/{sid}.json", form)

    async def call(self, sid: str) -> Mapping[str, Any]:
        """Return a call."""
        return await self._ask("GET", f"{self._root}/Calls/{sid}.json")

    async def calls(self, **query: str) -> list[Mapping[str, Any]]:
        """Return calls, newest first; a name that ends in `_after` filters by time."""
        names = {"status": "Status", "to": "To", "start_after": "StartTime>"}
        asked = {names[name]: value for name, value in query.items()}
        return await self._list("Calls.json", "calls", asked)

    async def events(self, sid: str) -> list[Mapping[str, Any]]:
        """Return the requests of a call: ours to Twilio, and Twilio's to us."""
        return await self._list(f"Calls/{sid}/Events.json", "events", {})

    async def conferences(self) -> list[Mapping[str, Any]]:
        """Return the conferences that are going on."""
        return await self._list("Conferences.json", "conferences", {"Status": "in-progress"})

    async def participants(self, sid: str) -> list[Mapping[str, Any]]:
        """Return who is in a conference."""
        return await self._list(f"Conferences/{sid}/Participants.json", "participants", {})

    async def update_participant(self, conference_sid: str, call_sid: str, form: Form) -> None:
        """Mute a participant, or say something to it alone."""
        path = f"Conferences/{conference_sid}/Participants/{call_sid}.json"
        await self._ask("POST", f"{self._root}/{path}", form)

    async def account(self) -> None:
        """Ask for the account, to see whether Twilio is there and knows us."""
        await self._ask("GET", f"{self._root}.json")

    async def _list(
        self, path: str, name: str, query: Mapping[str, str]
    ) -> list[Mapping[str, Any]]:
        """Return every page of a list."""
        found: list[Mapping[str, Any]] = []
        url = f"{self._root}/{path}"
        asked: Mapping[str, str] | None = {**query, "PageSize": str(PAGE_SIZE)}
        for _ in range(PAGES_LIMIT):
            page = await self._ask("GET", url, query=asked)
            found += page.get(name, ())
            following = page.get("next_page_uri")
            if not following:
                break
            parts = urlsplit(str(following))
            url, asked = f"{parts.path}?{parts.query}", None
        return found

    async def _ask(
        self,
        method: str,
        url: str,
        form: Form | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Mapping[str, Any]:
        self.pending += 1
        try:
            answer = await self._wire.request(method, url, data=form, params=query)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            self._heard(False)  # noqa: FBT003  (told whether Twilio was reached)
            raise TwilioUnreached(f"Twilio: {error!r}") from error
        except httpx2.HTTPError as error:
            self._heard(False)  # noqa: FBT003  (as above)
            raise TwilioUnknown(f"Twilio: {error!r}") from error
        finally:
            self.pending -= 1
        self._heard(True)  # noqa: FBT003  (as above)
        return _read(answer)


def _read(answer: httpx2.Response) -> Mapping[str, Any]:
    """Return what an answer says.

    Raises:
        TwilioRefused: it says no.
        TwilioUnknown: a server that broke may have done it all the same.
    """
    broke = answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
    if broke and answer.status_code != HTTPStatus.SERVICE_UNAVAILABLE:
        raise TwilioUnknown(f"Twilio: {answer.status_code}")
    try:
        said = answer.json() if len(answer.content) <= BODY_LIMIT_BYTES else None
    except ValueError:
        said = None
    if answer.is_success:
        if not isinstance(said, dict):
            raise TwilioUnknown("Twilio: the answer cannot be read")
        return said
    code = said.get("code") if isinstance(said, dict) else 0
    raise TwilioRefused(answer.status_code, code if isinstance(code, int) else 0)
